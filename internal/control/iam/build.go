package iam

import (
	"errors"
	"maps"

	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// A managedText is a managed policy of an account: the text of its default
// version, and what that says.
type managedText struct {
	arn, text string
	document  *policy.Document
}

// A build is what a transaction changes in the directory. It reads documents
// as the transaction leaves them.
type build struct {
	d  *Directory
	tx *store.Tx
	// parsed are documents by their text: the same policy is often given to many.
	parsed map[string]*policy.Document
	groups map[string]*groupDoc
	// managed are policies by nameOf, identities are by their unique id, names are
	// the unique ids by nameOf, keys are by id. Nil, or no id, is gone.
	managed    map[string]*managedText
	identities map[string]*Identity
	names      map[string]string
	keys       map[string]*Key
	// arns are those of groups and instance profiles by nameOf; "" is gone.
	arns map[string]string
}

func (d *Directory) newBuild(tx *store.Tx) *build {
	return &build{
		d: d, tx: tx, parsed: map[string]*policy.Document{}, groups: map[string]*groupDoc{},
		managed: map[string]*managedText{}, identities: map[string]*Identity{}, names: map[string]string{}, keys: map[string]*Key{}, arns: map[string]string{},
	}
}

// nameOf is what finds an identity or a policy by its name; kind is "user",
// "role" or "policy", id what the document is stored under.
func nameOf(kind, account, id string) string { return kind + "/" + account + "/" + id }

// parse reads a document that was checked before it was stored.
func (b *build) parse(kind policy.Kind, text string) *policy.Document {
	if d, ok := b.parsed[text]; ok {
		return d
	}
	d, err := policy.Parse(kind, text)
	if err != nil {
		d = b.d.unreadable
	}
	b.parsed[text] = d
	return d
}

// document is the document of a managed policy of an account, or of AWS.
func (b *build) document(account, text string) *policy.Document {
	return b.d.find(account, text, func(at string) *managedText {
		if m, ok := b.managed[at]; ok {
			return m
		}
		return b.d.managedAt(at)
	})
}

func (b *build) newManaged(doc *policyDoc) *managedText {
	m := &managedText{arn: *doc.Policy.Arn, document: b.d.unreadable}
	for _, v := range doc.Versions {
		if value(v.VersionId) == value(doc.Policy.DefaultVersionId) {
			m.text = value(v.Document)
			m.document = b.parse(policy.Managed, m.text)
		}
	}
	return m
}

// group reads a group once; nil is none.
func (b *build) group(account, id string) (*groupDoc, error) {
	at := account + "/" + id
	if g, ok := b.groups[at]; ok {
		return g, nil
	}
	g, err := groups.Get(b.tx, store.Scope{Account: account}, id)
	if errors.Is(err, store.ErrNotFound) {
		g, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	b.groups[at] = g
	return g, nil
}

// reload follows a user or a role that changed.
func (b *build) reload(kind string, scope store.Scope, id string) error {
	name := nameOf(kind, scope.Account, id)
	if old, ok := b.d.names.Load(name); ok {
		if _, known := b.identities[old.(string)]; !known {
			b.identities[old.(string)] = nil // unless it is found again
		}
	}
	b.names[name] = ""
	v, err := b.read(kind, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	b.identities[v.ID] = v
	b.names[name] = v.ID
	return nil
}

func (b *build) read(kind string, scope store.Scope, id string) (*Identity, error) {
	if kind == "role" {
		doc, err := roles.Get(b.tx, scope, id)
		if err != nil {
			return nil, err
		}
		return b.newRole(scope.Account, doc), nil
	}
	doc, err := users.Get(b.tx, scope, id)
	if err != nil {
		return nil, err
	}
	return b.newUser(scope.Account, doc)
}

// reloadARN follows a group or an instance profile, of which only the ARN is kept.
func (b *build) reloadARN(kind string, scope store.Scope, id string) error {
	var arn *string
	var err error
	if kind == "group" {
		var doc *groupDoc
		if doc, err = groups.Get(b.tx, scope, id); err == nil {
			arn = doc.Group.Arn
		}
	} else {
		var doc *profileDoc
		if doc, err = profiles.Get(b.tx, scope, id); err == nil {
			arn = doc.Profile.Arn
		}
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	b.arns[nameOf(kind, scope.Account, id)] = value(arn)
	return nil
}

// reloadWhere follows all identities of an account that something they share
// has changed for.
func (b *build) reloadWhere(scope store.Scope, shares func(*Identity) bool) error {
	var err error
	b.d.holders.Range(func(_, h any) bool {
		v := h.(*holder).current.Load()
		if v == nil || v.Account != scope.Account || !shares(v) {
			return true
		}
		err = b.reload(v.kind(), scope, id(&v.Name))
		return err == nil
	})
	return err
}

// reloadPolicy follows a managed policy; its ARN is returned when what it says
// changed. Being attached counts in the policy, too, and is no change here.
func (b *build) reloadPolicy(scope store.Scope, id string) (arn string, err error) {
	at := nameOf("policy", scope.Account, id)
	doc, err := policies.Get(b.tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		b.managed[at] = nil // nobody has it, or it couldn't have been deleted
		return "", nil
	}
	if err != nil {
		return "", err
	}
	m := b.newManaged(doc)
	if old := b.d.managedAt(at); old != nil && *old == (managedText{m.arn, m.text, old.document}) {
		return "", nil
	}
	b.managed[at] = m
	return m.arn, nil
}

// publish puts in force what was collected. Only one may run at a time.
func (b *build) publish() {
	d := b.d
	for at, m := range b.managed {
		if m == nil {
			d.managed.Delete(at)
			continue
		}
		d.managed.Store(at, m)
	}
	for name, id := range b.names {
		if id == "" {
			d.names.Delete(name)
			continue
		}
		d.names.Store(name, id)
	}
	for name, arn := range b.arns {
		if arn == "" {
			d.arns.Delete(name)
			continue
		}
		d.arns.Store(name, arn)
	}
	for id, v := range b.identities {
		if v != nil {
			d.holderOf(id).current.Store(v)
			continue
		}
		if h, ok := d.holders.LoadAndDelete(id); ok {
			h.(*holder).current.Store(nil)
		}
	}
	d.generation.Add(1)
	if len(b.keys) == 0 {
		return
	}
	keys := maps.Clone(*d.keys.Load())
	for id, k := range b.keys {
		if k == nil {
			delete(keys, id)
			d.uses.Delete(id)
			continue
		}
		k.holder = d.holderOf(k.UserID)
		keys[id] = k
	}
	d.keys.Store(&keys)
}
