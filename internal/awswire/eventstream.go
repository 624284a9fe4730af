package awswire

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
)

// eventStreamType is the Content-Type of a stream of framed messages.
const eventStreamType = "application/vnd.amazon.eventstream"

// eventMember is the index of the member that streams, or -1.
func eventMember(m *Model, st *Structure) int {
	for i := range st.Members {
		if m.Types[st.Members[i].Type].Kind == KindEventStream {
			return i
		}
	}
	return -1
}

// eventSender sends the events of a member, an iter.Seq2 of a union and an
// error. An error ends the stream as an exception message. initial, if not
// nil, is the JSON of the other members, which awsJson sends first.
func eventSender(m *Model, st *Structure, seq reflect.Value, member int, initial []byte) func(func([]byte) error) error {
	union := &m.Structures[m.Types[st.Members[member].Type].Ref]
	return func(send func([]byte) error) error {
		if initial != nil {
			if err := send(frame(initial, ":message-type", "event", ":event-type", "initial-response", ":content-type", "application/json")); err != nil {
				return err
			}
		}
		for event, failure := range seq.Seq2() {
			if err, ok := failure.Interface().(error); ok && err != nil {
				var e *Error
				if !errors.As(err, &e) {
					e = internalFailure(err)
				}
				return errors.Join(err, send(frame(appendErrorMembers([]byte("{"), e, true),
					":message-type", "exception", ":exception-type", e.Code, ":content-type", "application/json")))
			}
			b, ok := encodeEvent(m, union, event)
			if !ok {
				continue
			}
			if err := send(b); err != nil {
				return err
			}
		}
		return nil
	}
}

// encodeEvent frames the one member of a union that is set.
func encodeEvent(m *Model, union *Structure, v reflect.Value) ([]byte, bool) {
	for i := range union.Members {
		f := v.Field(i)
		if absent(f) {
			continue
		}
		t := &m.Types[union.Members[i].Type]
		kind, payload := "application/json", []byte("{}")
		if t.Kind == KindStructure {
			st := &m.Structures[t.Ref]
			e := jsonEncoder{m: m, time: TimeEpoch}
			e.value(t, f)
			payload = e.b
			for j := range st.Members {
				if st.Members[j].EventPayload {
					kind, payload = "application/octet-stream", held(f).Field(j).Bytes()
				}
			}
		}
		return frame(payload, ":message-type", "event", ":event-type", union.Members[i].WireName(), ":content-type", kind), true
	}
	return nil, false
}

// frame makes one message: lengths, their checksum, string headers, payload,
// checksum of all.
func frame(payload []byte, headers ...string) []byte {
	const stringHeader = 7
	var head []byte
	for i := 0; i < len(headers); i += 2 {
		head = append(head, byte(len(headers[i])))
		head = append(head, headers[i]...)
		head = append(head, stringHeader)
		head = binary.BigEndian.AppendUint16(head, uint16(len(headers[i+1])))
		head = append(head, headers[i+1]...)
	}
	total := 12 + len(head) + len(payload) + 4
	b := make([]byte, 0, total)
	b = binary.BigEndian.AppendUint32(b, uint32(total))
	b = binary.BigEndian.AppendUint32(b, uint32(len(head)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(b, head...)
	b = append(b, payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
