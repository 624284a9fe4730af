package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/authorize/oidc"
	"gatehouse/internal/authorize/oidc/oidctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A clock stands still until it is told.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

func newKeySets(t testing.TB, o oidc.Options) *oidc.KeySets {
	t.Helper()
	s := oidc.NewKeySets(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// has wants the keys of some ids to be there, and those of others not.
func has(t *testing.T, set *oidc.KeySet, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if absent, ok := strings.CutPrefix(id, "!"); ok {
			if _, err := set.Key(absent, nil); err == nil {
				t.Errorf("there is a key %q", absent)
			}
		} else if _, err := set.Key(id, nil); err != nil {
			t.Errorf("key %q: %v", id, err)
		}
	}
}

func TestKeyVerifies(t *testing.T) {
	key := oidctest.NewKey(t, "a").With(map[string]any{"alg": nil})
	issuer := oidctest.New(t, key)
	set := newKeySets(t, oidc.Options{}).Issuer(issuer.URL)
	got, err := set.Key("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"RS256", "RS384", "RS512"} {
		token := key.SignWith(t, map[string]any{"alg": algorithm}, "{}")
		end := strings.LastIndexByte(token, '.')
		signature := decode(t, token[end+1:])
		if err := got.Verify(algorithm, []byte(token[:end]), signature); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		if got.Verify(algorithm, []byte(token[:end]+"x"), signature) == nil {
			t.Errorf("%s: another text passed", algorithm)
		}
		for _, other := range []string{"none", "HS256", "PS256", "ES256", "", "RS1"} {
			if got.Verify(other, []byte(token[:end]), signature) == nil {
				t.Errorf("a signature of %s passed for %q", algorithm, other)
			}
		}
	}
	// A key that names its algorithm takes no other.
	issuer.SetKeys(oidctest.NewKey(t, "b"))
	only, err := newKeySets(t, oidc.Options{}).Issuer(issuer.URL).Key("b", nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	if err := only.Verify("RS512", []byte("x"), digest[:]); err == nil || !strings.Contains(err.Error(), "isn't for RS512") {
		t.Errorf("RS512 with a key for RS256: %v", err)
	}
}

func TestKeySetDocuments(t *testing.T) {
	good, weak := oidctest.NewKey(t, "good"), oidctest.NewKeyOf(t, "weak", 1024)
	huge := good.With(map[string]any{"kid": "huge", "n": oidctest.Encode([]byte(strings.Repeat("\xff", 1200)))})
	with := func(members map[string]any) *oidctest.Key { return good.With(members) }
	many := make([]*oidctest.Key, 100)
	for i := range many {
		many[i] = with(map[string]any{"kid": fmt.Sprint("k", i)})
	}
	for _, test := range []struct {
		name     string
		document string
		want     []string
	}{
		{"one", string(oidctest.Set(good)), []string{"good", "!other", "!"}},
		{"many", string(oidctest.Set(many...)), []string{"k0", "k99", "!k100"}},
		{"other uses", string(oidctest.Set(
			with(map[string]any{"kid": "enc", "use": "enc"}), with(map[string]any{"kid": "oaep", "alg": "RSA-OAEP", "use": nil}),
			with(map[string]any{"kid": "ps", "alg": "PS256"}), with(map[string]any{"kid": "wrap", "key_ops": []string{"wrapKey"}}),
			with(map[string]any{"kid": "plain", "use": nil, "alg": nil, "key_ops": []string{"verify"}}))), []string{"plain", "!enc", "!oaep", "!ps", "!wrap"}},
		{"one id twice", string(oidctest.Set(with(map[string]any{"kid": "x", "use": "enc"}), with(map[string]any{"kid": "x"}))), []string{"x"}},
		{"bad sizes", string(oidctest.Set(weak, huge, good)), []string{"good", "!weak", "!huge"}},
		{"bad numbers", string(oidctest.Set(with(map[string]any{"kid": "even", "e": "Ag"}), with(map[string]any{"kid": "none", "n": ""}), with(map[string]any{"kid": "text", "n": "?"}), with(map[string]any{"kid": "number", "n": 7}), good)), []string{"good", "!even", "!none", "!text", "!number"}},
		{"other kinds", `{"keys":[{"kty":"oct","kid":"o","k":"c2VjcmV0"},{"kty":"EC","kid":"e","crv":"P-256","x":"AA","y":"AA"},{"kty":"OKP","kid":"p"},null,7,"x",[],{}]}`, []string{"!o", "!e", "!p", "!"}},
		{"empty", `{"keys":[]}`, []string{"!good"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			issuer := oidctest.New(t)
			issuer.SetDocument([]byte(test.document))
			set := newKeySets(t, oidc.Options{}).Issuer(issuer.URL)
			has(t, set, test.want...)
			if _, err := set.Key("nobody's", nil); !errors.Is(err, oidc.ErrUnknownKey) {
				t.Errorf("an unknown key: %v", err)
			}
		})
	}
}

func TestIssuersThatMisbehave(t *testing.T) {
	good := oidctest.NewKey(t, "good")
	elsewhere := oidctest.New(t, good)
	to := func(address string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
	}
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	huge := body(`{"keys":[` + strings.Repeat(" ", 150_000) + `]}`)
	for _, test := range []struct {
		name, path string
		answer     http.HandlerFunc
		want       error
	}{
		{"no discovery", oidctest.DiscoveryPath, status(404), oidc.ErrDiscovery},
		{"discovery that isn't JSON", oidctest.DiscoveryPath, body("<html>"), oidc.ErrDiscovery},
		{"discovery without keys", oidctest.DiscoveryPath, body(`{}`), oidc.ErrDiscovery},
		{"huge discovery", oidctest.DiscoveryPath, huge, oidc.ErrDiscovery},
		{"discovery that never answers", oidctest.DiscoveryPath, hang, oidc.ErrDiscovery},
		{"discovery that leads in circles", oidctest.DiscoveryPath, to(oidctest.DiscoveryPath), oidc.ErrDiscovery},
		{"discovery that leads to a file", oidctest.DiscoveryPath, to("file:///etc/passwd"), oidc.ErrDiscovery},
		{"discovery that leads to a stranger without TLS", oidctest.DiscoveryPath, to("http://192.0.2.1/"), oidc.ErrDiscovery},
		{"keys in a file", oidctest.DiscoveryPath, body(`{"jwks_uri":"file:///etc/passwd"}`), oidc.ErrKeys},
		{"keys of a stranger without TLS", oidctest.DiscoveryPath, body(`{"jwks_uri":"http://192.0.2.1/"}`), oidc.ErrKeys},
		{"keys behind a password", oidctest.DiscoveryPath, body(`{"jwks_uri":"https://u:p@example.com/"}`), oidc.ErrKeys},
		{"keys nowhere", oidctest.DiscoveryPath, body(`{"jwks_uri":"::"}`), oidc.ErrKeys},
		{"a failing key set", oidctest.KeySetPath, status(500), oidc.ErrKeys},
		{"a key set that isn't JSON", oidctest.KeySetPath, body("keys"), oidc.ErrKeys},
		{"a key set without keys", oidctest.KeySetPath, body(`{"key":[]}`), oidc.ErrKeys},
		{"a huge key set", oidctest.KeySetPath, huge, oidc.ErrKeys},
		{"a key set that leads to a file", oidctest.KeySetPath, to("file:///etc/passwd"), oidc.ErrKeys},
		{"a key set with a long head", oidctest.KeySetPath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 64<<10))
		}, oidc.ErrKeys},
		{"a key set elsewhere", oidctest.KeySetPath, to(elsewhere.URL + oidctest.KeySetPath), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issuer := oidctest.New(t, good)
			issuer.Override(test.path, test.answer)
			_, err := newKeySets(t, oidc.Options{}).Issuer(issuer.URL).Key("good", nil)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// TestTLS has an issuer with a certificate, whose word nobody may take away.
func TestTLS(t *testing.T) {
	key := oidctest.NewKey(t, "good")
	plain := oidctest.New(t, key)
	var leads string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == oidctest.KeySetPath:
			_, _ = w.Write(oidctest.Set(key))
		case leads != "":
			http.Redirect(w, r, leads, http.StatusFound)
		default:
			fmt.Fprintf(w, `{"jwks_uri":"https://%s%s"}`, r.Host, oidctest.KeySetPath)
		}
	}))
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if _, err := newKeySets(t, oidc.Options{}).Issuer(server.URL).Key("good", nil); !errors.Is(err, oidc.ErrDiscovery) {
		t.Errorf("an unknown authority: %v", err)
	}
	has(t, newKeySets(t, oidc.Options{RootCAs: roots}).Issuer(server.URL), "good")
	// A trailing slash isn't doubled.
	has(t, newKeySets(t, oidc.Options{RootCAs: roots}).Issuer(server.URL+"/"), "good")
	leads = plain.URL + oidctest.DiscoveryPath
	if _, err := newKeySets(t, oidc.Options{RootCAs: roots}).Issuer(server.URL).Key("good", nil); !errors.Is(err, oidc.ErrDiscovery) {
		t.Errorf("a way out of TLS: %v", err)
	}
}

func TestRotation(t *testing.T) {
	one, two := oidctest.NewKey(t, "one"), oidctest.NewKey(t, "two")
	issuer := oidctest.New(t, one)
	clock := newClock()
	set := newKeySets(t, oidc.Options{Clock: clock.now}).Issuer(issuer.URL)
	first, err := set.Key("one", nil)
	if err != nil {
		t.Fatal(err)
	}
	issuer.SetKeys(one, two)
	has(t, set, "two", "one") // at once
	if again, _ := set.Key("one", nil); again != first || !first.Usable(clock.now()) {
		t.Error("a key that the issuer keeps became another one")
	}
	// The same id with another key is another key.
	other := oidctest.NewKey(t, "one")
	issuer.SetKeys(other, two)
	clock.advance(10 * time.Second)
	has(t, set, "!made up")
	if first.Usable(clock.now()) {
		t.Error("a key that was replaced is still usable")
	}
	issuer.SetKeys(two)
	clock.advance(10 * time.Second)
	has(t, set, "!made up", "!one", "two")
}

func TestKeysAge(t *testing.T) {
	key := oidctest.NewKey(t, "a")
	issuer := oidctest.New(t, key)
	clock := newClock()
	set := newKeySets(t, oidc.Options{Clock: clock.now}).Issuer(issuer.URL)
	k, err := set.Key("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(59 * time.Minute)
	if !k.Usable(clock.now()) || issuer.KeySets.Load() != 1 {
		t.Errorf("after 59 minutes: usable %v, %d fetches", k.Usable(clock.now()), issuer.KeySets.Load())
	}
	// While the issuer is down its keys are good for two hours.
	down := make(chan struct{}, 8)
	issuer.Override(oidctest.DiscoveryPath, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(503)
		down <- struct{}{}
	})
	clock.advance(time.Minute)
	if !k.Usable(clock.now()) {
		t.Error("not usable after an hour")
	}
	<-down            // it was asked behind the request's back
	has(t, set, "!b") // waits for the end of that
	clock.advance(time.Hour - time.Second)
	if !k.Usable(clock.now()) {
		t.Error("not usable after two hours but a second")
	}
	<-down
	has(t, set, "!b")
	clock.advance(time.Second)
	if k.Usable(clock.now()) {
		t.Error("usable after two hours")
	}
	if _, err := set.Key("a", nil); !errors.Is(err, oidc.ErrDiscovery) {
		t.Errorf("after two hours without the issuer: %v", err)
	}
	issuer.Override(oidctest.DiscoveryPath, nil)
	clock.advance(10 * time.Second)
	has(t, set, "a")
}

// TestOneFetch has many ask at once, of keys that are and of keys that aren't.
func TestOneFetch(t *testing.T) {
	issuer := oidctest.New(t, oidctest.NewKey(t, "a"))
	sets := newKeySets(t, oidc.Options{})
	ask := func(id func(i int) string) {
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				_, err := sets.Issuer(issuer.URL).Key(id(i), nil)
				if err != nil && !errors.Is(err, oidc.ErrUnknownKey) {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	held := sets.Issuer(issuer.URL)
	ask(func(int) string { return "a" })
	if d, k := issuer.Discoveries.Load(), issuer.KeySets.Load(); d != 1 || k != 1 {
		t.Errorf("%d and %d fetches, want one of each", d, k)
	}
	ask(func(i int) string { return fmt.Sprint("made up ", i) })
	has(t, held, "a")
	if d, k := issuer.Discoveries.Load(), issuer.KeySets.Load(); d > 3 || k > 3 {
		t.Errorf("%d and %d fetches for keys that are made up", d, k)
	}
}

func TestWaiterLeaves(t *testing.T) {
	issuer := oidctest.New(t)
	asked := make(chan struct{})
	issuer.Override(oidctest.DiscoveryPath, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	done := make(chan struct{})
	go func() { <-asked; close(done) }()
	if _, err := newKeySets(t, oidc.Options{}).Issuer(issuer.URL).Key("a", done); !errors.Is(err, oidc.ErrGone) {
		t.Errorf("got %v", err)
	}
}

type own map[string][]byte

func (o own) Keys(issuer string) ([]byte, bool) { d, ok := o[issuer]; return d, ok }

func TestOwnIssuers(t *testing.T) {
	a, b := oidctest.NewKey(t, "a"), oidctest.NewKey(t, "b")
	const pool = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x"
	issuers := own{pool: nil} // it has no keys before it signs
	clock := newClock()
	set := newKeySets(t, oidc.Options{Own: issuers, Clock: clock.now}).Issuer(pool)
	has(t, set, "!a")
	issuers[pool] = oidctest.Set(a)
	has(t, set, "a", "!b")
	issuers[pool] = oidctest.Set(a, b)
	has(t, set, "b", "a")
	k, err := set.Key("a", nil)
	if err != nil {
		t.Fatal(err)
	}
	issuers[pool] = oidctest.Set(b)
	clock.advance(10 * time.Second)
	has(t, set, "b", "!a")
	if k.Usable(clock.now()) {
		t.Error("a key that was taken back is usable")
	}
}

func TestCheckIssuer(t *testing.T) {
	sets := newKeySets(t, oidc.Options{PlainHosts: []string{"idp.internal", "other.internal:8080"}})
	for issuer, want := range map[string]bool{
		"https://example.com": true, "https://example.com/a/b": true, "https://192.0.2.1": true,
		"http://127.0.0.1:8080": true, "http://[::1]/realms/x": true, "http://localhost": true, "http://dex.localhost:1": true,
		"http://idp.internal": true, "http://IDP.internal:99": true, "http://other.internal:8080": true,
		"http://other.internal": false, "http://example.com": false, "http://127.0.0.1.example.com": false, "http://localhost.example.com": false,
		"http://10.0.0.1": false, "": false, "example.com": false, "ftp://example.com": false, "https://": false, "https://u@example.com": false,
		"https://example.com?": false, "https://example.com#x": false, "https://[x": false, "file:///etc/passwd": false,
	} {
		if err := sets.CheckIssuer(issuer); (err == nil) != want {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// What the operator can do about plain http, the log says, where issuers are named
// and where their keys are fetched.
func TestPlainHTTPNamesTheFlag(t *testing.T) {
	var log bytes.Buffer
	sets := newKeySets(t, oidc.Options{PlainHosts: []string{"idp.internal"}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for issuer, want := range map[string]bool{"http://idp.example:8080/x": true, "http://idp.internal": false, "ftp://idp.example": false} {
		log.Reset()
		err := sets.CheckIssuer(issuer)
		if said := strings.Contains(log.String(), `fix="gatehouse serve --jwt-http-issuer idp.example:8080"`); said != want {
			t.Errorf("%s: %v, the log has %q", issuer, err, log.String())
		}
	}
	// One that an earlier start let pass.
	if _, err := sets.Issuer("http://idp.example:8080/x").Key("a", nil); err == nil || !strings.Contains(err.Error(), "--jwt-http-issuer idp.example:8080") {
		t.Error(err)
	}
}

func FuzzKeySet(f *testing.F) {
	f.Add(oidctest.Set(oidctest.NewKey(f, "a")))
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQAB"},{"kty":"RSA","kid":"b","n":"AQ","e":"AQAB","d":"AQ","p":"AQ","q":"AQ"},{"kty":"oct","k":""}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		const issuer = "https://own"
		set := newKeySets(t, oidc.Options{Own: own{issuer: document}}).Issuer(issuer)
		k, err := set.Key("a", nil)
		if (k == nil) == (err == nil) {
			t.Errorf("a key %v and an error %v", k, err)
		}
	})
}
