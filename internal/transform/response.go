package transform

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// A Response maps the responses of an integration: its responseParameters.
type Response struct {
	byStatus map[int]*statusMapping
}

// A statusMapping maps the responses with one status code.
type statusMapping struct {
	headers headerRules
	// status is in place of the status code; nil when it isn't mapped.
	status *expression
	// look is how much of the body the values are in, 0 for none of it.
	look int
}

// NewResponse compiles the responseParameters of an integration, mappings by
// status code, for a stage with the variables. The error is in AWS's words.
func NewResponse(parameters map[string]map[string]string, variables map[string]string) (*Response, error) {
	m := &Response{byStatus: make(map[int]*statusMapping, len(parameters))}
	for _, code := range slices.Sorted(maps.Keys(parameters)) {
		status, ok := parseStatus(code)
		if !ok {
			// UNVERIFIED: the words.
			return nil, errors.New("Invalid response status code specified: " + code)
		}
		mappings, err := parseMappings("Response", parameters[code], inHeaders, statusCode)
		if err != nil {
			return nil, err
		}
		s := &statusMapping{}
		p := &parser{message: "response.", moment: contextvar.AtResponse, variables: variables, references: s.reference}
		for _, entry := range mappings {
			if err := s.add(p, entry); err != nil {
				return nil, err
			}
		}
		m.byStatus[status] = s
	}
	return m, nil
}

// parseStatus reads a status code that a client can be answered with.
func parseStatus(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && len(text) == 3 && n >= 200 && n <= 599
}

func (m *statusMapping) add(p *parser, entry mapping) error {
	if entry.place == statusCode {
		if _, ok := parseStatus(entry.value); !ok && !strings.Contains(entry.value, "$") {
			// UNVERIFIED: that AWS looks at it, and which codes it takes.
			return invalidValue(entry.value)
		}
		value, err := p.value(entry, asIs)
		m.status = &value
		return err
	}
	value, err := p.value(entry, inHeader)
	m.headers = m.headers.add(entry, value)
	return err
}

// reference returns the source of a reference to the response.
func (m *statusMapping) reference(name string) source {
	if header, found := strings.CutPrefix(name, "header."); found && isName(header, &inToken) {
		return responseHeader(header)
	}
	text, found := strings.CutPrefix(name, "body")
	if !found {
		return nil
	}
	if text == "" {
		m.look = maxWholeBody
		return responseBody(nil)
	}
	path, ok := parseJSONPath(text)
	if !ok {
		return nil
	}
	m.look = max(m.look, maxPathBody)
	return responseBody(path)
}

// maxWholeBody is more than any body has; integrations have limits of their own.
const maxWholeBody = 1 << 30

// Map changes the response in x if there are mappings for its status. It
// returns nil.
func (m *Response) Map(x *plan.Exchange) error {
	s := m.byStatus[x.Response.Status]
	if s == nil {
		return nil
	}
	if s.look > 0 {
		peek(x, s.look)
	}
	r := &x.Response
	status := r.Status
	if s.status != nil {
		if n, ok := parseStatus(s.status.value(x)); ok {
			status = n
		}
	}
	r.Headers, _ = s.headers.apply(r.Headers[:0], x, r.Headers)
	r.Status = status
	return nil
}

// peek reads the beginning of a streamed body, up to length bytes. What was
// read stays in front of the rest.
func peek(x *plan.Exchange, length int) {
	stream := x.Response.BodyStream
	if stream == nil {
		return
	}
	p := &peeked{stream: stream}
	start := len(x.Scratch)
	for p.err == nil && len(x.Scratch)-start < length {
		x.Scratch = slices.Grow(x.Scratch, 512)
		var n int
		n, p.err = stream.Read(x.Scratch[len(x.Scratch):cap(x.Scratch)])
		x.Scratch = x.Scratch[:len(x.Scratch)+n]
	}
	p.head = x.Scratch[start:len(x.Scratch):len(x.Scratch)]
	x.Response.BodyStream = p
}

// A peeked stream is one whose beginning was read.
type peeked struct {
	head   []byte
	stream io.ReadCloser
	// err is what ended the reading of the beginning.
	err error
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	if p.err != nil {
		return 0, p.err
	}
	return p.stream.Read(b)
}

func (p *peeked) Close() error { return p.stream.Close() }

// A responseHeader is the value of a header, of several lines joined.
type responseHeader string

func (s responseHeader) append(dst []byte, x *plan.Exchange) []byte {
	return appendLines(dst, x.Response.Headers, string(s))
}

// A responseBody is the whole body or, with a path, what that leads to.
type responseBody jsonPath

func (s responseBody) append(dst []byte, x *plan.Exchange) []byte {
	body := x.Response.Body
	if p, ok := x.Response.BodyStream.(*peeked); ok {
		body = p.head
	}
	if s == nil {
		return append(dst, body...)
	}
	return jsonPath(s).append(dst, body)
}
