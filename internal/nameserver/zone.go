package nameserver

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A Set is a record set, or one of several that share a name and a type and
// among which a routing policy chooses.
type Set struct {
	Type string
	TTL  uint32
	// Values are those of the records. One that can't be parsed is left out.
	Values []string
	// Alias is the name whose records stand for this set's, "" where it has
	// values.
	Alias string
	// Policy says how one of several is chosen.
	Policy Policy
	// Weight is that of the policy Weighted.
	Weight uint32
	// Preferred is set for the primary of a failover, and the default location.
	Preferred bool
}

// A Policy is how one of several sets of a name and type is chosen.
type Policy uint8

// The policies.
const (
	// Simple sets stand alone.
	Simple Policy = iota
	// Weighted sets are chosen by chance.
	Weighted
	// Multivalue sets are all answered, up to eight.
	Multivalue
	// Ranked sets are chosen by who asks, and whether what they lead to is
	// healthy. Nothing here knows either: the preferred one is chosen, else the
	// first.
	Ranked
)

// A Zone is a zone's records.
type Zone struct {
	name  string
	nodes map[string]*node
}

// A node is a name that exists in a zone.
type node struct {
	sets map[uint16][]set
	// below counts the names with records that end in this one.
	below int
}

// A set is a Set, ready to be answered. Its records have no owner yet.
type set struct {
	Set
	ttl     uint32
	records []dns.RR
}

// NewZone returns a zone without records. The name is in lower case and ends in
// a dot.
func NewZone(name string) *Zone {
	return &Zone{name: name, nodes: map[string]*node{name: {}}}
}

// Name is the zone's name, which ends in a dot.
func (z *Zone) Name() string { return z.name }

// With returns a zone in which each name given has these sets and no others. The
// names are in or below the zone, in lower case, and end in a dot.
func (z *Zone) With(names map[string][]Set) *Zone {
	next := &Zone{name: z.name, nodes: maps.Clone(z.nodes)}
	for name, sets := range names {
		next.put(name, sets)
	}
	return next
}

func (z *Zone) put(name string, sets []Set) {
	n := z.copyOf(name)
	before := len(n.sets) > 0
	n.sets = map[uint16][]set{}
	for _, s := range sets {
		if t := dns.StringToType[s.Type]; t != dns.TypeNone {
			n.sets[t] = append(n.sets[t], compile(s))
		}
	}
	if after := len(n.sets) > 0; after != before {
		z.count(name, after)
	}
	z.drop(name)
}

func compile(s Set) set {
	out := set{Set: s, ttl: s.TTL}
	for _, value := range s.Values {
		if rr, err := parseValue(s.Type, value); err == nil {
			out.records = append(out.records, rr)
		}
	}
	return out
}

// copyOf puts a copy of a name's node in the zone, which it may write.
func (z *Zone) copyOf(name string) *node {
	n := &node{}
	if old := z.nodes[name]; old != nil {
		*n = *old
	}
	z.nodes[name] = n
	return n
}

// count tells the names above that one below them has records, or no longer.
func (z *Zone) count(name string, more bool) {
	for name != z.name {
		name = parent(name)
		n := z.copyOf(name)
		if more {
			n.below++
		} else {
			n.below--
		}
		z.drop(name)
	}
}

// drop forgets a name that has neither records nor any below it.
func (z *Zone) drop(name string) {
	if n := z.nodes[name]; len(n.sets) == 0 && n.below == 0 && name != z.name {
		delete(z.nodes, name)
	}
}

// parent cuts the first label of a name.
func parent(name string) string {
	if next, end := dns.NextLabel(name, 0); !end {
		return name[next:]
	}
	return "."
}

// find returns the node that answers for a name, and whose it is: the name's own,
// or a wildcard's. It is nil where neither exists.
func (z *Zone) find(name string) (n *node, at string) {
	if n := z.nodes[name]; n != nil {
		return n, name
	}
	for name != z.name && name != "." {
		name = parent(name)
		if z.nodes[name] != nil {
			at = "*." + name
			return z.nodes[at], at
		}
	}
	return nil, ""
}

// delegation returns the name at or above the one asked for, below the zone's
// own, that other servers are named for.
func (z *Zone) delegation(name string) (string, []set) {
	var at string
	var servers []set
	for ; name != z.name; name = parent(name) {
		if n := z.nodes[name]; n != nil && n.sets[dns.TypeNS] != nil {
			at, servers = name, n.sets[dns.TypeNS]
		}
	}
	return at, servers
}

// Delegates tells whether a zone has others answer for a name below its own, one
// of the servers given among them.
func (z *Zone) Delegates(name string, servers []string) bool {
	at, sets := z.delegation(name)
	return sets != nil && slices.ContainsFunc(servers, func(server string) bool { return z.Has(at, "NS", server) })
}

// maxMultivalue is how many sets of a multivalue answer are sent.
const maxMultivalue = 8

// choose returns the sets that a routing policy picks.
func choose(sets []set) []set {
	if len(sets) == 0 {
		return nil
	}
	switch sets[0].Policy {
	case Weighted:
		return []set{weighted(sets)}
	case Multivalue:
		if len(sets) <= maxMultivalue {
			return sets
		}
		picked := make([]set, maxMultivalue)
		for i, at := range rand.Perm(len(sets))[:maxMultivalue] {
			picked[i] = sets[at]
		}
		return picked
	case Ranked:
		for _, s := range sets {
			if s.Preferred {
				return []set{s}
			}
		}
	}
	return sets[:1]
}

// weighted picks by chance. Where all weights are zero, each has the same.
func weighted(sets []set) set {
	var total uint64
	for _, s := range sets {
		total += uint64(s.Weight)
	}
	if total == 0 {
		return sets[rand.IntN(len(sets))]
	}
	at := rand.Uint64N(total)
	for _, s := range sets {
		if at < uint64(s.Weight) {
			return s
		}
		at -= uint64(s.Weight)
	}
	return sets[0]
}

// Has tells whether a name, or a wildcard that covers it, has a record of the
// type whose value is the one given, as a name: case and a final dot don't
// matter.
func (z *Zone) Has(name, rrtype, value string) bool {
	n, _ := z.find(dns.CanonicalName(name))
	if n == nil {
		return false
	}
	for _, s := range n.sets[dns.StringToType[rrtype]] {
		for _, v := range s.Values {
			if strings.EqualFold(strings.TrimSuffix(v, "."), strings.TrimSuffix(value, ".")) {
				return true
			}
		}
	}
	return false
}
