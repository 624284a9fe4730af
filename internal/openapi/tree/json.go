package tree

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A jsonParser reads JSON into nodes, which share the text they were read from.
type jsonParser struct {
	text   string
	pos    int
	values int
}

func parseJSON(text string) (*Node, error) {
	p := &jsonParser{text: text}
	p.space()
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(p.text) {
		return nil, p.unexpected()
	}
	return &n, nil
}

func (p *jsonParser) value(depth int) (Node, error) {
	if depth > maxDepth {
		return Node{}, errTooDeep
	}
	if p.values++; p.values > maxValues {
		return Node{}, errTooMany
	}
	switch c := p.peek(); {
	case c == '{':
		return p.container(Object, '}', depth)
	case c == '[':
		return p.container(List, ']', depth)
	case c == '"':
		s, err := p.string()
		return Node{Kind: Text, Scalar: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.literal(Number, "+-.eE0123456789")
	default:
		n, err := p.literal(Boolean, "abcdefghijklmnopqrstuvwxyz")
		if n.Scalar == "null" {
			n = Node{}
		}
		return n, err
	}
}

func (p *jsonParser) container(kind Kind, end byte, depth int) (Node, error) {
	n := Node{Kind: kind}
	p.pos++
	for p.space(); p.peek() != end; p.space() {
		if len(n.Members) > 0 {
			if p.peek() != ',' {
				return Node{}, p.unexpected()
			}
			p.pos++
			p.space()
		}
		var m Member
		var err error
		if kind == Object {
			if m.Key, err = p.key(); err != nil {
				return Node{}, err
			}
		}
		if m.Node, err = p.value(depth + 1); err != nil {
			return Node{}, err
		}
		n.Members = append(n.Members, m)
	}
	p.pos++
	if kind == Object {
		if key, twice := duplicate(n.Members); twice {
			return Node{}, p.problem("the key %q appears twice", key)
		}
	}
	return n, nil
}

func (p *jsonParser) key() (string, error) {
	if p.peek() != '"' {
		return "", p.unexpected()
	}
	key, err := p.string()
	if err != nil {
		return "", err
	}
	if p.space(); p.peek() != ':' {
		return "", p.unexpected()
	}
	p.pos++
	p.space()
	return key, nil
}

// string reads a string whose opening quote is next.
func (p *jsonParser) string() (string, error) {
	start, plain := p.pos, true
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			if plain {
				return p.text[start+1 : p.pos-1], nil
			}
			var s string
			if err := json.Unmarshal([]byte(p.text[start:p.pos]), &s); err != nil {
				p.pos = start
				return "", p.problem("the string is not valid")
			}
			return s, nil
		case c == '\\':
			plain = false
			p.pos++
		case c < ' ':
			return "", p.problem("the string is not closed on its line")
		}
	}
	return "", p.unexpected()
}

// literal reads a number, a boolean or null, of which these are the characters.
func (p *jsonParser) literal(kind Kind, characters string) (Node, error) {
	rest := p.text[p.pos:]
	word := rest[:len(rest)-len(strings.TrimLeft(rest, characters))]
	if word == "" || !json.Valid([]byte(word)) {
		return Node{}, p.unexpected()
	}
	p.pos += len(word)
	return Node{Kind: kind, Scalar: word}, nil
}

func (p *jsonParser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, zero at the end.
func (p *jsonParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *jsonParser) unexpected() error {
	if p.pos >= len(p.text) {
		return p.problem("the document ends too early")
	}
	var c rune
	for _, c = range p.text[p.pos:] {
		break
	}
	return p.problem("unexpected %q", c)
}

// problem says what is wrong at the position.
func (p *jsonParser) problem(format string, args ...any) error {
	before := p.text[:min(p.pos, len(p.text))]
	return fmt.Errorf("line %d, column %d: %s", strings.Count(before, "\n")+1,
		len(before)-strings.LastIndexByte(before, '\n'), fmt.Sprintf(format, args...))
}
