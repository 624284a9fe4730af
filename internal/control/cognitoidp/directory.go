package cognitoidp

import (
	"errors"
	"maps"
	"strings"
	"sync/atomic"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/store"
	"gatehouse/internal/userpool"
)

// A Directory holds pools, their app clients, domains and public keys in memory.
// Reading it takes no lock; Prepare and Load keep it true. The zero value isn't
// ready: see NewDirectory.
type Directory struct {
	state atomic.Pointer[directoryState]
}

// directoryState is one state of the directory. What is in it is never written
// to.
type directoryState struct {
	pools   map[string]*Pool
	clients map[string]*Client
	// domains holds the ids of the pools.
	domains map[domainName]string
}

// A Pool is a user pool as those who sign in meet it.
type Pool struct {
	ID    string
	Scope store.Scope
	// Issuer is that of its tokens.
	Issuer string
	// Settings are shared: don't write to them.
	Settings *api.UserPoolType
	mfa      mfaDoc
	keys     *poolKeys
}

// A Client is an app client.
type Client struct {
	ID string
	// PoolID is the pool it is one of.
	PoolID string
	// Settings are shared: don't write to them.
	Settings *api.UserPoolClientType
}

// A domainName is a prefix and its region, or a whole name.
type domainName struct{ name, region string }

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.state.Store(&directoryState{pools: map[string]*Pool{}, clients: map[string]*Client{}, domains: map[domainName]string{}})
	return d
}

// Pool finds a pool by its id.
func (d *Directory) Pool(id string) (*Pool, bool) {
	p, ok := d.state.Load().pools[id]
	return p, ok
}

// Client finds an app client by its id, with its pool.
func (d *Directory) Client(id string) (*Client, *Pool, bool) {
	state := d.state.Load()
	c, ok := state.clients[id]
	if !ok {
		return nil, nil, false
	}
	p, ok := state.pools[c.PoolID]
	return c, p, ok
}

// Domain finds the pool whose pages are at {prefix}.auth.{region}, on whatever
// domain, or, where region is "", at the name of a custom domain.
func (d *Directory) Domain(name, region string) (*Pool, bool) {
	state := d.state.Load()
	p, ok := state.pools[state.domains[domainName{name, region}]]
	return p, ok
}

// Keys returns the JSON Web Key Set of the pool whose tokens name the issuer; ok
// is false if no pool here does. A pool that never signed a token may have no
// keys yet. The answer is shared: don't write to it.
func (d *Directory) Keys(issuer string) (jwks []byte, ok bool) {
	p, ok := d.issued(issuer)
	if !ok {
		return nil, false
	}
	return p.keys.set, true
}

// issued finds the pool of an issuer.
func (d *Directory) issued(issuer string) (*Pool, bool) {
	p, ok := d.Pool(issuer[strings.LastIndexByte(issuer, '/')+1:])
	return p, ok && p.Issuer == issuer
}

// issuerOf is the issuer of a pool's tokens. It is AWS's to the letter, so that
// what checks tokens needn't know where they were made.
func issuerOf(region, poolID string) string {
	suffix := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return "https://cognito-idp." + region + "." + suffix + "/" + poolID
}

// Load reads everything; it is called once, before calls are answered.
func (d *Directory) Load(tx *store.Tx) error {
	state := &directoryState{pools: map[string]*Pool{}, clients: map[string]*Client{}, domains: map[domainName]string{}}
	for e, err := range pools.Everywhere(tx) {
		if err != nil {
			return err
		}
		if state.pools[e.ID[0]], err = newPool(tx, e.Scope, e.Doc); err != nil {
			return err
		}
	}
	for e, err := range clients.Everywhere(tx) {
		if err != nil {
			return err
		}
		state.clients[e.ID[1]] = newClient(e.Doc)
	}
	for e, err := range domains.Everywhere(tx) {
		if err != nil {
			return err
		}
		state.domains[domainName{e.ID[0], e.ID[1]}] = value(e.Doc.Domain.UserPoolId)
	}
	d.state.Store(state)
	return nil
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	var steps []func(*directoryState)
	for _, c := range changes {
		var step func(*directoryState)
		switch c.Kind {
		case pools.Name, signingKeys.Name:
			step, err = followPool(tx, c.Scope, c.ID[0])
		case clients.Name:
			step, err = followClient(tx, c.Scope, c.ID)
		case domains.Name:
			step, err = followDomain(tx, c.ID)
		}
		if err != nil {
			return nil, err
		}
		if step != nil {
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	return func() {
		old := d.state.Load()
		state := &directoryState{pools: maps.Clone(old.pools), clients: maps.Clone(old.clients), domains: maps.Clone(old.domains)}
		for _, step := range steps {
			step(state)
		}
		d.state.Store(state)
	}, nil
}

func followPool(tx *store.Tx, scope store.Scope, id string) (func(*directoryState), error) {
	doc, err := pools.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		return func(s *directoryState) { delete(s.pools, id) }, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := newPool(tx, scope, doc)
	if err != nil {
		return nil, err
	}
	return func(s *directoryState) {
		// The keys are parsed once in the life of the pool.
		if old := s.pools[id]; old != nil && len(old.keys.docs) == len(p.keys.docs) {
			p.keys = old.keys
		}
		s.pools[id] = p
	}, nil
}

func followClient(tx *store.Tx, scope store.Scope, id []string) (func(*directoryState), error) {
	doc, err := clients.Get(tx, scope, id...)
	if errors.Is(err, store.ErrNotFound) {
		return func(s *directoryState) { delete(s.clients, id[1]) }, nil
	}
	if err != nil {
		return nil, err
	}
	return func(s *directoryState) { s.clients[id[1]] = newClient(doc) }, nil
}

func followDomain(tx *store.Tx, id []string) (func(*directoryState), error) {
	name := domainName{id[0], id[1]}
	doc, err := domains.Get(tx, store.Scope{}, id...)
	if errors.Is(err, store.ErrNotFound) {
		return func(s *directoryState) { delete(s.domains, name) }, nil
	}
	if err != nil {
		return nil, err
	}
	return func(s *directoryState) { s.domains[name] = value(doc.Domain.UserPoolId) }, nil
}

func newPool(tx *store.Tx, scope store.Scope, doc *poolDoc) (*Pool, error) {
	id := value(doc.Pool.Id)
	keys, err := signingKeys.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		keys, err = &keysDoc{}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Pool{
		ID: id, Scope: scope, Issuer: issuerOf(scope.Region, id), Settings: &doc.Pool, mfa: doc.MFA, keys: newPoolKeys(keys.Keys),
	}, nil
}

func newClient(doc *clientDoc) *Client {
	return &Client{ID: value(doc.Client.ClientId), PoolID: value(doc.Client.UserPoolId), Settings: &doc.Client}
}

// poolKeys are a pool's signing keys.
type poolKeys struct {
	docs   []keyDoc
	public []userpool.PublicKey
	set    []byte
	// parsed are the private keys, once one was asked for.
	parsed atomic.Pointer[[]*userpool.SigningKey]
}

func newPoolKeys(docs []keyDoc) *poolKeys {
	k := &poolKeys{docs: docs}
	for _, doc := range docs {
		k.public = append(k.public, userpool.PublicKey{ID: doc.ID, Modulus: doc.Modulus})
	}
	k.set = userpool.KeySet(k.public)
	return k
}

// private returns the private keys, which there must be.
func (k *poolKeys) private() ([]*userpool.SigningKey, error) {
	if keys := k.parsed.Load(); keys != nil {
		return *keys, nil
	}
	var keys []*userpool.SigningKey
	for _, doc := range k.docs {
		key, err := userpool.ParseSigningKey(doc.ID, doc.Private)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	k.parsed.Store(&keys)
	return keys, nil
}
