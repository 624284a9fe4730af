package cognitoidp

import (
	"time"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// What is stored. The first part of every id but a domain's is the pool's. What
// holds secrets or people's data is sealed.
var (
	pools           = store.Kind[poolDoc]{Name: "cognitoidp/userPool"}
	poolOwners      = store.Kind[ownerDoc]{Name: "cognitoidp/userPoolOwner"}
	signingKeys     = store.Kind[keysDoc]{Name: "cognitoidp/signingKeys", Sealed: true}
	clients         = store.Kind[clientDoc]{Name: "cognitoidp/userPoolClient", Sealed: true}
	domains         = definition.UserPoolDomains
	resourceServers = store.Kind[resourceServerDoc]{Name: "cognitoidp/resourceServer"}
	groups          = store.Kind[groupDoc]{Name: "cognitoidp/group"}
	members         = store.Kind[memberDoc]{Name: "cognitoidp/groupMember"}
	users           = store.Kind[userDoc]{Name: "cognitoidp/user", Sealed: true}
	userCounts      = store.Kind[countDoc]{Name: "cognitoidp/userCount"}
	aliases         = store.Kind[aliasDoc]{Name: "cognitoidp/alias"}
	revocations     = store.Kind[revocationDoc]{Name: "cognitoidp/revocation"}
)

// A poolDoc is a pool. The number of users, which is computed, isn't in Pool.
type poolDoc struct {
	Pool api.UserPoolType
	// MFA is the answer of GetUserPoolMfaConfig but for MfaConfiguration and the
	// settings of SMS, which are Pool's.
	MFA mfaDoc
}

type mfaDoc struct {
	SoftwareToken *api.SoftwareTokenMfaConfigType `json:",omitempty"`
	Email         *api.EmailMfaConfigType         `json:",omitempty"`
	WebAuthn      *api.WebAuthnConfigurationType  `json:",omitempty"`
}

// An ownerDoc claims a pool's id, in no scope.
type ownerDoc struct{ Account, Region string }

type clientDoc struct{ Client api.UserPoolClientType }

type resourceServerDoc struct{ Server api.ResourceServerType }

type groupDoc struct{ Group api.GroupType }

// A memberDoc puts a user into a group; its id is pool, group and user.
type memberDoc struct{}

type countDoc struct{ Users int32 }

// An aliasDoc finds a user by an attribute; its id is pool, attribute and value.
type aliasDoc struct{ User string }

// A revocationDoc ends a sign-in, or one of its refresh tokens. Its id is the
// pool and the id of the sign-in or the refresh token.
type revocationDoc struct {
	// From is when it ends; Expires when nothing that it revokes is left.
	From, Expires time.Time
}

// A keysDoc is a pool's signing keys: the first signs ID tokens, the second
// access tokens.
type keysDoc struct{ Keys []keyDoc }

type keyDoc struct {
	ID string
	// Private is the key as PKCS #8, Modulus what is public of it.
	Private, Modulus []byte
}

// A userDoc is a user; its id is the pool and the name, in lower case where the
// pool says so.
type userDoc struct {
	Username, Sub string
	// Attributes are without sub.
	Attributes        []api.AttributeType
	Created, Modified time.Time
	Status            string
	Disabled          bool `json:",omitempty"`
	// Groups are the names of the user's groups.
	Groups []string `json:",omitempty"`

	Password passwordDoc
	// Factors are the user's second factors.
	Factors factorsDoc `json:",omitzero"`
	// Codes are those that were sent, by what they are for.
	Codes map[string]codeDoc `json:",omitempty"`
	// SignedOut ends all sign-ins before it.
	SignedOut time.Time `json:",omitzero"`
}

type passwordDoc struct {
	// Hash is empty for a user without a password.
	Hash string `json:",omitempty"`
	// Salt and Verifier are for SRP.
	Salt, Verifier []byte `json:",omitempty"`
	// Expires ends a temporary password.
	Expires time.Time `json:",omitzero"`
	// Earlier are the hashes of passwords before, the last one first.
	Earlier []string `json:",omitempty"`
}

// A factorsDoc is which second factors a user has. On and Preferred are as
// SetUserMFAPreference says.
type factorsDoc struct {
	// Secret is that of an authenticator app, Pending one that isn't proven yet.
	Secret, Pending string `json:",omitempty"`
	// Used is the step of time whose code was used last.
	Used      int64    `json:",omitempty"`
	On        []string `json:",omitempty"`
	Preferred string   `json:",omitempty"`
}

type codeDoc struct {
	Text    string
	Expires time.Time
	// Attribute is the attribute that the code proves, and Address what it was
	// sent to: nothing else is proven by it. Pending is set where the attribute
	// becomes that only then.
	Attribute, Address string
	Pending            bool `json:",omitempty"`
}
