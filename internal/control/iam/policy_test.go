package iam_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/policy"
)

// TestPolicyVersions walks Terraform's update of a policy: a new default
// version, the oldest going when there are five.
func TestPolicyVersions(t *testing.T) {
	f := newFixture(t)
	arn := f.policy(t, "p")
	version := func(resource string, isDefault bool) error {
		document := strings.Replace(putObject, "a+b c", resource, 1)
		_, err := f.CreatePolicyVersion(f.Call, &api.CreatePolicyVersionRequest{PolicyArn: arn, PolicyDocument: &document, SetAsDefault: &isDefault})
		return err
	}
	for i := range 4 {
		ok(t, version(fmt.Sprint(i), i == 3))
	}
	fails(t, version("x", true), "LimitExceeded",
		"A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
	list := must(f.ListPolicyVersions(f.Call, &api.ListPolicyVersionsRequest{PolicyArn: arn}))(t).Versions
	if len(list) != 5 || *list[0].VersionId != "v5" || !*list[0].IsDefaultVersion || *list[4].VersionId != "v1" || *list[4].IsDefaultVersion || list[0].Document != nil {
		t.Errorf("versions %+v", list)
	}
	deletion := func(id string) error {
		return f.DeletePolicyVersion(f.Call, &api.DeletePolicyVersionRequest{PolicyArn: arn, VersionId: &id})
	}
	fails(t, deletion("v5"), "DeleteConflict", "Cannot delete the default version of a policy.")
	ok(t, deletion("v1"))
	fails(t, deletion("v1"), "NoSuchEntity", "Policy "+*arn+" version v1 does not exist or is not attachable.")
	ok(t, version("y", false))
	got := must(f.GetPolicyVersion(f.Call, &api.GetPolicyVersionRequest{PolicyArn: arn, VersionId: new("v6")}))(t).PolicyVersion
	if text, err := url.QueryUnescape(*got.Document); err != nil || !strings.Contains(text, "b/y") || *got.IsDefaultVersion {
		t.Errorf("version 6: %s, %v", text, err)
	}
	ok(t, f.SetDefaultPolicyVersion(f.Call, &api.SetDefaultPolicyVersionRequest{PolicyArn: arn, VersionId: new("v6")}))
	if p := must(f.GetPolicy(f.Call, &api.GetPolicyRequest{PolicyArn: arn}))(t).Policy; *p.DefaultVersionId != "v6" || p.Description != nil {
		t.Errorf("policy %+v", p)
	}
	fails(t, f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: arn}), "DeleteConflict",
		"This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	for _, id := range []string{"v2", "v3", "v4", "v5"} {
		ok(t, deletion(id))
	}
	ok(t, f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: arn}))
	fails(t, f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: arn}), "NoSuchEntity", "Policy "+*arn+" was not found.")
}

func TestPolicyErrors(t *testing.T) {
	f := newFixture(t)
	f.policy(t, "p")
	create := func(name, document string) error {
		_, err := f.CreatePolicy(f.Call, &api.CreatePolicyRequest{PolicyName: &name, PolicyDocument: &document})
		return err
	}
	get := func(arn string) error {
		_, err := f.GetPolicy(f.Call, &api.GetPolicyRequest{PolicyArn: &arn})
		return err
	}
	large := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:` + strings.Repeat("a", 6200) + `","Resource":"*"}]}`
	tests := []struct {
		name          string
		err           error
		code, message string
	}{
		{"twice", create("P", putObject), "EntityAlreadyExists", "A policy called P already exists. Duplicate names are not allowed."},
		{"malformed", create("q", "{}"), "MalformedPolicyDocument", "Syntax errors in policy."},
		{"large", create("q", large), "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"},
		{"get", get("arn:aws:iam::123456789012:policy/q"), "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/q was not found."},
		{"get of a wrong path", get("arn:aws:iam::123456789012:policy/x/p"), "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/x/p was not found."},
		{"get no ARN", get("arn:aws:lambda:us-east-1:1:function:x"), "ValidationError", "Invalid ARN:  Could not be parsed!"},
		{"delete AWS's", f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: new(basic)}), "AccessDenied", "Policies that AWS manages can't be changed: " + basic},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { fails(t, tt.err, tt.code, tt.message) })
	}
}

func TestListPolicies(t *testing.T) {
	f := newFixture(t)
	f.role(t, "r")
	own := f.policy(t, "own")
	const rare = "arn:aws:iam::aws:policy/service-role/SomethingRare"
	for _, arn := range []string{*own, rare} {
		ok(t, f.AttachRolePolicy(f.Call, &api.AttachRolePolicyRequest{RoleName: new("r"), PolicyArn: &arn}))
	}
	must(f.CreatePolicy(f.Call, &api.CreatePolicyRequest{PolicyName: new("idle"), PolicyDocument: new(putObject), Path: new("/p/")}))(t)
	list := func(in api.ListPoliciesRequest) (names []string) {
		t.Helper()
		for {
			out := must(f.ListPolicies(f.Call, &in))(t)
			for _, p := range out.Policies {
				names = append(names, *p.PolicyName)
			}
			if !*out.IsTruncated {
				return names
			}
			in.Marker = out.Marker
		}
	}
	tests := []struct {
		name string
		in   api.ListPoliciesRequest
		want string
	}{
		{"local", api.ListPoliciesRequest{Scope: new("Local")}, "own idle"},
		{"local by one", api.ListPoliciesRequest{Scope: new("Local"), MaxItems: new(int32(1))}, "own idle"},
		{"path", api.ListPoliciesRequest{Scope: new("Local"), PathPrefix: new("/p/")}, "idle"},
		{"attached", api.ListPoliciesRequest{OnlyAttached: new(true)}, "own SomethingRare"},
		{"boundaries", api.ListPoliciesRequest{OnlyAttached: new(true), PolicyUsageFilter: new("PermissionsBoundary")}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(list(tt.in), " "); got != tt.want {
				t.Errorf("policies %q, want %q", got, tt.want)
			}
		})
	}
	all := list(api.ListPoliciesRequest{})
	if got, want := len(list(api.ListPoliciesRequest{Scope: new("AWS")})), len(all)-2; got != want {
		t.Errorf("%d of AWS, want %d", got, want)
	}

	entities := must(f.ListEntitiesForPolicy(f.Call, &api.ListEntitiesForPolicyRequest{PolicyArn: own}))(t)
	if len(entities.PolicyRoles) != 1 || *entities.PolicyRoles[0].RoleName != "r" || len(entities.PolicyUsers)+len(entities.PolicyGroups) != 0 {
		t.Errorf("entities %+v", entities)
	}
	// The text of a policy that isn't known can't be had, and says so.
	_, err := f.GetPolicyVersion(f.Call, &api.GetPolicyVersionRequest{PolicyArn: new(rare), VersionId: new("v1")})
	fails(t, err, "NotImplementedException", "gatehouse doesn't have the document of the AWS managed policy "+rare+"; it can be attached.")
}

// TestAWSDocuments checks that every document known is well formed.
func TestAWSDocuments(t *testing.T) {
	f := newFixture(t)
	in := &api.ListPoliciesRequest{Scope: new("AWS"), MaxItems: new(int32(1000))}
	for _, p := range must(f.ListPolicies(f.Call, in))(t).Policies {
		v := must(f.GetPolicyVersion(f.Call, &api.GetPolicyVersionRequest{PolicyArn: p.Arn, VersionId: p.DefaultVersionId}))(t).PolicyVersion
		text, err := url.QueryUnescape(*v.Document)
		if err != nil || !json.Valid([]byte(text)) {
			t.Errorf("%s: %s", *p.Arn, text)
		}
		if _, err := policy.Parse(policy.Managed, text); err != nil {
			t.Errorf("%s: %v", *p.Arn, err)
		}
	}
}

func TestPolicyTags(t *testing.T) {
	f := newFixture(t)
	arn := f.policy(t, "p")
	ok(t, f.TagPolicy(f.Call, &api.TagPolicyRequest{PolicyArn: arn, Tags: []api.Tag{{Key: new("b"), Value: new("1")}, {Key: new("a"), Value: new("2")}}}))
	ok(t, f.UntagPolicy(f.Call, &api.UntagPolicyRequest{PolicyArn: arn, TagKeys: []string{"c"}}))
	first := must(f.ListPolicyTags(f.Call, &api.ListPolicyTagsRequest{PolicyArn: arn, MaxItems: new(int32(1))}))(t)
	if len(first.Tags) != 1 || *first.Tags[0].Key != "a" || !*first.IsTruncated {
		t.Errorf("first page %+v", first)
	}
	second := must(f.ListPolicyTags(f.Call, &api.ListPolicyTagsRequest{PolicyArn: arn, Marker: first.Marker}))(t)
	if len(second.Tags) != 1 || *second.Tags[0].Key != "b" || *second.IsTruncated {
		t.Errorf("second page %+v", second)
	}
	many := make([]api.Tag, 50)
	for i := range many {
		many[i] = api.Tag{Key: new(fmt.Sprintf("k%d", i)), Value: new("v")}
	}
	fails(t, f.TagPolicy(f.Call, &api.TagPolicyRequest{PolicyArn: arn, Tags: many}), "LimitExceeded", "The number of tags has reached the maximum limit.")
}
