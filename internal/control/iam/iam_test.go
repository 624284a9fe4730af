package iam_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

const (
	lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	putObject   = `{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/a+b c"}]}`
	basic       = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
	account     = "123456789012"
)

// A fixture is a service on a database of its own.
type fixture struct {
	*iam.Service
	*awswire.Call
	directory *iam.Directory
	store     *store.Store
}

func open(t testing.TB, dir string) *fixture {
	t.Helper()
	db, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	directory := iam.NewDirectory()
	s, err := store.Open(t.Context(), db, store.Options{Sealer: sealer, Prepare: directory.Prepare})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := directory.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return &fixture{
		Service: iam.New(iam.Options{Store: s, Directory: directory}),
		Call: &awswire.Call{
			Context: context.Background(), Account: account, Region: "us-east-1",
			Principal: awswire.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, Root: true},
			Time:      time.Date(2026, 11, 24, 12, 0, 0, 999, time.UTC),
		},
		directory: directory, store: s,
	}
}

func newFixture(t *testing.T) *fixture { return open(t, t.TempDir()) }

// role makes a role of a name.
func (f *fixture) role(t *testing.T, name string) {
	t.Helper()
	if _, err := f.CreateRole(f.Call, &api.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: new(lambdaTrust)}); err != nil {
		t.Fatal(err)
	}
}

// user makes a user of a name.
func (f *fixture) user(t *testing.T, name string) {
	t.Helper()
	if _, err := f.CreateUser(f.Call, &api.CreateUserRequest{UserName: &name}); err != nil {
		t.Fatal(err)
	}
}

// policy makes a managed policy of a name and returns its ARN.
func (f *fixture) policy(t *testing.T, name string) *string {
	t.Helper()
	out, err := f.CreatePolicy(f.Call, &api.CreatePolicyRequest{PolicyName: &name, PolicyDocument: new(putObject)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Policy.Arn
}

// ok fails the test for an error.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error with the code and message as awsQuery shows them.
func fails(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *awswire.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %s: %s", err, code, message)
	}
	got := e.QueryCode
	if got == "" {
		got = e.Code
	}
	if got != code || e.Message != message {
		t.Errorf("error %s: %s\n want %s: %s", got, e.Message, code, message)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// TestRoleAsWritten checks that a role reads as it was written, absent members
// being absent.
func TestRoleAsWritten(t *testing.T) {
	f := newFixture(t)
	created := must(f.CreateRole(f.Call, &api.CreateRoleRequest{
		RoleName: new("Hello"), AssumeRolePolicyDocument: new(lambdaTrust), Path: new("/app/"),
		Tags: []api.Tag{{Key: new("a"), Value: new("1")}},
	}))(t).Role
	if created.MaxSessionDuration != nil || *created.Arn != "arn:aws:iam::123456789012:role/app/Hello" || len(*created.RoleId) != 21 {
		t.Errorf("created %+v", created)
	}
	got := must(f.GetRole(f.Call, &api.GetRoleRequest{RoleName: new("Hello")}))(t).Role
	if got.Description != nil || got.PermissionsBoundary != nil || *got.MaxSessionDuration != 3600 || got.RoleLastUsed == nil || got.RoleLastUsed.LastUsedDate != nil {
		t.Errorf("got %+v", got)
	}
	if want := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC); !got.CreateDate.Equal(want) {
		t.Errorf("created at %v, want %v", got.CreateDate, want)
	}
	if text, err := url.QueryUnescape(*got.AssumeRolePolicyDocument); err != nil || text != lambdaTrust {
		t.Errorf("trust policy %q, %v", text, err)
	}
	list := must(f.ListRoles(f.Call, &api.ListRolesRequest{}))(t)
	if len(list.Roles) != 1 || list.Roles[0].Tags != nil || *list.IsTruncated || list.Marker != nil {
		t.Errorf("list %+v", list)
	}
	if none := must(f.ListRoles(f.Call, &api.ListRolesRequest{PathPrefix: new("/other")}))(t); none.Roles == nil || len(none.Roles) != 0 {
		t.Errorf("list of another path %+v", none)
	}
}

// TestRoleUpdates walks the updates Terraform makes.
func TestRoleUpdates(t *testing.T) {
	f := newFixture(t)
	name := new("r")
	f.role(t, "r")
	boundary := f.policy(t, "boundary")
	must(f.UpdateRole(f.Call, &api.UpdateRoleRequest{RoleName: name, MaxSessionDuration: new(int32(7200))}))(t)
	must(f.UpdateRoleDescription(f.Call, &api.UpdateRoleDescriptionRequest{RoleName: name, Description: new("d")}))(t)
	ok(t, f.PutRolePermissionsBoundary(f.Call, &api.PutRolePermissionsBoundaryRequest{RoleName: name, PermissionsBoundary: boundary}))
	ok(t, f.TagRole(f.Call, &api.TagRoleRequest{RoleName: name, Tags: []api.Tag{{Key: new("K"), Value: new("1")}, {Key: new("l"), Value: new("2")}}}))
	ok(t, f.TagRole(f.Call, &api.TagRoleRequest{RoleName: name, Tags: []api.Tag{{Key: new("K"), Value: new("3")}}}))
	ok(t, f.UntagRole(f.Call, &api.UntagRoleRequest{RoleName: name, TagKeys: []string{"l", "absent"}}))
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/r"},"Action":"sts:AssumeRole"}]}`
	ok(t, f.UpdateAssumeRolePolicy(f.Call, &api.UpdateAssumeRolePolicyRequest{RoleName: name, PolicyDocument: &trust}))

	got := must(f.GetRole(f.Call, &api.GetRoleRequest{RoleName: name}))(t).Role
	if *got.MaxSessionDuration != 7200 || *got.Description != "d" || *got.PermissionsBoundary.PermissionsBoundaryArn != *boundary ||
		*got.PermissionsBoundary.PermissionsBoundaryType != "Policy" || len(got.Tags) != 1 || *got.Tags[0].Value != "3" {
		t.Errorf("got %+v", got)
	}
	if p := must(f.GetPolicy(f.Call, &api.GetPolicyRequest{PolicyArn: boundary}))(t).Policy; *p.PermissionsBoundaryUsageCount != 1 || *p.AttachmentCount != 0 {
		t.Errorf("boundary counts %+v", p)
	}
	tags := must(f.ListRoleTags(f.Call, &api.ListRoleTagsRequest{RoleName: name}))(t)
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "K" {
		t.Errorf("tags %+v", tags)
	}
	ok(t, f.DeleteRolePermissionsBoundary(f.Call, &api.DeleteRolePermissionsBoundaryRequest{RoleName: name}))
	ok(t, f.DeleteRolePermissionsBoundary(f.Call, &api.DeleteRolePermissionsBoundaryRequest{RoleName: name}))
	must(f.UpdateRoleDescription(f.Call, &api.UpdateRoleDescriptionRequest{RoleName: name, Description: new("")}))(t)
	got = must(f.GetRole(f.Call, &api.GetRoleRequest{RoleName: name}))(t).Role
	if got.PermissionsBoundary != nil || got.Description != nil {
		t.Errorf("after clearing %+v", got)
	}
	ok(t, f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: boundary}))
}

func TestRoleErrors(t *testing.T) {
	f := newFixture(t)
	f.role(t, "there")
	gone := "The role with name gone cannot be found."
	create := func(name, trust string) error {
		_, err := f.CreateRole(f.Call, &api.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: &trust})
		return err
	}
	get := func(name string) error {
		_, err := f.GetRole(f.Call, &api.GetRoleRequest{RoleName: &name})
		return err
	}
	inline := func(name string) error {
		_, err := f.GetRolePolicy(f.Call, &api.GetRolePolicyRequest{RoleName: &name, PolicyName: new("p")})
		return err
	}
	attach := func(arn string) error {
		return f.AttachRolePolicy(f.Call, &api.AttachRolePolicyRequest{RoleName: new("there"), PolicyArn: &arn})
	}
	trustIn := func(principal string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
	}
	tests := []struct {
		name          string
		err           error
		code, message string
	}{
		{"create twice", create("there", lambdaTrust), "EntityAlreadyExists", "Role with name there already exists."},
		{"create in another case", create("THERE", lambdaTrust), "EntityAlreadyExists", "Role with name THERE already exists."},
		{"create without a policy", create("x", "no"), "MalformedPolicyDocument", "This policy contains invalid Json"},
		{"create with a wrong policy", create("x", putObject), "MalformedPolicyDocument", "Has prohibited field Resource"},
		{"trust in nobody", create("x", trustIn("arn:aws:iam::123456789012:user/nobody")), "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/nobody"`},
		{"trust in a wrong path", create("x", trustIn("arn:aws:iam::123456789012:role/p/there")), "MalformedPolicyDocument", `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/p/there"`},
		{"get", get("gone"), "NoSuchEntity", gone},
		{"get inline of no role", inline("gone"), "NoSuchEntity", gone},
		{"get no inline", inline("there"), "NoSuchEntity", "The role policy with name p cannot be found."},
		{"delete no inline", f.DeleteRolePolicy(f.Call, &api.DeleteRolePolicyRequest{RoleName: new("there"), PolicyName: new("p")}), "NoSuchEntity", "The role policy with name p cannot be found."},
		{"delete", f.DeleteRole(f.Call, &api.DeleteRoleRequest{RoleName: new("gone")}), "NoSuchEntity", gone},
		{"attach a name", attach("AWSLambdaBasicExecutionRole"), "ValidationError", "Invalid ARN:  Could not be parsed!"},
		{"attach nothing", attach("arn:aws:iam::123456789012:policy/p"), "NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/p does not exist or is not attachable."},
		{"attach a stranger's", attach("arn:aws:iam::210987654321:policy/p"), "NoSuchEntity", "Policy arn:aws:iam::210987654321:policy/p does not exist or is not attachable."},
		{"attach a service's", attach("arn:aws:iam::aws:policy/aws-service-role/APIGatewayServiceRolePolicy"), "PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role."},
		{"detach nothing", f.DetachRolePolicy(f.Call, &api.DetachRolePolicyRequest{RoleName: new("there"), PolicyArn: new(basic)}), "NoSuchEntity", "Policy " + basic + " was not found."},
		{"bound by nothing", f.PutRolePermissionsBoundary(f.Call, &api.PutRolePermissionsBoundaryRequest{RoleName: new("there"), PermissionsBoundary: new("arn:aws:iam::123456789012:policy/p")}), "NoSuchEntity", "Scope ARN: arn:aws:iam::123456789012:policy/p does not exist or is not attachable."},
		{"tag twice", f.TagRole(f.Call, &api.TagRoleRequest{RoleName: new("there"), Tags: []api.Tag{{Key: new("k"), Value: new("1")}, {Key: new("K"), Value: new("2")}}}), "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { fails(t, tt.err, tt.code, tt.message) })
	}
	_, err := f.ListRoles(f.Call, &api.ListRolesRequest{Marker: new("x")})
	fails(t, err, "ValidationError", "Invalid Marker.")
}

// TestRolePolicies walks inline and attached policies up to the deletion of the
// role, which each of them prevents.
func TestRolePolicies(t *testing.T) {
	f := newFixture(t)
	name := new("r")
	f.role(t, "r")
	own := f.policy(t, "own")
	ok(t, f.PutRolePolicy(f.Call, &api.PutRolePolicyRequest{RoleName: name, PolicyName: new("p"), PolicyDocument: new(putObject)}))
	ok(t, f.PutRolePolicy(f.Call, &api.PutRolePolicyRequest{RoleName: name, PolicyName: new("p"), PolicyDocument: new(putObject)}))
	for _, arn := range []string{basic, *own, basic} {
		ok(t, f.AttachRolePolicy(f.Call, &api.AttachRolePolicyRequest{RoleName: name, PolicyArn: &arn}))
	}
	got := must(f.GetRolePolicy(f.Call, &api.GetRolePolicyRequest{RoleName: name, PolicyName: new("p")}))(t)
	const want = "%7B%22Version%22%3A%222012-10-17%22%2C%20%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3APutObject%22%2C%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Ab%2Fa%2Bb%20c%22%7D%5D%7D"
	if *got.PolicyDocument != want {
		t.Errorf("document %s\n    want %s", *got.PolicyDocument, want)
	}
	if names := must(f.ListRolePolicies(f.Call, &api.ListRolePoliciesRequest{RoleName: name}))(t).PolicyNames; len(names) != 1 || names[0] != "p" {
		t.Errorf("names %v", names)
	}
	attached := must(f.ListAttachedRolePolicies(f.Call, &api.ListAttachedRolePoliciesRequest{RoleName: name}))(t).AttachedPolicies
	if len(attached) != 2 || *attached[0].PolicyName != "AWSLambdaBasicExecutionRole" || *attached[0].PolicyArn != basic || *attached[1].PolicyArn != *own {
		t.Errorf("attached %+v", attached)
	}
	for arn, counts := range map[string]int32{basic: 1, *own: 1, "arn:aws:iam::aws:policy/AdministratorAccess": 0} {
		if p := must(f.GetPolicy(f.Call, &api.GetPolicyRequest{PolicyArn: &arn}))(t).Policy; *p.AttachmentCount != counts {
			t.Errorf("%s is attached %d times, want %d", arn, *p.AttachmentCount, counts)
		}
	}
	fails(t, f.DeleteRole(f.Call, &api.DeleteRoleRequest{RoleName: name}), "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	fails(t, f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: own}), "DeleteConflict", "Cannot delete a policy attached to entities.")
	for _, arn := range []string{basic, *own} {
		ok(t, f.DetachRolePolicy(f.Call, &api.DetachRolePolicyRequest{RoleName: name, PolicyArn: &arn}))
	}
	fails(t, f.DeleteRole(f.Call, &api.DeleteRoleRequest{RoleName: name}), "DeleteConflict", "Cannot delete entity, must delete policies first.")
	ok(t, f.DeleteRolePolicy(f.Call, &api.DeleteRolePolicyRequest{RoleName: name, PolicyName: new("p")}))
	if names := must(f.ListRolePolicies(f.Call, &api.ListRolePoliciesRequest{RoleName: name}))(t).PolicyNames; names == nil || len(names) != 0 {
		t.Errorf("names after delete %v, want an empty list", names)
	}
	profiles := must(f.ListInstanceProfilesForRole(f.Call, &api.ListInstanceProfilesForRoleRequest{RoleName: name}))(t)
	if profiles.InstanceProfiles == nil || len(profiles.InstanceProfiles) != 0 {
		t.Errorf("profiles %+v, want an empty list", profiles)
	}
	ok(t, f.DeleteRole(f.Call, &api.DeleteRoleRequest{RoleName: name}))
	ok(t, f.DeletePolicy(f.Call, &api.DeletePolicyRequest{PolicyArn: own}))
}

func TestInlineSize(t *testing.T) {
	f := newFixture(t)
	f.role(t, "r")
	long := `{"Statement":[{"Effect":"Allow","Action":["s3:` + string(bytes.Repeat([]byte("a"), 9000)) + `"],"Resource":"*"}]}` + string(bytes.Repeat([]byte(" "), 5000))
	put := func(name string) error {
		return f.PutRolePolicy(f.Call, &api.PutRolePolicyRequest{RoleName: new("r"), PolicyName: &name, PolicyDocument: &long})
	}
	ok(t, put("a"))
	ok(t, put("a"))
	fails(t, put("b"), "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r")
}

func TestPaging(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"d", "B", "a", "C", "e"} {
		f.role(t, name)
	}
	var got string
	in := &api.ListRolesRequest{MaxItems: new(int32(2))}
	for pages := 1; ; pages++ {
		out := must(f.ListRoles(f.Call, in))(t)
		for _, r := range out.Roles {
			got += *r.RoleName
		}
		if !*out.IsTruncated {
			if out.Marker != nil || pages != 3 {
				t.Errorf("marker %v after %d pages", out.Marker, pages)
			}
			break
		}
		in.Marker = out.Marker
	}
	if got != "aBCde" {
		t.Errorf("roles %s, want aBCde", got)
	}
}

func TestInstanceProfiles(t *testing.T) {
	f := newFixture(t)
	f.role(t, "r")
	name := new("p")
	must(f.CreateInstanceProfile(f.Call, &api.CreateInstanceProfileRequest{InstanceProfileName: name}))(t)
	add := &api.AddRoleToInstanceProfileRequest{InstanceProfileName: name, RoleName: new("r")}
	ok(t, f.AddRoleToInstanceProfile(f.Call, add))
	fails(t, f.AddRoleToInstanceProfile(f.Call, add), "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	got := must(f.GetInstanceProfile(f.Call, &api.GetInstanceProfileRequest{InstanceProfileName: name}))(t).InstanceProfile
	if len(got.Roles) != 1 || *got.Roles[0].RoleName != "r" || *got.Arn != "arn:aws:iam::123456789012:instance-profile/p" {
		t.Errorf("got %+v", got)
	}
	if list := must(f.ListInstanceProfilesForRole(f.Call, &api.ListInstanceProfilesForRoleRequest{RoleName: new("r")}))(t); len(list.InstanceProfiles) != 1 {
		t.Errorf("list %+v", list)
	}
	fails(t, f.DeleteRole(f.Call, &api.DeleteRoleRequest{RoleName: new("r")}), "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	fails(t, f.DeleteInstanceProfile(f.Call, &api.DeleteInstanceProfileRequest{InstanceProfileName: name}), "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
	ok(t, f.RemoveRoleFromInstanceProfile(f.Call, &api.RemoveRoleFromInstanceProfileRequest{InstanceProfileName: name, RoleName: new("r")}))
	ok(t, f.DeleteInstanceProfile(f.Call, &api.DeleteInstanceProfileRequest{InstanceProfileName: name}))
	_, err := f.GetInstanceProfile(f.Call, &api.GetInstanceProfileRequest{InstanceProfileName: name})
	fails(t, err, "NoSuchEntity", "Instance Profile p cannot be found.")
}

func TestServiceLinkedRole(t *testing.T) {
	f := newFixture(t)
	created := must(f.CreateServiceLinkedRole(f.Call, &api.CreateServiceLinkedRoleRequest{AWSServiceName: new("ops.apigateway.amazonaws.com")}))(t).Role
	if *created.RoleName != "AWSServiceRoleForAPIGateway" || *created.Arn != "arn:aws:iam::123456789012:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway" {
		t.Errorf("created %+v", created)
	}
	_, err := f.CreateServiceLinkedRole(f.Call, &api.CreateServiceLinkedRoleRequest{AWSServiceName: new("ops.apigateway.amazonaws.com")})
	fails(t, err, "InvalidInput", "Service role name AWSServiceRoleForAPIGateway has been taken in this account, please try a different suffix.")
	_, err = f.CreateServiceLinkedRole(f.Call, &api.CreateServiceLinkedRoleRequest{AWSServiceName: new("wafv2.amazonaws.com"), CustomSuffix: new("x")})
	fails(t, err, "InvalidInput", "Custom suffix is not allowed for wafv2.amazonaws.com")
	fails(t, f.DeleteRole(f.Call, &api.DeleteRoleRequest{RoleName: created.RoleName}), "UnmodifiableEntity",
		"Cannot perform the operation on the protected role 'AWSServiceRoleForAPIGateway' - this role is only modifiable by AWS")
	task := must(f.DeleteServiceLinkedRole(f.Call, &api.DeleteServiceLinkedRoleRequest{RoleName: created.RoleName}))(t).DeletionTaskId
	if status := must(f.GetServiceLinkedRoleDeletionStatus(f.Call, &api.GetServiceLinkedRoleDeletionStatusRequest{DeletionTaskId: task}))(t).Status; *status != "SUCCEEDED" {
		t.Errorf("status %s", *status)
	}
	_, err = f.GetRole(f.Call, &api.GetRoleRequest{RoleName: created.RoleName})
	fails(t, err, "NoSuchEntity", "The role with name AWSServiceRoleForAPIGateway cannot be found.")
}

func TestAccount(t *testing.T) {
	f := newFixture(t)
	f.role(t, "r")
	f.user(t, "u")
	f.policy(t, "p")
	sum := must(f.GetAccountSummary(f.Call))(t).SummaryMap
	if sum["Roles"] != 1 || sum["Users"] != 1 || sum["Policies"] != 1 || sum["PolicyVersionsInUse"] != 1 || sum["Groups"] != 0 {
		t.Errorf("summary %v", sum)
	}
	ok(t, f.CreateAccountAlias(f.Call, &api.CreateAccountAliasRequest{AccountAlias: new("acme")}))
	if got := must(f.ListAccountAliases(f.Call, &api.ListAccountAliasesRequest{}))(t).AccountAliases; len(got) != 1 || got[0] != "acme" {
		t.Errorf("aliases %v", got)
	}
	ok(t, f.DeleteAccountAlias(f.Call, &api.DeleteAccountAliasRequest{AccountAlias: new("acme")}))
	fails(t, f.DeleteAccountAlias(f.Call, &api.DeleteAccountAliasRequest{AccountAlias: new("acme")}), "NoSuchEntity", "The account alias acme cannot be found.")
}
