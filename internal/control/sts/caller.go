package sts

import (
	"maps"
	"strings"
	"time"

	"gatehouse/internal/arn"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/policy"
)

// A Caller is whom an access key belongs to, and what bounds them. Nothing in
// it may be changed.
type Caller struct {
	// Secret is what the key's signatures are made with.
	Secret string
	// Expires is the end of a session; zero for a key that lasts.
	Expires time.Time
	policy.Caller
	// Subject are the caller's policies as they are now; nil for root, whom none
	// binds.
	Subject *policy.Subject
	// Keys are the condition keys that tell who the caller is.
	Keys policy.Keys
	// Unfounded tells that the session is of a role that isn't there. Only the
	// gateway itself makes such sessions, for functions whose role nobody created.
	Unfounded bool
}

// Caller finds out whose an access key and the session token beside it are, ""
// being none. It is false for a key that doesn't exist or is switched off, and
// for a token that isn't one of this gateway or doesn't belong to the key.
// A session that has expired is found all the same. It takes no lock, and for a
// key or session seen before allocates nothing.
func (c *Credentials) Caller(accessKeyID, token string) (Caller, bool) {
	if strings.HasPrefix(accessKeyID, iam.SessionKey) {
		v, err := c.sessions.open(accessKeyID, token)
		if err != nil {
			return Caller{}, false
		}
		return c.ofSession(v), true
	}
	if token != "" {
		return Caller{}, false
	}
	if c.rootID != "" && accessKeyID == c.rootID {
		return Caller{Secret: c.rootSecret, Caller: c.root, Keys: c.rootKeys}, true
	}
	k, ok := c.directory.Key(accessKeyID)
	if !ok || !k.Active {
		return Caller{}, false
	}
	v := k.Identity()
	if v == nil {
		return Caller{}, false // the user was just deleted
	}
	return Caller{
		Secret: k.Secret, Subject: v.Subject, Keys: v,
		Caller: policy.Caller{Account: v.Account, ARN: v.ARN, UserID: v.ID},
	}, true
}

// keySet are condition keys by name.
type keySet map[string][]string

// Lookup implements policy.Keys.
func (k keySet) Lookup(key string) ([]string, bool) {
	values, ok := k[key]
	return values, ok
}

// A standing is what a session may do, true for one generation of the directory.
type standing struct {
	generation uint64
	subject    *policy.Subject
	keys       policy.Keys
	unfounded  bool
	// behind is the ARN of the role, or of the user who vouches.
	behind string
}

func (c *Credentials) ofSession(v *Session) Caller {
	// The generation is read first: what changes meanwhile makes it outdated.
	generation := c.directory.Generation()
	at := v.standing.Load()
	if at == nil || at.generation != generation {
		at = c.stand(v)
		at.generation = generation
		v.standing.Store(at)
	}
	return Caller{
		Secret: v.Secret, Expires: v.Expires, Subject: at.subject, Keys: at.keys, Unfounded: at.unfounded,
		Caller: policy.Caller{Account: v.Account, ARN: v.ARN, RoleARN: at.behind, UserID: v.UserID, Root: v.Root},
	}
}

// silent is a document that says nothing.
var silent = &policy.Document{}

// stand puts together what a session may do.
func (c *Credentials) stand(v *Session) *standing {
	at := &standing{}
	if v.Root {
		at.keys = v.conditionKeys("Account", v.ARN, nil)
		return at
	}
	at.subject = &policy.Subject{}
	var identity *iam.Identity
	switch {
	case v.RoleARN != "":
		id, _, _ := strings.Cut(v.UserID, ":")
		if identity = c.directory.Identity(id); identity == nil && v.Unfounded {
			identity = c.directory.Named(v.RoleARN) // it was made since
			at.unfounded = identity == nil
		}
		at.behind = v.RoleARN
		at.keys = v.conditionKeys("AssumedRole", v.RoleARN, identity)
	case v.Federator != "":
		if identity = c.directory.Identity(v.Federator); identity != nil {
			at.behind = identity.ARN
		}
		at.keys = v.conditionKeys("FederatedUser", v.ARN, nil)
	default:
		identity = c.directory.Identity(v.UserID)
		at.keys = v.conditionKeys("User", v.ARN, identity)
	}
	switch {
	case identity != nil:
		at.subject.Identity, at.subject.Boundary = identity.Subject.Identity, identity.Subject.Boundary
	case v.Federator == v.Account && v.Federator != "":
		at.subject.Identity = []*policy.Document{c.everything} // root vouches
	}
	at.subject.Session = c.bounds(v)
	return at
}

// bounds are the policies that narrow a session. A federated user without any
// may do nothing.
func (c *Credentials) bounds(v *Session) []*policy.Document {
	var list []*policy.Document
	if v.Policy != "" {
		d, err := policy.Parse(policy.Session, v.Policy)
		if err != nil {
			d = silent // it was checked; a later reading that refuses it allows nothing
		}
		list = append(list, d)
	}
	for _, arn := range v.PolicyARNs {
		list = append(list, c.directory.Document(v.Account, arn))
	}
	if list == nil && v.Federator != "" {
		list = append(list, silent)
	}
	return list
}

// conditionKeys tell who a session's caller is. Its tags stand before those of
// the identity behind it.
func (v *Session) conditionKeys(kind, principalARN string, identity *iam.Identity) keySet {
	tags := map[string][]string{}
	if identity != nil {
		maps.Copy(tags, identity.Tags)
	}
	for key, value := range v.Tags {
		tags["aws:principaltag/"+key] = []string{value}
	}
	keys := keySet(iam.PrincipalKeys(kind, v.Account, principalARN, v.UserID, tags))
	// No code of a device is accepted here, so no session has any.
	keys["aws:multifactorauthpresent"] = []string{"false"}
	keys["aws:tokenissuetime"] = []string{v.Issued.UTC().Format(time.RFC3339)}
	if v.SourceIdentity != "" {
		keys["aws:sourceidentity"] = []string{v.SourceIdentity}
	}
	if v.FunctionARN != "" {
		keys["lambda:sourcefunctionarn"] = []string{v.FunctionARN}
	}
	if kind == "User" {
		if a, err := arn.Parse(v.ARN); err == nil {
			keys["aws:username"] = []string{a.Name()}
		}
	}
	return keys
}

func (c *Credentials) setRoot(account string) {
	c.root = policy.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, Root: true}
	c.everything, _ = policy.Parse(policy.Inline, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	c.rootKeys = keySet(iam.PrincipalKeys("Account", account, c.root.ARN, account, nil))
}
