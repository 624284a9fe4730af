package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Encode writes a service with one member a line, so that a new version of a
// model reads well as a diff.
func Encode(s *Service) ([]byte, error) {
	var e encoder
	head := *s
	head.Operations, head.Structures, head.Errors, head.Enums = nil, nil, nil, nil
	h := e.json(head)
	// The four empty lists at the end of the head are written out below.
	h = h[:bytes.Index(h, []byte(`,"operations":`))]
	e.buf.Write(h)
	e.buf.WriteString(",\n\"operations\":[")
	each(&e, s.Operations, func(o *Operation) { e.buf.Write(e.json(o)) })
	e.buf.WriteString("],\n\"structures\":[")
	each(&e, s.Structures, func(st *Structure) {
		fmt.Fprintf(&e.buf, `{"name":%s,`, e.json(st.Name))
		if st.Union {
			e.buf.WriteString(`"union":true,`)
		}
		e.buf.WriteString(`"members":[`)
		each(&e, st.Members, func(m *Member) { e.buf.WriteByte(' '); e.buf.Write(e.json(m)) })
		e.buf.WriteString("]}")
	})
	e.buf.WriteString("],\n\"errors\":[")
	each(&e, s.Errors, func(x *Error) { e.buf.Write(e.json(x)) })
	e.buf.WriteString("],\n\"enums\":[")
	each(&e, s.Enums, func(x *Enum) { e.buf.Write(e.json(x)) })
	e.buf.WriteString("]}\n")
	return e.buf.Bytes(), e.err
}

type encoder struct {
	buf bytes.Buffer
	err error
}

func (e *encoder) json(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && e.err == nil {
		e.err = err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func each[T any](e *encoder, list []T, write func(T)) {
	for i, v := range list {
		if i > 0 {
			e.buf.WriteByte(',')
		}
		e.buf.WriteByte('\n')
		write(v)
	}
}

// Read reads the service kept in a file.
func Read(file string) (*Service, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := new(Service)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(s); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}
