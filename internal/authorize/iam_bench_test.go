package authorize

import (
	"net/http"
	"strings"
	"testing"

	"gatehouse/internal/plan"
)

// warm returns what authorizes one request over and over, whose key and memory
// are warm.
func warm(tb testing.TB, c *call, a *IAM) func() {
	tb.Helper()
	x := c.sign(tb).placed(tb, routes(plan.REST, everyKey...))
	scratch, body := x.Scratch, x.Request.BodyReader
	authorize := func() {
		x.Scratch, x.Request.Body, x.Request.BodyReader = scratch[:0], nil, body
		if r, ok := body.(*strings.Reader); ok {
			r.Reset(c.body)
		}
		if err := a.Authorize(x); err != nil {
			tb.Fatal(err)
		}
		scratch = x.Scratch
	}
	authorize()
	return authorize
}

func warmCases(tb testing.TB) map[string]struct {
	call *call
	iam  *IAM
	// allocs is how many allocations an authorization may take.
	allocs float64
} {
	signers := fakeSigners{{"AKIAANN", ""}: signer(annARN, allowing(tb, "*"))}
	under := newIAM(signers)
	under.Policy = resource(tb, toAll)
	post := newCall("/dev/pets?a=1&b=2")
	post.method, post.body = "POST", strings.Repeat("x", 1000)
	post.header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"test"}}
	presigned := newCall("/dev/pets/1?a=1")
	presigned.presign = true
	return map[string]struct {
		call   *call
		iam    *IAM
		allocs float64
	}{
		"header":    {newCall("/dev/pets/1"), newIAM(signers), 8},
		"body":      {post, newIAM(signers), 10},
		"presigned": {presigned, newIAM(signers), 10},
		"policy":    {newCall("/dev/pets/1"), under, 8},
	}
}

func BenchmarkIAM(b *testing.B) {
	for name, c := range warmCases(b) {
		b.Run(name, func(b *testing.B) {
			authorize := warm(b, c.call, c.iam)
			b.ReportAllocs()
			for b.Loop() {
				authorize()
			}
		})
	}
	b.Run("cold", func(b *testing.B) {
		c := warmCases(b)["header"]
		authorize := warm(b, c.call, c.iam)
		for b.Loop() {
			c.iam.Keys = NewSigningKeys()
			authorize()
		}
	})
}
