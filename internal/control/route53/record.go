package route53

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/nameserver"
	"gatehouse/internal/store"
)

// AWS's limits of a batch and of a zone.
const (
	maxChanges    = 1000
	maxBatchChars = 32_000
	maxSets       = 10_000
	// maxProblems is how many an answer names.
	maxProblems = 50
)

// A batch is a ChangeBatch on its way.
type batch struct {
	tx   *store.Tx
	c    *awswire.Call
	zone *zoneDoc
	// problems are what is wrong with the changes; any of them fails them all.
	problems []string
	// touched are the names that have to be consistent in the end.
	touched []string
}

// ChangeResourceRecordSets makes all changes of a batch, or none.
func (s *Service) ChangeResourceRecordSets(c *awswire.Call, in *api.ChangeResourceRecordSetsRequest) (*api.ChangeResourceRecordSetsResponse, error) {
	if err := checkSize(in.ChangeBatch.Changes); err != nil {
		return nil, err
	}
	for i := range in.ChangeBatch.Changes {
		if err := checkShape(&in.ChangeBatch.Changes[i]); err != nil {
			return nil, err
		}
	}
	var change *api.ChangeInfo
	var touched []string
	err := s.store.Update(c, func(tx *store.Tx) error {
		doc, err := zone(tx, c, *in.HostedZoneId)
		if err != nil {
			return err
		}
		b := batch{tx: tx, c: c, zone: doc}
		for _, ch := range in.ChangeBatch.Changes {
			if err := b.apply(*ch.Action, *ch.ResourceRecordSet); err != nil {
				return err
			}
		}
		for _, name := range b.touched {
			if err := b.consistent(name); err != nil {
				return err
			}
		}
		if *doc.Zone.ResourceRecordSetCount > maxSets {
			b.refuse("Number of records limit of %d exceeded.", maxSets)
		}
		if len(b.problems) > 0 {
			return api.NewInvalidChangeBatch("[" + strings.Join(b.problems, ", ") + "]")
		}
		if err := zones.Put(tx, scopeOf(c), doc, *doc.Zone.Id); err != nil {
			return err
		}
		touched = b.touched
		change, err = s.change(tx, c, in.ChangeBatch.Comment)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(touched)
	return &api.ChangeResourceRecordSetsResponse{ChangeInfo: change}, nil
}

// checkSize holds a batch to AWS's limits, where an UPSERT counts twice.
func checkSize(list []api.Change) error {
	count, chars := 0, 0
	for _, ch := range list {
		n, size := max(1, len(ch.ResourceRecordSet.ResourceRecords)), 0
		for _, r := range ch.ResourceRecordSet.ResourceRecords {
			size += utf8.RuneCountInString(*r.Value)
		}
		if *ch.Action == api.ChangeActionUpsert {
			n, size = 2*n, 2*size
		}
		count, chars = count+n, chars+size
	}
	switch {
	case count > maxChanges:
		return api.NewInvalidChangeBatch(fmt.Sprintf("[Number of records limit of %d exceeded.]", maxChanges))
	case chars > maxBatchChars:
		return api.NewInvalidChangeBatch(fmt.Sprintf("[Number of characters limit of %d exceeded.]", maxBatchChars)) // UNVERIFIED wording
	}
	return nil
}

// checkShape refuses a change that is no record set, whatever the zone has.
func checkShape(ch *api.Change) error {
	set := ch.ResourceRecordSet
	shown := fmt.Sprintf("Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", *ch.Action, *set.Name, *set.Type, cmp.Or(value(set.SetIdentifier), "null"))
	refuse := func(what string) error { return invalid("Invalid request: " + what + " in " + shown) }
	records := set.TTL != nil && set.ResourceRecords != nil
	given := 0
	for _, is := range [...]bool{set.AliasTarget != nil, records, set.TrafficPolicyInstanceId != nil} {
		if is {
			given++
		}
	}
	switch {
	case set.AliasTarget == nil && set.TTL != nil && set.ResourceRecords == nil:
		return refuse("Missing field 'ResourceRecords'") // UNVERIFIED wording
	case set.AliasTarget == nil && set.TTL == nil && set.ResourceRecords != nil:
		return refuse("Missing field 'TTL'") // UNVERIFIED wording
	case given == 0:
		return refuse("Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none")
	case given > 1, set.AliasTarget != nil && (set.TTL != nil || set.ResourceRecords != nil):
		return refuse("Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one")
	case set.TrafficPolicyInstanceId != nil:
		return invalid("Record sets of traffic policies can't be changed; this gateway has none.")
	}
	policies := 0
	for _, is := range [...]bool{
		set.Weight != nil, set.Region != nil, set.GeoLocation != nil, set.Failover != nil, set.MultiValueAnswer != nil,
		set.CidrRoutingConfig != nil, set.GeoProximityLocation != nil,
	} {
		if is {
			policies++
		}
	}
	const kinds = "[Weight, Region, Failover, GeoLocation, MultiValueAnswer, CidrRoutingConfig, or GeoProximityLocation]"
	switch {
	case policies > 1:
		return refuse("Expected exactly one of " + kinds + ", but found more than one")
	case policies == 1 && set.SetIdentifier == nil:
		return refuse("Missing field 'SetIdentifier'")
	case policies == 0 && set.SetIdentifier != nil:
		return refuse("Expected exactly one of " + kinds + ", but found none")
	}
	return nil
}

func (b *batch) refuse(format string, args ...any) {
	if len(b.problems) < maxProblems {
		b.problems = append(b.problems, fmt.Sprintf(format, args...))
	}
}

// apply makes one change. What is wrong with it goes to problems.
func (b *batch) apply(action string, set api.ResourceRecordSet) error {
	asked := *set.Name
	name, err := canonical(asked)
	if err != nil {
		b.refuse("FATAL problem: DomainLabelEmptyOrTooLong (Domain name is not valid) encountered with '%s'", asked) // UNVERIFIED wording
		return nil
	}
	zone := *b.zone.Zone.Name
	if !within(name, zone) {
		b.refuse("RRSet with DNS name %s is not permitted in zone %s", name, zone)
		return nil
	}
	set.Name = &name
	if set.AliasTarget != nil {
		alias := *set.AliasTarget
		target, err := canonical(value(alias.DNSName))
		if err != nil {
			b.refuse("FATAL problem: DomainLabelEmptyOrTooLong (Domain name is not valid) encountered with '%s'", value(alias.DNSName)) // UNVERIFIED wording
			return nil
		}
		alias.DNSName, set.AliasTarget = &target, &alias
	}
	scope, id := scopeOf(b.c), recordID(*b.zone.Zone.Id, &set)
	old, err := records.Get(b.tx, scope, id...)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if action == api.ChangeActionDelete {
		return b.remove(old, &set, id)
	}
	if check := value(set.HealthCheckId); check != "" {
		// There are none: CreateHealthCheck isn't there.
		return api.NewNoSuchHealthCheck("No health check exists with the ID " + check) // UNVERIFIED wording
	}
	if action == api.ChangeActionCreate && old != nil {
		b.refuse("Tried to create resource record set %s but it already exists", shownSet(&set))
		return nil
	}
	if !b.permitted(&set) {
		return nil
	}
	b.touch(name)
	if old == nil {
		*b.zone.Zone.ResourceRecordSetCount++
	}
	return records.Put(b.tx, scope, &recordDoc{set}, id...)
}

// touch notes that a name's sets have changed.
func (b *batch) touch(name string) {
	if !slices.Contains(b.touched, name) {
		b.touched = append(b.touched, name)
	}
}

func (b *batch) remove(old *recordDoc, set *api.ResourceRecordSet, id []string) error {
	switch {
	case old == nil:
		b.refuse("Tried to delete resource record set %s but it was not found", shownSet(set))
		return nil
	case !same(&old.ResourceRecordSet, set):
		b.refuse("Tried to delete resource record set %s but the values provided do not match the current values", shownSet(set))
		return nil
	}
	b.touch(*set.Name)
	*b.zone.Zone.ResourceRecordSetCount--
	return records.Delete(b.tx, scopeOf(b.c), id...)
}

// permitted checks the values of a set, and its place in the zone.
func (b *batch) permitted(set *api.ResourceRecordSet) bool {
	before := len(b.problems)
	zone, apex := *b.zone.Zone.Name, *set.Name == *b.zone.Zone.Name
	switch {
	case *set.Type == api.RRTypeCname && apex:
		b.refuse("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", *set.Name, zone)
	case *set.Type == api.RRTypeSoa && !apex:
		b.refuse("RRSet of type SOA with DNS name %s is not permitted in zone %s", *set.Name, zone) // UNVERIFIED wording
	case (*set.Type == api.RRTypeCname || *set.Type == api.RRTypeSoa) && len(set.ResourceRecords) > 1:
		b.refuse("RRSet of type %s with DNS name %s, SetIdentifier %s is not permitted: it must have exactly one record", *set.Type, *set.Name, cmp.Or(value(set.SetIdentifier), "null")) // UNVERIFIED wording
	case set.AliasTarget != nil && slices.Contains([]string{api.RRTypeNs, api.RRTypeSoa}, *set.Type):
		b.refuse("RRSet of type %s with DNS name %s can't be an alias", *set.Type, *set.Name) // UNVERIFIED wording
	}
	seen := map[string]bool{}
	for _, r := range set.ResourceRecords {
		if err := nameserver.CheckValue(*set.Type, *r.Value); err != nil {
			b.refuse("Invalid Resource Record: '%s'", err)
			continue
		}
		if seen[*r.Value] {
			b.refuse("Duplicate Resource Record: '%s'", *r.Value)
		}
		seen[*r.Value] = true
	}
	return len(b.problems) == before
}

// consistent checks what the sets of a name must be together, once all changes
// are made.
func (b *batch) consistent(name string) error {
	types, simple := map[string]int{}, map[string]bool{}
	for e, err := range records.All(b.tx, scopeOf(b.c), *b.zone.Zone.Id, reversed(name)) {
		if err != nil {
			return err
		}
		types[*e.Doc.Type]++
		simple[*e.Doc.Type] = simple[*e.Doc.Type] || e.Doc.SetIdentifier == nil
	}
	zone := *b.zone.Zone.Name
	if types[api.RRTypeCname] > 0 && len(types) > 1 {
		b.refuse("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", name, zone)
	}
	for t, n := range types {
		if n > 1 && simple[t] {
			b.refuse("RRSet with DNS name %s, type %s, SetIdentifier null cannot be created as other RRSets exist with the same name and type.", name, t)
		}
	}
	if name == zone && types[api.RRTypeSoa] != 1 {
		b.refuse("A HostedZone must contain exactly one SOA record.")
	}
	if name == zone && types[api.RRTypeNs] == 0 {
		b.refuse("A HostedZone must contain at least one NS record for the zone itself.")
	}
	return nil
}

// recordID is the key of a set.
func recordID(zoneID string, set *api.ResourceRecordSet) []string {
	return []string{zoneID, reversed(*set.Name), *set.Type, value(set.SetIdentifier)}
}

// put stores a set as it is.
func put(tx *store.Tx, c *awswire.Call, zoneID string, set *api.ResourceRecordSet) error {
	return records.Put(tx, scopeOf(c), &recordDoc{*set}, recordID(zoneID, set)...)
}

func shownSet(set *api.ResourceRecordSet) string {
	if set.SetIdentifier != nil {
		return fmt.Sprintf("[name='%s', type='%s', set-identifier='%s']", *set.Name, *set.Type, *set.SetIdentifier)
	}
	return fmt.Sprintf("[name='%s', type='%s']", *set.Name, *set.Type)
}

// same tells that two sets have the same records, in whatever order.
func same(a, b *api.ResourceRecordSet) bool {
	values := func(set *api.ResourceRecordSet) []string {
		var list []string
		for _, r := range set.ResourceRecords {
			list = append(list, *r.Value)
		}
		slices.Sort(list)
		return list
	}
	return equal(a.TTL, b.TTL) && equal(a.Weight, b.Weight) && equal(a.Region, b.Region) && equal(a.Failover, b.Failover) &&
		equal(a.MultiValueAnswer, b.MultiValueAnswer) && slices.Equal(values(a), values(b)) && sameAlias(a.AliasTarget, b.AliasTarget)
}

func sameAlias(a, b *api.AliasTarget) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(a.DNSName, b.DNSName) && equal(a.HostedZoneId, b.HostedZoneId) && equal(a.EvaluateTargetHealth, b.EvaluateTargetHealth)
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
