package awswire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Limits of a form: AWS has lower ones for every list it takes.
const (
	maxFormParams = 20_000
	maxFormDepth  = 32
)

// A form is the parameters of an awsQuery call, taken apart at their dots.
type form struct{ root *node }

// A node is one step of a parameter's name.
type node struct {
	value    string
	set      bool
	children map[string]*node
}

func parseForm(values url.Values) (form, error) {
	root := &node{}
	if len(values) > maxFormParams {
		return form{}, &Error{Code: "MalformedInput", Status: 400, Message: "too many parameters"}
	}
	for key, list := range values {
		if strings.Count(key, ".") > maxFormDepth {
			return form{}, &Error{Code: "MalformedInput", Status: 400, Message: "a parameter is nested too deeply"}
		}
		n := root
		for part := range strings.SplitSeq(key, ".") {
			n = n.child(part)
		}
		n.value, n.set = list[0], true
	}
	return form{root}, nil
}

func (n *node) child(name string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := n.children[name]
	if c == nil {
		c = &node{}
		n.children[name] = c
	}
	return c
}

// numbered lists the children that are list positions, in order.
func (n *node) numbered() []*node {
	type position struct {
		at   int
		node *node
	}
	var list []position
	for name, c := range n.children {
		if at, err := strconv.Atoi(name); err == nil && at > 0 {
			list = append(list, position{at, c})
		}
	}
	slices.SortFunc(list, func(x, y position) int { return x.at - y.at })
	nodes := make([]*node, len(list))
	for i, p := range list {
		nodes[i] = p.node
	}
	return nodes
}

type formDecoder struct{ m *Model }

func (d formDecoder) structure(st *Structure, v reflect.Value, n *node) error {
	for i := range st.Members {
		mem := &st.Members[i]
		c := n.children[mem.WireName()]
		if c == nil {
			continue
		}
		if err := d.value(&d.m.Types[mem.Type], v.Field(i), c); err != nil {
			return err
		}
	}
	return nil
}

func (d formDecoder) value(t *Type, v reflect.Value, n *node) error {
	switch t.Kind {
	case KindStructure:
		return d.structure(&d.m.Structures[t.Ref], field(v), n)
	case KindList:
		return d.list(t, v, n)
	case KindMap:
		return d.mapping(t, v, n)
	}
	if !n.set {
		return &Error{Code: "MalformedInput", Status: 400, Message: "a list or structure was given where a single value is expected"}
	}
	if n.value == "" && t.Kind != KindString && t.Kind != KindBlob {
		return nil
	}
	err := setText(t, v, n.value)
	var e *Error
	if errors.As(err, &e) {
		e.Code = "MalformedInput"
	}
	return err
}

// list reads Name.member.N, or Name.N where the list is flattened. Name= alone
// is an empty list.
func (d formDecoder) list(t *Type, v reflect.Value, n *node) error {
	items := n.numbered()
	name := t.Element
	if name == "" {
		name = "member"
	}
	if wrapped := n.children[name]; wrapped != nil && len(items) == 0 {
		items = wrapped.numbered()
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.value(&d.m.Types[t.Ref], out.Index(i), item); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// mapping reads Name.entry.N.key and .value, or Name.N.key where flattened.
func (d formDecoder) mapping(t *Type, v reflect.Value, n *node) error {
	items := n.numbered()
	if wrapped := n.children["entry"]; wrapped != nil && len(items) == 0 {
		items = wrapped.numbered()
	}
	out := reflect.MakeMap(v.Type())
	for _, item := range items {
		key, value := item.children["key"], item.children["value"]
		if key == nil {
			continue
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if value != nil {
			if err := d.value(&d.m.Types[t.Ref], elem, value); err != nil {
				return err
			}
		}
		out.SetMapIndex(reflect.ValueOf(key.value), elem)
	}
	v.Set(out)
	return nil
}

// An xmlEncoder writes answers of awsQuery and restXml.
type xmlEncoder struct {
	m *Model
	b bytes.Buffer
}

func encodeQuery(r *request, st *Structure, v reflect.Value) response {
	s, op := r.route.service, r.route.operation
	e := xmlEncoder{m: s.Model}
	e.b.WriteString("<" + op.Name + "Response xmlns=\"" + s.XMLNamespace + "\">\n")
	if st != nil {
		e.open(op.Name + "Result")
		if v.IsValid() {
			e.structure(st, v)
		}
		e.close(op.Name + "Result")
		e.b.WriteByte('\n')
	}
	e.open("ResponseMetadata")
	e.element("RequestId", r.call.RequestID)
	e.close("ResponseMetadata")
	e.b.WriteByte('\n')
	e.close(op.Name + "Response")
	e.b.WriteByte('\n')
	return response{status: http.StatusOK, header: http.Header{"Content-Type": {"text/xml"}}, body: e.b.Bytes()}
}

// encodeQueryError makes the answer of a failure, which awsQuery and restXml
// write alike.
func encodeQueryError(r *request, x *Error) response {
	var e xmlEncoder
	e.b.WriteString("<ErrorResponse")
	if r.route.service != nil {
		e.b.WriteString(" xmlns=\"" + r.route.service.XMLNamespace + "\"")
	}
	e.b.WriteString(">\n")
	e.open("Error")
	e.element("Type", x.fault())
	e.element("Code", x.queryCode())
	e.element("Message", x.Message)
	for _, name := range x.sortedMembers() {
		if s, ok := x.Members[name].(string); ok && name != "Type" {
			e.element(name, s)
		}
	}
	e.close("Error")
	e.b.WriteByte('\n')
	e.element("RequestId", r.call.RequestID)
	e.b.WriteByte('\n')
	e.close("ErrorResponse")
	e.b.WriteByte('\n')
	return response{status: x.Status, header: http.Header{"Content-Type": {"text/xml"}}, body: e.b.Bytes()}
}

func (e *xmlEncoder) open(name string)  { e.b.WriteString("<" + name + ">") }
func (e *xmlEncoder) close(name string) { e.b.WriteString("</" + name + ">") }

func (e *xmlEncoder) element(name, value string) {
	e.open(name)
	// A bytes.Buffer never fails to take a write.
	_ = xml.EscapeText(&e.b, []byte(value))
	e.close(name)
}

func (e *xmlEncoder) structure(st *Structure, v reflect.Value) {
	for i := range st.Members {
		f := v.Field(i)
		if !absent(f) {
			e.value(st.Members[i].WireName(), &e.m.Types[st.Members[i].Type], f)
		}
	}
}

func (e *xmlEncoder) value(name string, t *Type, v reflect.Value) {
	v = held(v)
	switch t.Kind {
	case KindStructure:
		e.open(name)
		e.structure(&e.m.Structures[t.Ref], v)
		e.close(name)
	case KindList:
		item := t.Element
		if item == "" {
			item = "member"
		}
		if t.Flattened {
			item = name
		} else {
			e.open(name)
		}
		for i := range v.Len() {
			e.value(item, &e.m.Types[t.Ref], v.Index(i))
		}
		if !t.Flattened {
			e.close(name)
		}
	case KindMap:
		entry := "entry"
		if t.Flattened {
			entry = name
		} else {
			e.open(name)
		}
		for _, key := range sortedKeys(v) {
			e.open(entry)
			e.element("key", key)
			e.value("value", &e.m.Types[t.Ref], v.MapIndex(reflect.ValueOf(key)))
			e.close(entry)
		}
		if !t.Flattened {
			e.close(name)
		}
	default:
		e.element(name, text(t, v, TimeDate))
	}
}
