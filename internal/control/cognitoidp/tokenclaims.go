package cognitoidp

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
)

// claims are a token's; JSON writes them sorted.
type claims map[string]any

// A groupConfiguration is what a token says of a user's groups.
type groupConfiguration struct {
	Groups    []string `json:"groupsToOverride"`
	Roles     []string `json:"iamRolesToOverride"`
	Preferred *string  `json:"preferredRole"`
}

// groupsOf sorts a user's groups by their precedence, those without one last. The
// role of the first that has one is preferred, unless another of the same
// precedence has another role.
func groupsOf(all []api.GroupType) groupConfiguration {
	const none = int32(1<<31 - 1)
	rank := func(g api.GroupType) int32 { return *or(g.Precedence, none) }
	slices.SortStableFunc(all, func(a, b api.GroupType) int {
		if rank(a) != rank(b) {
			if rank(a) < rank(b) {
				return -1
			}
			return 1
		}
		return strings.Compare(*a.GroupName, *b.GroupName)
	})
	out := groupConfiguration{Groups: []string{}, Roles: []string{}}
	preferred := none
	ambiguous := false
	for _, g := range all {
		out.Groups = append(out.Groups, *g.GroupName)
		if g.RoleArn == nil {
			continue
		}
		if !slices.Contains(out.Roles, *g.RoleArn) {
			out.Roles = append(out.Roles, *g.RoleArn)
		}
		switch {
		case g.Precedence == nil:
		case out.Preferred == nil && !ambiguous:
			out.Preferred, preferred = g.RoleArn, *g.Precedence
		case *g.Precedence == preferred && out.Preferred != nil && *out.Preferred != *g.RoleArn:
			out.Preferred, ambiguous = nil, true
		}
	}
	return out
}

// add puts the groups into a token; roles are an ID token's only.
func (g groupConfiguration) add(c claims, roles bool) {
	if len(g.Groups) > 0 {
		c["cognito:groups"] = g.Groups
	}
	if roles && len(g.Roles) > 0 {
		c["cognito:roles"] = g.Roles
	}
	if roles && g.Preferred != nil {
		c["cognito:preferred_role"] = *g.Preferred
	}
}

// addAttributes puts a user's attributes into an ID token. Only those of the pool
// itself are texts whatever they mean.
func addAttributes(c claims, attributes []api.AttributeType) {
	for _, a := range attributes {
		name, text := *a.Name, value(a.Value)
		switch name {
		case "email_verified", "phone_number_verified":
			c[name] = text == "true"
		case "address":
			c[name] = map[string]string{"formatted": text}
		case "updated_at":
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				c[name] = n
			}
		default:
			c[name] = text
		}
	}
	// An address is either verified or not.
	for _, address := range [...]string{"email", "phone_number"} {
		if _, said := c[address+"_verified"]; c[address] != nil && !said {
			c[address+"_verified"] = false
		}
	}
}

// scopeAttributes are the attributes that scopes of OpenID Connect show.
func scopeAttributes(scopes []string, name string) bool {
	switch {
	case name == "sub":
		return true
	case name == "email" || name == "email_verified":
		return slices.Contains(scopes, "email")
	case name == "phone_number" || name == "phone_number_verified":
		return slices.Contains(scopes, "phone")
	}
	return slices.Contains(scopes, "profile")
}

// protected are the claims that no function changes.
var protected = []string{
	"acr", "amr", "at_hash", "auth_time", "aud", "azp", "client_id", "cognito:username", "device_key", "event_id", "exp", "iat", "identities",
	"iss", "jti", "nonce", "origin_jti", "sub", "token_use", "username", "version", "scope", "cognito:groups", "cognito:roles", "cognito:preferred_role",
}

// A claimChange is what a function wants of a token's claims.
type claimChange struct {
	Add      map[string]json.RawMessage `json:"claimsToAddOrOverride"`
	Suppress []string                   `json:"claimsToSuppress"`
}

func (ch *claimChange) apply(c claims) {
	if ch == nil {
		return
	}
	for name, v := range ch.Add {
		if !slices.Contains(protected, name) && string(v) != "null" {
			c[name] = v
		}
	}
	for _, name := range ch.Suppress {
		if !slices.Contains(protected, name) {
			delete(c, name)
		}
	}
}

// preTokenResponse has the members of both versions of the response.
type preTokenResponse struct {
	// One is version 1's.
	One *struct {
		claimChange
		Groups *groupConfiguration `json:"groupOverrideDetails"`
	} `json:"claimsOverrideDetails,omitempty"`
	// Two is that of versions 2 and 3.
	Two *struct {
		ID     *claimChange `json:"idTokenGeneration"`
		Access *struct {
			claimChange
			AddScopes      []string `json:"scopesToAdd"`
			SuppressScopes []string `json:"scopesToSuppress"`
		} `json:"accessTokenGeneration"`
		Groups *groupConfiguration `json:"groupOverrideDetails"`
	} `json:"claimsAndScopeOverrideDetails,omitempty"`
}

// groups are those that the tokens name in the end.
func (r *preTokenResponse) groups(were groupConfiguration) groupConfiguration {
	var changed *groupConfiguration
	switch {
	case r.One != nil:
		changed = r.One.Groups
	case r.Two != nil:
		changed = r.Two.Groups
	}
	if changed == nil || changed.Groups == nil && changed.Roles == nil && changed.Preferred == nil {
		return were
	}
	return *changed
}

func (r *preTokenResponse) id(c claims) {
	if r.One != nil {
		r.One.apply(c)
	}
	if r.Two != nil {
		r.Two.ID.apply(c)
	}
}

// access changes an access token, which version 1 can't.
func (r *preTokenResponse) access(c claims, scopes []string) {
	if r.Two == nil || r.Two.Access == nil {
		return
	}
	a := r.Two.Access
	a.apply(c)
	scopes = slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return slices.Contains(a.SuppressScopes, s) })
	for _, s := range a.AddScopes {
		if s != "" && !strings.ContainsAny(s, " \t\r\n") && !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	c["scope"] = strings.Join(scopes, " ")
}
