package route53

import (
	"errors"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// maxListedSets is how many record sets a page has.
const maxListedSets = 300

// ListResourceRecordSets lists a zone's record sets: by name with its labels
// reversed, then type, then set identifier.
func (s *Service) ListResourceRecordSets(c *awswire.Call, in *api.ListResourceRecordSetsRequest) (*api.ListResourceRecordSetsResponse, error) {
	limit, err := pageSize(in.MaxItems, maxListedSets)
	if err != nil {
		return nil, err
	}
	// UNVERIFIED: the words of these errors.
	switch {
	case in.StartRecordType != nil && in.StartRecordName == nil:
		return nil, invalid("The input is not valid: a start type needs a start name.")
	case in.StartRecordIdentifier != nil && in.StartRecordType == nil:
		return nil, invalid("The input is not valid: a start identifier needs a start name and type.")
	}
	id := bareID(*in.HostedZoneId)
	// A key is behind all that are a part of it: the list begins with the first
	// set of the name or of the name and type.
	after := []string{id}
	if in.StartRecordName != nil {
		name, err := canonical(*in.StartRecordName)
		if err != nil {
			return nil, invalid("The start name " + *in.StartRecordName + " is not a domain name.")
		}
		after = append(after, reversed(name))
		if in.StartRecordType != nil {
			after = append(after, *in.StartRecordType)
		}
	}
	var found []store.Entry[recordDoc]
	err = s.store.View(c, func(tx *store.Tx) error {
		if _, err := zone(tx, c, id); err != nil {
			return err
		}
		if in.StartRecordIdentifier != nil {
			after = append(after, *in.StartRecordIdentifier)
			first, err := records.Entry(tx, scopeOf(c), after...)
			switch {
			case err == nil:
				found = append(found, first)
			case !errors.Is(err, store.ErrNotFound):
				return err
			}
		}
		rest, err := records.List(tx, scopeOf(c), store.Page{After: after, Limit: limit + 1}, id)
		found = append(found, rest...)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &api.ListResourceRecordSetsResponse{
		ResourceRecordSets: []api.ResourceRecordSet{}, MaxItems: new(int32(limit)), IsTruncated: new(len(found) > limit),
	}
	if len(found) > limit {
		next := found[limit].Doc
		out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = next.Name, next.Type, next.SetIdentifier
		found = found[:limit]
	}
	for _, e := range found {
		out.ResourceRecordSets = append(out.ResourceRecordSets, e.Doc.ResourceRecordSet)
	}
	return out, nil
}
