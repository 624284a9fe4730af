package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// grants are the policies of a role, user or group.
type grants struct {
	// Inline are documents, as they were given, by policy name.
	Inline map[string]string `json:",omitempty"`
	// Attached are the ARNs of managed policies, first attached first.
	Attached []string `json:",omitempty"`
}

// An owner is whose grants they are, for messages and limits.
type owner struct {
	// kind is "role", "user" or "group".
	kind string
	name string
}

// maxInline is how many characters an owner's inline policies may have
// together; white space isn't counted.
func (o owner) maxInline() int {
	switch o.kind {
	case "role":
		return 10_240
	case "user":
		return 2_048
	}
	return 5_120
}

// put adds or replaces an inline policy.
func (g *grants) put(o owner, name, document *string) error {
	if _, err := policy.Parse(policy.Inline, *document); err != nil {
		return malformed(err)
	}
	total := weigh(*document)
	for other, text := range g.Inline {
		if other != *name {
			total += weigh(text)
		}
	}
	if total > o.maxInline() {
		return limitExceeded(fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s %s", o.maxInline(), o.kind, o.name))
	}
	if g.Inline == nil {
		g.Inline = map[string]string{}
	}
	g.Inline[*name] = *document
	return nil
}

// get returns an inline policy as answers carry it.
func (g *grants) get(o owner, name *string) (*string, error) {
	document, ok := g.Inline[*name]
	if !ok {
		return nil, noInline(o, *name)
	}
	return encoded(&document), nil
}

// remove deletes an inline policy.
func (g *grants) remove(o owner, name *string) error {
	if _, ok := g.Inline[*name]; !ok {
		return noInline(o, *name)
	}
	delete(g.Inline, *name)
	return nil
}

func noInline(o owner, name string) error {
	return noSuchEntity(fmt.Sprintf("The %s policy with name %s cannot be found.", o.kind, name))
}

// names cuts a page out of the names of the inline policies.
func (g *grants) names(p *pager) []string {
	out := []string{}
	pageOf(p, slices.Sorted(maps.Keys(g.Inline)), func(name string) { out = append(out, name) })
	return out
}

// attached cuts a page out of the attached policies whose path begins with
// prefix.
func (g *grants) attached(p *pager, prefix *string) []api.AttachedPolicy {
	var arns []string
	for _, a := range g.Attached {
		if under(prefix, new(policyPath(a))) {
			arns = append(arns, a)
		}
	}
	// Attachments page by name, which is how they are shown.
	slices.SortFunc(arns, func(a, b string) int { return strings.Compare(pageKey(a), pageKey(b)) })
	byKey := map[string]string{}
	keys := make([]string, len(arns))
	for i, a := range arns {
		keys[i] = pageKey(a)
		byKey[keys[i]] = a
	}
	out := []api.AttachedPolicy{}
	pageOf(p, keys, func(key string) {
		out = append(out, api.AttachedPolicy{PolicyName: new(policyName(byKey[key])), PolicyArn: new(byKey[key])})
	})
	return out
}

func pageKey(arn string) string { return policyName(arn) + "\x00" + arn }

// deletable tells why an owner of these grants can't be deleted yet.
func (g *grants) deletable() error {
	if len(g.Attached) > 0 {
		return conflict("Cannot delete entity, must detach all policies first.")
	}
	if len(g.Inline) > 0 {
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// attach adds a managed policy; one that is attached already stays so.
func (s *Service) attach(tx *store.Tx, scope store.Scope, g *grants, arn *string) error {
	if err := s.attachable(tx, scope, *arn); err != nil {
		return err
	}
	if slices.Contains(g.Attached, *arn) {
		return nil
	}
	if a, err := parsePolicyARN(*arn); err == nil && a.Account == "aws" && s.aws[a.Resource] == "" {
		s.log.Warn("the document of this AWS managed policy isn't known here, so it allows nothing", "policy", *arn)
	}
	g.Attached = append(g.Attached, *arn)
	return s.count(tx, scope, *arn, 1, 0)
}

// detach takes a managed policy away.
func (s *Service) detach(tx *store.Tx, scope store.Scope, g *grants, arn *string) error {
	if _, err := parsePolicyARN(*arn); err != nil {
		return err
	}
	at := slices.Index(g.Attached, *arn)
	if at < 0 {
		return noSuchEntity("Policy " + *arn + " was not found.")
	}
	g.Attached = slices.Delete(g.Attached, at, at+1)
	return s.count(tx, scope, *arn, -1, 0)
}

// bound sets or, with a nil ARN, clears a permissions boundary.
func (s *Service) bound(tx *store.Tx, scope store.Scope, boundary **api.AttachedPermissionsBoundary, arn *string) error {
	old := ""
	if *boundary != nil {
		old = value((*boundary).PermissionsBoundaryArn)
	}
	if value(arn) == old {
		return nil
	}
	if arn != nil {
		if err := s.exists(tx, scope, *arn, "Scope ARN: "+*arn+" does not exist or is not attachable."); err != nil {
			return err
		}
		if err := s.count(tx, scope, *arn, 0, 1); err != nil {
			return err
		}
	}
	if old != "" {
		if err := s.count(tx, scope, old, 0, -1); err != nil {
			return err
		}
	}
	*boundary = nil
	if arn != nil {
		*boundary = &api.AttachedPermissionsBoundary{PermissionsBoundaryType: new("Policy"), PermissionsBoundaryArn: arn}
	}
	return nil
}
