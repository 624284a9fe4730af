package oauth2_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// TestSignUp makes an account, leaves it, comes back and confirms it.
func TestSignUp(t *testing.T) {
	f := newFixture(t)
	for name, cl := range map[string]*api.UserPoolClientType{"bob": f.page, "eve": f.server} {
		b := f.browser()
		q := asks(cl)
		w := b.get("/signup", q)
		if _, fields := formOf(t, w); !fields.Has("attribute.email") || fields.Has("attribute.sub") {
			t.Fatalf("%v", fields)
		}
		if w := b.fill(w, "username", name, "password", "short", "attribute.email", name+"@example.com"); w.Code != 400 || !strings.Contains(w.Body.String(), "policy") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		w = b.fill(w, "username", name, "password", password, "attribute.email", name+"@example.com")
		if w.Code != 200 || !strings.Contains(w.Body.String(), "***") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		w = b.fill(b.get("/login", q), "username", name, "password", password)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "confirmed yet") || b.cookies["cognito"] != "" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := b.fill(w, "code", "x"); w.Code != 400 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		w = b.fill(w, "code", f.codes[len(f.codes)-1].Text)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "is confirmed") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if back := b.back(b.fill(w, "password", password)); back.Get("code") == "" {
			t.Errorf("%v", back)
		}
	}
}

func TestForgotPassword(t *testing.T) {
	f := newFixture(t)
	b := f.browser()
	w := b.fill(b.get("/forgotPassword", asks(f.page)), "username", "ann")
	if w.Code != 200 || len(f.codes) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := b.fill(w, "code", "x", "password", "N3w-passw0rd!"); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = b.fill(w, "code", f.codes[0].Text, "password", "N3w-passw0rd!")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "was changed") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.back(b.fill(w, "password", "N3w-passw0rd!"))
}

// TestTemporaryPassword has a new user choose a password of its own.
func TestTemporaryPassword(t *testing.T) {
	f := newFixture(t)
	_, err := f.AdminCreateUser(f.call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("new"), TemporaryPassword: new("Tempor4ry!")})
	ok(t, err)
	b := f.browser()
	w := b.fill(b.get("/login", asks(f.page)), "username", "new", "password", "Tempor4ry!")
	if w.Code != 200 || b.cookies["cognito"] != "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	again := b.fill(w, "password", "short")
	if again.Code != 400 || !strings.Contains(again.Body.String(), "policy") {
		t.Errorf("%d %s", again.Code, again.Body)
	}
	// The session is one of this user and of this client.
	action, fields := formOf(t, w)
	fields.Set("password", password)
	forged := strings.Replace(action, *f.page.ClientId, *f.server.ClientId, 1)
	if w := b.do("POST", forged, fields); w.Code != 400 || b.cookies["cognito"] != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	fields.Set("username", "ann")
	if back := b.back(b.do("POST", action, fields)); back.Get("code") == "" {
		t.Errorf("%v", back)
	} else if c := claimsOf(t, f.post("/oauth2/token", exchanges(f.page, back.Get("code"))).text("access_token")); c["username"] != "new" {
		t.Errorf("%v", c)
	}
	clear(b.cookies)
	if w := b.fill(w, "password", password); w.Code != 403 {
		t.Errorf("%d", w.Code)
	}
}

// codeAt is what an authenticator app shows.
func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	ok(t, err)
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	i := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[i:i+4])&0x7fffffff%1_000_000)
}

// TestSecondFactor sets an authenticator app up at the first sign-in and asks for
// its code at the next; the password alone leads nowhere.
func TestSecondFactor(t *testing.T) {
	f := newFixture(t)
	_, err := f.SetUserPoolMfaConfig(f.call, &api.SetUserPoolMfaConfigRequest{
		UserPoolId: &f.pool, MfaConfiguration: new("ON"), SoftwareTokenMfaConfiguration: &api.SoftwareTokenMfaConfigType{Enabled: new(true)},
	})
	ok(t, err)
	for _, cl := range []*api.UserPoolClientType{f.page, f.server} {
		name := "user-" + *cl.ClientId
		f.user(name)
		b := f.browser()
		w := b.fill(b.get("/login", asks(cl)), "username", name, "password", password)
		_, fields := formOf(t, w)
		secret := fields.Get("secret")
		if w.Code != 200 || secret == "" || b.cookies["cognito"] != "" || !strings.Contains(w.Body.String(), "this key") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		again := b.fill(w, "code", "000000")
		if again.Code != 400 || b.cookies["cognito"] != "" {
			t.Fatalf("%d %s", again.Code, again.Body)
		}
		b.back(b.fill(again, "code", codeAt(t, secret, f.now)))

		f.now = f.now.Add(time.Minute)
		clear(b.cookies)
		w = b.fill(b.get("/login", asks(cl)), "username", name, "password", password)
		if w.Code != 200 || b.cookies["cognito"] != "" || strings.Contains(w.Body.String(), secret) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for change, to := range map[string]string{"challenge": "NEW_PASSWORD_REQUIRED", "session": "", "code": "000000"} {
			if w := b.fill(w, "code", codeAt(t, secret, f.now), change, to); w.Code != 400 || b.cookies["cognito"] != "" {
				t.Errorf("%s %s: %d %s", change, to, w.Code, w.Body)
			}
		}
		if w := b.fill(w, "code", codeAt(t, secret, f.now), "challenge", "MFA_SETUP"); w.Code != 400 || b.cookies["cognito"] != "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if back := b.back(b.fill(w, "code", codeAt(t, secret, f.now))); back.Get("code") == "" {
			t.Errorf("%v", back)
		}
	}
}
