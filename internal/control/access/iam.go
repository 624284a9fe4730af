package access

import (
	"strings"

	"gatehouse/internal/arn"
)

// iam: users, roles, groups and instance profiles by their ARNs, which hold
// their paths; policies by theirs.
func (r *request) iam() []need {
	n := need{action: "iam:" + r.Operation, resource: r.iamResource(), keys: map[string][]string{}}
	for key, name := range map[string]string{
		"iam:policyarn": "PolicyArn", "iam:permissionsboundary": "PermissionsBoundary", "iam:awsservicename": "AWSServiceName",
	} {
		if v := text(r.Input, name); v != "" {
			n.keys[key] = []string{v}
		}
	}
	r.tagged(&n, n.resource)
	r.bounded(&n)
	out := []need{n}
	switch r.Operation {
	case "UpdateUser", "UpdateGroup":
		// The one and what it becomes.
		kind, member := "user", "NewUserName"
		if r.Operation == "UpdateGroup" {
			kind, member = "group", "NewGroupName"
		}
		if to := r.moved(n.resource, kind, text(r.Input, "NewPath"), text(r.Input, member)); to != n.resource {
			out = append(out, need{action: n.action, resource: to})
		}
	case "AddRoleToInstanceProfile":
		out = r.passing(out, r.identity("role", text(r.Input, "RoleName")), "ec2.amazonaws.com")
	}
	return out
}

// bounded adds the boundary that the user or role in question has, which is
// what iam:PermissionsBoundary means for all that doesn't set one.
func (r *request) bounded(n *need) {
	if _, ok := n.keys["iam:permissionsboundary"]; ok || strings.HasPrefix(r.Operation, "Create") {
		return
	}
	if v := r.identities.Named(n.resource); v != nil && v.BoundaryARN != "" {
		n.keys["iam:permissionsboundary"] = []string{v.BoundaryARN}
	}
}

// iamResource is what an operation of IAM is about. Where the input has several
// names, the first of these counts.
func (r *request) iamResource() string {
	switch r.Operation {
	case "CreateUser", "CreateRole", "CreateGroup", "CreateInstanceProfile", "CreatePolicy":
		for kind, member := range map[string]string{
			"user": "UserName", "role": "RoleName", "group": "GroupName", "instance-profile": "InstanceProfileName", "policy": "PolicyName",
		} {
			if name := text(r.Input, member); name != "" {
				return r.global("iam", kind+pathOr(text(r.Input, "Path"))+name)
			}
		}
	case "CreateServiceLinkedRole":
		return r.global("iam", "role/aws-service-role/"+text(r.Input, "AWSServiceName")+"/AWSServiceRoleFor")
	case "ListUsers", "ListRoles", "ListGroups", "ListInstanceProfiles":
		kind := map[string]string{"ListUsers": "user", "ListRoles": "role", "ListGroups": "group", "ListInstanceProfiles": "instance-profile"}
		return r.global("iam", kind[r.Operation]+pathOr(text(r.Input, "PathPrefix")))
	case "ListPolicies":
		return "policy path " + pathOr(text(r.Input, "PathPrefix"))
	case "GetAccessKeyLastUsed":
		if k, ok := r.identities.Key(text(r.Input, "AccessKeyId")); ok && k.Account == r.Account {
			return k.ARN
		}
		return "*"
	}
	for _, m := range [...]struct{ member, kind string }{
		{"InstanceProfileName", "instance-profile"}, {"GroupName", "group"}, {"RoleName", "role"}, {"UserName", "user"},
	} {
		if name := text(r.Input, m.member); name != "" {
			return r.identity(m.kind, name)
		}
	}
	for _, member := range [...]string{"PolicyArn", "PolicySourceArn", "OpenIDConnectProviderArn", "SAMLProviderArn", "Arn"} {
		if v := text(r.Input, member); v != "" {
			return v
		}
	}
	if has(r.Input, "UserName") && strings.HasPrefix(r.Principal.ARN, "arn:") {
		if a, err := arn.Parse(r.Principal.ARN); err == nil && strings.HasPrefix(a.Resource, "user/") {
			return r.Principal.ARN // who names nobody means themselves
		}
	}
	return "*"
}

// identity is the ARN of what has a name; of what doesn't exist, the one it
// would have at the root.
func (r *request) identity(kind, name string) string {
	if at := r.identities.ARN(kind, r.Account, name); at != "" {
		return at
	}
	return r.global("iam", kind+"/"+name)
}

// moved is the ARN of an identity that gets another path or name.
func (r *request) moved(from, kind, path, name string) string {
	a, err := arn.Parse(from)
	if err != nil {
		return from
	}
	if name == "" {
		name = a.Name()
	}
	if path == "" {
		path = strings.TrimSuffix(strings.TrimPrefix(a.Resource, kind), a.Name())
	}
	return r.global("iam", kind+path+name)
}

func pathOr(path string) string {
	if path == "" {
		return "/"
	}
	return path
}
