package rest

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

// templates are mapping templates by media type.
type templates struct {
	byType []typedTemplate
	// fallback is the template of "$default", nil without one or if that is empty.
	fallback    *template
	hasFallback bool
}

type typedTemplate struct {
	// key is as it was given, mediaType that without parameters.
	key, mediaType string
	// template is nil for an empty one, which passes the body on.
	template *template
}

// A template is a mapping template, or the text of one that is nothing else.
type template struct {
	program *vtl.Template
	text    []byte
}

// parseTemplate compiles a template; nil is an empty one.
func parseTemplate(text string) (*template, error) {
	if text == "" {
		return nil, nil
	}
	program, err := vtl.Parse(text)
	if err != nil {
		return nil, err
	}
	if !strings.ContainsAny(text, `$#\\`) {
		return &template{text: []byte(text)}, nil
	}
	return &template{program: program}, nil
}

// defaultTemplate is the media type of the template for all others.
const defaultTemplate = "$default"

// A TemplateError says which mapping template is wrong, and where.
type TemplateError struct {
	MediaType string
	Err       error
}

func (e *TemplateError) Error() string {
	return fmt.Sprintf("mapping template for %s: %s", e.MediaType, e.Err)
}

func (e *TemplateError) Unwrap() error { return e.Err }

func parseTemplates(byType map[string]string) (templates, error) {
	var t templates
	for _, mediaType := range sortedKeys(byType) {
		compiled, err := parseTemplate(byType[mediaType])
		if err != nil {
			return templates{}, &TemplateError{mediaType, err}
		}
		if mediaType == defaultTemplate {
			t.fallback, t.hasFallback = compiled, true
			continue
		}
		t.byType = append(t.byType, typedTemplate{mediaType, plan.MediaType(mediaType), compiled})
	}
	return t, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// any tells whether there is a template at all.
func (t *templates) any() bool { return len(t.byType) > 0 || t.fallback != nil }

// of returns the template for a media type, and whether there is one.
func (t *templates) of(mediaType string) (*template, bool) {
	for i := range t.byType {
		if plan.EqualFold(t.byType[i].mediaType, mediaType) {
			return t.byType[i].template, true
		}
	}
	return t.fallback, t.fallback != nil
}

// selected returns the template whose key is selected, that of "$default" where
// nothing is, and whether there is one.
func (t *templates) selected(x *plan.Exchange, selects plan.Selector) (*template, bool) {
	if selects != nil {
		key := selects.Select(x)
		for i := range t.byType {
			if t.byType[i].key == key {
				return t.byType[i].template, true
			}
		}
	}
	return t.fallback, t.hasFallback
}

// render runs a template over a body and returns its output in the exchange's
// memory.
func render(x *plan.Exchange, t *template, body []byte) ([]byte, error) {
	if t.program == nil {
		return t.text, nil
	}
	scope := vtl.Scope{
		Body:           body,
		Params:         parameters{x},
		StageVariables: x.Stage.Variables,
		Context:        variables{x},
		Overrides:      &x.Overrides,
	}
	defer x.Turns.Give(x.Turns.Take(len(body)))
	// The scope's parameters use Scratch while the output grows.
	out, err := t.program.Render(nil, &scope)
	if err != nil {
		return nil, &plan.Fault{Kind: plan.ConfigurationError, Reason: "the mapping template failed: " + err.Error(), Cause: err}
	}
	if err := holdMade(x, cap(out)); err != nil {
		return nil, crowded(err)
	}
	return out, nil
}

// variables are $context.
type variables struct{ x *plan.Exchange }

// Get implements vtl.Context.
func (v variables) Get(name string) (string, bool) {
	variable, known := lookupOf(v.x.Socket != nil)(name)
	if !known {
		return "", false
	}
	x := v.x
	start := len(x.Scratch)
	text, ok := variable.Append(x.Scratch, x, 0, nil)
	if !ok {
		return "", false
	}
	x.Scratch = text
	return unsafe.String(unsafe.SliceData(text[start:]), len(text)-start), true
}

// Keys implements vtl.Context.
func (v variables) Keys(name string) []string { return contextvar.RESTKeys(name, v.x) }
