package plan

import (
	"reflect"
	"testing"
)

func TestParseRouteKey(t *testing.T) {
	for key, want := range map[string]RouteKey{
		"$default":            {},
		"GET /":               {Method: "GET", Path: "/"},
		"ANY /pets":           {Method: "ANY", Path: "/pets"},
		"HEAD /a/{b}/c/{d_e}": {Method: "HEAD", Path: "/a/{b}/c/{d_e}", ParamNames: []string{"b", "d_e"}},
		"DELETE /{proxy+}":    {Method: "DELETE", Path: "/{proxy+}", ParamNames: []string{"proxy"}, Greedy: true},
		"PUT /{a}/{b+}":       {Method: "PUT", Path: "/{a}/{b+}", ParamNames: []string{"a", "b"}, Greedy: true},
	} {
		got, err := ParseRouteKey(key)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseRouteKey(%q) = %+v, %v, want %+v", key, got, err, want)
		}
	}
}

func TestParseRouteKeyRefusals(t *testing.T) {
	for _, key := range []string{
		"", "GET", "/pets", "GET pets", "GET  /pets", "get /pets", "TRACE /pets", "CONNECT /", "GET $default",
		"$default /", "$Default", "GET /pets/", "GET /pets/+", "GET /+", "GET //", "GET /a//b",
		"GET /{a+}/b", "GET /{a}b", "GET /b{a}", "GET /{a}{b}", "GET /{}", "GET /{+}", "GET /{a++}", "GET /{a", "GET /a}",
		"GET /{a}/{a}", "GET /{a}/{a+}", "GET /a b", "GET /a?b", "GET /a#b", "GET /a\nb", "GET /a\x00",
	} {
		if got, err := ParseRouteKey(key); err == nil {
			t.Errorf("ParseRouteKey(%q) = %+v, want an error", key, got)
		}
	}
}

func TestCutPath(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "/": "/", "/a%20b": "/a%20b", "/a%3Fb": "/a", "/a%3fb%3F": "/a", "/%25%3F": "/%25", "/%253F": "/%253F", "/%": "/%", "/%3": "/%3", "/%3F": "/",
	} {
		if got := CutPath(path); got != want {
			t.Errorf("CutPath(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestAppendDecoded(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a": "a", "a%20b": "a b", "%41%42": "AB", "%4": "%4", "%": "%", "%zz%41": "%zzA", "%2541": "%41", "+": "+", "%ff": "\xff",
	} {
		if got := string(AppendDecoded([]byte("."), text)); got != "."+want {
			t.Errorf("AppendDecoded(%q) = %q, want %q", text, got, "."+want)
		}
	}
}

func TestAppendDecodedQuery(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a+b": "a b", "+": " ", "%2B+%20": "+  ", "%4+1": "%4 1", "a%2": "a%2",
	} {
		if got := string(AppendDecodedQuery([]byte("."), text)); got != "."+want {
			t.Errorf("AppendDecodedQuery(%q) = %q, want %q", text, got, "."+want)
		}
	}
}
