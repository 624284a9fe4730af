package nameserver

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"
)

// textTTL is the time to live of what is gone in a moment.
const textTTL = 1

// Texts are TXT records that a server answers besides those of its zones, for as
// long as somebody wants to see them there: an authority that asks who has a
// name. A zone's listing doesn't have them. The zero value is empty; it is safe
// for concurrent use, and reading takes no lock.
type Texts struct {
	mu    sync.Mutex
	state atomic.Pointer[map[string][]dns.RR] // by name; never written to
}

// Put answers a value at a name, which ends in a dot, until Remove.
func (t *Texts) Put(name, value string) {
	name = dns.CanonicalName(name)
	t.change(func(all map[string][]dns.RR) { all[name] = append(slices.Clone(all[name]), newText(name, value)) })
}

// Remove takes away one value that was put at a name.
func (t *Texts) Remove(name, value string) {
	name = dns.CanonicalName(name)
	t.change(func(all map[string][]dns.RR) {
		at := slices.IndexFunc(all[name], func(rr dns.RR) bool { return dns.IsDuplicate(rr, newText(name, value)) })
		if at < 0 {
			return
		}
		if all[name] = slices.Delete(slices.Clone(all[name]), at, at+1); len(all[name]) == 0 {
			delete(all, name)
		}
	})
}

func newText(name, value string) *dns.TXT {
	return &dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{value}}
}

func (t *Texts) change(f func(all map[string][]dns.RR)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := maps.Clone(t.all())
	if all == nil {
		all = map[string][]dns.RR{}
	}
	f(all)
	t.state.Store(&all)
}

func (t *Texts) all() map[string][]dns.RR {
	if t == nil {
		return nil
	}
	if all := t.state.Load(); all != nil {
		return *all
	}
	return nil
}

// node is a zone's node for a name and whose it is, as Zone.find has it, with the
// texts there are now. Nothing that the zone answers otherwise changes: a CNAME
// stays one, and a wildcard goes on standing for the names above a text.
func (t *Texts) node(zone *Zone, name string) (n *node, at string) {
	found, at := zone.find(name)
	all := t.all()
	if len(all) == 0 {
		return found, at
	}
	records := all[name]
	if own := zone.nodes[name]; len(records) == 0 || own != nil && own.sets[dns.TypeCNAME] != nil {
		if found == nil && t.below(name) {
			return &node{}, name // there is such a name
		}
		return found, at
	}
	n = &node{sets: map[uint16][]set{}}
	if found != nil {
		maps.Copy(n.sets, found.sets)
		if zone.nodes[name] == nil {
			delete(n.sets, dns.TypeTXT) // a wildcard's
		}
	}
	text := set{ttl: textTTL, records: records}
	if own := n.sets[dns.TypeTXT]; len(own) > 0 && own[0].Policy == Simple {
		text.records = slices.Concat(records, own[0].records)
	}
	n.sets[dns.TypeTXT] = []set{text}
	return n, name
}

// below tells whether a text's name ends in a name.
func (t *Texts) below(name string) bool {
	for at := range t.all() {
		if dns.IsSubDomain(name, at) {
			return true
		}
	}
	return false
}

// Follow tells where a question for a name ends, as far as the CNAMEs of the
// zones lead: at a name that is answered here, or at one that others know. Names
// end in a dot.
func Follow(zones Zones, name string) (end string, here bool) {
	name = dns.CanonicalName(name)
	for range maxHops {
		zone := zoneOf(zones, name, dns.TypeTXT)
		if zone == nil {
			return name, false
		}
		if at, _ := zone.delegation(name); at != "" {
			return name, false
		}
		own := zone.nodes[name]
		if own == nil || own.sets[dns.TypeCNAME] == nil {
			return name, true
		}
		chosen := choose(own.sets[dns.TypeCNAME])[0]
		if len(chosen.records) == 0 {
			return name, false // an alias
		}
		name = dns.CanonicalName(chosen.records[0].(*dns.CNAME).Target)
	}
	return name, false
}
