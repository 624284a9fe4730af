package compile

import (
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// A KeyDirectory holds in memory which API keys open which stages, and what
// their usage plans allow them. Reading it takes no lock; Prepare and Load keep
// it true. See NewKeyDirectory.
type KeyDirectory struct {
	parts KeyDirectoryOptions
	state atomic.Pointer[keyState]
}

// KeyDirectoryOptions are what a KeyDirectory makes clients with. State is found
// by the ids of a client, and outlives what is made here.
type KeyDirectoryOptions struct {
	// Limit returns the throttle of a client's requests, in requests a second with
	// bursts of burst; nil is none.
	Limit func(c KeyInPlan, rate float64, burst int32) plan.Limiter
	// MethodLimit returns that of a client's requests to one method of a stage.
	MethodLimit func(c KeyInPlan, apiID, stage string, method plan.MethodRef, rate float64, burst int32) plan.Limiter
	// Quota returns what counts a client's requests; nil counts none.
	Quota func(c KeyInPlan, q Quota) plan.Quota
}

// A KeyInPlan names an API key in a usage plan.
type KeyInPlan struct{ Account, Region, PlanID, KeyID string }

// A Quota is that of a usage plan. The zero value is for plans without one.
type Quota struct {
	Limit int32
	// Period is DAY, WEEK or MONTH.
	Period string
	// Offset is how many requests less there are in the period that has Since.
	Offset int32
	Since  time.Time
}

// QuotaOf returns the quota of a usage plan.
func QuotaOf(doc *definition.UsagePlan) Quota {
	if doc.Quota == nil {
		return Quota{}
	}
	return Quota{Limit: value(doc.Quota.Limit), Period: value(doc.Quota.Period), Offset: value(doc.Quota.Offset), Since: doc.QuotaSince}
}

// A digest is the SHA-256 of a key's value: what a lookup's time tells is about
// the digest, which nobody can choose.
type digest [sha256.Size]byte

// maxKeyValue is the length of the longest API key.
const maxKeyValue = 128

// An entityRef names an API key or a usage plan.
type entityRef struct {
	scope store.Scope
	id    string
}

// A stageRef names a stage; ids of APIs are unique in the gateway.
type stageRef struct{ apiID, stage string }

// keyState is one state of the directory. What is in it is never written to.
type keyState struct {
	// keys are those of a value, of which two accounts may have one each.
	keys  map[digest][]*directoryKey
	byID  map[entityRef]*directoryKey
	plans map[entityRef]*usagePlan
}

type directoryKey struct {
	ref     entityRef
	digest  digest
	enabled bool
	// plans are those that the key is in.
	plans []*membership
}

// A usagePlan is a usage plan, compiled. What methods of a stage are limited to
// is by the stage.
type usagePlan struct {
	ref    entityRef
	stages map[stageRef][]methodThrottle
	limit  *throttle
	quota  Quota
}

// A throttle is a rate with a burst.
type throttle struct {
	rate  float64
	burst int32
}

type methodThrottle struct {
	method plan.MethodRef
	throttle
}

// A membership is a key in a usage plan.
type membership struct {
	plan *usagePlan
	key  string
	// clients are made when the first request comes: of many keys few are in use.
	clients atomic.Pointer[map[stageRef]*plan.Client]
}

// NewKeyDirectory returns an empty directory.
func NewKeyDirectory(o KeyDirectoryOptions) *KeyDirectory {
	d := &KeyDirectory{parts: o}
	d.state.Store(newKeyState())
	return d
}

func newKeyState() *keyState {
	return &keyState{keys: map[digest][]*directoryKey{}, byID: map[entityRef]*directoryKey{}, plans: map[entityRef]*usagePlan{}}
}

// Client finds the enabled API key that has the value and whose usage plans
// cover the stage of an API; nil without one.
func (d *KeyDirectory) Client(apiID, stage, value string) *plan.Client {
	// No longer value is one; so the digest is taken without allocating.
	var text [maxKeyValue]byte
	if len(value) > len(text) {
		return nil
	}
	at := stageRef{apiID, stage}
	for _, key := range d.state.Load().keys[sha256.Sum256(text[:copy(text[:], value)])] {
		if !key.enabled {
			continue
		}
		for _, m := range key.plans {
			if _, ok := m.plan.stages[at]; !ok {
				continue
			}
			clients := m.clients.Load()
			if clients == nil {
				clients = d.clients(m)
			}
			return (*clients)[at]
		}
	}
	return nil
}

// clients makes the clients of a key in a plan, or returns those that somebody
// else just made.
func (d *KeyDirectory) clients(m *membership) *map[stageRef]*plan.Client {
	p := m.plan
	id := KeyInPlan{p.ref.scope.Account, p.ref.scope.Region, p.ref.id, m.key}
	model := plan.Client{KeyID: m.key, PlanID: p.ref.id, QuotaLimit: p.quota.Limit, QuotaPeriod: p.quota.Period}
	if p.limit != nil && d.parts.Limit != nil {
		model.Limit = d.parts.Limit(id, p.limit.rate, p.limit.burst)
	}
	if d.parts.Quota != nil {
		model.Quota = d.parts.Quota(id, p.quota)
	}
	clients := make(map[stageRef]*plan.Client, len(p.stages))
	for at, methods := range p.stages {
		client := model
		if len(methods) > 0 && d.parts.MethodLimit != nil {
			client.Methods = make(map[plan.MethodRef]plan.Limiter, len(methods))
			for _, t := range methods {
				client.Methods[t.method] = d.parts.MethodLimit(id, at.apiID, at.stage, t.method, t.rate, t.burst)
			}
		}
		clients[at] = &client
	}
	if !m.clients.CompareAndSwap(nil, &clients) {
		return m.clients.Load()
	}
	return &clients
}

// Taken tells whether a key in the scope has the value.
func (d *KeyDirectory) Taken(scope store.Scope, value string) bool {
	return slices.ContainsFunc(d.state.Load().keys[sha256.Sum256([]byte(value))], func(k *directoryKey) bool { return k.ref.scope == scope })
}

// Load reads all keys and plans; it is called once, before requests are
// answered.
func (d *KeyDirectory) Load(tx *store.Tx) error {
	state := newKeyState()
	for e, err := range definition.APIKeys.Everywhere(tx) {
		if err != nil {
			return err
		}
		state.setKey(newDirectoryKey(entityRef{e.Scope, e.ID[0]}, e.Doc))
	}
	for e, err := range definition.UsagePlans.Everywhere(tx) {
		if err != nil {
			return err
		}
		state.setPlan(newUsagePlan(entityRef{e.Scope, e.ID[0]}, e.Doc))
	}
	for e, err := range definition.UsagePlanKeys.Everywhere(tx) {
		if err != nil {
			return err
		}
		state.setMember(e.Scope, e.ID[0], e.ID[1], true)
	}
	d.state.Store(state)
	return nil
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *KeyDirectory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	var keys, plans, members []func(*keyState)
	for _, c := range changes {
		switch c.Kind {
		case definition.APIKeys.Name:
			ref := entityRef{c.Scope, c.ID[0]}
			doc, err := definition.APIKeys.Get(tx, c.Scope, c.ID[0])
			if errors.Is(err, store.ErrNotFound) {
				keys = append(keys, func(s *keyState) { s.dropKey(ref) })
				continue
			}
			if err != nil {
				return nil, err
			}
			key := newDirectoryKey(ref, doc)
			keys = append(keys, func(s *keyState) { s.setKey(key) })
		case definition.UsagePlans.Name:
			ref := entityRef{c.Scope, c.ID[0]}
			doc, err := definition.UsagePlans.Get(tx, c.Scope, c.ID[0])
			if errors.Is(err, store.ErrNotFound) {
				plans = append(plans, func(s *keyState) { s.dropPlan(ref) })
				continue
			}
			if err != nil {
				return nil, err
			}
			compiled := newUsagePlan(ref, doc)
			plans = append(plans, func(s *keyState) {
				for _, m := range s.setPlan(compiled) {
					// While the buckets of what the plan was are still there.
					d.clients(m)
				}
			})
		case definition.UsagePlanKeys.Name:
			members = append(members, func(s *keyState) { s.setMember(c.Scope, c.ID[0], c.ID[1], c.Op == store.Put) })
		}
	}
	// A key and a plan have to be there before the one is in the other.
	steps := slices.Concat(keys, plans, members)
	if len(steps) == 0 {
		return nil, nil
	}
	return func() {
		old := d.state.Load()
		state := &keyState{keys: maps.Clone(old.keys), byID: maps.Clone(old.byID), plans: maps.Clone(old.plans)}
		for _, step := range steps {
			step(state)
		}
		d.state.Store(state)
	}, nil
}

func newDirectoryKey(ref entityRef, doc *definition.APIKey) *directoryKey {
	return &directoryKey{ref: ref, digest: sha256.Sum256([]byte(value(doc.Value))), enabled: value(doc.Enabled)}
}

func newUsagePlan(ref entityRef, doc *definition.UsagePlan) *usagePlan {
	p := &usagePlan{ref: ref, stages: map[stageRef][]methodThrottle{}, limit: newThrottle(doc.Throttle), quota: QuotaOf(doc)}
	for _, s := range doc.ApiStages {
		var methods []methodThrottle
		for name, settings := range s.Throttle {
			if t := newThrottle(&settings); t != nil {
				methods = append(methods, methodThrottle{throttledMethod(name), *t})
			}
		}
		p.stages[stageRef{value(s.ApiId), value(s.Stage)}] = methods
	}
	return p
}

// newThrottle is what settings say; nil for nothing. What they leave open is as
// AWS's quota of an account.
// UNVERIFIED: that of two numbers one may be left open, and what it is then.
func newThrottle(s *apigateway.ThrottleSettings) *throttle {
	if s == nil || s.RateLimit == nil && s.BurstLimit == nil {
		return nil
	}
	return &throttle{orElse(s.RateLimit, AccountRate), orElse(s.BurstLimit, AccountBurst)}
}

// throttledMethod is the method that a usage plan names: /pets/GET, or //GET of
// the root.
// UNVERIFIED: that a resource's ANY method is named so and in no other way.
func throttledMethod(name string) plan.MethodRef {
	path, method := "", name
	if end := strings.LastIndexByte(name, '/'); end >= 0 {
		path, method = name[:end], name[end+1:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return plan.MethodRef{Path: path, Method: method}
}

// setKey puts a key in the place of the one with its id, whose plans it has.
func (s *keyState) setKey(key *directoryKey) {
	if old := s.byID[key.ref]; old != nil && key.plans == nil {
		key.plans = old.plans
	}
	s.dropKey(key.ref)
	s.byID[key.ref] = key
	s.keys[key.digest] = append(slices.Clip(s.keys[key.digest]), key)
}

func (s *keyState) dropKey(ref entityRef) {
	old := s.byID[ref]
	if old == nil {
		return
	}
	delete(s.byID, ref)
	rest := slices.DeleteFunc(slices.Clone(s.keys[old.digest]), func(k *directoryKey) bool { return k.ref == ref })
	if len(rest) == 0 {
		delete(s.keys, old.digest)
		return
	}
	s.keys[old.digest] = rest
}

// setPlan puts a plan in the place of the one with its id, whose keys it has. It
// returns the memberships of those that were in use.
func (s *keyState) setPlan(p *usagePlan) (used []*membership) {
	old := s.plans[p.ref]
	s.plans[p.ref] = p
	if old == nil {
		return nil
	}
	for _, key := range slices.Collect(maps.Values(s.byID)) {
		i := key.in(p.ref)
		if i < 0 {
			continue
		}
		changed := *key
		changed.plans = slices.Clone(key.plans)
		changed.plans[i] = &membership{plan: p, key: key.ref.id}
		if key.plans[i].clients.Load() != nil {
			used = append(used, changed.plans[i])
		}
		s.setKey(&changed)
	}
	return used
}

func (s *keyState) dropPlan(ref entityRef) {
	delete(s.plans, ref)
	for _, key := range slices.Collect(maps.Values(s.byID)) {
		if key.in(ref) >= 0 {
			s.leave(key, ref)
		}
	}
}

// in is the place of a plan among those of the key, -1 if it isn't there.
func (k *directoryKey) in(ref entityRef) int {
	return slices.IndexFunc(k.plans, func(m *membership) bool { return m.plan.ref == ref })
}

// leave takes a key out of a plan and returns it.
func (s *keyState) leave(key *directoryKey, ref entityRef) *directoryKey {
	changed := *key
	// Not nil, which would stand for the plans it had.
	changed.plans = slices.DeleteFunc(append([]*membership{}, key.plans...), func(m *membership) bool { return m.plan.ref == ref })
	s.setKey(&changed)
	return &changed
}

// setMember puts a key into a plan or takes it out.
func (s *keyState) setMember(scope store.Scope, planID, keyID string, in bool) {
	key, ref := s.byID[entityRef{scope, keyID}], entityRef{scope, planID}
	if key == nil {
		return
	}
	was := key.in(ref)
	if in && was >= 0 {
		return
	}
	key = s.leave(key, ref)
	if p := s.plans[ref]; in && p != nil {
		key.plans = append(key.plans, &membership{plan: p, key: keyID})
	}
}
