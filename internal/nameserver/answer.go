package nameserver

import (
	"net/netip"

	"github.com/miekg/dns"
)

// Zones are what a server answers from. Its methods are called from many
// goroutines and take no lock.
type Zones interface {
	// Zone finds a zone by its name, in lower case and with a final dot.
	Zone(name string) (*Zone, bool)
}

// A Gateway is where names of AWS's own lead to that stand for the gateway.
type Gateway struct {
	// Leads tells whether a name, in lower case and with a final dot, is one of
	// those under which AWS would serve what the gateway does.
	Leads func(name string) bool
	// Addresses are those of the gateway.
	Addresses []netip.Addr
}

// The times to live of what has none of its own.
const (
	aliasTTL   = 60   // AWS's for aliases
	minimalTTL = 3600 // of the answer to ANY
)

// maxHops bounds a chain of aliases.
const maxHops = 8

// An inquiry is the way from a question to its answer.
type inquiry struct {
	zones   Zones
	texts   *Texts
	gateway *Gateway
	qtype   uint16
	reply   *dns.Msg
	hops    int
	// from is the first name with an answer.
	from string
}

// resolve fills in a reply to a question for a name of the zones; ok is false for
// a name that is in none. from is the name whose records stand first in the reply,
// a wildcard's among them, or else the zone's: whatever strangers ask for, they
// are no more than there are names in the zones.
func resolve(o *Options, reply *dns.Msg, q dns.Question) (from string, ok bool) {
	name := dns.CanonicalName(q.Name)
	zone := zoneOf(o.Zones, name, q.Qtype)
	if zone == nil {
		return "", false
	}
	reply.Authoritative = true
	if q.Qtype == dns.TypeANY {
		// RFC 8482: who asks for everything gets next to nothing.
		reply.Answer = []dns.RR{&dns.HINFO{
			Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeHINFO, Class: dns.ClassINET, Ttl: minimalTTL}, Cpu: "RFC8482",
		}}
		return zone.name, true
	}
	i := inquiry{zones: o.Zones, texts: o.Texts, gateway: o.Gateway, qtype: q.Qtype, reply: reply}
	i.ask(zone, name, q.Name)
	if i.from == "" {
		i.from = zone.name
	}
	return i.from, true
}

// zoneOf finds the zone that a name is in: the one with the longest name. The
// records with which a zone is delegated, but for NS, are of the zone above.
func zoneOf(zones Zones, name string, qtype uint16) *Zone {
	if !dns.IsFqdn(name) {
		return nil
	}
	if qtype == dns.TypeDS && name != "." {
		if zone := zoneOf(zones, parent(name), dns.TypeNone); zone != nil {
			return zone
		}
	}
	for {
		if zone, ok := zones.Zone(name); ok {
			return zone
		}
		if name == "." {
			return nil
		}
		name = parent(name)
	}
}

// ask answers for a name of a zone. owner is the name as it was asked for.
func (i *inquiry) ask(zone *Zone, name, owner string) {
	if at, servers := zone.delegation(name); servers != nil && (at != name || i.qtype != dns.TypeDS) {
		i.refer(zone, at, servers)
		return
	}
	n, at := i.texts.node(zone, name)
	if n == nil {
		if len(i.reply.Answer) == 0 {
			i.reply.Rcode = dns.RcodeNameError
		}
		i.deny(zone)
		return
	}
	if sets := choose(n.sets[i.qtype]); sets != nil {
		before := len(i.reply.Answer)
		for _, s := range sets {
			i.add(&s, owner)
		}
		if len(i.reply.Answer) == before {
			i.deny(zone)
			return
		}
		i.comesFrom(at)
		return
	}
	if sets := choose(n.sets[dns.TypeCNAME]); sets != nil {
		i.comesFrom(at)
		i.follow(zone, &sets[0], owner)
		return
	}
	i.deny(zone)
}

// comesFrom notes where the answer comes from, unless it began elsewhere.
func (i *inquiry) comesFrom(name string) {
	if i.from == "" {
		i.from = name
	}
}

// add puts a set in the answer, that of an alias under the owner's name.
func (i *inquiry) add(s *set, owner string) {
	if s.Alias == "" {
		for _, rr := range s.records {
			i.reply.Answer = append(i.reply.Answer, owned(rr, owner, s.ttl))
		}
		return
	}
	for _, rr := range i.alias(s.Alias) {
		i.reply.Answer = append(i.reply.Answer, owned(rr, owner, min(rr.Header().Ttl, aliasTTL)))
	}
}

// owned is a copy of a record for an owner.
func owned(rr dns.RR, owner string, ttl uint32) dns.RR {
	rr = dns.Copy(rr)
	rr.Header().Name, rr.Header().Ttl = owner, ttl
	return rr
}

// alias returns the records, of the type asked for, that a name leads to.
func (i *inquiry) alias(target string) []dns.RR {
	if records := i.own(target); records != nil {
		return records
	}
	i.hops++
	zone := zoneOf(i.zones, target, i.qtype)
	if zone == nil || i.hops > maxHops {
		return nil
	}
	n, _ := zone.find(target)
	if n == nil {
		return nil
	}
	var records []dns.RR
	for _, s := range choose(n.sets[i.qtype]) {
		if s.Alias != "" {
			records = append(records, i.alias(s.Alias)...)
			continue
		}
		for _, rr := range s.records {
			records = append(records, owned(rr, target, s.ttl))
		}
	}
	return records
}

// own returns the gateway's addresses for one of its names.
func (i *inquiry) own(name string) []dns.RR {
	if i.gateway == nil || !i.gateway.Leads(name) {
		return nil
	}
	var records []dns.RR
	for _, addr := range i.gateway.Addresses {
		head := dns.RR_Header{Name: name, Rrtype: i.qtype, Class: dns.ClassINET, Ttl: aliasTTL}
		switch {
		case i.qtype == dns.TypeA && addr.Is4():
			records = append(records, &dns.A{Hdr: head, A: addr.AsSlice()})
		case i.qtype == dns.TypeAAAA && addr.Is6():
			records = append(records, &dns.AAAA{Hdr: head, AAAA: addr.AsSlice()})
		}
	}
	return records
}

// follow puts a CNAME in the answer, and what it leads to as far as it is known
// here: the rest of the way is the resolver's.
func (i *inquiry) follow(zone *Zone, s *set, owner string) {
	if s.Alias != "" {
		// An alias of a name that is a CNAME is that CNAME.
		aliased := *i
		aliased.qtype = dns.TypeCNAME
		records := aliased.alias(s.Alias)
		if len(records) == 0 {
			i.deny(zone)
			return
		}
		s = &set{records: records[:1], ttl: aliasTTL}
	}
	if len(s.records) == 0 {
		i.deny(zone)
		return
	}
	cname, ok := owned(s.records[0], owner, s.ttl).(*dns.CNAME)
	if !ok {
		return
	}
	i.reply.Answer = append(i.reply.Answer, cname)
	i.hops++
	target := dns.CanonicalName(cname.Target)
	if records := i.own(target); records != nil {
		i.reply.Answer = append(i.reply.Answer, records...)
		return
	}
	if next := zoneOf(i.zones, target, i.qtype); next != nil && i.hops <= maxHops {
		i.ask(next, target, cname.Target)
	}
}

// refer names the servers of a part of the zone that others answer for.
func (i *inquiry) refer(zone *Zone, at string, servers []set) {
	if len(i.reply.Answer) > 0 {
		return // the resolver follows the CNAME itself
	}
	i.comesFrom(at)
	i.reply.Authoritative = false
	for _, rr := range servers[0].records {
		i.reply.Ns = append(i.reply.Ns, owned(rr, at, servers[0].ttl))
		ns, ok := rr.(*dns.NS)
		if !ok {
			continue
		}
		n := zone.nodes[dns.CanonicalName(ns.Ns)]
		if n == nil {
			continue
		}
		for _, t := range [...]uint16{dns.TypeA, dns.TypeAAAA} {
			for _, s := range choose(n.sets[t]) {
				for _, glue := range s.records {
					i.reply.Extra = append(i.reply.Extra, owned(glue, ns.Ns, s.ttl))
				}
			}
		}
	}
}

// deny says that there is nothing, and by the zone's SOA how long that holds.
func (i *inquiry) deny(zone *Zone) {
	for _, s := range zone.nodes[zone.name].sets[dns.TypeSOA] {
		for _, rr := range s.records {
			if soa, ok := rr.(*dns.SOA); ok {
				i.reply.Ns = append(i.reply.Ns, owned(rr, zone.name, min(s.ttl, soa.Minttl)))
			}
		}
	}
}
