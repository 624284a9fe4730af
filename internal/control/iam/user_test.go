package iam_test

import (
	"strings"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/iam"
)

// TestUser walks a user's life up to its deletion, which everything that hangs
// on it prevents.
func TestUser(t *testing.T) {
	f := newFixture(t)
	name := new("Alice")
	created := must(f.CreateUser(f.Call, &api.CreateUserRequest{UserName: name, Path: new("/dev/"), Tags: []api.Tag{{Key: new("a"), Value: new("")}}}))(t).User
	if *created.Arn != "arn:aws:iam::123456789012:user/dev/Alice" || !strings.HasPrefix(*created.UserId, "AIDA") {
		t.Errorf("created %+v", created)
	}
	_, err := f.CreateUser(f.Call, &api.CreateUserRequest{UserName: new("alice")})
	fails(t, err, "EntityAlreadyExists", "User with name alice already exists.")

	must(f.CreateGroup(f.Call, &api.CreateGroupRequest{GroupName: new("g")}))(t)
	member := &api.AddUserToGroupRequest{GroupName: new("g"), UserName: name}
	ok(t, f.AddUserToGroup(f.Call, member))
	ok(t, f.AddUserToGroup(f.Call, member))
	ok(t, f.PutUserPolicy(f.Call, &api.PutUserPolicyRequest{UserName: name, PolicyName: new("p"), PolicyDocument: new(putObject)}))
	ok(t, f.AttachUserPolicy(f.Call, &api.AttachUserPolicyRequest{UserName: name, PolicyArn: new(basic)}))
	key := must(f.CreateAccessKey(f.Call, &api.CreateAccessKeyRequest{UserName: name}))(t).AccessKey

	ok(t, f.UpdateUser(f.Call, &api.UpdateUserRequest{UserName: name, NewUserName: new("Bob"), NewPath: new("/ops/")}))
	_, err = f.GetUser(f.Call, &api.GetUserRequest{UserName: name})
	fails(t, err, "NoSuchEntity", "The user with name Alice cannot be found.")
	name = new("Bob")
	got := must(f.GetUser(f.Call, &api.GetUserRequest{UserName: name}))(t).User
	if *got.Arn != "arn:aws:iam::123456789012:user/ops/Bob" || *got.UserId != *created.UserId || len(got.Tags) != 1 {
		t.Errorf("renamed %+v", got)
	}
	if keys := must(f.ListAccessKeys(f.Call, &api.ListAccessKeysRequest{UserName: name}))(t).AccessKeyMetadata; len(keys) != 1 || *keys[0].UserName != "Bob" {
		t.Errorf("keys %+v", keys)
	}
	if in := must(f.ListGroupsForUser(f.Call, &api.ListGroupsForUserRequest{UserName: name}))(t).Groups; len(in) != 1 || *in[0].GroupName != "g" {
		t.Errorf("groups %+v", in)
	}

	deletion := func() error { return f.DeleteUser(f.Call, &api.DeleteUserRequest{UserName: name}) }
	fails(t, deletion(), "DeleteConflict", "Cannot delete entity, must delete access keys first.")
	ok(t, f.DeleteAccessKey(f.Call, &api.DeleteAccessKeyRequest{UserName: name, AccessKeyId: key.AccessKeyId}))
	fails(t, deletion(), "DeleteConflict", "Cannot delete entity, must remove user from group first.")
	ok(t, f.RemoveUserFromGroup(f.Call, &api.RemoveUserFromGroupRequest{GroupName: new("g"), UserName: name}))
	fails(t, deletion(), "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	ok(t, f.DetachUserPolicy(f.Call, &api.DetachUserPolicyRequest{UserName: name, PolicyArn: new(basic)}))
	fails(t, deletion(), "DeleteConflict", "Cannot delete entity, must delete policies first.")
	ok(t, f.DeleteUserPolicy(f.Call, &api.DeleteUserPolicyRequest{UserName: name, PolicyName: new("p")}))
	ok(t, deletion())
	fails(t, deletion(), "NoSuchEntity", "The user with name Bob cannot be found.")
}

// TestGetUserOfCaller covers the call without a name, which Terraform makes
// when it may not ask sts.
func TestGetUserOfCaller(t *testing.T) {
	f := newFixture(t)
	f.user(t, "alice")
	root := must(f.GetUser(f.Call, &api.GetUserRequest{}))(t).User
	if *root.Arn != "arn:aws:iam::123456789012:root" || *root.UserId != account || root.UserName != nil {
		t.Errorf("root %+v", root)
	}
	f.Call.Principal = awswire.Principal{Account: account, ARN: "arn:aws:iam::123456789012:user/alice"}
	if own := must(f.GetUser(f.Call, &api.GetUserRequest{}))(t).User; *own.UserName != "alice" {
		t.Errorf("own %+v", own)
	}
	if key := must(f.CreateAccessKey(f.Call, &api.CreateAccessKeyRequest{}))(t).AccessKey; *key.UserName != "alice" {
		t.Errorf("own key %+v", key)
	}
	f.Call.Principal.ARN = "arn:aws:sts::123456789012:assumed-role/r/s"
	_, err := f.GetUser(f.Call, &api.GetUserRequest{})
	fails(t, err, "ValidationError", "Must specify userName when calling with non-User credentials")
}

func TestGroup(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"a", "b", "c"} {
		f.user(t, name)
	}
	name := new("Devs")
	must(f.CreateGroup(f.Call, &api.CreateGroupRequest{GroupName: name}))(t)
	_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{GroupName: name})
	fails(t, err, "EntityAlreadyExists", "Group with name Devs already exists.")
	for _, u := range []string{"c", "a"} {
		ok(t, f.AddUserToGroup(f.Call, &api.AddUserToGroupRequest{GroupName: name, UserName: &u}))
	}
	fails(t, f.AddUserToGroup(f.Call, &api.AddUserToGroupRequest{GroupName: new("x"), UserName: new("a")}), "NoSuchEntity", "The group with name x cannot be found.")
	fails(t, f.DeleteGroup(f.Call, &api.DeleteGroupRequest{GroupName: name}), "DeleteConflict", "Cannot delete entity, must remove users from group first.")
	ok(t, f.UpdateGroup(f.Call, &api.UpdateGroupRequest{GroupName: name, NewGroupName: new("Ops")}))
	name = new("Ops")
	got := must(f.GetGroup(f.Call, &api.GetGroupRequest{GroupName: name, MaxItems: new(int32(1))}))(t)
	if *got.Group.Arn != "arn:aws:iam::123456789012:group/Ops" || len(got.Users) != 1 || *got.Users[0].UserName != "a" || !*got.IsTruncated {
		t.Errorf("first page %+v", got)
	}
	got = must(f.GetGroup(f.Call, &api.GetGroupRequest{GroupName: name, Marker: got.Marker}))(t)
	if len(got.Users) != 1 || *got.Users[0].UserName != "c" || *got.IsTruncated {
		t.Errorf("second page %+v", got)
	}
	ok(t, f.AttachGroupPolicy(f.Call, &api.AttachGroupPolicyRequest{GroupName: name, PolicyArn: new(basic)}))
	for _, u := range []string{"c", "a"} {
		ok(t, f.RemoveUserFromGroup(f.Call, &api.RemoveUserFromGroupRequest{GroupName: name, UserName: &u}))
	}
	fails(t, f.DeleteGroup(f.Call, &api.DeleteGroupRequest{GroupName: name}), "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	ok(t, f.DetachGroupPolicy(f.Call, &api.DetachGroupPolicyRequest{GroupName: name, PolicyArn: new(basic)}))
	ok(t, f.DeleteGroup(f.Call, &api.DeleteGroupRequest{GroupName: name}))
}

// TestAccessKeys checks that the directory follows every change, and that a
// restart finds the same keys.
func TestAccessKeys(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir)
	f.user(t, "alice")
	name := new("alice")
	first := must(f.CreateAccessKey(f.Call, &api.CreateAccessKeyRequest{UserName: name}))(t).AccessKey
	second := must(f.CreateAccessKey(f.Call, &api.CreateAccessKeyRequest{UserName: name}))(t).AccessKey
	if !strings.HasPrefix(*first.AccessKeyId, "AKIA") || len(*first.AccessKeyId) != 20 || len(*first.SecretAccessKey) != 40 || *first.Status != "Active" {
		t.Errorf("key %+v", first)
	}
	_, err := f.CreateAccessKey(f.Call, &api.CreateAccessKeyRequest{UserName: name})
	fails(t, err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")

	check := func(d *iam.Directory, when, arn string, active bool) {
		t.Helper()
		k, found := d.Key(*first.AccessKeyId)
		if !found || k.Secret != *first.SecretAccessKey || k.ARN != arn || k.Active != active || k.Account != account {
			t.Errorf("%s: key %+v, found %v", when, k, found)
		}
	}
	check(f.directory, "created", "arn:aws:iam::123456789012:user/alice", true)
	ok(t, f.UpdateAccessKey(f.Call, &api.UpdateAccessKeyRequest{UserName: name, AccessKeyId: first.AccessKeyId, Status: new("Inactive")}))
	check(f.directory, "switched off", "arn:aws:iam::123456789012:user/alice", false)
	ok(t, f.UpdateUser(f.Call, &api.UpdateUserRequest{UserName: name, NewPath: new("/p/")}))
	check(f.directory, "moved", "arn:aws:iam::123456789012:user/p/alice", false)
	ok(t, f.UpdateUser(f.Call, &api.UpdateUserRequest{UserName: name, NewUserName: new("bob")}))
	check(f.directory, "renamed", "arn:aws:iam::123456789012:user/p/bob", false)
	name = new("bob")

	used := must(f.GetAccessKeyLastUsed(f.Call, &api.GetAccessKeyLastUsedRequest{AccessKeyId: first.AccessKeyId}))(t)
	if *used.AccessKeyLastUsed.ServiceName != "N/A" || used.AccessKeyLastUsed.LastUsedDate != nil || *used.UserName != "bob" {
		t.Errorf("never used %+v", used)
	}
	f.directory.Used(*first.AccessKeyId, "lambda", "eu-west-1", f.Call.Time)
	f.directory.Used(*first.AccessKeyId, "iam", "us-east-1", f.Call.Time.Add(time.Second))
	used = must(f.GetAccessKeyLastUsed(f.Call, &api.GetAccessKeyLastUsedRequest{AccessKeyId: first.AccessKeyId}))(t)
	if *used.AccessKeyLastUsed.ServiceName != "lambda" || *used.AccessKeyLastUsed.Region != "eu-west-1" {
		t.Errorf("used %+v", used.AccessKeyLastUsed)
	}

	ok(t, f.store.Close())
	f = open(t, dir)
	check(f.directory, "restarted", "arn:aws:iam::123456789012:user/p/bob", false)
	ok(t, f.DeleteAccessKey(f.Call, &api.DeleteAccessKeyRequest{UserName: name, AccessKeyId: first.AccessKeyId}))
	if _, found := f.directory.Key(*first.AccessKeyId); found {
		t.Error("a deleted key is still found")
	}
	if _, found := f.directory.Key(*second.AccessKeyId); !found {
		t.Error("the other key is gone")
	}
	fails(t, f.DeleteAccessKey(f.Call, &api.DeleteAccessKeyRequest{UserName: name, AccessKeyId: first.AccessKeyId}),
		"NoSuchEntity", "The Access Key with id "+*first.AccessKeyId+" cannot be found.")
}

func TestKeyAccount(t *testing.T) {
	for _, account := range []string{"000000000000", "000000000001", "123456789012", "999999999999"} {
		id, err := iam.NewKeyID(strings.NewReader(strings.Repeat("\xff", 10)), "ASIA", account)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := iam.KeyAccount(id); !ok || got != account || len(id) != 20 {
			t.Errorf("KeyAccount(%s) = %s, %v, want %s", id, got, ok, account)
		}
	}
	// A key that AWS published as an example of one that carries its account.
	if got, ok := iam.KeyAccount("ASIAQNZGKIQY56JQ7WML"); !ok || got != "029608264753" {
		t.Errorf("KeyAccount of AWS's key = %s, %v", got, ok)
	}
	for _, id := range []string{"", "test", "AKIAIOSFODNN7EXAMPLE", "ASIA0000000000000000"} {
		if got, ok := iam.KeyAccount(id); ok {
			t.Errorf("KeyAccount(%q) = %s", id, got)
		}
	}
}

// TestAbsent covers what whoever deletes a user asks for first.
func TestAbsent(t *testing.T) {
	f := newFixture(t)
	f.user(t, "alice")
	name := new("alice")
	if got := must(f.ListMFADevices(f.Call, &api.ListMFADevicesRequest{UserName: name}))(t).MFADevices; got == nil || len(got) != 0 {
		t.Errorf("devices %v", got)
	}
	if got := must(f.ListSSHPublicKeys(f.Call, &api.ListSSHPublicKeysRequest{UserName: name}))(t).SSHPublicKeys; got == nil || len(got) != 0 {
		t.Errorf("SSH keys %v", got)
	}
	if got := must(f.ListSigningCertificates(f.Call, &api.ListSigningCertificatesRequest{UserName: name}))(t).Certificates; got == nil || len(got) != 0 {
		t.Errorf("certificates %v", got)
	}
	fails(t, f.DeleteLoginProfile(f.Call, &api.DeleteLoginProfileRequest{UserName: name}), "NoSuchEntity", "Login Profile for User alice cannot be found.")
	_, err := f.GetLoginProfile(f.Call, &api.GetLoginProfileRequest{UserName: new("bob")})
	fails(t, err, "NoSuchEntity", "The user with name bob cannot be found.")
	_, err = f.GetAccountPasswordPolicy(f.Call)
	fails(t, err, "NoSuchEntity", "The Password Policy with domain name 123456789012 cannot be found.")
}
