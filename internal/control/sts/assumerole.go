package sts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/policy"
)

// How long a role's sessions last unless asked otherwise, and how long at most
// when they are assumed from another role's session.
const (
	defaultRoleSession = time.Hour
	maxChainedSession  = time.Hour
)

// AssumeRole makes a session of a role for a caller its trust policy lets in.
func (s *Service) AssumeRole(c *awswire.Call, in *api.AssumeRoleRequest) (*api.AssumeRoleResponse, error) {
	if _, err := arn.Parse(*in.RoleArn); err != nil {
		return nil, invalid(*in.RoleArn + " is invalid")
	}
	if err := noMFA(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	policyARNs, err := checkBounds(in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	caller := s.caller(c)
	tags, transitive, err := sessionTags(in, caller)
	if err != nil {
		return nil, err
	}
	role, err := s.roles.Role(c, *in.RoleArn)
	if errors.Is(err, iam.ErrNoRole) {
		return nil, notAuthorized(c, "sts:AssumeRole", *in.RoleArn)
	}
	if err != nil {
		return nil, err
	}
	if err := s.trusts(c, in, role); err != nil {
		return nil, err
	}
	duration := seconds(in.DurationSeconds, defaultRoleSession)
	if duration > time.Duration(role.MaxSession)*time.Second {
		return nil, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if caller.RoleARN != "" && duration > maxChainedSession {
		return nil, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	packed, err := packedSize(in.Policy, policyARNs, tags)
	if err != nil {
		return nil, err
	}
	v := roleSession(role, *in.RoleSessionName)
	v.Tags, v.Transitive, v.Policy, v.PolicyARNs = tags, transitive, value(in.Policy), policyARNs
	v.SourceIdentity = value(in.SourceIdentity)
	if v.SourceIdentity == "" {
		v.SourceIdentity = caller.SourceIdentity
	}
	token, err := s.issue(v, c.Time, duration)
	if err != nil {
		return nil, err
	}
	out := &api.AssumeRoleResponse{
		Credentials:     shown(v, token),
		AssumedRoleUser: &api.AssumedRoleUser{Arn: &v.ARN, AssumedRoleId: &v.UserID},
	}
	if in.Policy != nil || len(policyARNs)+len(tags) > 0 {
		out.PackedPolicySize = &packed
	}
	if v.SourceIdentity != "" {
		out.SourceIdentity = &v.SourceIdentity
	}
	return out, nil
}

// roleSession is a session of a role, without its keys.
func roleSession(role *iam.Role, name string) *Session {
	partition := "aws"
	if a, err := arn.Parse(role.ARN); err == nil {
		partition = a.Partition
	}
	return &Session{
		Account: role.Account, RoleARN: role.ARN, UserID: role.ID + ":" + name,
		ARN: "arn:" + partition + ":sts::" + role.Account + ":assumed-role/" + role.Name + "/" + name,
	}
}

// caller is the session the caller came with; an empty one for a user or root.
func (s *Service) caller(c *awswire.Call) *Session {
	if temporary(c) {
		if v, err := s.sessions.open(c.Principal.AccessKeyID, c.Principal.SessionToken); err == nil {
			return v
		}
	}
	return &Session{}
}

// sessionTags are the tags of the new session: those asked for, and the
// transitive ones of the calling session.
func sessionTags(in *api.AssumeRoleRequest, caller *Session) (tags map[string]string, transitive []string, err error) {
	if tags, err = tagMap(in.Tags); err != nil {
		return nil, nil, err
	}
	for _, key := range in.TransitiveTagKeys {
		key = strings.ToLower(key)
		if _, ok := tags[key]; !ok {
			return nil, nil, invalidParameter("The specified transitive tag key must be included in the requested tags.")
		}
		transitive = append(transitive, key)
	}
	for _, key := range caller.Transitive {
		if _, ok := tags[key]; ok {
			return nil, nil, invalidParameter("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		tags[key] = caller.Tags[key]
		transitive = append(transitive, key)
	}
	return tags, transitive, nil
}

// trusts asks the role's trust policy, and the caller's own.
func (s *Service) trusts(c *awswire.Call, in *api.AssumeRoleRequest, role *iam.Role) error {
	if c.Principal.Root {
		if s.strict {
			return denied("Roles may not be assumed by root accounts.")
		}
		s.log.Warn("root assumes a role, which AWS refuses: use a user's access key, or a role's session", "role", role.ARN)
		return nil
	}
	who, known := s.Credentials.Caller(c.Principal.AccessKeyID, c.Principal.SessionToken)
	if !known {
		return notAuthorized(c, "sts:AssumeRole", role.ARN)
	}
	if who.Unfounded && !s.strict {
		who.Subject = &policy.Subject{Identity: []*policy.Document{s.Credentials.everything}}
	}
	actions := []string{"sts:AssumeRole"}
	if len(in.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != nil {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	ask := policy.Request{Resource: role.ARN, Caller: who.Caller, Keys: assumeKeys{assumeContext(c, in, role), who.Keys}}
	for _, ask.Action = range actions {
		// Unlike other resources a role has to agree, within an account, too.
		switch v := policy.Evaluate(who.Subject, role.Trust, &ask, role.Account); {
		case v.Decision == policy.Allowed && role.Trust.Decide(&ask) == policy.Allowed:
		case v.Decision == policy.Denied:
			if v.Source == policy.ResourceBased {
				v.Source = policy.RoleTrust
			}
			return denied("User: " + c.Principal.ARN + " is not authorized to perform: " + ask.Action + " on resource: " + role.ARN + v.Because(ask.Action))
		default:
			// Without a reason: a role that isn't there is refused in the same words.
			return notAuthorized(c, ask.Action, role.ARN)
		}
	}
	return nil
}

func notAuthorized(c *awswire.Call, action, resource string) error {
	return denied("User: " + c.Principal.ARN + " is not authorized to perform: " + action + " on resource: " + resource)
}

// assumeKeys are the condition keys of the request, then those of the caller.
type assumeKeys struct{ request, caller policy.Keys }

// Lookup implements policy.Keys.
func (k assumeKeys) Lookup(key string) ([]string, bool) {
	if values, ok := k.request.Lookup(key); ok {
		return values, true
	}
	return k.caller.Lookup(key)
}

// assumeContext are the condition keys of a request to become a role.
func assumeContext(c *awswire.Call, in *api.AssumeRoleRequest, role *iam.Role) policy.KeyMap {
	keys := policy.KeyMap{
		"aws:sourceip":        {c.SourceIP},
		"aws:securetransport": {strconv.FormatBool(c.Secure)},
		"aws:currenttime":     {c.Time.UTC().Format(time.RFC3339)},
		"aws:epochtime":       {strconv.FormatInt(c.Time.Unix(), 10)},
		"aws:requestedregion": {c.Region},
		"sts:rolesessionname": {*in.RoleSessionName},
		"sts:durationseconds": {strconv.Itoa(int(seconds(in.DurationSeconds, defaultRoleSession) / time.Second))},
		"aws:resourceaccount": {role.Account},
	}
	if in.ExternalId != nil {
		keys["sts:externalid"] = []string{*in.ExternalId}
	}
	if in.SourceIdentity != nil {
		keys["sts:sourceidentity"] = []string{*in.SourceIdentity}
	}
	if len(in.TransitiveTagKeys) > 0 {
		keys["sts:transitivetagkeys"] = in.TransitiveTagKeys
	}
	for _, t := range in.Tags {
		keys["aws:tagkeys"] = append(keys["aws:tagkeys"], value(t.Key))
		keys["aws:requesttag/"+strings.ToLower(value(t.Key))] = []string{value(t.Value)}
	}
	for key, v := range role.Tags {
		keys["aws:resourcetag/"+key] = []string{v}
		keys["iam:resourcetag/"+key] = []string{v}
	}
	return keys
}

// sessionOf is a session of a role for a part of the gateway itself, which is
// trusted, without its keys. A role that isn't there gets one as well: it has no
// policies, and whether it must exist was for the caller to decide.
func (s *Service) sessionOf(ctx context.Context, roleARN, name string) (*Session, error) {
	role, err := s.roles.Role(ctx, roleARN)
	absent := errors.Is(err, iam.ErrNoRole)
	if absent {
		role, err = s.absentRole(roleARN)
	}
	if err != nil {
		return nil, err
	}
	v := roleSession(role, name)
	v.Unfounded = absent
	return v, nil
}

// absentRole is a role that isn't there. The ARNs of sessions leave out the path
// of their role, so with the name of another one it would pass for that.
func (s *Service) absentRole(roleARN string) (*iam.Role, error) {
	a, err := arn.Parse(roleARN)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return nil, iam.ErrNoRole
	}
	if other := s.Credentials.directory.ARN("role", a.Account, a.Name()); other != "" {
		return nil, fmt.Errorf("%w; the role of that name is %s", iam.ErrNoRole, other)
	}
	return &iam.Role{Account: a.Account, Name: a.Name(), ID: "AROA" + strings.Repeat("A", 17), ARN: roleARN}, nil
}

// CanAssume tells whether the role exists and its trust policy lets in the
// service, as in "lambda.amazonaws.com".
func (s *Service) CanAssume(ctx context.Context, roleARN, service string) (bool, error) {
	role, err := s.roles.Role(ctx, roleARN)
	if errors.Is(err, iam.ErrNoRole) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ask := policy.Request{Action: "sts:AssumeRole", Resource: role.ARN, Caller: policy.Caller{Service: service}}
	return role.Trust.Decide(&ask) == policy.Allowed, nil
}
