package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gatehouse/tools/awsgen/model"
)

// A builder turns tuples into a model.
type builder struct {
	service  *model.Service
	declared declarations
	enums    map[string]bool
}

func (b *builder) build(shapes []*tuple) error {
	s := b.service
	for _, t := range shapes {
		if err := t.ShapeTraits.check(); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		var err error
		switch {
		case t.Head == 9:
			err = b.operation(t)
		case t.Head == -3 && strings.HasPrefix(t.Namespace, "smithy.ts.sdk.synthetic"):
			// The client's own base error class.
		case t.Head == -3:
			err = b.errorShape(t)
		default:
			var st *model.Structure
			if st, err = b.structure(t); err == nil {
				s.Structures = append(s.Structures, st)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	b.dropErrorEvents()
	slices.SortFunc(s.Operations, func(x, y *model.Operation) int { return strings.Compare(x.Name, y.Name) })
	slices.SortFunc(s.Structures, func(x, y *model.Structure) int { return strings.Compare(x.Name, y.Name) })
	slices.SortFunc(s.Errors, func(x, y *model.Error) int { return strings.Compare(x.Name, y.Name) })
	return nil
}

// dropErrorEvents takes the errors out of event streams' unions: an operation
// ends its stream with an error instead of an event.
func (b *builder) dropErrorEvents() {
	errors := map[string]bool{}
	for _, e := range b.service.Errors {
		errors[e.Name] = true
	}
	for _, st := range b.service.Structures {
		st.Members = slices.DeleteFunc(st.Members, func(m *model.Member) bool { return errors[m.Type.Ref] })
	}
}

func (b *builder) operation(t *tuple) error {
	op := &model.Operation{Name: t.Name}
	for _, io := range []struct {
		ref *tuple
		to  *string
	}{{t.Input, &op.Input}, {t.Output, &op.Output}} {
		if !io.ref.Unit {
			*io.to = io.ref.Name
		}
	}
	if raw, ok := t.ShapeTraits.named["http"]; ok && b.overHTTP() {
		if err := json.Unmarshal(raw, &[]any{&op.Method, &op.Path, &op.Code}); err != nil {
			return err
		}
	}
	if raw, ok := t.ShapeTraits.named["endpoint"]; ok {
		if err := json.Unmarshal(raw, &[]any{&op.HostPrefix}); err != nil {
			return err
		}
	}
	b.service.Operations = append(b.service.Operations, op)
	return nil
}

// overHTTP tells that operations have methods and paths of their own. Models of
// the other protocols may name them, too, and nobody uses them.
func (b *builder) overHTTP() bool {
	return b.service.Protocols[0] == restJSON1 || b.service.Protocols[0] == restXML
}

func (b *builder) errorShape(t *tuple) error {
	st, err := b.structure(t)
	if err != nil {
		return err
	}
	e := &model.Error{Name: t.Name, Status: 400, Members: st.Members, Server: t.ShapeTraits.text("error") == "server"}
	if e.Server {
		e.Status = 500
	}
	if raw, ok := t.ShapeTraits.named["httpError"]; ok {
		if err := json.Unmarshal(raw, &e.Status); err != nil {
			return err
		}
	}
	if raw, ok := t.ShapeTraits.named["awsQueryError"]; ok {
		if err := json.Unmarshal(raw, &[]any{&e.QueryCode, &e.QueryStatus}); err != nil {
			return err
		}
		if e.QueryCode == e.Name {
			e.QueryCode = ""
		}
		if e.QueryStatus == e.Status {
			e.QueryStatus = 0
		}
	}
	b.service.Errors = append(b.service.Errors, e)
	return nil
}

func (b *builder) structure(t *tuple) (*model.Structure, error) {
	st := &model.Structure{Name: t.Name, Union: t.Head == 4}
	for i, name := range t.MemberNames {
		m, err := b.member(t, name, t.Members[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.Required = i < t.Required
		st.Members = append(st.Members, m)
	}
	return st, nil
}

func (b *builder) member(owner *tuple, name string, ref *tuple) (*model.Member, error) {
	t := ref.Traits
	if err := t.check(); err != nil {
		return nil, err
	}
	typ, err := b.typeOf(ref, b.declared[owner.Name+"."+name])
	if err != nil {
		return nil, err
	}
	m := &model.Member{Name: name, Type: typ, Token: t.mask&bitToken != 0, EventPayload: t.has("eventPayload")}
	if typ.Kind == model.Struct && t.mask&bitPayload != 0 && ref.ShapeTraits.has("streaming") {
		typ.Kind = model.EventStream
	}
	if ref.Head == 4 && ref.ShapeTraits.has("streaming") {
		typ.Kind = model.EventStream
	}
	switch {
	case t.mask&bitLabel != 0:
		m.In = "label"
	case t.mask&bitPayload != 0:
		m.In = "payload"
	case t.mask&bitStatus != 0:
		m.In = "status"
	case t.mask&bitQueryMap != 0:
		m.In = "queryMap"
	case t.has("httpQuery"):
		m.In, m.Wire = "query", t.text("httpQuery")
	case t.has("httpHeader"):
		m.In, m.Wire = "header", t.text("httpHeader")
	case t.has("httpPrefixHeaders"):
		m.In, m.Wire = "prefixHeaders", t.text("httpPrefixHeaders")
	case t.has("jsonName"):
		m.Wire = t.text("jsonName")
	case t.has("xmlName") && b.service.Protocols[0] != restJSON1:
		m.Wire = t.text("xmlName")
	}
	if m.Wire == m.Name {
		m.Wire = ""
	}
	if t.has("xmlFlattened") {
		typ.Flattened = true
	}
	return m, nil
}

// typeOf reads a reference; decl is its TypeScript type, which names enums.
func (b *builder) typeOf(ref *tuple, decl string) (*model.Type, error) {
	var typ *model.Type
	switch {
	case ref.Head == 3 || ref.Head == 4 || ref.Head == -3:
		typ = &model.Type{Kind: model.Struct, Ref: ref.Name}
	case ref.Head == 1 || ref.Head == 2:
		key, elem := element(decl)
		inner, err := b.typeOf(ref.Element, elem)
		if err != nil {
			return nil, err
		}
		typ = &model.Type{Kind: model.List, Element: inner, Sparse: ref.ShapeTraits.has("sparse")}
		if ref.Head == 2 {
			typ.Kind = model.Map
			if typ.Key, err = b.typeOf(ref.Key, key); err != nil {
				return nil, err
			}
		} else if name := ref.Element.Traits.text("xmlName"); name != "member" && b.service.Protocols[0] != restJSON1 {
			typ.ElementName = name
		}
	default:
		var err error
		if typ, err = b.simple(ref.Sentinel, decl); err != nil {
			return nil, err
		}
	}
	if err := ref.ShapeTraits.check(); err != nil {
		return nil, err
	}
	if (ref.ShapeTraits.mask|ref.Traits.mask)&bitSensitive != 0 {
		typ.Sensitive = true
	}
	return typ, nil
}

func (b *builder) simple(sentinel int, decl string) (*model.Type, error) {
	switch {
	case sentinel&128 != 0:
		key, elem := element(decl)
		inner, err := b.simple(sentinel&^128, elem)
		if err != nil {
			return nil, err
		}
		k, err := b.simple(0, key)
		return &model.Type{Kind: model.Map, Key: k, Element: inner}, err
	case sentinel&64 != 0:
		_, elem := element(decl)
		inner, err := b.simple(sentinel&^64, elem)
		return &model.Type{Kind: model.List, Element: inner}, err
	}
	switch sentinel {
	case 0:
		t := &model.Type{Kind: model.String}
		if b.enums[decl] {
			t.Enum = decl
		}
		return t, nil
	case 1:
		return &model.Type{Kind: number}, nil
	case 2:
		return &model.Type{Kind: model.Boolean}, nil
	case 4:
		return &model.Type{Kind: model.Timestamp}, nil
	case 5:
		return &model.Type{Kind: model.Timestamp, Format: "date-time"}, nil
	case 6:
		return &model.Type{Kind: model.Timestamp, Format: "http-date"}, nil
	case 7:
		return &model.Type{Kind: model.Timestamp, Format: "epoch-seconds"}, nil
	case 15:
		return &model.Type{Kind: model.Document}, nil
	case 17:
		return &model.Type{Kind: model.Long}, nil
	case 21:
		return &model.Type{Kind: model.Blob}, nil
	case 42:
		return &model.Type{Kind: model.Blob, Streaming: true}, nil
	}
	return nil, fmt.Errorf("unknown sentinel %d", sentinel)
}

// number is the kind of a number whose width isn't known yet; no model is
// written while one is left.
const number = "number"
