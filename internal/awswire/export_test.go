package awswire

import (
	"encoding/json"
	"net/http"
	"reflect"
)

// Decoded is what a request became.
type Decoded struct {
	Service, Operation string
	Input              any
}

// Decode places and decodes a request without checking its input.
func Decode(hr *http.Request, services []*Service) (Decoded, error) {
	h := NewHandler(Options{Services: services})
	r := h.newRequest(hr)
	if err := h.readBody(r); err != nil {
		return Decoded{}, err
	}
	var err error
	if r.route, err = h.router.route(r); err != nil {
		return Decoded{}, err
	}
	d := Decoded{Service: r.route.serviceName(), Operation: r.route.operationName()}
	if bound := r.route.service.Handlers[r.route.index]; bound.newInput != nil {
		d.Input = bound.newInput()
		err = decode(r, d.Input)
	}
	return d, err
}

// NewOutput makes an empty output of an operation, or nil.
func NewOutput(s *Service, i int) any {
	bound := s.Handlers[i]
	if s.Operations[i].Output < 0 {
		return nil
	}
	return bound.newOutput()
}

// ReadAnswer fills an output from an answer, as a client would.
func ReadAnswer(s *Service, i int, out any, head http.Header, body []byte, form map[string]any) error {
	v := reflect.ValueOf(out).Elem()
	st := &s.Structures[s.Operations[i].Output]
	if s.Protocols[0] == AWSQuery {
		d := formDecoder{s.Model}
		return d.structure(st, v, nodeOf(form))
	}
	for j := range st.Members {
		mem := &st.Members[j]
		t := &s.Types[mem.Type]
		switch {
		case s.Protocols[0] != RestJSON1:
		case mem.In == InHeader:
			if err := setHeader(s.Model, t, v.Field(j), head.Values(mem.WireName())); err != nil {
				return err
			}
		case mem.In == InPayload && t.Kind == KindBlob:
			v.Field(j).SetBytes(body)
			body = nil
		}
	}
	if len(body) == 0 {
		return nil
	}
	tree, err := parseJSON(body)
	if err != nil {
		return err
	}
	return jsonDecoder{s.Model}.structure(st, v, tree, func(mem *Member) bool {
		return s.Protocols[0] != RestJSON1 || mem.In == InBody || mem.In == InQuery
	})
}

// nodeOf turns an XML tree, in which every name has a list, into a form.
func nodeOf(tree map[string]any) *node {
	n := &node{}
	for name, x := range tree {
		for i, e := range x.([]any) {
			c := n.child(name)
			if name == "member" {
				c = c.child(string(rune('1' + i)))
			}
			if text, ok := e.(string); ok {
				c.value, c.set = text, true
				continue
			}
			filled := nodeOf(e.(map[string]any))
			c.children = filled.children
		}
	}
	return n
}

// Encode makes the answer of an operation.
func Encode(s *Service, i int, out any) (status int, head http.Header, body []byte, err error) {
	r := &request{Request: &http.Request{Header: http.Header{}}, call: &Call{RequestID: "id"}}
	r.route = route{service: s, operation: &s.Operations[i], index: i, proto: s.Protocols[0]}
	resp, err := encode(r, out)
	return resp.status, resp.header, resp.body, err
}

// Leaves lists the single values in a JSON text, sorted by the caller.
func Leaves(data []byte) ([]string, error) {
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	var list []string
	var walk func(any)
	walk = func(x any) {
		switch x := x.(type) {
		case map[string]any:
			for _, e := range x {
				walk(e)
			}
		case []any:
			for _, e := range x {
				walk(e)
			}
		case nil:
		default:
			text, err := json.Marshal(x)
			if err != nil {
				return
			}
			list = append(list, string(text))
		}
	}
	walk(tree)
	return list, nil
}
