package cognitoidp_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/userpool"
)

// An srpClient is the other side of SRP, with 2 as its public number: 1 is its
// secret, so what is left is little.
type srpClient struct {
	f      *fixture
	client *api.UserPoolClientType
}

// prime is the group's, which has enough ones to be written so.
var prime, _ = new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF", 16)

func padded(n *big.Int) []byte {
	if b := n.Bytes(); len(b) > 0 && b[0] < 0x80 {
		return b
	}
	return append([]byte{0}, n.Bytes()...)
}

func hashed(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

func number(hex string) *big.Int {
	n, _ := new(big.Int).SetString(hex, 16)
	return n
}

// claim answers a challenge for a password.
func (c srpClient) claim(params map[string]string, text string) []string {
	pool, user := c.f.pool[len("eu-central-1_"):], params["USER_ID_FOR_SRP"]
	g, b := big.NewInt(2), number(params["SRP_B"])
	inner := sha256.Sum256([]byte(pool + user + ":" + text))
	x := hashed(padded(number(params["SALT"])), inner[:])
	u := hashed(padded(g), padded(b)) // A is 2
	base := new(big.Int).Mul(hashed(padded(prime), padded(g)), new(big.Int).Exp(g, x, prime))
	base.Sub(b, base).Mod(base, prime)
	shared := base.Exp(base, new(big.Int).Add(big.NewInt(1), new(big.Int).Mul(u, x)), prime)
	key, err := hkdf.Key(sha256.New, padded(shared), padded(u), "Caldera Derived Key", 16)
	ok(c.f.t, err)
	block, err := base64.StdEncoding.DecodeString(params["SECRET_BLOCK"])
	ok(c.f.t, err)
	at := c.f.Time.UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	return []string{
		"USERNAME", user, "TIMESTAMP", at, "PASSWORD_CLAIM_SECRET_BLOCK", params["SECRET_BLOCK"],
		"PASSWORD_CLAIM_SIGNATURE", base64.StdEncoding.EncodeToString(userpool.Claim(key, pool, user, block, at)),
	}
}

func (c srpClient) signIn(name, text string) (*api.RespondToAuthChallengeResponse, error) {
	out, err := c.f.initiate(c.client, "USER_SRP_AUTH", "USERNAME", name, "SRP_A", "2")
	if err != nil {
		return nil, err
	}
	return c.f.respond(c.client, *out.ChallengeName, out.Session, c.claim(out.ChallengeParameters, text)...)
}

func TestSRP(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{AliasAttributes: []string{"email"}})
	c := srpClient{f, f.client(func(in *api.CreateUserPoolClientRequest) { in.PreventUserExistenceErrors = new("ENABLED") })}
	f.user("alice", attr("email", "a@example.com"), attr("email_verified", "true"))
	for _, name := range []string{"alice", "a@example.com"} {
		out, err := c.signIn(name, password)
		if err != nil || claimsOf(t, out.AuthenticationResult.AccessToken)["username"] != "alice" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, wrong := range [][2]string{{"alice", "wrong"}, {"nobody", password}} {
		_, err := c.signIn(wrong[0], wrong[1])
		fails(t, err, "NotAuthorizedException", "Incorrect username or password.")
	}
	// A user that isn't there looks like one that is.
	begin := func(name string) map[string]string {
		out, err := f.initiate(c.client, "USER_SRP_AUTH", "USERNAME", name, "SRP_A", "2")
		ok(t, err)
		return out.ChallengeParameters
	}
	there, absent := begin("alice"), begin("nobody")
	if again := begin("nobody"); again["SALT"] != absent["SALT"] || len(absent["SALT"]) != len(there["SALT"]) || again["SRP_B"] == absent["SRP_B"] {
		t.Errorf("%v\n%v\n%v", there, absent, again)
	}

	// A challenge is answered once, soon, and with the clock right.
	answer := c.claim(there, password)
	f.Time = f.Time.Add(-time.Hour)
	stale := c.claim(there, password)
	f.Time = f.Time.Add(time.Hour)
	_, err := f.respond(c.client, "PASSWORD_VERIFIER", nil, stale...)
	fails(t, err, "InvalidParameterException", "TIMESTAMP")
	_, err = f.respond(c.client, "PASSWORD_VERIFIER", nil, answer...)
	ok(t, err)
	_, err = f.respond(c.client, "PASSWORD_VERIFIER", nil, answer...)
	fails(t, err, "NotAuthorizedException", "Invalid session for the user, session can only be used once.")
	late := c.claim(begin("alice"), password)
	f.Time = f.Time.Add(3 * time.Minute)
	_, err = f.respond(c.client, "PASSWORD_VERIFIER", nil, late...)
	fails(t, err, "NotAuthorizedException", "Invalid session for the user, session is expired.")

	// The password changes between challenge and answer.
	answer = c.claim(begin("alice"), password)
	_, err = f.AdminSetUserPassword(f.Call, &api.AdminSetUserPasswordRequest{UserPoolId: &f.pool, Username: new("alice"), Password: new("An0ther!"), Permanent: new(true)})
	ok(t, err)
	_, err = f.respond(c.client, "PASSWORD_VERIFIER", nil, answer...)
	fails(t, err, "NotAuthorizedException", "Incorrect username or password.")
	if _, err := c.signIn("alice", "An0ther!"); err != nil {
		t.Error(err)
	}
	// Wrong guesses count here as well.
	for range 5 {
		_, err := c.signIn("alice", "wrong")
		fails(t, err, "NotAuthorizedException", "Incorrect username or password.")
	}
	_, err = c.signIn("alice", "An0ther!")
	fails(t, err, "NotAuthorizedException", "Password attempts exceeded")
	// Another client's challenge is no use.
	other := srpClient{f, f.client(nil)}
	_, err = f.respond(other.client, "PASSWORD_VERIFIER", nil, c.claim(begin("nobody"), password)...)
	fails(t, err, "NotAuthorizedException", "Invalid session")
}
