package cognitoidp

import (
	"net/http"
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
	return r.Method == http.MethodPost && SignInHost(r.Host) && r.RequestURI == "/" &&
		r.Header["Authorization"] == nil && len(r.Header["X-Amz-Target"]) == 1 && f.unsigned[r.Header.Get("X-Amz-Target")]
}

// SignInHost tells whether a host name is that of the service alone:
// cognito-idp.{region}.*.
func SignInHost(host string) bool {
	return len(host) > 12 && strings.EqualFold(host[:12], "cognito-idp.")
}

// Handler answers what the front does and hands everything else on.
func (f *Front) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, document, ok := cutWellKnown(r.URL.Path); ok && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			f.service.ServeDocument(w, r, Address{PoolID: id, Document: document, Path: "/" + id})
			return
		}
		switch {
		case r.Method == http.MethodOptions && SignInHost(r.Host) && r.Header["Origin"] != nil:
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
