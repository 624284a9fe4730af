package lambdaevent

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"gatehouse/internal/plan"
)

// Content types of responses whose function named none.
const (
	textPlain       = "text/plain; charset=utf-8"
	applicationJSON = "application/json"
)

// Reply20 turns the result of a function called with payload format 2.0 into a
// response. A result that is JSON without a statusCode is the body itself;
// otherwise it is an object of statusCode, headers, body, isBase64Encoded and
// cookies.
//
// The result is used up: it is decoded in its own place and the response keeps
// views of it. The error says what is wrong with the result; the response is
// empty then.
func Reply20(result []byte, resp *plan.Response) error {
	r, err := parseReply(result)
	if err != nil {
		return err
	}
	if r.status == nil {
		r.infer(resp)
		return nil
	}
	return fill(resp, r.setStatus, r.setCookies, r.setHeaders, r.setBody)
}

// Reply10 turns the result of a function called with payload format 1.0 into a
// response: an object of statusCode, headers, multiValueHeaders, body and
// isBase64Encoded. It uses the result up as Reply20 does.
func Reply10(result []byte, resp *plan.Response) error {
	r, err := parseReply(result)
	if err != nil {
		return err
	}
	if r.value[0] != '{' {
		return errors.New("the result isn't an object")
	}
	if r.status == nil {
		return errors.New("the result has no statusCode")
	}
	return fill(resp, r.setStatus, r.setMultiValueHeaders, r.setBody)
}

// fill fills the response part by part, and empties it when one is wrong.
func fill(resp *plan.Response, parts ...func(*plan.Response) error) error {
	for _, set := range parts {
		if err := set(resp); err != nil {
			*resp = plan.Response{Headers: resp.Headers[:0]}
			return err
		}
	}
	return nil
}

// A reply is a function's result, checked to be JSON, with the text of the
// members that mean something; nil where a member is absent or null.
type reply struct {
	value                                         []byte
	status, headers, multi, body, encoded, cookie []byte
}

func parseReply(result []byte) (reply, error) {
	var r reply
	if err := r.parse(result, r.member); err != nil {
		return reply{}, err
	}
	return r, nil
}

// parse checks the result and hands the members of an object to member.
func (r *reply) parse(result []byte, member func(name, value []byte) error) error {
	s := scanner{data: result}
	var err error
	if s.peek() == '{' {
		start := s.i
		err = s.members(member)
		r.value = result[start:s.i]
	} else {
		r.value, err = s.value()
	}
	if err != nil {
		return err
	}
	if s.peek(); s.i != len(result) {
		return errSyntax
	}
	return nil
}

// member keeps a member of the result's object; the last of one name counts.
func (r *reply) member(name, value []byte) error {
	if value[0] == 'n' {
		value = nil
	}
	switch plain(name) {
	case "statusCode":
		r.status = value
	case "headers":
		r.headers = value
	case "multiValueHeaders":
		r.multi = value
	case "body":
		r.body = value
	case "isBase64Encoded":
		r.encoded = value
	case "cookies":
		r.cookie = value
	}
	return nil
}

// plain returns the text of a quoted name. Names with escapes are rare and copied.
func plain(quoted []byte) string {
	for _, c := range quoted {
		if c == '\\' {
			return string(unquote([]byte(string(quoted))))
		}
	}
	return view(quoted[1 : len(quoted)-1])
}

// infer makes the result the body.
func (r *reply) infer(resp *plan.Response) {
	resp.Status = 200
	resp.Add("content-type", applicationJSON)
	// UNVERIFIED: the documentation shows a string result both with and without
	// its quotes; what is served is believed to be without.
	if resp.Body = r.value; r.value[0] == '"' {
		resp.Body = unquote(r.value)
	}
}

// setStatus accepts an integer, also as a string.
func (r *reply) setStatus(resp *plan.Response) error {
	text := r.status
	if text[0] == '"' {
		text = unquote(text)
	}
	status, err := strconv.Atoi(view(text))
	if err != nil || status < 200 || status > 599 {
		return fmt.Errorf("statusCode %.20s isn't a status of a response", text)
	}
	resp.Status = status
	return nil
}

// setCookies adds a set-cookie line for each cookie; they come before those of
// the headers.
func (r *reply) setCookies(resp *plan.Response) error {
	if r.cookie == nil {
		return nil
	}
	if r.cookie[0] != '[' {
		return errors.New("cookies isn't a list")
	}
	s := scanner{data: r.cookie}
	return s.elements(func(value []byte) error {
		if value[0] != '"' {
			return errors.New("cookies has an element that isn't a string")
		}
		return addHeader(resp, "set-cookie", view(unquote(value)))
	})
}

func (r *reply) setHeaders(resp *plan.Response) error {
	if err := r.addHeaders(resp); err != nil {
		return err
	}
	addContentType(resp)
	return nil
}

// addHeaders adds the lines of headers.
func (r *reply) addHeaders(resp *plan.Response) error {
	return eachHeader("headers", r.headers, func(name string, value []byte) error {
		text, ok, err := headerText(name, value)
		if err != nil || !ok {
			return err
		}
		return addHeader(resp, name, text)
	})
}

// setMultiValueHeaders adds the lines of headers, then those of
// multiValueHeaders. A name with the same value in both is sent once.
func (r *reply) setMultiValueHeaders(resp *plan.Response) error {
	if err := r.addHeaders(resp); err != nil {
		return err
	}
	single := len(resp.Headers)
	err := eachHeader("multiValueHeaders", r.multi, func(name string, value []byte) error {
		if value[0] == 'n' {
			return nil
		}
		if value[0] != '[' {
			return fmt.Errorf("multiValueHeaders has %.100q, which isn't a list", name)
		}
		s := scanner{data: value}
		return s.elements(func(value []byte) error {
			text, ok, err := headerText(name, value)
			if err != nil || !ok {
				return err
			}
			for _, h := range resp.Headers[:single] {
				if h.Value == text && plan.EqualFold(h.Name, name) {
					return nil
				}
			}
			return addHeader(resp, name, text)
		})
	})
	if err != nil {
		return err
	}
	addContentType(resp)
	return nil
}

// eachHeader calls visit for every member of a checked object.
func eachHeader(member string, object []byte, visit func(name string, value []byte) error) error {
	if object == nil {
		return nil
	}
	if object[0] != '{' {
		return errors.New(member + " isn't an object")
	}
	s := scanner{data: object}
	return s.members(func(name, value []byte) error {
		return visit(view(unquote(name)), value)
	})
}

// headerText returns the text of a header's value: numbers and booleans stand
// as they are written.
func headerText(name string, value []byte) (text string, ok bool, err error) {
	switch value[0] {
	case '"':
		return view(unquote(value)), true, nil
	case '{', '[':
		return "", false, fmt.Errorf("header %.100q has a value that isn't a string, number or boolean", name)
	case 'n':
		// UNVERIFIED: that a null value leaves the header out.
		return "", false, nil
	}
	return view(value), true, nil
}

// addHeader adds a line to the response, unless it is one that the gateway
// writes itself.
func addHeader(resp *plan.Response, name, value string) error {
	if err := checkHeader(name, value); err != nil {
		return err
	}
	if !ownHeader(name) {
		resp.Add(name, value)
	}
	return nil
}

// checkHeader says why a line can't be a header.
func checkHeader(name, value string) error {
	if !isToken(name) {
		return fmt.Errorf("%.100q isn't a header name", name)
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("header %.100q has a value with a control character", name)
		}
	}
	return nil
}

// ownHeader tells the headers that the gateway writes itself or that concern
// the connection only. The length picks the few names worth comparing.
func ownHeader(name string) bool {
	is := func(other string) bool { return plan.EqualFold(name, other) }
	switch len(name) {
	case 2:
		return is("te")
	case 4:
		return is("date")
	case 7:
		return is("trailer") || is("upgrade")
	case 10:
		return is("connection") || is("keep-alive")
	case 14:
		return is("content-length")
	case 15:
		return is("apigw-requestid")
	case 16:
		return is("proxy-connection")
	case 17:
		return is("transfer-encoding")
	}
	return false
}

// isToken tells whether text can be a header name.
func isToken(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '!', c == '#', c == '$', c == '%', c == '&', c == '\'', c == '*', c == '+',
			c == '-', c == '.', c == '^', c == '_', c == '`', c == '|', c == '~':
		default:
			return false
		}
	}
	return text != ""
}

func addContentType(resp *plan.Response) {
	if _, ok := resp.Headers.Lookup("content-type"); !ok {
		resp.Add("content-type", textPlain)
	}
}

func (r *reply) setBody(resp *plan.Response) error {
	encoded, err := r.isEncoded()
	if err != nil || r.body == nil {
		return err
	}
	if r.body[0] != '"' {
		return errors.New("body isn't a string")
	}
	resp.Body = unquote(r.body)
	if !encoded {
		return nil
	}
	return decodeBody(resp)
}

// isEncoded reads isBase64Encoded.
func (r *reply) isEncoded() (bool, error) {
	if r.encoded == nil {
		return false, nil
	}
	switch r.encoded[0] {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return false, errors.New("isBase64Encoded isn't a boolean")
}

// ErrNotBase64 tells that a body isn't the base64 it is said to be.
var ErrNotBase64 = errors.New("body isn't base64")

// decodeBody takes the base64 off a body.
func decodeBody(resp *plan.Response) error {
	body, err := base64.StdEncoding.AppendDecode(nil, resp.Body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotBase64, err)
	}
	resp.Body = body
	return nil
}
