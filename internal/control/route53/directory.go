package route53

import (
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
}

type zoneKey struct{ account, id string }

type publicZone struct {
	key     zoneKey
	created time.Time
	zone    *nameserver.Zone
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.state.Store(&directoryState{zones: map[zoneKey]*publicZone{}, byName: map[string][]*publicZone{}})
	return d
}

// Zone finds a public zone by its name, in lower case and with a final dot. Of
// several with one name it is the one made first: on AWS the zone above chooses,
// by the name servers it delegates to.
func (d *Directory) Zone(name string) (*nameserver.Zone, bool) {
	list := d.state.Load().byName[name]
	if len(list) == 0 {
		return nil, false
	}
	return list[0].zone, true
}

// Validated tells whether a public zone has a CNAME record of the name with the
// value, by which owners of domains show that they are.
func (d *Directory) Validated(name, value string) bool {
	name, err := canonical(name)
	if err != nil {
		return false
	}
	name = presented(name)
	state := d.state.Load()
	for suffix := name; suffix != ""; {
		for _, z := range state.byName[suffix] {
			if z.zone.Has(name, api.RRTypeCname, value) {
				return true
			}
		}
		_, suffix, _ = strings.Cut(suffix, ".")
	}
	return false
}

// Load reads everything; it is called once, before calls are answered.
func (d *Directory) Load(tx *store.Tx) error {
	state := &directoryState{zones: map[zoneKey]*publicZone{}, byName: map[string][]*publicZone{}}
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
		key: zoneKey{scope.Account, *doc.Zone.Id}, created: doc.Created,
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
		}
	}
	if len(touched) == 0 {
		return nil, nil
	}
	// Transactions run one at a time, so what is published now is what this one
	// changes.
	old := d.state.Load()
	next := &directoryState{zones: maps.Clone(old.zones), byName: maps.Clone(old.byName)}
	for key, names := range touched {
		if err := next.follow(tx, key, names); err != nil {
			return nil, err
		}
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
	s.put(&publicZone{key: key, created: known.created, zone: known.zone.With(sets)})
	return nil
}
