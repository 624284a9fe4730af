package authorize

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// FuzzPaths looks for a spelling of a path that gets past a Deny: everything is
// allowed but /admin and what is below it, and whatever a plain reading takes for
// that has to be refused.
func FuzzPaths(f *testing.F) {
	for _, target := range []string{"/admin", "/x/../admin", "/%61dmin/y", "/a%2F..%2Fadmin", "//admin", "/./admin/", "/admin%3Fx", "/%2e%2e/admin", "/%%61dmin", "/admin%", "/admin/..", "/%2561dmin"} {
		f.Add(target)
	}
	deny := resource(f, toAll+`,{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":["`+api+`/dev/GET/admin","`+api+`/dev/GET/admin/*"]}`)
	plans := map[plan.Protocol]*plan.Plan{}
	for _, protocol := range []plan.Protocol{plan.REST, plan.HTTP} {
		plans[protocol] = routes(protocol, "GET /", "GET /admin", "ANY /{proxy+}")
	}
	f.Fuzz(func(t *testing.T, target string) {
		if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, "? #") || len(target) > 1000 {
			return
		}
		for protocol, p := range plans {
			x := &plan.Exchange{Request: plan.Request{Method: "GET", Path: "/dev" + target, Host: host}}
			if traffic, err := p.Place(x); !traffic || err != nil {
				continue
			}
			if x.Stage.Match(x) != nil {
				continue
			}
			decision := deny.Decide(x, policy.Caller{}, nil)
			// The gateway's own route first.
			if x.Route.Path == "/admin" && decision != policy.Denied {
				t.Errorf("%d: %s is routed to /admin and decided %d", protocol, target, decision)
			}
			read, err := url.PathUnescape(x.StagePath)
			if err != nil {
				continue
			}
			if clean := path.Clean(read); (clean == "/admin" || strings.HasPrefix(clean, "/admin/")) && decision != policy.Denied && !(protocol == plan.HTTP && read == "/admin/") {
				t.Errorf("%d: %s comes to %s and was decided %d", protocol, target, clean, decision)
			}
		}
	})
}
