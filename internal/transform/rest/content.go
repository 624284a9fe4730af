package rest

import (
	"encoding/base64"
	"errors"
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

// errNotBase64 is the error of a body that should be base64.
var errNotBase64 = errors.New("the body isn't base64")

// apply converts a body. Its error is errNotBase64, or plan.ErrCrowded of one that
// gets longer than there is room for.
func (c conversion) apply(x *plan.Exchange, body []byte) ([]byte, error) {
	if c == keep || c == text && utf8.Valid(body) {
		return body, nil
	}
	defer x.Turns.Give(x.Turns.Take(len(body)))
	start, full := len(x.Scratch), cap(x.Scratch)
	switch c {
	case encode:
		x.Scratch = base64.StdEncoding.AppendEncode(x.Scratch, body)
	case decode:
		x.Scratch = slices.Grow(x.Scratch, base64.StdEncoding.DecodedLen(len(body)))
		decoded, err := base64.StdEncoding.AppendDecode(x.Scratch, body)
		if err != nil {
			return nil, errNotBase64
		}
		x.Scratch = decoded
	default:
		x.Scratch = appendText(x.Scratch, body)
	}
	return x.Scratch[start:], holdMade(x, cap(x.Scratch)-full)
}

// appendText appends a body in which what isn't UTF-8 is replaced.
func appendText(dst, body []byte) []byte {
	size := 0
	for rest := body; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		size += utf8.RuneLen(r)
		rest = rest[n:]
	}
	dst = slices.Grow(dst, size)
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		dst = utf8.AppendRune(dst, r)
		body = body[n:]
	}
	return dst
}

// heldFrom is from how many bytes on what is made of a body counts as one that is
// held whole.
const heldFrom = 64 << 10

// holdMade holds n bytes that were made of a body. Its error is plan.ErrCrowded.
func holdMade(x *plan.Exchange, n int) error {
	if n < heldFrom {
		return nil
	}
	return x.Hold(n)
}

// unconverted is the fault of a body that apply doesn't convert.
func unconverted(x *plan.Exchange, err error) error {
	if errors.Is(err, errNotBase64) {
		return configurationError(x, "Unable to base64 decode the body.")
	}
	return crowded(err)
}

// crowded is the fault of what there is no room for.
func crowded(err error) error {
	return &plan.Fault{Kind: plan.IntegrationFailure, Reason: "what becomes of the body can't be held: " + err.Error(), Cause: err}
}

// bytes tells whether the result can't be read by a template.
func (c conversion) bytes() bool { return c == keep || c == decode }
