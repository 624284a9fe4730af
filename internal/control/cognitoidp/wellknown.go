package cognitoidp

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// The documents by which tokens are checked.
const (
	jwksDocument      = "jwks.json"
	discoveryDocument = "openid-configuration"
	wellKnownPath     = "/.well-known/"
)

// An Address is where somebody asks for a document of a pool, all of which are public.
type Address struct {
	// PoolID is the pool that is meant and Document what of it.
	PoolID, Document string
	// Path is what stands before "/.well-known/".
	Path string
	// Own tells that Path, at the host of the request, is the pool's own domain.
	Own bool
}

// WellKnown reads {before}/.well-known/{document}; ok is false for a path that names
// no document of pools.
func WellKnown(path string) (before, document string, ok bool) {
	before, document, ok = strings.Cut(path, wellKnownPath)
	return before, document, ok && (document == jwksDocument || document == discoveryDocument)
}

// cutWellKnown reads /{pool}/.well-known/{document}, the path of AWS's addresses.
func cutWellKnown(path string) (poolID, document string, ok bool) {
	before, document, ok := WellKnown(path)
	poolID, slash := strings.CutPrefix(before, "/")
	return poolID, document, ok && slash && poolID != "" && !strings.Contains(poolID, "/")
}

// AddressOf reads an address of AWS's form, at cognito-idp.{region}.*.
func AddressOf(host, path string) (a Address, ok bool) {
	id, document, ok := cutWellKnown(path)
	return Address{PoolID: id, Document: document, Path: "/" + id}, ok && SignInHost(host)
}

// ServeDocument answers a GET or a HEAD of a document.
func (s *Service) ServeDocument(w http.ResponseWriter, r *http.Request, at Address) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	p, ok := s.directory.Pool(at.PoolID)
	var err error
	if ok && len(p.keys.docs) == 0 {
		p, err = s.withKeys(r.Context(), p)
	}
	code, _ := awsCode(err)
	switch {
	case !ok || code == "ResourceNotFoundException":
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":` + jsonText("User pool "+at.PoolID+" does not exist.") + `}`)) // UNVERIFIED status
	case err != nil:
		s.log.Error("the keys of a user pool couldn't be made", "pool", at.PoolID, "error", err)
		w.WriteHeader(http.StatusInternalServerError)
	case at.Document == jwksDocument:
		_, _ = w.Write(p.keys.set)
	default:
		_, _ = w.Write(discovery(p, r, at))
	}
}

// DomainPath is where the domains of pools are for clients that can't choose the
// host: the domain's name follows, and then the path of the endpoint.
const DomainPath = "/_aws/cognito-idp/"

// domainURL is where the pages of a pool with a domain are, as seen by whoever
// reached the service at a host.
func domainURL(p *Pool, scheme, host string) string {
	prefix := value(p.Settings.Domain)
	if prefix != "" && SignInHost(host) {
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
func discovery(p *Pool, r *http.Request, at Address) []byte {
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
		Algorithms: []string{"RS256"}, Issuer: p.Issuer, Keys: scheme + r.Host + at.Path + wellKnownPath + jwksDocument,
		Responses: []string{"code", "token"}, Scopes: []string{"openid", "email", "phone", "profile"}, Subjects: []string{"public"},
	}
	if p.Settings.Domain != nil || p.Settings.CustomDomain != nil {
		base := scheme + r.Host + at.Path
		if !at.Own {
			base = domainURL(p, scheme, r.Host)
		}
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
