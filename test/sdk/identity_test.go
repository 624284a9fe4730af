package sdk

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"gatehouse/test/harness"
)

const (
	lambdaTrust = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}],"Version":"2012-10-17"}`
	writeLogs   = `{"Statement":[{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":"arn:aws:logs:*:*:log-group:/a b/c+d:*"}],"Version":"2012-10-17"}`
	basicRole   = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)

// TestProviderStart makes the calls with which the provider finds out whose
// account it is, by each of its settings.
func TestProviderStart(t *testing.T) {
	gw := harness.Start(t, "")
	who := must(sts.NewFromConfig(gw.Config()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	if *who.Account != account || *who.Arn != "arn:aws:iam::"+account+":root" || *who.UserId != account {
		t.Errorf("identity %s %s %s", *who.Account, *who.Arn, *who.UserId)
	}
	client := iam.NewFromConfig(gw.Config())
	user := must(client.GetUser(t.Context(), &iam.GetUserInput{}))(t).User
	if *user.Arn != "arn:aws:iam::"+account+":root" {
		t.Errorf("user %s", *user.Arn)
	}
	must(client.ListRoles(t.Context(), &iam.ListRolesInput{MaxItems: new(int32(1))}))(t)
}

// readRole is a refresh of aws_iam_role.
func readRole(t *testing.T, client *iam.Client, name string) (role types.Role, inline map[string]string, attached []string) {
	t.Helper()
	ctx := t.Context()
	role = *must(client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name}))(t).Role
	inline = map[string]string{}
	names := iam.NewListRolePoliciesPaginator(client, &iam.ListRolePoliciesInput{RoleName: &name})
	for names.HasMorePages() {
		for _, p := range must(names.NextPage(ctx))(t).PolicyNames {
			out := must(client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &p}))(t)
			inline[p] = must(url.QueryUnescape(*out.PolicyDocument))(t)
		}
	}
	policies := iam.NewListAttachedRolePoliciesPaginator(client, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	for policies.HasMorePages() {
		for _, p := range must(policies.NextPage(ctx))(t).AttachedPolicies {
			attached = append(attached, *p.PolicyArn)
		}
	}
	return role, inline, attached
}

func TestRole(t *testing.T) {
	client := iam.NewFromConfig(harness.Start(t, "").Config())
	ctx := t.Context()
	name := new("hello")
	must(client.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: name, Path: new("/"), AssumeRolePolicyDocument: new(lambdaTrust), MaxSessionDuration: new(int32(3600)),
		Tags: []types.Tag{{Key: new("Name"), Value: new("hello")}},
	}))(t)
	got, inline, attached := readRole(t, client, "hello")
	want := types.Role{
		Arn: new("arn:aws:iam::" + account + ":role/hello"), CreateDate: recent(t, "CreateDate", got.CreateDate), Path: new("/"),
		RoleId: present(t, "RoleId", got.RoleId), RoleName: name, MaxSessionDuration: new(int32(3600)),
		AssumeRolePolicyDocument: new(strings.ReplaceAll(url.QueryEscape(lambdaTrust), "+", "%20")),
		RoleLastUsed:             &types.RoleLastUsed{}, Tags: []types.Tag{{Key: new("Name"), Value: new("hello")}},
	}
	same(t, "role after create", got, want)
	if len(inline)+len(attached) != 0 {
		t.Errorf("a new role has policies: %v %v", inline, attached)
	}

	// Update: every attribute changes; tags go first.
	boundary := must(client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: new("boundary"), PolicyDocument: new(writeLogs), Description: new(""), Path: new("/")}))(t).Policy.Arn
	must(client.UntagRole(ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"Name"}}))(t)
	must(client.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: new("Env"), Value: new("")}}}))(t)
	trust := strings.Replace(lambdaTrust, "lambda", "apigateway", 1)
	must(client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: &trust}))(t)
	must(client.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: name, Description: new("says hello")}))(t)
	must(client.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, MaxSessionDuration: new(int32(7200))}))(t)
	must(client.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: boundary}))(t)
	must(client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: new("logs"), PolicyDocument: new(writeLogs)}))(t)
	must(client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: new(basicRole)}))(t)
	got, inline, attached = readRole(t, client, "hello")
	want.AssumeRolePolicyDocument = new(strings.ReplaceAll(url.QueryEscape(trust), "+", "%20"))
	want.Description, want.MaxSessionDuration = new("says hello"), new(int32(7200))
	want.Tags = []types.Tag{{Key: new("Env"), Value: new("")}}
	want.PermissionsBoundary = &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: boundary, PermissionsBoundaryType: "Policy"}
	same(t, "role after update", got, want)
	same(t, "inline policies", inline, map[string]string{"logs": writeLogs})
	same(t, "attached policies", attached, []string{basicRole})

	// Back to what it was.
	must(client.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: name, Description: new("")}))(t)
	must(client.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name}))(t)
	got, _, _ = readRole(t, client, "hello")
	want.Description, want.PermissionsBoundary = nil, nil
	same(t, "role after the second update", got, want)

	// Delete, forced.
	_, err := client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	fails(t, err, "DeleteConflict")
	if profiles := must(client.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: name}))(t); len(profiles.InstanceProfiles) != 0 {
		t.Errorf("profiles %v", profiles.InstanceProfiles)
	}
	must(client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: new(basicRole)}))(t)
	must(client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: new("logs")}))(t)
	must(client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))(t)
	_, err = client.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	fails(t, err, "NoSuchEntity")
}

func TestRolePolicyAndAttachment(t *testing.T) {
	client := iam.NewFromConfig(harness.Start(t, "").Config())
	ctx := t.Context()
	name := new("hello")
	must(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, Path: new("/"), AssumeRolePolicyDocument: new(lambdaTrust)}))(t)

	// aws_iam_role_policy
	must(client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: new("p"), PolicyDocument: new(writeLogs)}))(t)
	out := must(client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: new("p")}))(t)
	if got := must(url.QueryUnescape(*out.PolicyDocument))(t); got != writeLogs || *out.RoleName != "hello" || *out.PolicyName != "p" {
		t.Errorf("inline policy %s of %s: %s", *out.PolicyName, *out.RoleName, got)
	}
	must(client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: new("p")}))(t)
	_, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: new("p")})
	fails(t, err, "NoSuchEntity")

	// aws_iam_role_policy_attachment
	must(client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: new(basicRole)}))(t)
	_, _, attached := readRole(t, client, "hello")
	same(t, "attached", attached, []string{basicRole})
	must(client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: new(basicRole)}))(t)
	_, err = client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: new(basicRole)})
	fails(t, err, "NoSuchEntity")
	must(client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))(t)
	_, err = client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
	fails(t, err, "NoSuchEntity")
}

func TestPolicy(t *testing.T) {
	client := iam.NewFromConfig(harness.Start(t, "").Config())
	ctx := t.Context()
	// The provider sends an empty description for one that isn't set.
	arn := must(client.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: new("p"), Path: new("/app/"), Description: new(""), PolicyDocument: new(writeLogs), Tags: []types.Tag{{Key: new("a"), Value: new("1")}},
	}))(t).Policy.Arn
	read := func() (types.Policy, string) {
		t.Helper()
		p := must(client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn}))(t).Policy
		v := must(client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: p.DefaultVersionId}))(t).PolicyVersion
		return *p, must(url.QueryUnescape(*v.Document))(t)
	}
	got, document := read()
	want := types.Policy{
		Arn: new("arn:aws:iam::" + account + ":policy/app/p"), AttachmentCount: new(int32(0)), CreateDate: recent(t, "CreateDate", got.CreateDate),
		DefaultVersionId: new("v1"), IsAttachable: true, Path: new("/app/"), PermissionsBoundaryUsageCount: new(int32(0)),
		PolicyId: present(t, "PolicyId", got.PolicyId), PolicyName: new("p"), Tags: []types.Tag{{Key: new("a"), Value: new("1")}},
		UpdateDate: recent(t, "UpdateDate", got.UpdateDate),
	}
	same(t, "policy after create", got, want)
	if document != writeLogs {
		t.Errorf("document %s", document)
	}
	// Six updates: from the fifth version on, the oldest makes place.
	for i := range 6 {
		document := strings.Replace(writeLogs, "log-group", strings.Repeat("x", i+1), 1)
		versions := must(client.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions
		if len(versions) == 5 {
			must(client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: versions[4].VersionId}))(t)
		}
		must(client.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &document, SetAsDefault: true}))(t)
		if _, got := read(); got != document {
			t.Errorf("document after update %d: %s", i, got)
		}
	}
	for _, v := range must(client.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions {
		if !v.IsDefaultVersion {
			must(client.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: v.VersionId}))(t)
		}
	}
	must(client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))(t)
	_, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: arn})
	fails(t, err, "NoSuchEntity")
}
