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

// discovery is the configuration of a pool as an issuer. The issuer is AWS's; the
// keys are where the document was asked for.
func discovery(p *Pool, r *http.Request) []byte {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	text, err := json.Marshal(struct {
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
		Issuer     string   `json:"issuer"`
		Keys       string   `json:"jwks_uri"`
		Responses  []string `json:"response_types_supported"`
		Scopes     []string `json:"scopes_supported"`
		Subjects   []string `json:"subject_types_supported"`
	}{
		[]string{"RS256"}, p.Issuer, scheme + "://" + r.Host + "/" + p.ID + "/.well-known/jwks.json",
		[]string{"code", "token"}, []string{"openid", "email", "phone", "profile"}, []string{"public"},
	})
	if err != nil {
		panic(errors.Join(errors.New("cognitoidp: texts don't marshal"), err))
	}
	return text
}
