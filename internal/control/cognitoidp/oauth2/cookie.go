package oauth2

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/internal/control/cognitoidp"
	"gatehouse/internal/userpool"
)

// visitLife is how long a browser signs in without a password, from the one that
// was typed on. AWS's is the same.
const visitLife = time.Hour

const (
	forVisit    = "cognito-visit"
	visitCookie = "cognito"
	formCookie  = "XSRF-TOKEN"
	// formField is the field that has to say what the cookie does.
	formField = "_csrf"
)

// A visitTicket is the content of the cookie.
type visitTicket struct {
	Pool  string
	Visit cognitoidp.Visit
}

// cookieName has the prefix by which browsers let nobody but this very host set
// the cookie, where they know it: over TLS and for the whole host.
func (v *visitor) cookieName(name string) string {
	if v.r.TLS != nil && v.base == "" {
		return "__Host-" + name
	}
	return name
}

func (v *visitor) setCookie(name, text string, age time.Duration) {
	c := &http.Cookie{
		Name: v.cookieName(name), Value: text, Path: v.base + "/", HttpOnly: true, Secure: v.r.TLS != nil, SameSite: http.SameSiteLaxMode,
		MaxAge: int(age / time.Second),
	}
	http.SetCookie(v.w, c)
}

func (v *visitor) cookie(name string) string {
	c, err := v.r.Cookie(v.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// visit is the visit that the browser has. Whether the user is still there isn't
// checked yet.
func (v *visitor) visit() (cognitoidp.Visit, bool) {
	var t visitTicket
	_, err := v.tickets.Open(forVisit, v.cookie(visitCookie), v.call.Time, &t)
	if err != nil || t.Pool != v.pool.ID {
		return cognitoidp.Visit{}, false
	}
	return t.Visit, true
}

// begin gives the browser a visit.
func (v *visitor) begin(visit cognitoidp.Visit) error {
	text, err := v.tickets.Issue(forVisit, visitTicket{v.pool.ID, visit}, visit.Time.Add(visitLife))
	if err != nil {
		return err
	}
	v.setCookie(visitCookie, text, visitLife)
	return nil
}

// end takes the visit from the browser, and from whoever copied the cookie.
func (v *visitor) end() error {
	if visit, ok := v.visit(); ok {
		if err := v.pools.EndVisit(v.call, v.pool, visit, visitLife); err != nil {
			return err
		}
	}
	v.setCookie(visitCookie, "", -time.Second)
	return nil
}

// formToken is what the forms of a page carry; the browser has it as a cookie,
// too, which a page of another site can neither read nor send along.
func (v *visitor) formToken() string {
	if text := v.cookie(formCookie); len(text) == 26 {
		return text
	}
	text := rand.Text()
	v.setCookie(formCookie, text, 0)
	return text
}

// forged tells whether a form wasn't one of ours.
func (v *visitor) forged(form url.Values) bool {
	own := v.cookie(formCookie)
	if len(own) != 26 || !userpool.Equal(own, form.Get(formField)) {
		return true
	}
	// Where browsers tell who sends the form, a planted cookie doesn't help either.
	if site := v.r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site != "same-origin" && site != "none"
	}
	if origin := v.r.Header.Get("Origin"); origin != "" {
		_, host, _ := strings.Cut(origin, "://")
		return !strings.EqualFold(host, v.r.Host)
	}
	return false
}
