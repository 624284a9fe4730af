package rest

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// Handling is contentHandling of an integration or an integration response.
type Handling uint8

// The ways of handling content.
const (
	AsIs     Handling = iota // not set
	ToText                   // CONVERT_TO_TEXT
	ToBinary                 // CONVERT_TO_BINARY
)

// ParseHandling returns the handling of AWS's name, AsIs for other text.
func ParseHandling(name string) Handling {
	switch name {
	case "CONVERT_TO_TEXT":
		return ToText
	case "CONVERT_TO_BINARY":
		return ToBinary
	default:
		return AsIs
	}
}

const jsonType = "application/json"

// contentType is the media type of a message; JSON is what says nothing.
func contentType(headers plan.Headers) string {
	if t := plan.MediaType(headers.Get("content-type")); t != "" {
		return t
	}
	return jsonType
}

// isBinary tells whether bodies of a media type are bytes, as no message of a
// WebSocket API is.
func isBinary(x *plan.Exchange, mediaType string) bool {
	return x.Stage.Rest != nil && x.Stage.Rest.BinaryTypes.Has(mediaType)
}

// A conversion is what happens to the bytes of a body.
type conversion uint8

const (
	keep conversion = iota // bytes
	text                   // text: what isn't UTF-8 is replaced
	encode
	decode
)

// requestConversion is the table of request bodies by contentHandling.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
func requestConversion(h Handling, binary bool) conversion {
	switch {
	case !binary && h == ToBinary:
		return decode
	case !binary:
		return text
	case h == ToText:
		return encode
	default:
		return keep
	}
}

// responseConversion is the table of response bodies: binary tells that the
// payload is, accepts that the client takes bytes.
func responseConversion(h Handling, binary, accepts bool) conversion {
	switch {
	case !binary && (h == ToBinary || h == AsIs && accepts):
		return decode
	case !binary:
		return text
	case h == ToText || h == AsIs && !accepts:
		return encode
	default:
		return keep
	}
}

// apply converts a body. ok is false when it should be base64 and isn't.
func (c conversion) apply(x *plan.Exchange, body []byte) (converted []byte, ok bool) {
	switch c {
	case encode:
		start := len(x.Scratch)
		x.Scratch = base64.StdEncoding.AppendEncode(x.Scratch, body)
		return x.Scratch[start:], true
	case decode:
		start := len(x.Scratch)
		x.Scratch = slices.Grow(x.Scratch, base64.StdEncoding.DecodedLen(len(body)))
		decoded, err := base64.StdEncoding.AppendDecode(x.Scratch, body)
		if err != nil {
			return nil, false
		}
		x.Scratch = decoded
		return x.Scratch[start:], true
	case text:
		if utf8.Valid(body) {
			return body, true
		}
		start := len(x.Scratch)
		for len(body) > 0 {
			r, size := utf8.DecodeRune(body)
			x.Scratch = utf8.AppendRune(x.Scratch, r)
			body = body[size:]
		}
		return x.Scratch[start:], true
	default:
		return body, true
	}
}

// bytes tells whether the result can't be read by a template.
func (c conversion) bytes() bool { return c == keep || c == decode }
