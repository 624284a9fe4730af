package cognitoidp

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"gatehouse/internal/awswire"
)

// A Front stands before management and answers what isn't signed: the documents
// by which tokens are checked, and, for web pages, the operations that sign users
// in.
//
// A page may call these from any origin, as on AWS: they take no credentials
// that a browser would send along, so a page can do no more than anybody who can
// reach the gateway, and it needs the id of an app client. They are open to pages
// by a host name of their own, cognito-idp.{region}.*, and without a signature
// only; everything else of management stays closed to them.
type Front struct {
	service  *Service
	unsigned map[string]bool // targets
}

// NewFront returns the front of a service; bound is the same service, bound to
// its operations.
func NewFront(s *Service, bound *awswire.Service) *Front {
	f := &Front{service: s, unsigned: map[string]bool{}}
	for _, op := range bound.Operations {
		if op.Unsigned {
			f.unsigned[bound.TargetPrefix+"."+op.Name] = true
		}
	}
	return f
}

// AllowBrowser admits the calls that web pages may make.
func (f *Front) AllowBrowser(r *http.Request) bool {
	return r.Method == http.MethodPost && signInHost(r.Host) && r.RequestURI == "/" &&
		r.Header["Authorization"] == nil && len(r.Header["X-Amz-Target"]) == 1 && f.unsigned[r.Header.Get("X-Amz-Target")]
}

// signInHost tells whether a host name is that of the service alone.
func signInHost(host string) bool {
	return len(host) > 12 && strings.EqualFold(host[:12], "cognito-idp.")
}

// Handler answers what the front does and hands everything else on.
func (f *Front) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, document, ok := wellKnown(r.URL.Path); ok && slices.Contains([]string{http.MethodGet, http.MethodHead}, r.Method) {
			f.document(w, r, id, document)
			return
		}
		switch {
		case r.Method == http.MethodOptions && signInHost(r.Host) && r.Header["Origin"] != nil:
			preflight(w)
			return
		case r.Header["Origin"] != nil && f.AllowBrowser(r):
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Access-Control-Expose-Headers", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date")
		}
		next.ServeHTTP(w, r)
	})
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	// The star leaves out Authorization.
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Allow-Methods", "POST, GET")
	h.Set("Access-Control-Max-Age", "172800")
	w.WriteHeader(http.StatusNoContent)
}

// wellKnown reads /{pool}/.well-known/{document}.
func wellKnown(path string) (poolID, document string, ok bool) {
	poolID, document, ok = strings.Cut(strings.TrimPrefix(path, "/"), "/.well-known/")
	return poolID, document, ok && !strings.Contains(poolID, "/") && (document == "jwks.json" || document == "openid-configuration")
}

func (f *Front) document(w http.ResponseWriter, r *http.Request, poolID, document string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	p, ok := f.service.directory.Pool(poolID)
	var err error
	if ok && len(p.keys.docs) == 0 {
		p, err = f.service.withKeys(r.Context(), p)
	}
	code, _ := awsCode(err)
	switch {
	case !ok || code == "ResourceNotFoundException":
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":` + jsonText("User pool "+poolID+" does not exist.") + `}`)) // UNVERIFIED status
	case err != nil:
		f.service.log.Error("the keys of a user pool couldn't be made", "pool", poolID, "error", err)
		w.WriteHeader(http.StatusInternalServerError)
	case document == "jwks.json":
		_, _ = w.Write(p.keys.set)
	default:
		_, _ = w.Write(discovery(p, r))
	}
}

// DomainPath is where the domains of pools are for clients that can't choose the
// host: the domain's name follows, and then the path of the endpoint.
const DomainPath = "/_aws/cognito-idp/"

// domainURL is where the pages of a pool with a domain are, as seen by whoever
// reached the service at a host.
func domainURL(p *Pool, scheme, host string) string {
	prefix := value(p.Settings.Domain)
	if prefix != "" && signInHost(host) {
		// Beside cognito-idp.{region}.{domain} is {prefix}.auth.{region}.{domain}.
		return scheme + prefix + ".auth" + host[len("cognito-idp"):]
	}
	if prefix == "" {
		prefix = value(p.Settings.CustomDomain)
	}
	return scheme + host + DomainPath + prefix
}

// discovery is the configuration of a pool as an issuer. The issuer is AWS's; keys
// and endpoints are named as whoever asks can reach them, endpoints where the pool
// has a domain.
func discovery(p *Pool, r *http.Request) []byte {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	document := struct {
		Authorization string   `json:"authorization_endpoint,omitempty"`
		EndSession    string   `json:"end_session_endpoint,omitempty"`
		Algorithms    []string `json:"id_token_signing_alg_values_supported"`
		Issuer        string   `json:"issuer"`
		Keys          string   `json:"jwks_uri"`
		Responses     []string `json:"response_types_supported"`
		Revocation    string   `json:"revocation_endpoint,omitempty"`
		Scopes        []string `json:"scopes_supported"`
		Subjects      []string `json:"subject_types_supported"`
		Token         string   `json:"token_endpoint,omitempty"`
		TokenAuth     []string `json:"token_endpoint_auth_methods_supported,omitempty"`
		UserInfo      string   `json:"userinfo_endpoint,omitempty"`
		PKCE          []string `json:"code_challenge_methods_supported,omitempty"` // not in AWS's, but true there
	}{
		Algorithms: []string{"RS256"}, Issuer: p.Issuer, Keys: scheme + r.Host + "/" + p.ID + "/.well-known/jwks.json",
		Responses: []string{"code", "token"}, Scopes: []string{"openid", "email", "phone", "profile"}, Subjects: []string{"public"},
	}
	if p.Settings.Domain != nil || p.Settings.CustomDomain != nil {
		base := domainURL(p, scheme, r.Host)
		document.Authorization, document.Token, document.UserInfo = base+"/oauth2/authorize", base+"/oauth2/token", base+"/oauth2/userInfo"
		document.Revocation, document.EndSession = base+"/oauth2/revoke", base+"/logout"
		document.TokenAuth, document.PKCE = []string{"client_secret_basic", "client_secret_post"}, []string{"S256"}
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic(errors.Join(errors.New("cognitoidp: texts don't marshal"), err))
	}
	return text
}
