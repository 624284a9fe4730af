package conformance

import (
	"encoding/json"
	"net/http"
	"testing"
)

func TestIssuer(t *testing.T) {
	s := issuerScene(t, Setup{Issuers: map[string]Issuer{"idp": {
		Keys:    map[string]IssuerKey{"one": {JWK: Members{"alg": nil, "use": "enc"}}, "curve": {Type: "EC"}, "edwards": {Type: "OKP"}},
		Publish: []string{"one"},
	}}})
	issuer, err := s.issuer("idp")
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) (int, map[string]any) {
		t.Helper()
		res, err := http.Get(url) //nolint:noctx // a server of the test's own
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // only read
		var body map[string]any
		_ = json.NewDecoder(res.Body).Decode(&body) // of failures there is none
		return res.StatusCode, body
	}
	if _, discovery := get(issuer.url + "/.well-known/openid-configuration"); discovery["issuer"] != issuer.url || discovery["jwks_uri"] != issuer.url+"/jwks" {
		t.Errorf("%v", discovery)
	}
	keys := func() []any {
		t.Helper()
		_, jwks := get(issuer.url + "/jwks")
		list, _ := jwks["keys"].([]any)
		return list
	}
	one, _ := keys()[0].(map[string]any)
	if len(keys()) != 1 || one["kid"] != "one" || one["use"] != "enc" || one["alg"] != nil {
		t.Errorf("%v", keys())
	}
	r := &run{scene: s, bound: map[string]string{}}
	if err := r.issuer(&IssuerStep{Name: "idp", Publish: []string{"curve", "edwards"}, Asked: map[string]int{"jwks": 3, "discovery": 1}}); err != nil {
		t.Error(err)
	}
	if got := keys(); len(got) != 2 {
		t.Errorf("%v", got)
	}
	for answer, status := range map[string]int{"503": 503, "500": 500, "garbage": 200, "huge": 200, "redirect": 404} {
		if err := r.issuer(&IssuerStep{Name: "idp", Answers: map[string]string{"jwks": answer}}); err != nil {
			t.Error(err)
		}
		if got, _ := get(issuer.url + "/jwks"); got != status {
			t.Errorf("%s: got %d, want %d", answer, got, status)
		}
	}
	for _, bad := range []*IssuerStep{{Name: "idp", Asked: map[string]int{"jwks": 3}}, {Name: "idp", Publish: []string{"nobody"}}, {Name: "nobody"}} {
		if err := r.issuer(bad); err == nil {
			t.Errorf("%+v went well", bad)
		}
	}
}
