package authorize

import (
	"strings"
	"testing"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// Who may have a cached response renewed is asked of the same policies as who may
// call the method, and only when a request asks for it.
func TestInvalidation(t *testing.T) {
	identity := func(actions string) *policy.Subject {
		return &policy.Subject{Identity: []*policy.Document{document(t, policy.Inline, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[`+actions+`],"Resource":"`+api+`/dev/GET/pets/*"}]}`)}}
	}
	const both, one = `"execute-api:Invoke","execute-api:InvalidateCache"`, `"execute-api:Invoke"`
	signers := fakeSigners{
		{"AKIAANN", ""}: signer(annARN, identity(both)),
		{"AKIABEN", ""}: signer(annARN, identity(one)),
	}
	toEverybody := strings.Replace(toAll, `"execute-api:Invoke"`, `["execute-api:Invoke","execute-api:InvalidateCache"]`, 1)
	denied := `{"Effect":"Deny","Principal":"*","Action":"execute-api:InvalidateCache","Resource":"` + api + `/*"}`
	for _, test := range []struct {
		name, key, resource, cacheControl, path string
		uncached, want                          bool
	}{
		{"allowed", "AKIAANN", "", "max-age=0", "/dev/pets/1", false, true},
		{"not asked for", "AKIAANN", "", "max-age=1", "/dev/pets/1", false, false},
		{"of a method that isn't cached", "AKIAANN", "", "max-age=0", "/dev/pets/1", true, false},
		{"allowed to call alone", "AKIABEN", "", "max-age=0", "/dev/pets/1", false, false},
		{"allowed by the resource", "AKIABEN", toEverybody, "max-age=0", "/dev/pets/1", false, true},
		{"denied by the resource", "AKIAANN", toAll + "," + denied, "max-age=0", "/dev/pets/1", false, false},
		{"allowed what a backend takes the path for, too", "AKIAANN", "", "max-age=0", "/dev/pets/a%2Fb", false, true},
		{"anybody, allowed by the resource", "", toEverybody, "max-age=0", "/dev/pets/1", false, true},
		{"anybody, allowed to call alone", "", toAll, "max-age=0", "/dev/pets/1", false, false},
		{"anybody, denied", "", toAll + "," + denied, "max-age=0", "/dev/pets/1", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCall(test.path)
			c.header.Set("Cache-Control", test.cacheControl)
			var a plan.Authorizer
			var p *ResourcePolicy
			if test.resource != "" {
				p = resource(t, test.resource)
				a = p
			}
			if test.key != "" {
				c.key = test.key
				c.sign(t)
				a = &IAM{Signers: signers, Keys: NewSigningKeys(), Policy: p, Clock: func() time.Time { return signedAt }}
			}
			x := c.placed(t, routes(plan.REST, everyKey...))
			if !test.uncached {
				x.Route.Rest.Cache = &plan.MethodCache{}
			}
			if err := a.Authorize(x); err != nil {
				t.Fatal(err)
			}
			if got := x.Cache.MayInvalidate; got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
