package acm

import (
	"slices"
	"strings"
	"time"
)

// RecordsChanged tells that record sets of these names changed, or a zone came, as an
// issuer may have missed one: who waits after a failure that has to do with them waits
// less. How much less grows with the failures, so that records that change all the
// time don't spend what an authority allows.
func (s *Service) RecordsChanged(names []string) {
	changed := make([]string, len(names))
	for i, name := range names {
		changed[i] = plainName(name)
	}
	for arn := range s.hurried.Range {
		if _, found := s.directory.entries.Load(arn); !found {
			s.hurried.Delete(arn) // deleted meanwhile
		}
	}
	now := s.clock()
	for _, e := range s.directory.all(func(e *entry) bool {
		u := s.directory.upkeep(e.arn)
		return now.Before(u.Next) && slices.ContainsFunc(e.dnsNames(), func(name string) bool { return concerned(name, changed) })
	}) {
		// A look is to come already where there was a change before: one timer is enough.
		if _, already := s.hurried.LoadOrStore(e.arn, struct{}{}); !already {
			s.lookAtEarly(e.arn, now)
		}
	}
	s.Wake()
}

// plainName is a name in lower case without the dot at its end and the star at its
// beginning, which hosted zones show escaped.
func plainName(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	return strings.TrimPrefix(strings.TrimPrefix(name, "*."), `\052.`)
}

// concerned tells whether proving a name has to do with one of those that changed: it
// is itself, below it are the records that prove it, and above it what leads there.
func concerned(name string, changed []string) bool {
	name = plainName(name)
	return slices.ContainsFunc(changed, func(c string) bool {
		return c == name || strings.HasSuffix(c, "."+name) || strings.HasSuffix(name, "."+c)
	})
}

// dnsNames are the names that a certificate is to be signed for; of one that is to be
// renewed, that by which it is called.
func (e *entry) dnsNames() []string {
	names := []string{e.domain}
	for i := range e.names {
		names = append(names, value(e.names[i].DomainName))
	}
	return names
}

// early is when the issuer may be asked again after an attempt that failed for want of
// what has come since: after a quarter of the time.
func (u upkeep) early() time.Time {
	if u.Tried.IsZero() {
		return u.Next
	}
	return u.Tried.Add(u.Next.Sub(u.Tried) / 4)
}

// waiting tells whether it is too early to ask the issuer for a certificate.
func (s *Service) waiting(arn string, now time.Time) bool {
	u := s.directory.upkeep(arn)
	if _, hurried := s.hurried.Load(arn); hurried {
		return now.Before(u.early()) || now.Before(u.Until)
	}
	return u.waits(now)
}

// lookAtEarly has the service look when a hurried certificate may be tried.
func (s *Service) lookAtEarly(arn string, now time.Time) {
	if wait := s.directory.upkeep(arn).early().Sub(now); wait > 0 {
		time.AfterFunc(wait, s.look) // after Close nobody looks
	}
}
