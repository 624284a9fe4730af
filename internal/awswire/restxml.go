package awswire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// What is built of an XML body stays in proportion to it, as checkShape has it
// for JSON. The most that a call here needs are the 1,000 changes of a batch with
// 32,000 characters of values.
const (
	maxXMLBytes     = 4 << 20
	maxElements     = 1 << 17
	maxElementDepth = 32
	// maxAttributes bounds the attributes, which are read and left out: the parser
	// makes of one twenty times what it is in the body. The values have some of
	// the characters that are counted.
	maxAttributes = 1 << 16
)

// An element is one of an XML body. Attributes and namespaces are left out: no
// input of a service here has a meaning for them.
type element struct {
	name     string
	text     strings.Builder
	children []*element
}

// parseXML reads a body. An empty one is nil.
func parseXML(body []byte) (*element, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	if len(body) > maxXMLBytes {
		return nil, malformedXML("the request body is too long")
	}
	if bytes.Count(body, []byte("=")) > maxAttributes {
		return nil, malformedXML("the request body has too many attributes")
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	var root *element
	var open []*element
	for count := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformedXML("the request body is not well-formed XML")
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local}
			if count++; count > maxElements || len(open) >= maxElementDepth {
				return nil, malformedXML("the request body has too many elements")
			}
			switch {
			case len(open) > 0:
				last := open[len(open)-1]
				last.children = append(last.children, e)
			case root != nil:
				return nil, malformedXML("the request body goes on after its element")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text.Write(token)
			}
		case xml.Directive:
			// A document type could define entities; no client sends one.
			return nil, malformedXML("the request body declares a document type")
		}
	}
	if root == nil {
		return nil, malformedXML("the request body has no element")
	}
	return root, nil
}

// malformedXML is restXml's word for a body that can't be read.
func malformedXML(message string) *Error {
	// UNVERIFIED: what AWS says here names its parser and a position in the body.
	return &Error{Code: "MalformedInput", Status: http.StatusBadRequest, Message: message}
}

type xmlDecoder struct{ m *Model }

// body reads the members of an input that travel in its body. What the root is
// called, AWS doesn't mind.
func (d xmlDecoder) body(st *Structure, v reflect.Value, body []byte) error {
	root, err := parseXML(body)
	if err != nil || root == nil {
		return err
	}
	return d.structure(st, v, root)
}

func (d xmlDecoder) structure(st *Structure, v reflect.Value, e *element) error {
	for i := range st.Members {
		mem := &st.Members[i]
		if mem.In != InBody {
			continue
		}
		t := &d.m.Types[mem.Type]
		found := e.named(mem.WireName())
		if len(found) == 0 {
			continue
		}
		var err error
		if t.Flattened && t.Kind == KindList {
			err = d.list(t, v.Field(i), found)
		} else {
			err = d.value(t, v.Field(i), found[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named lists the children of a name.
func (e *element) named(name string) []*element {
	var list []*element
	for _, c := range e.children {
		if c.name == name {
			list = append(list, c)
		}
	}
	return list
}

func (d xmlDecoder) value(t *Type, v reflect.Value, e *element) error {
	switch t.Kind {
	case KindStructure:
		return d.structure(&d.m.Structures[t.Ref], field(v), e)
	case KindList:
		name := t.Element
		if name == "" {
			name = "member"
		}
		return d.list(t, v, e.named(name))
	case KindMap:
		return d.mapping(t, v, e.named("entry"))
	}
	if len(e.children) > 0 {
		return malformedXML("an element was given where a single value is expected")
	}
	text := e.text.String()
	if t.Kind != KindString {
		text = strings.TrimSpace(text)
	}
	err := setText(t, v, text)
	var refused *Error
	if errors.As(err, &refused) {
		refused.Code = "MalformedInput"
	}
	return err
}

func (d xmlDecoder) list(t *Type, v reflect.Value, items []*element) error {
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.value(&d.m.Types[t.Ref], out.Index(i), item); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (d xmlDecoder) mapping(t *Type, v reflect.Value, entries []*element) error {
	out := reflect.MakeMap(v.Type())
	for _, entry := range entries {
		key, value := entry.named("key"), entry.named("value")
		if len(key) == 0 {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if len(value) > 0 {
			if err := d.value(&d.m.Types[t.Ref], item, value[0]); err != nil {
				return err
			}
		}
		out.SetMapIndex(reflect.ValueOf(key[0].text.String()), item)
	}
	v.Set(out)
	return nil
}

// xmlBody is the document of an output, or of the member that is its payload.
func xmlBody(s *Service, st *Structure, v reflect.Value) []byte {
	e := xmlEncoder{m: s.Model}
	e.b.WriteString("<?xml version=\"1.0\"?>\n<" + st.Name + " xmlns=\"" + s.XMLNamespace + "\">")
	if v.IsValid() {
		for i := range st.Members {
			mem := &st.Members[i]
			// On an output, InQuery is the body.
			if f := v.Field(i); !absent(f) && (mem.In == InBody || mem.In == InQuery) {
				e.value(mem.WireName(), &e.m.Types[mem.Type], f)
			}
		}
	}
	e.close(st.Name)
	return e.b.Bytes()
}
