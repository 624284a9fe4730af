package oauth2

import (
	"net/http"
	"slices"
	"strings"
)

// userInfo is /oauth2/userInfo: it tells about the user whose access token is
// shown, as far as the token's scopes go. All values are texts, as on AWS.
func (v *visitor) userInfo() {
	token, ok := bearerToken(v.r.Header)
	if !ok {
		v.bearerError(http.StatusBadRequest, &failure{"invalid_request", "The request needs one access token, as in Authorization: Bearer."})
		return
	}
	b, err := v.pools.Bearer(v.call, token)
	if err == nil && b.Pool.ID != v.pool.ID {
		v.bearerError(http.StatusUnauthorized, &failure{"invalid_token", "The access token is another user pool's."})
		return
	}
	if _, _, told := told(err); told {
		v.bearerError(http.StatusUnauthorized, &failure{"invalid_token", "Access token is expired, disabled, or deleted, or the user has globally signed out."})
		return
	}
	if err != nil {
		v.refuse(http.StatusInternalServerError, err)
		return
	}
	if !slices.Contains(b.Scopes, "openid") {
		v.bearerError(http.StatusUnauthorized, &failure{"invalid_token", "Access token does not contain openid scope"})
		return
	}
	out := map[string]string{}
	for _, a := range b.UserInfo() {
		out[value(a.Name)] = value(a.Value)
	}
	out["username"] = b.Username()
	v.answer(http.StatusOK, out)
}

// bearerToken reads the header; a scheme has no case.
func bearerToken(h http.Header) (string, bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}

func (v *visitor) bearerError(status int, f *failure) {
	v.w.Header().Set("WWW-Authenticate", `Bearer error="`+f.Code+`", error_description="`+f.Description+`"`)
	v.answer(status, f)
}

// revoke is /oauth2/revoke: it ends a refresh token and what came of it.
func (v *visitor) revoke() {
	form, err := v.form()
	if err != nil || form.Get("token") == "" {
		v.refuse(http.StatusBadRequest, fail("invalid_request"))
		return
	}
	cl, err := v.authenticate(form)
	if err != nil {
		status := http.StatusBadRequest
		if err.Error() == "invalid_client" {
			status = http.StatusUnauthorized
		}
		v.refuse(status, err)
		return
	}
	err = v.pools.RevokeRefreshToken(v.call, v.pool, cl, form.Get("token"))
	code, message, told := told(err)
	switch {
	case code == "UnsupportedTokenTypeException":
		v.refuse(http.StatusBadRequest, fail("unsupported_token_type"))
	case code == "UnauthorizedException":
		v.refuse(http.StatusUnauthorized, fail("invalid_client")) // UNVERIFIED for another client's token
	case told:
		v.refuse(http.StatusBadRequest, &failure{"invalid_request", message})
	case err != nil:
		v.refuse(http.StatusInternalServerError, err)
	default:
		v.w.Header().Set("Cache-Control", "no-store")
		v.w.WriteHeader(http.StatusOK)
	}
}
