package awswire

import (
	"encoding/json"
	"net/http"
	"reflect"
)

func awsJSONType(p Protocol) string {
	if p == AWSJSON10 {
		return "application/x-amz-json-1.0"
	}
	return "application/x-amz-json-1.1"
}

func encodeAWSJSON(r *request, st *Structure, v reflect.Value) (response, error) {
	out := response{status: http.StatusOK, header: http.Header{"Content-Type": {awsJSONType(r.route.proto)}}}
	if st == nil {
		return out, nil
	}
	m := r.route.service.Model
	e := jsonEncoder{m: m, time: TimeEpoch}
	if !v.IsValid() {
		out.body = []byte("{}")
		return out, nil
	}
	if i := eventMember(m, st); i >= 0 && !v.Field(i).IsNil() {
		e.structure(st, v, func(mem *Member) bool { return m.Types[mem.Type].Kind != KindEventStream })
		out.header.Set("Content-Type", eventStreamType)
		out.events = eventSender(m, st, v.Field(i), i, e.b)
		return out, nil
	}
	e.structure(st, v, func(mem *Member) bool { return m.Types[mem.Type].Kind != KindEventStream })
	out.body = e.b
	return out, nil
}

func encodeAWSJSONError(r *request, e *Error) response {
	out := response{status: e.Status, header: http.Header{"Content-Type": {awsJSONType(r.route.proto)}}}
	if e.Status == http.StatusForbidden && !r.refused {
		// What the other protocols forbid is a bad request here.
		out.status = http.StatusBadRequest
	}
	if e.QueryCode != "" && r.Header.Get("X-Amzn-Query-Mode") == "true" {
		out.header.Set("X-Amzn-Query-Error", e.QueryCode+";"+e.fault())
	}
	b := append([]byte(`{"__type":`), appendString(nil, e.Code)...)
	out.body = appendErrorMembers(b, e, false)
	return out
}

// appendErrorMembers appends an error's members and message and closes the
// object that b begins; empty says whether nothing stands in it yet.
func appendErrorMembers(b []byte, e *Error, empty bool) []byte {
	member := func(name string, value []byte) {
		if !empty {
			b = append(b, ',')
		}
		empty = false
		b = append(appendString(b, name), ':')
		b = append(b, value...)
	}
	for _, name := range e.sortedMembers() {
		if value, err := json.Marshal(e.Members[name]); err == nil {
			member(name, value)
		}
	}
	if e.Message != "" {
		name := e.MessageMember
		if name == "" {
			name = "message"
		}
		member(name, appendString(nil, e.Message))
	}
	return append(b, '}')
}
