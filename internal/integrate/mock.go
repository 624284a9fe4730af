package integrate

import (
	"errors"

	"gatehouse/internal/plan"
)

// Mock is a MOCK integration: it answers with the status that the rendered
// request template names, and with nothing else.
type Mock struct{}

const noStatus = "Unable to parse statusCode. It should be an integer that is defined in the request template."

var errNoStatus = errors.New(noStatus)

// Integrate reads the status.
func (Mock) Integrate(x *plan.Exchange) error {
	body, mapped := x.OutboundBody()
	if !mapped {
		body = x.Request.Body
	}
	status, ok := mockStatus(body)
	if !ok {
		if t := x.Trace; t != nil {
			t.Error("Execution failed due to configuration error: %s", noStatus)
		}
		return &plan.Fault{Kind: plan.ConfigurationError, Reason: noStatus, Cause: errNoStatus}
	}
	x.Integration.Status, x.Integration.FunctionStatus = status, status
	x.Response.Status = status
	return nil
}

// maxMockStatus bounds the integers that are taken for a status.
const maxMockStatus = 1 << 30

// mockStatus finds the integer member statusCode of an object. AWS's parser is
// a lenient one: names needn't be quoted.
func mockStatus(body []byte) (status int, ok bool) {
	s := mockScanner{text: body}
	if !s.take('{') {
		return 0, false
	}
	for !s.take('}') {
		name, named := s.token()
		if !named || !s.take(':') {
			return 0, false
		}
		if string(name) == "statusCode" {
			if status, ok = s.integer(); !ok {
				return 0, false
			}
		} else if !s.skip(0) {
			return 0, false
		}
		if !s.take(',') && !s.at('}') {
			return 0, false
		}
	}
	return status, ok
}

// A mockScanner reads JSON as leniently as AWS does for a mock.
type mockScanner struct {
	text []byte
	i    int
}

func (s *mockScanner) space() {
	for s.i < len(s.text) && (s.text[s.i] == ' ' || s.text[s.i] == '\t' || s.text[s.i] == '\n' || s.text[s.i] == '\r') {
		s.i++
	}
}

func (s *mockScanner) at(c byte) bool {
	s.space()
	return s.i < len(s.text) && s.text[s.i] == c
}

func (s *mockScanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.i++
	return true
}

// token reads a name or a scalar, quoted or not, without its quotes.
func (s *mockScanner) token() ([]byte, bool) {
	s.space()
	if s.i == len(s.text) {
		return nil, false
	}
	if quote := s.text[s.i]; quote == '"' || quote == '\'' {
		start := s.i + 1
		for s.i = start; s.i < len(s.text); s.i++ {
			switch s.text[s.i] {
			case '\\':
				s.i++
			case quote:
				s.i++
				return s.text[start : s.i-1], true
			}
		}
		return nil, false
	}
	start := s.i
	for s.i < len(s.text) {
		switch s.text[s.i] {
		case ',', ':', '{', '}', '[', ']', '"', '\'', ' ', '\t', '\n', '\r':
			return s.text[start:s.i], s.i > start
		}
		s.i++
	}
	return s.text[start:s.i], true
}

// integer reads an unquoted integer.
func (s *mockScanner) integer() (int, bool) {
	s.space()
	start := s.i
	n := 0
	for s.i < len(s.text) && s.text[s.i] >= '0' && s.text[s.i] <= '9' {
		if n = 10*n + int(s.text[s.i]-'0'); n > maxMockStatus {
			return 0, false
		}
		s.i++
	}
	if s.i == start {
		return 0, false
	}
	return n, s.i == len(s.text) || s.at(',') || s.at('}')
}

// maxMockDepth bounds how deep values nest.
const maxMockDepth = 100

// skip reads a value that nobody asks for.
func (s *mockScanner) skip(depth int) bool {
	if depth > maxMockDepth {
		return false
	}
	closing := byte(0)
	switch {
	case s.take('{'):
		closing = '}'
	case s.take('['):
		closing = ']'
	default:
		_, ok := s.token()
		return ok
	}
	for !s.take(closing) {
		if closing == '}' {
			if _, ok := s.token(); !ok || !s.take(':') {
				return false
			}
		}
		if !s.skip(depth + 1) {
			return false
		}
		if !s.take(',') && !s.at(closing) {
			return false
		}
	}
	return true
}
