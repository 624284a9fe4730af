package route53

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/nameserver"
	"gatehouse/internal/store"
)

// A Directory holds the records of public zones in memory. Reading it takes no
// lock; Prepare and Load keep it true. Private zones aren't in it: on AWS their
// records are for VPCs only.
type Directory struct {
	state atomic.Pointer[directoryState]
}

// directoryState is one state of the directory. What is in it is never written
// to.
type directoryState struct {
	zones map[zoneKey]*publicZone
	// byName holds the zones of a name, the one made first in front.
	byName map[string][]*publicZone
	// served are those that answer, by name.
	served map[string]zoneKey
}

type zoneKey struct{ account, id string }

type publicZone struct {
	key     zoneKey
	created time.Time
	// servers are the name servers that a zone above delegates it to.
	servers []string
	zone    *nameserver.Zone
}

func newDirectoryState() *directoryState {
	return &directoryState{zones: map[zoneKey]*publicZone{}, byName: map[string][]*publicZone{}}
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.state.Store(newDirectoryState())
	return d
}

// Zone finds the public zone that answers for a name, in lower case and with a
// final dot. Of several with one name it is the one made first. A zone below
// another account's, which was there before, answers only once that delegates
// the name to it: on AWS nobody would ask it sooner.
func (d *Directory) Zone(name string) (*nameserver.Zone, bool) {
	state := d.state.Load()
	if key, ok := state.served[name]; ok {
		return state.zones[key].zone, true
	}
	return nil, false
}

// Validated tells whether there is a CNAME record of the name with the value, by
// which owners of domains show that they are, in a zone that answers or in
// another one of the same account.
func (d *Directory) Validated(name, value string) bool {
	name, err := canonical(name)
	if err != nil {
		return false
	}
	state, owner := d.state.Load(), ""
	for suffix := presented(name); suffix != ""; suffix = above(suffix) {
		key, ok := state.served[suffix]
		if !ok || owner != "" && key.account != owner {
			continue
		}
		owner = key.account
		for _, z := range state.byName[suffix] {
			if z.key.account == owner && z.zone.Has(name, api.RRTypeCname, value) {
				return true
			}
		}
	}
	return false
}

// above cuts the first label of a name as nameserver has it; "" is above the last
// one.
func above(name string) string {
	for i := 0; i < len(name); i++ {
		switch name[i] {
		case '\\':
			i++
		case '.':
			return name[i+1:]
		}
	}
	return ""
}

// serve chooses the zones that answer.
func (s *directoryState) serve() {
	s.served = make(map[string]zoneKey, len(s.byName))
	// What stands above is decided first.
	names := slices.SortedFunc(maps.Keys(s.byName), func(a, b string) int { return cmp.Compare(strings.Count(a, "."), strings.Count(b, ".")) })
	for _, name := range names {
		for _, z := range s.byName[name] {
			if s.answers(z) {
				s.served[name] = z.key
				break
			}
		}
	}
}

// answers tells whether no zone of another account, which was there before, keeps
// the name of a zone for itself. One of a single label doesn't: nobody is to have
// all of "com".
func (s *directoryState) answers(z *publicZone) bool {
	for name := above(z.zone.Name()); above(name) != ""; name = above(name) {
		key, ok := s.served[name]
		if !ok {
			continue
		}
		if key.account == z.key.account {
			return true
		}
		if up := s.zones[key]; up.created.Before(z.created) {
			return up.zone.Delegates(z.zone.Name(), z.servers)
		}
	}
	return true
}

// Load reads everything; it is called once, before calls are answered.
func (d *Directory) Load(tx *store.Tx) error {
	state := newDirectoryState()
	for e, err := range zones.Everywhere(tx) {
		if err != nil {
			return err
		}
		if e.Doc.private() {
			continue
		}
		z, err := readZone(tx, e.Scope, e.Doc)
		if err != nil {
			return err
		}
		state.put(z)
	}
	state.serve()
	d.state.Store(state)
	return nil
}

// readZone reads a whole zone.
func readZone(tx *store.Tx, scope store.Scope, doc *zoneDoc) (*publicZone, error) {
	names := map[string][]nameserver.Set{}
	for e, err := range records.All(tx, scope, *doc.Zone.Id) {
		if err != nil {
			return nil, err
		}
		name := presented(*e.Doc.Name)
		names[name] = append(names[name], setOf(e.Doc))
	}
	return &publicZone{
		key: zoneKey{scope.Account, *doc.Zone.Id}, created: doc.Created, servers: doc.NameServers,
		zone: nameserver.NewZone(presented(*doc.Zone.Name)).With(names),
	}, nil
}

// setOf is a stored set as it is answered.
func setOf(doc *recordDoc) nameserver.Set {
	set := nameserver.Set{Type: *doc.Type, TTL: uint32(value(doc.TTL))}
	for _, r := range doc.ResourceRecords {
		set.Values = append(set.Values, value(r.Value))
	}
	if doc.AliasTarget != nil {
		set.Alias = presented(*doc.AliasTarget.DNSName)
	}
	switch {
	case doc.SetIdentifier == nil:
	case doc.Weight != nil:
		set.Policy, set.Weight = nameserver.Weighted, uint32(*doc.Weight)
	case doc.MultiValueAnswer != nil:
		set.Policy = nameserver.Multivalue
	default:
		set.Policy = nameserver.Ranked
		set.Preferred = value(doc.Failover) == api.ResourceRecordSetFailoverPrimary ||
			doc.GeoLocation != nil && value(doc.GeoLocation.CountryCode) == "*"
	}
	return set
}

func (s *directoryState) put(z *publicZone) {
	s.remove(z.key)
	name := z.zone.Name()
	list := append(slices.Clone(s.byName[name]), z)
	slices.SortStableFunc(list, func(a, b *publicZone) int { return a.created.Compare(b.created) })
	s.zones[z.key], s.byName[name] = z, list
}

func (s *directoryState) remove(key zoneKey) {
	old := s.zones[key]
	if old == nil {
		return
	}
	delete(s.zones, key)
	name := old.zone.Name()
	list := slices.DeleteFunc(slices.Clone(s.byName[name]), func(z *publicZone) bool { return z.key == key })
	if len(list) == 0 {
		delete(s.byName, name)
		return
	}
	s.byName[name] = list
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *Directory) Prepare(tx *store.Tx, list []store.Change) (publish func(), err error) {
	touched := map[zoneKey]map[string]bool{} // reversed names by zone
	delegations := false                     // may have changed
	for _, c := range list {
		if c.Kind != zones.Name && c.Kind != records.Name {
			continue
		}
		key := zoneKey{c.Account, c.ID[0]}
		if touched[key] == nil {
			touched[key] = map[string]bool{}
		}
		if c.Kind == records.Name {
			touched[key][c.ID[1]] = true
			delegations = delegations || c.ID[2] == api.RRTypeNs
		}
	}
	if len(touched) == 0 {
		return nil, nil
	}
	// Transactions run one at a time, so what is published now is what this one
	// changes.
	old := d.state.Load()
	next := &directoryState{zones: maps.Clone(old.zones), byName: maps.Clone(old.byName), served: old.served}
	for key, names := range touched {
		if err := next.follow(tx, key, names); err != nil {
			return nil, err
		}
	}
	if delegations || len(next.zones) != len(old.zones) {
		next.serve()
	}
	return func() { d.state.Store(next) }, nil
}

// follow makes one zone what the transaction leaves of it.
func (s *directoryState) follow(tx *store.Tx, key zoneKey, names map[string]bool) error {
	scope := store.Scope{Account: key.account}
	doc, err := zones.Get(tx, scope, key.id)
	if errors.Is(err, store.ErrNotFound) {
		s.remove(key)
		return nil
	}
	if err != nil || doc.private() {
		return err
	}
	known := s.zones[key]
	if known == nil {
		z, err := readZone(tx, scope, doc)
		if err != nil {
			return err
		}
		s.put(z)
		return nil
	}
	if len(names) == 0 {
		return nil
	}
	sets := map[string][]nameserver.Set{}
	for name := range names {
		shown := presented(reversed(name))
		sets[shown] = nil
		for e, err := range records.All(tx, scope, key.id, name) {
			if err != nil {
				return err
			}
			sets[shown] = append(sets[shown], setOf(e.Doc))
		}
	}
	s.put(&publicZone{key: key, created: known.created, servers: known.servers, zone: known.zone.With(sets)})
	return nil
}
