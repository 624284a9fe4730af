package oauth2

import (
	"net/http"
	"net/url"
	"slices"
)

// logout is /logout: it ends the browser's visit and goes to one of the client's
// sign-out URLs, or, with what /oauth2/authorize takes, to the page to sign in
// again. Where it would go is checked before anything ends.
func (v *visitor) logout() {
	query, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil || len(v.r.URL.RawQuery) > maxQuery || len(query["logout_uri"]) > 1 || len(query["client_id"]) > 1 {
		v.shown(http.StatusBadRequest, "invalid_request: The parameters can't be read.")
		return
	}
	to := query.Get("logout_uri")
	if to == "" {
		q, ok := v.asked()
		if !ok {
			return
		}
		v.leave(v.page("/login", q))
		return
	}
	cl, p, ok := v.directory.Client(query.Get("client_id"))
	if !ok || p.ID != v.pool.ID {
		v.shown(http.StatusBadRequest, "invalid_client: This user pool has no app client with the client_id.")
		return
	}
	if !slices.Contains(cl.Settings.LogoutURLs, to) || !redirectable(to) {
		v.shown(http.StatusBadRequest, "redirect_mismatch: The logout_uri isn't one of the app client's sign-out URLs.")
		return
	}
	v.leave(ascii(to))
}

func (v *visitor) leave(to string) {
	if err := v.end(); err != nil {
		v.broken(err)
		return
	}
	v.redirect(to)
}
