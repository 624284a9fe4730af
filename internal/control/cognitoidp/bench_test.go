package cognitoidp_test

import (
	"testing"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// BenchmarkSignIn is what a sign-in costs, which is the password's hash mostly,
// what it costs with SRP, and what tokens cost.
func BenchmarkSignIn(b *testing.B) {
	f := open(b, b.TempDir())
	out, err := f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("p")})
	ok(b, err)
	f.pool = *out.UserPool.Id
	cl := f.client(nil)
	f.user("alice")
	refresh := *f.signIn(cl, "alice").RefreshToken
	c := srpClient{f, cl}
	issuer := "https://cognito-idp.eu-central-1.amazonaws.com/" + f.pool
	b.Run("password", func(b *testing.B) {
		for b.Loop() {
			f.signIn(cl, "alice")
		}
	})
	b.Run("srp", func(b *testing.B) { // the client's half included
		for b.Loop() {
			_, err := c.signIn("alice", password)
			ok(b, err)
		}
	})
	b.Run("refresh", func(b *testing.B) {
		for b.Loop() {
			_, err := f.initiate(cl, "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN", refresh)
			ok(b, err)
		}
	})
	b.Run("keys", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, found := f.directory.Keys(issuer); !found {
				b.Fatal("no keys")
			}
		}
	})
	b.Run("create_pool", func(b *testing.B) {
		for b.Loop() {
			_, err := f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("p")})
			ok(b, err)
		}
	})
}
