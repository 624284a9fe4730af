package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// A Key is a user's access key as those who verify signatures need it.
type Key struct {
	ID, Secret string
	// Account, ARN and UserID are those of the user.
	Account, ARN, UserID string
	// Active is false for a key that was switched off.
	Active bool

	holder *holder
}

// Identity is whose key it is, with the policies in force now; nil if the user
// is no more.
func (k *Key) Identity() *Identity { return k.holder.current.Load() }

// A holder is where an identity is found for as long as it lives.
type holder struct{ current atomic.Pointer[Identity] }

// A Directory holds access keys, and who has what policies, in memory. Reading
// it takes no lock; Prepare and Load keep it true. The zero value isn't ready:
// see NewDirectory.
type Directory struct {
	keys atomic.Pointer[map[string]*Key]
	// holders has a *holder by the unique id of every user and role, names their
	// ids, managed a *managedText and arns the ARN of every group and instance
	// profile by nameOf.
	holders, names, managed, arns sync.Map
	aws                           awsPolicies
	// awsParsed has a *policy.Document by the resource of its ARN.
	awsParsed sync.Map
	// unreadable stands for a stored document that can't be read, which only a
	// damaged database has: what it may deny isn't known, so it denies everything.
	unreadable *policy.Document
	generation atomic.Uint64
	// uses holds a *use by the id of an access key or a role.
	uses sync.Map
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{aws: newAWSPolicies()}
	d.unreadable, _ = policy.Parse(policy.Inline, `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)
	d.keys.Store(&map[string]*Key{})
	return d
}

// Key finds an access key by its id.
func (d *Directory) Key(id string) (*Key, bool) {
	k, ok := (*d.keys.Load())[id]
	return k, ok
}

// Generation counts the changes of identities and policies. What was put
// together from the directory is still true while it stays the same as it was
// before.
func (d *Directory) Generation() uint64 { return d.generation.Load() }

// Identity finds a user or a role by its unique id; nil is none.
func (d *Directory) Identity(id string) *Identity {
	h, ok := d.holders.Load(id)
	if !ok {
		return nil
	}
	return h.(*holder).current.Load()
}

// Named finds a user or a role by its ARN; nil is none.
func (d *Directory) Named(text string) *Identity {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" {
		return nil
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	unique, ok := d.names.Load(nameOf(kind, a.Account, id(new(a.Name()))))
	if !ok {
		return nil
	}
	if v := d.Identity(unique.(string)); v != nil && v.ARN == text {
		return v
	}
	return nil
}

// ARN is that of the user, role, group or instance profile of a name; kind is as
// in ARNs. It is "" if there is none.
func (d *Directory) ARN(kind, account, name string) string {
	at := nameOf(kind, account, id(&name))
	if text, ok := d.arns.Load(at); ok {
		return text.(string)
	}
	if unique, ok := d.names.Load(at); ok {
		if v := d.Identity(unique.(string)); v != nil {
			return v.ARN
		}
	}
	return ""
}

// Document is what the managed policy with an ARN says to an account. One that
// isn't there says nothing.
func (d *Directory) Document(account, text string) *policy.Document {
	return d.find(account, text, d.managedAt)
}

func (d *Directory) find(account, text string, managed func(at string) *managedText) *policy.Document {
	a, err := arn.Parse(text)
	switch {
	case err != nil:
		return nothing
	case a.Account == "aws":
		return d.awsDocument(a.Resource)
	case a.Account != account:
		return nothing
	}
	m := managed(nameOf("policy", account, id(new(a.Name()))))
	if m == nil || m.arn != text {
		return nothing
	}
	return m.document
}

func (d *Directory) managedAt(at string) *managedText {
	m, ok := d.managed.Load(at)
	if !ok {
		return nil
	}
	return m.(*managedText)
}

// awsDocument is the document of a policy that AWS manages, parsed once.
func (d *Directory) awsDocument(resource string) *policy.Document {
	if v, ok := d.awsParsed.Load(resource); ok {
		return v.(*policy.Document)
	}
	text, ok := d.aws[resource]
	if !ok {
		return nothing
	}
	doc, err := policy.Parse(policy.Managed, text)
	if err != nil {
		doc = d.unreadable
	}
	v, _ := d.awsParsed.LoadOrStore(resource, doc)
	return v.(*policy.Document)
}

func (d *Directory) holderOf(id string) *holder {
	h, ok := d.holders.Load(id)
	if !ok {
		h, _ = d.holders.LoadOrStore(id, &holder{})
	}
	return h.(*holder)
}

// Load reads everything; it is called once, before calls are answered.
func (d *Directory) Load(ctx context.Context, s Store) error {
	var b *build
	err := s.View(ctx, func(tx *store.Tx) error {
		b = d.newBuild(tx)
		return errors.Join(
			eachOf(tx, policies, func(scope store.Scope, id string) error {
				_, err := b.reloadPolicy(scope, id)
				return err
			}),
			eachOf(tx, groups, func(scope store.Scope, id string) error { return b.reloadARN("group", scope, id) }),
			eachOf(tx, profiles, func(scope store.Scope, id string) error { return b.reloadARN("instance-profile", scope, id) }),
			eachOf(tx, roles, func(scope store.Scope, id string) error { return b.reload("role", scope, id) }),
			eachOf(tx, users, func(scope store.Scope, id string) error { return b.reload("user", scope, id) }),
			eachOf(tx, accessKeys, b.reloadKey))
	})
	if err != nil {
		return err
	}
	b.publish()
	return nil
}

// eachOf calls fn with every document of a kind.
func eachOf[T any](tx *store.Tx, kind store.Kind[T], fn func(scope store.Scope, id string) error) error {
	for e, err := range kind.Everywhere(tx) {
		if err != nil {
			return err
		}
		if err := fn(e.Scope, e.ID[0]); err != nil {
			return err
		}
	}
	return nil
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	var b *build
	of := func(kind string, fn func(scope store.Scope, id string) error) {
		for _, c := range changes {
			if err != nil || c.Kind != kind {
				continue
			}
			if b == nil {
				b = d.newBuild(tx)
			}
			err = fn(c.Scope, c.ID[0])
		}
	}
	// Policies first: what has them is read with what they say now.
	changed := map[string]store.Scope{}
	of(policies.Name, func(scope store.Scope, id string) error {
		arn, err := b.reloadPolicy(scope, id)
		if arn != "" {
			changed[arn] = scope
		}
		return err
	})
	for arn, scope := range changed {
		if err == nil {
			err = b.reloadWhere(scope, func(v *Identity) bool { return slices.Contains(v.policies, arn) })
		}
	}
	of(groups.Name, func(scope store.Scope, id string) error {
		return errors.Join(b.reloadARN("group", scope, id),
			b.reloadWhere(scope, func(v *Identity) bool { return slices.Contains(v.groups, id) }))
	})
	of(profiles.Name, func(scope store.Scope, id string) error { return b.reloadARN("instance-profile", scope, id) })
	of(roles.Name, func(scope store.Scope, id string) error { return b.reload("role", scope, id) })
	of(users.Name, func(scope store.Scope, id string) error {
		return errors.Join(b.reload("user", scope, id), b.reloadKeys(scope, id))
	})
	of(accessKeys.Name, func(scope store.Scope, id string) error { return b.reloadKey(scope, id) })
	if err != nil || b == nil {
		return nil, err
	}
	return b.publish, nil
}

func (b *build) reloadKey(scope store.Scope, id string) error {
	doc, err := accessKeys.Get(b.tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		b.keys[id] = nil
		return nil
	}
	if err != nil {
		return err
	}
	b.keys[id], err = newKey(b.tx, scope, doc)
	return err
}

// reloadKeys follows a user whose ARN may have changed. A deleted user has no
// keys, and the keys of a renamed one change themselves.
func (b *build) reloadKeys(scope store.Scope, user string) error {
	doc, err := users.Get(b.tx, scope, user)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, id := range doc.AccessKeys {
		if err := b.reloadKey(scope, id); err != nil {
			return err
		}
	}
	return nil
}

func newKey(tx *store.Tx, scope store.Scope, doc *accessKeyDoc) (*Key, error) {
	u, err := users.Get(tx, scope, doc.User)
	if err != nil {
		return nil, err
	}
	return &Key{
		ID: *doc.Key.AccessKeyId, Secret: *doc.Key.SecretAccessKey, Active: *doc.Key.Status == active,
		Account: scope.Account, ARN: *u.User.Arn, UserID: *u.User.UserId,
	}, nil
}

// A use is when and for what a key or role was seen last.
type use struct {
	at              time.Time
	service, region string
}

// useGrain is how exact the time of the last use is; AWS's isn't exact either.
const useGrain = time.Minute

// Used notes that the access key or the role with the id was used. It costs
// next to nothing when it was noted less than a minute ago. Uses are forgotten
// when the gateway stops.
func (d *Directory) Used(id, service, region string, at time.Time) {
	if v, ok := d.uses.Load(id); ok && at.Sub(v.(*use).at) < useGrain {
		return
	}
	d.uses.Store(id, &use{at: at.UTC().Truncate(time.Second), service: service, region: region})
}

func (d *Directory) lastUse(id string) *use {
	v, ok := d.uses.Load(id)
	if !ok {
		return nil
	}
	return v.(*use)
}

// keyLastUsed is the answer about a key; one that wasn't used is N/A.
func (d *Directory) keyLastUsed(id string) *api.AccessKeyLastUsed {
	u := d.lastUse(id)
	if u == nil {
		return &api.AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")}
	}
	return &api.AccessKeyLastUsed{ServiceName: &u.service, Region: &u.region, LastUsedDate: &u.at}
}

// roleLastUsed is the answer about a role; one that wasn't used is empty.
func (d *Directory) roleLastUsed(id string) *api.RoleLastUsed {
	u := d.lastUse(id)
	if u == nil {
		return &api.RoleLastUsed{}
	}
	return &api.RoleLastUsed{LastUsedDate: &u.at, Region: &u.region}
}
