package model

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Options are what schemas refer to.
type Options struct {
	// APIID is the id of the API.
	APIID string
	// Schema returns the schema of another of the API's models. With nil, a
	// reference to a model stands for any value.
	Schema func(name string) (schema string, ok bool)
}

const (
	// modelsURL is what the address of an API's model begins with; "{id}/models/{name}"
	// follows.
	modelsURL = "https://apigateway.amazonaws.com/restapis/"
	modelsDir = "/models/"
	// ownURL is the address of the schema that is compiled.
	ownURL = modelsURL + "own"
	// maxAliases bounds references that lead to references.
	maxAliases = 100
)

// Compile compiles a schema and all that it refers to. The error says what is
// wrong with which.
func Compile(text string, o Options) (*Model, error) {
	c := &compiler{options: o, sources: map[string]*source{}, compiled: map[place]*schema{}}
	if _, err := c.add(ownURL, text); err != nil {
		return nil, err
	}
	if err := c.checkSyntax(); err != nil {
		return nil, err
	}
	root, err := c.schema(place{ownURL, 0})
	if err != nil {
		return nil, err
	}
	if err := c.checkLoops(); err != nil {
		return nil, err
	}
	m := &Model{root: root, seed: maphash.MakeSeed()}
	m.checks.New = func() any { return &check{seed: m.seed} }
	return m, nil
}

// A compiler compiles the schemas of one model.
type compiler struct {
	options  Options
	sources  map[string]*source
	compiled map[place]*schema
}

// A source is one schema document.
type source struct {
	document document
	// plain is the document as the library has it, without what would have
	// other names and versions of JSON Schema count.
	plain any
}

// A place is a value in the document of an address.
type place struct {
	url string
	at  int
}

// Load implements the library's loader: nothing is fetched.
func (c *compiler) Load(address string) (any, error) {
	s, err := c.load(address)
	if err != nil {
		return nil, err
	}
	return s.plain, nil
}

// load returns the document of an address.
func (c *compiler) load(address string) (*source, error) {
	if s := c.sources[address]; s != nil {
		return s, nil
	}
	rest, found := strings.CutPrefix(address, modelsURL)
	id, name, named := strings.Cut(rest, modelsDir)
	if !found || !named || name == "" || c.options.Schema != nil && id != c.options.APIID {
		return nil, fmt.Errorf("%s is no model of the API", address)
	}
	if c.options.Schema == nil {
		return c.add(address, "{}")
	}
	text, ok := c.options.Schema(name)
	if !ok {
		return nil, fmt.Errorf("there is no model %s", name)
	}
	s, err := c.add(address, text)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return s, nil
}

func (c *compiler) add(address, text string) (*source, error) {
	s := &source{}
	if err := s.document.parse([]byte(text)); err != nil {
		return nil, err
	}
	if s.document.values[0].kind != objectKind {
		return nil, errors.New("a schema is an object")
	}
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	stripSchema(plain)
	s.plain = plain
	c.sources[address] = s
	return s, nil
}

// stripSchema takes "$schema" and "id" out of a schema and those inside it:
// AWS knows draft 4 alone, and what names a schema is its model.
func stripSchema(schema any) {
	o, ok := schema.(map[string]any)
	if !ok {
		return
	}
	delete(o, "$schema")
	delete(o, "id")
	for keyword, v := range o {
		switch keyword {
		case "properties", "patternProperties", "definitions", "dependencies":
			if named, ok := v.(map[string]any); ok {
				for _, s := range named {
					stripSchema(s)
				}
			}
		case "allOf", "anyOf", "oneOf", "items", "not", "additionalProperties", "additionalItems":
			if list, ok := v.([]any); ok {
				for _, s := range list {
					stripSchema(s)
				}
			}
			stripSchema(v)
		}
	}
}

// checkSyntax has the library check the schema and what it refers to.
func (c *compiler) checkSyntax() error {
	library := jsonschema.NewCompiler()
	library.DefaultDraft(jsonschema.Draft4)
	library.UseLoader(c)
	library.UseRegexpEngine(func(source string) (jsonschema.Regexp, error) {
		p, err := newPattern(source)
		if err != nil {
			return nil, err
		}
		return libraryPattern{p}, nil
	})
	if _, err := library.Compile(ownURL); err != nil {
		var invalid *jsonschema.SchemaValidationError
		if errors.As(err, &invalid) {
			return errors.New(strings.ReplaceAll(invalid.Err.Error(), ownURL, ""))
		}
		return err
	}
	return nil
}

// A libraryPattern is a regular expression as the library has it.
type libraryPattern struct{ *pattern }

func (p libraryPattern) MatchString(text string) bool { return p.matches([]byte(text)) }
func (p libraryPattern) String() string               { return p.source }

// resolve follows references: it returns the place of the schema that isn't one.
func (c *compiler) resolve(p place) (place, error) {
	for range maxAliases {
		d := &c.sources[p.url].document
		at, found := d.member(p.at, []byte("$ref"))
		if !found || d.values[at].kind != stringKind {
			return p, nil
		}
		target, err := c.target(p, string(d.str(at)))
		if err != nil {
			return p, err
		}
		p = target
	}
	return p, errors.New("references lead to nothing but references")
}

// target finds what a reference in a document leads to.
func (c *compiler) target(from place, reference string) (place, error) {
	address, fragment, _ := strings.Cut(reference, "#")
	if address == "" {
		address = from.url
	}
	s, err := c.load(address)
	if err != nil {
		return place{}, err
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return place{}, fmt.Errorf("reference %s: %w", reference, err)
	}
	p := place{address, 0}
	if pointer == "" {
		return p, nil
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		at, found := s.document.child(p.at, token)
		if !found {
			return p, fmt.Errorf("reference %s leads nowhere", reference)
		}
		p.at = at
	}
	if s.document.values[p.at].kind != objectKind {
		return p, fmt.Errorf("reference %s leads to no schema", reference)
	}
	return p, nil
}

// child is the member or element of a token of a JSON pointer.
func (d *document) child(i int, token string) (at int, found bool) {
	switch d.values[i].kind {
	case objectKind:
		return d.member(i, []byte(token))
	case arrayKind:
		index, err := strconv.ParseUint(token, 10, 31)
		if err != nil || index >= uint64(d.values[i].count) {
			return 0, false
		}
		for i++; index > 0; index-- {
			i = int(d.values[i].next)
		}
		return i, true
	}
	return 0, false
}

// checkLoops refuses schemas that would be held against one value forever.
func (c *compiler) checkLoops() error {
	state := map[*schema]int{} // 1: on the way, 2: done
	var visit func(s *schema) bool
	visit = func(s *schema) bool {
		if s == nil || state[s] == 2 {
			return true
		}
		if state[s] == 1 {
			return false
		}
		state[s] = 1
		inPlace := slices.Concat(s.allOf, s.anyOf, s.oneOf, []*schema{s.not})
		if s.objects != nil {
			for i := range s.objects.dependencies {
				inPlace = append(inPlace, s.objects.dependencies[i].schema)
			}
		}
		for _, inner := range inPlace {
			if !visit(inner) {
				return false
			}
		}
		state[s] = 2
		return true
	}
	for s := range maps.Values(c.compiled) {
		if !visit(s) {
			return errors.New("a schema contains itself for the same value")
		}
	}
	return nil
}
