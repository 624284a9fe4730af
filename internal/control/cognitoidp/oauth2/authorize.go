package oauth2

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/control/cognitoidp"
)

// codeLife is how long a code may be exchanged for tokens; AWS's is the same.
const codeLife = 5 * time.Minute

// A code is the content of an authorization code.
type code struct {
	Pool, Client, RedirectURI string
	Visit                     cognitoidp.Visit
	Scopes                    []string
	Nonce                     string `json:",omitempty"`
	// Challenge is the SHA-256 sum that the code is bound to, if it is.
	Challenge string `json:",omitempty"`
}

// asked reads the request for authorization; ok is false when the answer was
// written.
func (v *visitor) asked() (q *request, ok bool) {
	q, no, err := v.request()
	switch {
	case err != nil:
		v.broken(err)
	case no != nil && no.redirect != "":
		v.redirect(no.redirect)
	case no != nil:
		v.shown(http.StatusBadRequest, no.code+": "+no.description)
	default:
		return q, true
	}
	return nil, false
}

// authorize is /oauth2/authorize: a browser that has signed in goes back to the
// client at once, others to /login.
func (v *visitor) authorize() {
	q, ok := v.asked()
	if !ok {
		return
	}
	if !slices.ContainsFunc(q.prompt, func(p string) bool { return p != "none" }) {
		done, err := v.resume(q)
		if err != nil {
			v.broken(err)
			return
		}
		if done {
			return
		}
	}
	if slices.Contains(q.prompt, "none") {
		v.redirect(q.failed("login_required", ""))
		return
	}
	v.redirect(v.page("/login", q))
}

// resume goes on with the visit that the browser has, if it is a good one.
func (v *visitor) resume(q *request) (done bool, err error) {
	visit, ok := v.visit()
	if !ok {
		return false, nil
	}
	g, err := v.pools.HostedGrant(v.call, v.pool, q.client, visit, q.scopes, q.nonce)
	if err != nil {
		if _, _, told := told(err); told {
			return false, nil // signed out, or gone
		}
		return false, err
	}
	return true, v.grant(q, visit, g)
}

// grant sends the browser to the client with a code, or with tokens.
func (v *visitor) grant(q *request, visit cognitoidp.Visit, g cognitoidp.Grant) error {
	if !q.implicit {
		text, err := v.tickets.Issue(v.codes, code{
			Pool: v.pool.ID, Client: q.client.ID, RedirectURI: q.redirectURI, Visit: visit, Scopes: q.scopes, Nonce: q.nonce, Challenge: q.challenge,
		}, v.call.Time.Add(codeLife))
		if err != nil {
			return err
		}
		v.redirect(q.location(url.Values{"code": {text}}))
		return nil
	}
	tokens, err := v.pools.Mint(v.call, g)
	if err != nil {
		if code, message, told := told(err); told {
			v.log.Warn("a user got no tokens", "pool", v.pool.ID, "client", q.client.ID, "code", code)
			v.redirect(q.failed("invalid_request", message)) // UNVERIFIED: what AWS says of a function that fails
			return nil
		}
		return err
	}
	params := url.Values{
		"access_token": {tokens.Access}, "token_type": {"Bearer"}, "expires_in": {strconv.Itoa(int(tokens.Lifetime / time.Second))},
	}
	if tokens.ID != "" {
		params.Set("id_token", tokens.ID)
	}
	v.redirect(q.location(params))
	return nil
}

// page is the address of a page for a request.
func (v *visitor) page(path string, q *request) string { return v.base + path + "?" + q.query }

// redirect sends the browser elsewhere. The address may carry a code.
func (v *visitor) redirect(to string) {
	v.w.Header().Set("Location", to)
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.Header().Set("Referrer-Policy", "no-referrer")
	v.w.WriteHeader(http.StatusFound)
}
