package oauth2_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzAuthorize: whatever is asked, a browser that has signed in is sent to the
// client's callback, to the page to sign in, or nowhere.
func FuzzAuthorize(f *testing.F) {
	fix := newFixture(f)
	b := fix.browser()
	b.signIn(asks(fix.page), "ann", password)
	// Parameters are put behind good ones, or in their place.
	for _, more := range []string{
		"", "&prompt=login", "&redirect_uri=https://evil.example/", "&response_type=token", "&state=%0d%0aSet-Cookie:a=b", "&scope=admin", "&client_id=x", "&%zz",
	} {
		f.Add("/oauth2/authorize", more, true)
		f.Add("/login", more, true)
	}
	f.Add("/oauth2/authorize", "client_id="+*fix.page.ClientId+"&response_type=code&redirect_uri=myapp://cb?x=1", false)
	f.Add("/logout", "client_id="+*fix.page.ClientId+"&logout_uri="+goodbye, false)
	f.Add("/logout", "&logout_uri=//evil.example", true)
	good := asks(fix.page).Encode()
	f.Fuzz(func(t *testing.T, path, query string, behind bool) {
		if behind {
			query = good + query
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		r.URL = &url.URL{Path: path, RawQuery: query}
		for name, text := range b.cookies {
			r.Header.Add("Cookie", name+"="+text)
		}
		w := httptest.NewRecorder()
		fix.site.ServeHTTP(w, r)
		to := w.Header().Get("Location")
		ours := strings.HasPrefix(to, callback+"?") || strings.HasPrefix(to, callback+"#") || strings.HasPrefix(to, "myapp://cb?x=1&") ||
			strings.HasPrefix(to, "/login?") || to == goodbye
		if to != "" && !ours || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%s?%s leads to %q", path, query, to)
		}
		if (w.Code == 302) != (to != "") || w.Code >= 500 {
			t.Errorf("%s?%s: %d to %q", path, query, w.Code, to)
		}
		if strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s?%s: %s", path, query, w.Body)
		}
	})
}
