package rest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gatehouse/internal/plan"
)

// failed is an exchange that ended in an error.
func failed() *plan.Exchange {
	x := &plan.Exchange{
		RequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", GatewayPath: "/dev/pets/a%20b",
		Stage: &plan.Stage{API: &plan.API{ID: "abc", AccountID: "1"}, Name: "dev", Rest: &plan.RestStage{}},
		Route: &plan.Route{Path: "/pets/{id}", ParamNames: []string{"id"}},
		Request: plan.Request{Method: "GET", Query: "q=1&q=%22two%22+x&e&n=a%0d%0ab", Headers: plan.Headers{
			{Name: "Origin", Value: "http://a"}, {Name: "origin", Value: `http://"b"`}, {Name: "X-Tab", Value: "a\tb"},
		}},
		Params: []string{"a%20b"},
		Error: plan.GatewayError{
			Type: plan.BadRequestBodyResponse, Raised: true, Message: `Invalid "request" body`, Validation: `[object has missing required properties (["bar"])]`,
		},
	}
	x.Response.Status = 400
	x.Response.Add("Content-Type", "application/json")
	x.Response.Add("x-amzn-ErrorType", "BadRequestException")
	return x
}

func compileResponse(t testing.TB, o GatewayResponseOptions) plan.GatewayResponse {
	t.Helper()
	all, err := NewGatewayResponses(map[string]GatewayResponseOptions{"BAD_REQUEST_BODY": o}, map[string]string{"who": `m"e`})
	if err != nil {
		t.Fatal(err)
	}
	return all[plan.BadRequestBodyResponse]
}

func TestGatewayTemplates(t *testing.T) {
	for template, want := range map[string]string{
		`{"message":$context.error.messageString}`:   `{"message":"Invalid \"request\" body"}`,
		`{"m":"$context.error.message"}`:             `{"m":"Invalid \"request\" body"}`,
		`["$context.error.validationErrorString"]`:   `["[object has missing required properties ([\"bar\"])]"]`,
		`$context.error.responseType`:                `BAD_REQUEST_BODY`,
		`$context.requestId.`:                        `c6af9ac6-7b61-11e6-9a41-93e8deadbeef.`,
		`"$stageVariables.who" $stageVariables.none`: `"m\"e" `,
		`$method.request.header.ORIGIN`:              `http://\"b\"`,
		`$method.request.header.x-tab, z`:            `a\tb, z`,
		`$method.request.querystring.q`:              `\"two\" x`,
		`$method.request.querystring.e|`:             `|`,
		`$method.request.querystring.n`:              `a\r\nb`,
		`$method.request.path.id`:                    `a b`,
		`$method.request.path.other`:                 ``,
		`$context.identity.apiKey`:                   ``,
		`$context.authorizer.principalId`:            ``,
		// No references, and no VTL.
		`$5 $ $$ $input.body $context. $context.nothing $method.request.body #set($a=1)$a`: `$5 $ $$ $input.body $context. $context.nothing $method.request.body #set($a=1)$a`,
		`$$context.stage$context.stage`: `$devdev`,
		``:                              ``,
	} {
		x := failed()
		compileResponse(t, GatewayResponseOptions{Templates: map[string]string{"application/json": template}}).Answer(x)
		if got := string(x.Response.Body); got != want {
			t.Errorf("%s: %s, want %s", template, got, want)
		}
	}
	x := failed()
	x.Error.Message, x.Error.NoMessage = "", true
	compileResponse(t, GatewayResponseOptions{}).Answer(x)
	if got := string(x.Response.Body); got != `{"message":null}` {
		t.Errorf("without a message: %s", got)
	}
}

func TestGatewayTemplateChoice(t *testing.T) {
	two := map[string]string{"application/json": "j", "text/html; charset=utf-8": `<p>$method.request.header.origin`}
	for _, test := range []struct {
		accept          string
		templates       map[string]string
		wantType, wants string
	}{
		{"", two, "application/json", "j"},
		{"*/*", two, "application/json", "j"},
		{"image/png, TEXT/html;q=0.1, application/json", two, "text/html; charset=utf-8", `<p>http://"b"`},
		{"image/png", two, "application/json", "j"},
		{"text/html", nil, "application/json", `{"message":"Invalid \"request\" body"}`},
		{"", map[string]string{"text/plain": "p"}, "application/json", `{"message":"Invalid \"request\" body"}`},
		{"text/plain", map[string]string{"text/plain": "p"}, "text/plain", "p"},
		{"application/problem+json", map[string]string{"application/problem+json": "$method.request.header.origin"}, "application/problem+json", `http://\"b\"`},
	} {
		x := failed()
		if test.accept != "" {
			x.Request.Headers = append(x.Request.Headers, plan.Header{Name: "accept", Value: test.accept})
		}
		compileResponse(t, GatewayResponseOptions{Templates: test.templates}).Answer(x)
		if got := string(x.Response.Body); got != test.wants || x.Response.Headers.Get("content-type") != test.wantType {
			t.Errorf("%q: %s %q, want %s %q", test.accept, x.Response.Headers.Get("content-type"), got, test.wantType, test.wants)
		}
	}
}

func TestGatewayHeaders(t *testing.T) {
	x := failed()
	compileResponse(t, GatewayResponseOptions{Status: "422", Parameters: map[string]string{
		"gatewayresponse.header.A":                "'*'",
		"gatewayresponse.header.B":                "context.requestId",
		"gatewayresponse.header.C":                "stageVariables.who",
		"gatewayresponse.header.D":                "method.request.querystring.n",
		"gatewayresponse.header.E":                "method.request.header.none",
		"gatewayresponse.header.F":                "method.request.path.id",
		"gatewayresponse.header.G":                "method.request.header.origin",
		"gatewayresponse.header.H":                "context.error.responseType",
		"gatewayresponse.header.content-type":     "'text/x'",
		"gatewayresponse.header.x-amzn-errortype": "'Mine'",
		"gatewayresponse.querystring.x":           "'nothing'",
	}}).Answer(x)
	want := plan.Headers{
		{Name: "A", Value: "*"},
		{Name: "B", Value: x.RequestID}, {Name: "C", Value: `m"e`}, {Name: "D", Value: "ab"}, {Name: "F", Value: "a b"},
		{Name: "G", Value: `http://"b"`}, {Name: "H", Value: "BAD_REQUEST_BODY"},
		{Name: "content-type", Value: "text/x"}, {Name: "x-amzn-errortype", Value: "Mine"},
	}
	if !slices.Equal(x.Response.Headers, want) || x.Response.Status != 422 {
		t.Errorf("%d %q", x.Response.Status, x.Response.Headers)
	}
}

// Who was put takes nothing from the defaults, all others of the class do.
func TestGatewayResponseInheritance(t *testing.T) {
	all, err := NewGatewayResponses(map[string]GatewayResponseOptions{
		"DEFAULT_4XX": {Status: "444"}, "THROTTLED": {},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	five := []plan.ResponseType{
		plan.APIConfigurationErrorResponse, plan.AuthorizerConfigurationErrorResponse, plan.AuthorizerFailureResponse,
		plan.Default5XXResponse, plan.IntegrationFailureResponse, plan.IntegrationTimeoutResponse,
	}
	for r := range plan.ResponseTypes {
		if slices.Contains(five, r) {
			if all[r] != nil {
				t.Errorf("%s is customised", r)
			}
			continue
		}
		x := failed()
		all[r].Answer(x)
		if want := map[bool]int{true: 400, false: 444}[r == plan.ThrottledResponse]; x.Response.Status != want {
			t.Errorf("%s: %d, want %d", r, x.Response.Status, want)
		}
	}
	all, err = NewGatewayResponses(map[string]GatewayResponseOptions{"DEFAULT_5XX": {}}, nil)
	for r := range plan.ResponseTypes {
		if (all[r] != nil) != slices.Contains(five, r) || err != nil {
			t.Errorf("DEFAULT_5XX: %s %v, %v", r, all[r], err)
		}
	}
}

func TestGatewayResponseErrors(t *testing.T) {
	for want, put := range map[string]map[string]GatewayResponseOptions{
		"gateway response NONE: there is no such type":                                           {"NONE": {}},
		`gateway response THROTTLED: the status code "42x" is none`:                              {"THROTTLED": {Status: "42x"}},
		`gateway response THROTTLED: the status code "101" is none`:                              {"THROTTLED": {Status: "101"}},
		`gateway response THROTTLED: parameter gatewayresponse.header.A: "*" is no value for it`: {"THROTTLED": {Parameters: map[string]string{"gatewayresponse.header.A": "*"}}},
		`gateway response THROTTLED: parameter gatewayresponse.header.A: "context.x" is no value for it`: {"THROTTLED": {
			Parameters: map[string]string{"gatewayresponse.header.A": "context.x"}}},
		`gateway response THROTTLED: parameter gatewayresponse.header.A: "method.request.body" is no value for it`: {"THROTTLED": {
			Parameters: map[string]string{"gatewayresponse.header.A": "method.request.body"}}},
	} {
		if _, err := NewGatewayResponses(put, nil); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Text from a request can't end a string of JSON or a header line, whatever the
// template is.
func FuzzGatewayTemplate(f *testing.F) {
	f.Add(`{"message":$context.error.messageString,"v":"$method.request.querystring.q"}`, `q=%22%0d%0a`, "x\r\ny")
	f.Add(`$context.$stageVariables.$method.request.header.Origin-$$`, `&;=`, "\x00\xff")
	f.Add(`$method.request.path.id$context.requestId.`, `%`, `"`)
	f.Fuzz(func(t *testing.T, template, query, message string) {
		x := failed()
		x.Request.Query, x.Error.Message = query, message
		for _, mediaType := range []string{"application/json", "text/plain"} {
			r := compileResponse(t, GatewayResponseOptions{
				Templates:  map[string]string{mediaType: template},
				Parameters: map[string]string{"gatewayresponse.header.A": "method.request.querystring.q"},
			})
			r.Answer(x)
			if v := x.Response.Headers.Get("A"); strings.ContainsAny(v, "\r\n\x00") {
				t.Errorf("header %q", v)
			}
		}
		// Between quotes the message is always a string that says it.
		r := compileResponse(t, GatewayResponseOptions{Templates: map[string]string{"application/json": `"$context.error.message"`}})
		r.Answer(x)
		var said string
		if err := json.Unmarshal(x.Response.Body, &said); err != nil {
			t.Fatalf("%s: %v", x.Response.Body, err)
		}
		if utf8.ValidString(message) && said != message {
			t.Errorf("%q, want %q", said, message)
		}
	})
}
