package rest

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

func newValidator(t testing.TB, o ValidatorOptions) plan.Validator {
	t.Helper()
	v, err := NewValidator(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func asked(query string, headers plan.Headers, body string) *plan.Exchange {
	return &plan.Exchange{
		Request: plan.Request{Query: query, Headers: headers, BodyReader: strings.NewReader(body), ContentLength: int64(len(body))},
		Route:   &plan.Route{ParamNames: []string{"test"}}, Params: []string{"value"},
		Trace: &plan.Trace{ExecutionLogging: plan.ExecutionLogging{Level: plan.LogError}, Clock: time.Now},
	}
}

func TestValidatorParameters(t *testing.T) {
	parameters := map[string]bool{
		"method.request.path.test": true, "method.request.path.issuer": true, "method.request.querystring.qs1": true,
		"method.request.header.x-header-param": true, "method.request.header.optional": false,
	}
	v := newValidator(t, ValidatorOptions{Parameters: parameters, CheckParameters: true, PathVariables: []string{"test"}})
	known := plan.Headers{{Name: "X-Header-Param", Value: "a"}}
	for _, test := range []struct {
		query   string
		headers plan.Headers
		params  []string
		want    string
	}{
		{"", nil, []string{"value"}, "Missing required request parameters: [x-header-param, issuer, qs1]"},
		{"qs1=a", known, []string{"value"}, "Missing required request parameters: [issuer]"},
		{"qs1=%20+", plan.Headers{{Name: "x-header-param", Value: " "}}, []string{"%20"}, "Missing required request parameters: [x-header-param, issuer, test, qs1]"},
		{"QS1=a&qs1=b&qs1", known, []string{"value"}, "Missing required request parameters: [issuer, qs1]"},
	} {
		x := asked(test.query, test.headers, "")
		x.Params = test.params
		var fault *plan.Fault
		if err := v.Validate(x); !errors.As(err, &fault) || fault.Kind != plan.BadRequestParameters || fault.Message != test.want {
			t.Errorf("%q: %v, want %s", test.query, err, test.want)
		}
	}
	delete(parameters, "method.request.path.issuer")
	v = newValidator(t, ValidatorOptions{Parameters: parameters, CheckParameters: true, PathVariables: []string{"test"}})
	x := asked("qs1=a", known, "")
	if err := v.Validate(x); err != nil {
		t.Error(err)
	}
	if n := testing.AllocsPerRun(100, func() { x.Scratch = x.Scratch[:0]; _ = v.Validate(x) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValidatorBody(t *testing.T) {
	schemas := func(name string) (string, bool) {
		s, ok := map[string]string{"A": `{"required":["a"]}`, "List": `{"type":"array","items":{"$ref":"https://apigateway.amazonaws.com/restapis/api/models/A"}}`}[name]
		return s, ok
	}
	options := ValidatorOptions{Models: map[string]string{"application/json": "A", "text/list; v=1": "List"}, Library: NewLibrary("api", schemas), CheckBody: true}
	v := newValidator(t, options)
	options.Models = map[string]string{"$default": "List"}
	fallback := newValidator(t, options)
	const line = "Request body does not match model schema for content type "
	for _, test := range []struct {
		v                       plan.Validator
		contentType, body, want string
	}{
		{v, "application/json", `{"a":1}`, ""},
		{v, "application/json", `{"b":1}`, `application/json: [object has missing required properties (["a"])]`},
		{v, "Application/JSON; charset=utf-8", `{"b":1}`, `Application/JSON: [object has missing required properties (["a"])]`},
		{v, "", `{"b":1}`, `application/json: [object has missing required properties (["a"])]`},
		{v, "", ``, `application/json: [Unknown error parsing request body]`},
		{v, "text/plain", `{"b":1}`, ""},
		{v, "text/list", `[{"b":1}]`, `text/list: [object has missing required properties (["a"])]`},
		{fallback, "text/plain", `{}`, `text/plain: [instance type (object) does not match any allowed primitive type (allowed: ["array"])]`},
	} {
		x := asked("", nil, test.body)
		if test.contentType != "" {
			x.Request.Headers = plan.Headers{{Name: "content-type", Value: test.contentType}}
		}
		err := test.v.Validate(x)
		if test.want == "" {
			if err != nil || len(x.Trace.Lines) > 0 {
				t.Errorf("%s %s: %v", test.contentType, test.body, err)
			}
			continue
		}
		var fault *plan.Fault
		if !errors.As(err, &fault) || fault.Kind != plan.BadRequestBody || len(x.Trace.Lines) != 1 || x.Trace.Lines[0].Text != line+test.want {
			t.Errorf("%s %s: %v, %v, want %s", test.contentType, test.body, err, x.Trace.Lines, test.want)
			continue
		}
		if _, list, _ := strings.Cut(test.want, ": "); fault.Validation != list {
			t.Errorf("%s, want %s", fault.Validation, list)
		}
	}
	// A body that can't be read isn't judged.
	x := asked("", nil, "")
	x.Request.BodyReader = io.MultiReader(strings.NewReader("{"), badReader{})
	if err := v.Validate(x); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A validator that checks nothing is none.
func TestValidatorOfNothing(t *testing.T) {
	schemas := func(string) (string, bool) { return "", false }
	for _, o := range []ValidatorOptions{
		{Parameters: map[string]bool{"method.request.header.a": true}, Models: map[string]string{"a/b": "None"}, Library: NewLibrary("", schemas)},
		{Parameters: map[string]bool{"method.request.header.a": false}, CheckParameters: true, CheckBody: true, Library: NewLibrary("", schemas)},
	} {
		if v := newValidator(t, o); v != nil {
			t.Errorf("%+v", v)
		}
	}
	for want, o := range map[string]ValidatorOptions{
		"there is no model None": {Models: map[string]string{"a/b": "None"}, Library: NewLibrary("", schemas), CheckBody: true},
		`request parameter "method.request.body.a": there is no such thing`: {Parameters: map[string]bool{"method.request.body.a": true}, CheckParameters: true},
		`model A: it isn't JSON`: {Models: map[string]string{"a/b": "A"}, CheckBody: true, Library: NewLibrary("", func(string) (string, bool) { return "{", true })},
	} {
		if v, err := NewValidator(o); err == nil || v != nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestCheckSchema(t *testing.T) {
	if err := CheckSchema(`{"$schema":"http://json-schema.org/draft-04/schema#","items":{"$ref":"https://apigateway.amazonaws.com/restapis/x/models/Y"}}`); err != nil {
		t.Error(err)
	}
	if CheckSchema(`{"type":"bogus"}`) == nil {
		t.Error("a schema of no type is taken")
	}
}
