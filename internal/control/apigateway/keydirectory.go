package apigateway

import (
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"sync/atomic"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A KeyDirectory holds in memory which API keys open which stages. Reading it
// takes no lock; Prepare and Load keep it true. The zero value isn't ready: see
// NewKeyDirectory.
type KeyDirectory struct {
	state atomic.Pointer[keyState]
}

// A digest is the SHA-256 of a key's value: what a lookup's time tells is about
// the digest, which nobody can choose.
type digest [sha256.Size]byte

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
	plans map[entityRef]map[stageRef]struct{}
}

type directoryKey struct {
	ref     entityRef
	digest  digest
	enabled bool
	plans   []entityRef
}

// NewKeyDirectory returns an empty directory.
func NewKeyDirectory() *KeyDirectory {
	d := &KeyDirectory{}
	d.state.Store(newKeyState())
	return d
}

func newKeyState() *keyState {
	return &keyState{keys: map[digest][]*directoryKey{}, byID: map[entityRef]*directoryKey{}, plans: map[entityRef]map[stageRef]struct{}{}}
}

// Key finds the enabled API key that has the value and whose usage plans cover
// the stage of an API.
func (d *KeyDirectory) Key(apiID, stage, value string) (keyID string, ok bool) {
	// No longer value is one; so the digest is taken without allocating.
	var text [maxKeyValue]byte
	if len(value) > len(text) {
		return "", false
	}
	state := d.state.Load()
	for _, key := range state.keys[sha256.Sum256(text[:copy(text[:], value)])] {
		if !key.enabled {
			continue
		}
		for _, plan := range key.plans {
			if _, ok := state.plans[plan][stageRef{apiID, stage}]; ok {
				return key.ref.id, true
			}
		}
	}
	return "", false
}

// taken tells whether a key in the scope has the value.
func (d *KeyDirectory) taken(scope store.Scope, value string) bool {
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
		state.plans[entityRef{e.Scope, e.ID[0]}] = coveredStages(e.Doc)
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
				plans = append(plans, func(s *keyState) { delete(s.plans, ref) })
				continue
			}
			if err != nil {
				return nil, err
			}
			stages := coveredStages(doc)
			plans = append(plans, func(s *keyState) { s.plans[ref] = stages })
		case definition.UsagePlanKeys.Name:
			members = append(members, func(s *keyState) { s.setMember(c.Scope, c.ID[0], c.ID[1], c.Op == store.Put) })
		}
	}
	// A key has to be there before it is in a plan.
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

func coveredStages(plan *definition.UsagePlan) map[stageRef]struct{} {
	stages := map[stageRef]struct{}{}
	for _, s := range plan.ApiStages {
		stages[stageRef{value(s.ApiId), value(s.Stage)}] = struct{}{}
	}
	return stages
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

// setMember puts a key into a plan or takes it out.
func (s *keyState) setMember(scope store.Scope, planID, keyID string, in bool) {
	old := s.byID[entityRef{scope, keyID}]
	if old == nil {
		return
	}
	plan, key := entityRef{scope, planID}, *old
	// Not nil, which would stand for the plans it had.
	key.plans = slices.DeleteFunc(append([]entityRef{}, old.plans...), func(p entityRef) bool { return p == plan })
	if in {
		key.plans = append(key.plans, plan)
	}
	s.setKey(&key)
}
