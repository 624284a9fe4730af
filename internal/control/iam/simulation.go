package iam

import (
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/policy"
)

// A simulation is the policies whose word is asked, and who is supposed to act.
type simulation struct {
	account  string
	policies []*simulated
	// boundary is nil for none; a question may bring another.
	boundary *simulated
	caller   policy.Caller
	keys     policy.KeyMap
}

// A question is what is asked of a simulation: both operations have it.
type question struct {
	actions, resources, boundary          []string
	resourcePolicy, owner, caller, marker *string
	context                               []api.ContextEntry
	maxItems                              *int32
}

// simulateUser makes a user the one who acts.
func (m *simulation) simulateUser(text, userID string, tags map[string][]string) {
	m.caller = policy.Caller{Account: m.account, ARN: text, UserID: userID}
	for key, values := range PrincipalKeys("User", m.account, text, userID, tags) {
		m.keys[key] = values
	}
	if a, err := arn.Parse(text); err == nil {
		m.keys["aws:username"] = []string{a.Name()}
	}
}

// simulateRole makes a session of a role the one who acts; which, isn't known.
func (m *simulation) simulateRole(text string, tags map[string][]string) {
	m.caller = policy.Caller{Account: m.account, ARN: text, RoleARN: text}
	for key, values := range tags {
		m.keys[key] = values
	}
	m.keys["aws:principalarn"] = []string{text}
	m.keys["aws:principalaccount"] = []string{m.account}
	m.keys["aws:principaltype"] = []string{"AssumedRole"}
}

// answer simulates every action on every resource: a result for each action,
// with one for each resource in it.
func (m *simulation) answer(q question) (*api.SimulatePolicyResponse, error) {
	p, err := newPager(q.marker, q.maxItems)
	if err != nil {
		return nil, err
	}
	resource, owner, err := m.take(q)
	if err != nil {
		return nil, err
	}
	ids, actions := make([]string, len(q.actions)), map[string]string{}
	for i, action := range q.actions {
		service, name, ok := strings.Cut(action, ":")
		if !ok || service == "" || name == "" || strings.ContainsAny(action, "*? ") {
			// UNVERIFIED: the words.
			return nil, invalidInput("Invalid Action: " + action + " must name one action of one service.")
		}
		ids[i] = position6(i)
		actions[ids[i]] = action
	}
	resources := q.resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	out := &api.SimulatePolicyResponse{EvaluationResults: []api.EvaluationResult{}}
	pageOf(p, ids, func(id string) {
		out.EvaluationResults = append(out.EvaluationResults, m.result(actions[id], resources, resource, owner))
	})
	out.IsTruncated, out.Marker = p.isTruncated(), p.marker()
	return out, nil
}

// position6 is a number as an id that sorts.
func position6(n int) string {
	text := strconv.Itoa(n)
	return strings.Repeat("0", max(0, 6-len(text))) + text
}

// take reads what a question brings along: boundary, the resource's policy and
// its owner, caller and keys.
func (m *simulation) take(q question) (resource *simulated, owner string, err error) {
	if len(q.boundary) > 0 {
		if m.boundary, err = newSimulated(policy.Managed, "PermissionsBoundaryPolicyInputList.1", boundaryPolicy, q.boundary[0]); err != nil {
			return nil, "", err
		}
	}
	if q.caller != nil {
		a, err := arn.Parse(*q.caller)
		if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "user/") {
			return nil, "", invalidInput("CallerArn must be the ARN of an IAM user.")
		}
		was := m.account
		m.account = a.Account
		m.simulateUser(*q.caller, m.caller.UserID, nil)
		m.account = was
	}
	owner = m.caller.Account
	if a, err := arn.Parse(value(q.owner)); err == nil {
		owner = a.Account
	}
	if q.resourcePolicy != nil {
		if m.caller.ARN == "" {
			return nil, "", invalidInput("CallerArn is required with a ResourcePolicy unless the policies simulated are a user's.")
		}
		if resource, err = newSimulated(policy.Resource, "ResourcePolicy", resourcePolicy, *q.resourcePolicy); err != nil {
			return nil, "", err
		}
	}
	for _, e := range q.context {
		m.keys[strings.ToLower(value(e.ContextKeyName))] = e.ContextKeyValues
	}
	return resource, owner, nil
}

// result simulates one action. The whole is the most restrictive of what holds
// for the resources.
func (m *simulation) result(action string, resources []string, resource *simulated, owner string) api.EvaluationResult {
	out := api.EvaluationResult{
		EvalActionName: &action, EvalResourceName: &resources[0], EvalDecision: new(api.PolicyEvaluationDecisionTypeAllowed),
		MatchedStatements: []api.Statement{}, MissingContextValues: []string{},
	}
	if len(resources) > 1 {
		out.EvalResourceName = new("*") // UNVERIFIED
	}
	missing := m.missing(resource)
	bounded := true
	for _, name := range resources {
		one := m.ask(action, name, resource, owner)
		if restrictive(*one.EvalResourceDecision) > restrictive(*out.EvalDecision) {
			out.EvalDecision, out.MatchedStatements = one.EvalResourceDecision, nil
		}
		if *one.EvalResourceDecision == *out.EvalDecision {
			out.MatchedStatements = union(out.MatchedStatements, one.MatchedStatements)
		}
		if d := one.PermissionsBoundaryDecisionDetail; d != nil {
			bounded = bounded && *d.AllowedByPermissionsBoundary
			out.PermissionsBoundaryDecisionDetail = &api.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: &bounded}
		}
		if name == "*" {
			out.MissingContextValues = missing
			continue
		}
		one.MissingContextValues = missing
		out.ResourceSpecificResults = append(out.ResourceSpecificResults, one)
	}
	return out
}

// restrictive orders decisions.
func restrictive(decision string) int {
	return slices.Index([]string{
		api.PolicyEvaluationDecisionTypeAllowed, api.PolicyEvaluationDecisionTypeImplicitDeny, api.PolicyEvaluationDecisionTypeExplicitDeny,
	}, decision)
}

// union adds statements that aren't among those there are.
func union(to, more []api.Statement) []api.Statement {
	for _, s := range more {
		if !slices.ContainsFunc(to, func(o api.Statement) bool {
			return *o.SourcePolicyId == *s.SourcePolicyId && *o.StartPosition.Line == *s.StartPosition.Line && *o.StartPosition.Column == *s.StartPosition.Column
		}) {
			to = append(to, s)
		}
	}
	return to
}

// ask simulates one action on one resource.
func (m *simulation) ask(action, name string, resource *simulated, owner string) api.ResourceSpecificResult {
	r := policy.Request{Action: action, Resource: name, Caller: m.caller, Keys: m.keys}
	if r.Caller.ARN == "" {
		// Nobody in particular has these policies.
		r.Caller.ARN, r.Caller.Account = "arn:aws:iam::"+m.account+":user/simulated", m.account
	}
	subject := &policy.Subject{}
	for _, p := range m.policies {
		subject.Identity = append(subject.Identity, p.document)
	}
	out := api.ResourceSpecificResult{EvalResourceName: &name, MatchedStatements: []api.Statement{}}
	asked := m.policies
	if m.boundary != nil {
		subject.Boundary = m.boundary.document
		out.PermissionsBoundaryDecisionDetail = &api.PermissionsBoundaryDecisionDetail{
			AllowedByPermissionsBoundary: new(m.boundary.document.Decide(&r) == policy.Allowed),
		}
		asked = append(asked[:len(asked):len(asked)], m.boundary)
	}
	var verdict policy.Verdict
	if resource == nil {
		verdict = subject.Decide(&r)
	} else {
		verdict = policy.Evaluate(subject, resource.document, &r, owner)
		asked = append(asked[:len(asked):len(asked)], resource)
		if owner != r.Caller.Account {
			out.EvalDecisionDetails = map[string]string{
				identityPolicy: worded(subject.Decide(&r).Decision), resourcePolicy: worded(resource.document.Decide(&r)),
			}
		}
	}
	out.EvalResourceDecision = new(worded(verdict.Decision))
	// Only what decides is told: Deny statements where there is one.
	wanted := policy.Allowed
	if verdict.Decision == policy.Denied {
		wanted = policy.Denied
	}
	for _, p := range asked {
		if p != m.boundary || wanted == policy.Denied {
			out.MatchedStatements = p.matched(out.MatchedStatements, &r, wanted)
		}
	}
	return out
}

// worded is a decision in the words of EvalDecision.
func worded(d policy.Decision) string {
	switch d {
	case policy.Allowed:
		return api.PolicyEvaluationDecisionTypeAllowed
	case policy.Denied:
		return api.PolicyEvaluationDecisionTypeExplicitDeny
	}
	return api.PolicyEvaluationDecisionTypeImplicitDeny
}

// contextKeys are the condition keys that the policies speak of.
func (m *simulation) contextKeys() []string {
	names := []string{}
	for _, p := range append(m.policies, m.boundary) {
		if p != nil {
			names = p.contextKeys(names)
		}
	}
	return names
}

// missing are those that aren't known.
func (m *simulation) missing(resource *simulated) []string {
	names := m.contextKeys()
	if resource != nil {
		names = resource.contextKeys(names)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		_, known := m.keys[strings.ToLower(name)]
		return known
	})
}
