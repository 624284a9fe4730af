package awswire

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// decodeREST takes an input apart as restJson1 and restXml bind it.
func decodeREST(r *request, st *Structure, v reflect.Value) error {
	m := r.route.service.Model
	var query url.Values
	inBody := false
	for i := range st.Members {
		mem := &st.Members[i]
		t := &m.Types[mem.Type]
		var err error
		switch mem.In {
		case InBody:
			inBody = true
		case InLabel:
			err = setText(t, v.Field(i), r.route.labels[mem.WireName()])
		case InQuery, InQueryMap:
			if query == nil {
				if query, err = url.ParseQuery(r.query); err != nil {
					return serialization("the query string is not well encoded")
				}
			}
			if mem.In == InQuery {
				err = setMany(m, t, v.Field(i), query[mem.WireName()])
			} else {
				err = setQueryMap(m, t, v.Field(i), query, r.route.taken(st))
			}
		case InHeader:
			err = setHeader(m, t, v.Field(i), r.Header.Values(mem.WireName()))
		case InPrefixHeaders:
			err = setPrefixHeaders(v.Field(i), r.Header, mem.WireName())
		case InPayload:
			err = setPayload(r, t, v.Field(i))
		}
		if err != nil {
			return err
		}
	}
	if !inBody {
		return nil
	}
	if r.route.proto == RestXML {
		return xmlDecoder{m}.body(st, v, r.body)
	}
	tree, err := parseJSON(r.body)
	if err != nil {
		return err
	}
	return jsonDecoder{m}.structure(st, v, tree, bodyMember(m, true))
}

// taken lists the query keys that have a meaning of their own.
func (r *route) taken(st *Structure) []string {
	keys := slices.Clone(r.literals)
	for i := range st.Members {
		if st.Members[i].In == InQuery {
			keys = append(keys, st.Members[i].WireName())
		}
	}
	return keys
}

// setMany reads a query parameter; a list repeats its key, a map's member
// takes "key=value" pairs nowhere in AWS's models.
func setMany(m *Model, t *Type, v reflect.Value, values []string) error {
	if len(values) == 0 {
		return nil
	}
	if t.Kind != KindList {
		return setText(t, v, values[0])
	}
	list := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, s := range values {
		if err := setText(&m.Types[t.Ref], list.Index(i), s); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func setQueryMap(m *Model, t *Type, v reflect.Value, query url.Values, taken []string) error {
	out := reflect.MakeMap(v.Type())
	for key, values := range query {
		if slices.Contains(taken, key) || strings.HasPrefix(key, "X-Amz-") {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if err := setMany(m, &m.Types[t.Ref], item, values); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key), item)
	}
	if out.Len() > 0 {
		v.Set(out)
	}
	return nil
}

func setHeader(m *Model, t *Type, v reflect.Value, values []string) error {
	if len(values) == 0 {
		return nil
	}
	if t.Kind != KindList {
		return setText(t, v, strings.TrimSpace(values[0]))
	}
	var parts []string
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") {
		parts = append(parts, strings.TrimSpace(part))
	}
	return setMany(m, t, v, parts)
}

func setPrefixHeaders(v reflect.Value, head http.Header, prefix string) error {
	out := reflect.MakeMap(v.Type())
	for name, values := range head {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			out.SetMapIndex(reflect.ValueOf(name[len(prefix):]), reflect.ValueOf(strings.Join(values, ", ")))
		}
	}
	if out.Len() > 0 {
		v.Set(out)
	}
	return nil
}

// setPayload reads the whole body as one member. An empty body is none.
func setPayload(r *request, t *Type, v reflect.Value) error {
	m, body := r.route.service.Model, r.body
	if len(body) == 0 {
		return nil
	}
	switch t.Kind {
	case KindBlob:
		v.SetBytes(body)
		return nil
	case KindString:
		field(v).SetString(string(body))
		return nil
	case KindStructure:
		if r.route.proto == RestXML {
			return xmlDecoder{m}.body(&m.Structures[t.Ref], field(v), body)
		}
		tree, err := parseJSON(body)
		if err != nil || tree == nil {
			return err
		}
		return jsonDecoder{m}.value(t, v, tree)
	}
	return serialization("a payload of that kind is not supported")
}

// encodeREST puts an output together as restJson1 and restXml bind it.
func encodeREST(r *request, st *Structure, v reflect.Value) (response, error) {
	overXML := r.route.proto == RestXML
	out := response{status: r.route.operation.Code, header: http.Header{"Content-Type": {"application/json"}}}
	if overXML {
		out.header.Set("Content-Type", "text/xml")
	}
	if st == nil {
		return out, nil
	}
	if !v.IsValid() {
		if overXML {
			out.body = xmlBody(r.route.service, st, v)
			return out, nil
		}
		out.body = []byte("{}")
		return out, nil
	}
	m := r.route.service.Model
	payload := -1
	for i := range st.Members {
		mem := &st.Members[i]
		t := &m.Types[mem.Type]
		f := v.Field(i)
		if mem.In == InPayload {
			payload = i
			continue
		}
		if absent(f) {
			continue
		}
		switch mem.In {
		case InStatus:
			out.status = int(held(f).Int())
		case InHeader:
			setResponseHeader(out.header, mem.WireName(), headerText(m, t, f))
		case InPrefixHeaders:
			for _, key := range sortedKeys(f) {
				setResponseHeader(out.header, mem.WireName()+key, f.MapIndex(reflect.ValueOf(key)).String())
			}
		}
	}
	if payload >= 0 {
		return out, encodePayload(&out, r.route.service, st, v, payload, overXML)
	}
	if overXML {
		out.body = xmlBody(r.route.service, st, v)
		return out, nil
	}
	e := jsonEncoder{m: m, time: TimeEpoch}
	e.structure(st, v, func(mem *Member) bool { return mem.In == InBody || mem.In == InQuery })
	out.body = e.b
	return out, nil
}

func encodePayload(out *response, s *Service, st *Structure, v reflect.Value, i int, overXML bool) error {
	m := s.Model
	t, f := &m.Types[st.Members[i].Type], v.Field(i)
	if absent(f) {
		return nil
	}
	switch t.Kind {
	case KindBlob:
		out.body = f.Bytes()
	case KindString:
		out.body = []byte(held(f).String())
	case KindEventStream:
		out.header.Set("Content-Type", eventStreamType)
		out.events = eventSender(m, st, f, i, nil)
	case KindStructure:
		if overXML {
			out.body = xmlBody(s, &m.Structures[t.Ref], held(f))
			return nil
		}
		fallthrough
	default:
		e := jsonEncoder{m: m, time: TimeEpoch}
		e.value(t, f)
		out.body = e.b
	}
	return nil
}

// setResponseHeader drops line breaks, which would forge headers.
func setResponseHeader(head http.Header, name, value string) {
	value = strings.Map(func(c rune) rune {
		if c == '\r' || c == '\n' || c == 0 {
			return -1
		}
		return c
	}, value)
	head.Set(name, value)
}

func headerText(m *Model, t *Type, v reflect.Value) string {
	if t.Kind != KindList {
		return text(t, v, TimeHTTP)
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = text(&m.Types[t.Ref], v.Index(i), TimeHTTP)
	}
	return strings.Join(parts, ", ")
}

func encodeRESTError(e *Error) response {
	return response{
		status: e.Status,
		header: http.Header{"Content-Type": {"application/json"}, errorTypeHeader: {e.Code}},
		body:   appendErrorMembers([]byte("{"), e, true),
	}
}
