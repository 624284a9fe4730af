package websocket

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform"
)

// wholeBody is the message as it is.
type wholeBody struct{}

func (wholeBody) append(dst []byte, x *plan.Exchange) []byte { return append(dst, x.Request.Body...) }

// A requestBody is a value in the message. A message that isn't JSON has none.
type requestBody struct{ path transform.Path }

func (s requestBody) append(dst []byte, x *plan.Exchange) []byte {
	return appendValue(dst, s.path, x.Request.Body)
}

// A responseBody is a value in what the integration answered.
type responseBody struct{ path transform.Path }

func (s responseBody) append(dst []byte, x *plan.Exchange) []byte {
	return appendValue(dst, s.path, x.Response.Body)
}

// status is the status of the integration's response.
type status struct{}

func (status) append(dst []byte, x *plan.Exchange) []byte {
	return strconv.AppendInt(dst, int64(x.Integration.Status), 10)
}

// A lastHeader is the last value of a header of the integration's response.
type lastHeader string

func (s lastHeader) append(dst []byte, x *plan.Exchange) []byte {
	for _, h := range slices.Backward(x.Response.Headers) {
		if plan.EqualFold(h.Name, string(s)) {
			return append(dst, h.Value...)
		}
	}
	return dst
}

// allHeaders are all values of a header of the integration's response.
type allHeaders string

func (s allHeaders) append(dst []byte, x *plan.Exchange) []byte {
	start := len(dst)
	for _, h := range x.Response.Headers {
		if !plan.EqualFold(h.Name, string(s)) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(dst, h.Value...)
	}
	return dst
}

// appendValue appends the text of a value in a document. Lists and objects are
// written as Java writes them, "[a, b]" and "{k=v}"; null is nothing.
// UNVERIFIED: how objects are written.
func appendValue(dst []byte, path transform.Path, doc []byte) []byte {
	value := path.Find(doc)
	if len(value) == 0 || !json.Valid(doc) {
		return dst
	}
	switch value[0] {
	case '"':
		return transform.AppendUnquoted(dst, value)
	case 'n':
		return dst
	case '[', '{':
		return appendCollection(dst, value)
	}
	return append(dst, value...)
}

// appendCollection appends the Java text of a list or an object, which is valid
// JSON.
func appendCollection(dst, value []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	// A separator is due before all but the first of what is in a collection;
	// names are followed by "=" instead.
	type collection struct {
		object, named bool
		count         int
	}
	var open []collection
	for {
		token, err := d.Token()
		if err != nil {
			return dst
		}
		closing := token == json.Delim(']') || token == json.Delim('}')
		if len(open) > 0 && !closing {
			in := &open[len(open)-1]
			switch {
			case in.object && in.named:
				dst = append(dst, '=')
				in.named = false
			case in.count > 0:
				dst = append(dst, ", "...)
				fallthrough
			default:
				in.count++
				in.named = in.object
			}
		}
		switch v := token.(type) {
		case json.Delim:
			dst = append(dst, byte(v))
			if !closing {
				open = append(open, collection{object: v == '{'})
				continue
			}
			if open = open[:len(open)-1]; len(open) == 0 {
				return dst
			}
		case string:
			dst = append(dst, v...)
		case json.Number:
			dst = append(dst, v...)
		case bool:
			dst = strconv.AppendBool(dst, v)
		default:
			dst = append(dst, "null"...)
		}
	}
}
