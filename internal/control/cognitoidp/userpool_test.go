package cognitoidp_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/awsapi/acm"
	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

func (f *fixture) describe() *api.UserPoolType {
	f.t.Helper()
	out, err := f.DescribeUserPool(f.Call, &api.DescribeUserPoolRequest{UserPoolId: &f.pool})
	ok(f.t, err)
	return out.UserPool
}

func TestPoolDefaults(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{})
	if !regexp.MustCompile(`^eu-central-1_[A-Za-z0-9]{9}$`).MatchString(f.pool) {
		t.Errorf("id %s", f.pool)
	}
	p := f.describe()
	if len(p.SchemaAttributes) != 20 {
		t.Errorf("%d attributes", len(p.SchemaAttributes))
	}
	p.SchemaAttributes = nil
	got, err := json.Marshal(p)
	ok(t, err)
	want := `{"Id":"ID","Name":"pool","Policies":{"PasswordPolicy":{"MinimumLength":8,"RequireUppercase":true,"RequireLowercase":true,` +
		`"RequireNumbers":true,"RequireSymbols":true,"TemporaryPasswordValidityDays":7},"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD"]}},` +
		`"DeletionProtection":"INACTIVE","LambdaConfig":{},"LastModifiedDate":"2026-11-27T08:00:00Z","CreationDate":"2026-11-27T08:00:00Z",` +
		`"VerificationMessageTemplate":{"DefaultEmailOption":"CONFIRM_WITH_CODE"},"MfaConfiguration":"OFF","EstimatedNumberOfUsers":0,` +
		`"EmailConfiguration":{"EmailSendingAccount":"COGNITO_DEFAULT"},"AdminCreateUserConfig":{"AllowAdminCreateUserOnly":false,` +
		`"UnusedAccountValidityDays":7},"Arn":"arn:aws:cognito-idp:eu-central-1:123456789012:userpool/ID","AccountRecoverySetting":` +
		`{"RecoveryMechanisms":[{"Priority":1,"Name":"verified_email"},{"Priority":2,"Name":"verified_phone_number"}]},"UserPoolTier":"ESSENTIALS"}`
	if text := strings.ReplaceAll(string(got), f.pool, "ID"); text != want {
		t.Errorf("pool\n%s\nwant\n%s", text, want)
	}
	mfa, err := f.GetUserPoolMfaConfig(f.Call, &api.GetUserPoolMfaConfigRequest{UserPoolId: &f.pool})
	ok(t, err)
	if *mfa.MfaConfiguration != "OFF" || mfa.SmsMfaConfiguration != nil || mfa.SoftwareTokenMfaConfiguration != nil {
		t.Errorf("%+v", mfa)
	}
}

func TestPoolIDs(t *testing.T) {
	f := open(t, t.TempDir())
	create := func(id string) (*api.CreateUserPoolResponse, error) {
		return f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("p"), UserPoolTags: map[string]string{"_custom_id_": id}})
	}
	for id, want := range map[string]string{"mine": "eu-central-1_mine", "eu-central-1_Other1": "eu-central-1_Other1"} {
		if out, err := create(id); err != nil || *out.UserPool.Id != want {
			t.Errorf("%s: %v, %v", id, out, err)
		}
	}
	_, err := create("mine")
	fails(t, err, "InvalidParameterException", "already in use")
	for _, bad := range []string{"a b", "us-east-1_x", "a/b", strings.Repeat("a", 60)} {
		_, err := create(bad)
		fails(t, err, "InvalidParameterException", "_custom_id_")
	}
	// Ids are the gateway's: another account can't have the same.
	f.Account = "999999999999"
	_, err = create("mine")
	fails(t, err, "InvalidParameterException", "already in use")
	_, err = f.DescribeUserPool(f.Call, &api.DescribeUserPoolRequest{UserPoolId: new("eu-central-1_mine")})
	fails(t, err, "ResourceNotFoundException", "User pool eu-central-1_mine does not exist.")
}

func TestSchema(t *testing.T) {
	text := api.AttributeDataTypeString
	f := newFixture(t, &api.CreateUserPoolRequest{Schema: []api.SchemaAttributeType{
		{Name: new("email"), AttributeDataType: &text, Required: new(true), StringAttributeConstraints: &api.StringAttributeConstraintsType{MinLength: new("7")}},
		{Name: new("tenant"), AttributeDataType: &text, Mutable: new(false)},
		{Name: new("level"), AttributeDataType: new(api.AttributeDataTypeNumber), NumberAttributeConstraints: &api.NumberAttributeConstraintsType{MaxValue: new("9")}},
	}})
	got := func(name string) string {
		for _, a := range f.describe().SchemaAttributes {
			if *a.Name == name {
				b, err := json.Marshal(a)
				ok(t, err)
				return string(b)
			}
		}
		return ""
	}
	for name, want := range map[string]string{
		"sub":           `{"Name":"sub","AttributeDataType":"String","DeveloperOnlyAttribute":false,"Mutable":false,"Required":true,"StringAttributeConstraints":{"MinLength":"1","MaxLength":"2048"}}`,
		"email":         `{"Name":"email","AttributeDataType":"String","DeveloperOnlyAttribute":false,"Mutable":true,"Required":true,"StringAttributeConstraints":{"MinLength":"7","MaxLength":"2048"}}`,
		"updated_at":    `{"Name":"updated_at","AttributeDataType":"Number","DeveloperOnlyAttribute":false,"Mutable":true,"Required":false,"NumberAttributeConstraints":{"MinValue":"0"}}`,
		"custom:tenant": `{"Name":"custom:tenant","AttributeDataType":"String","DeveloperOnlyAttribute":false,"Mutable":false,"Required":false,"StringAttributeConstraints":{}}`,
		"custom:level":  `{"Name":"custom:level","AttributeDataType":"Number","DeveloperOnlyAttribute":false,"Mutable":true,"Required":false,"NumberAttributeConstraints":{"MaxValue":"9"}}`,
	} {
		if got := got(name); got != want {
			t.Errorf("%s\n%s\nwant\n%s", name, got, want)
		}
	}
	add := func(a api.SchemaAttributeType) error {
		_, err := f.AddCustomAttributes(f.Call, &api.AddCustomAttributesRequest{UserPoolId: &f.pool, CustomAttributes: []api.SchemaAttributeType{a}})
		return err
	}
	ok(t, add(api.SchemaAttributeType{Name: new("more"), AttributeDataType: &text}))
	if got("custom:more") == "" {
		t.Error("an attribute wasn't added")
	}
	fails(t, add(api.SchemaAttributeType{Name: new("more"), AttributeDataType: &text}), "InvalidParameterException", "Existing attribute already has name custom:more")
	fails(t, add(api.SchemaAttributeType{Name: new("x"), AttributeDataType: &text, Required: new(true)}), "InvalidParameterException", "Required custom attributes are not supported currently.")

	create := func(attributes ...api.AttributeType) error {
		_, err := f.AdminCreateUser(f.Call, &api.AdminCreateUserRequest{UserPoolId: &f.pool, Username: new("u"), UserAttributes: attributes})
		return err
	}
	email := attr("email", "someone@example.com")
	for _, tt := range []struct {
		attributes []api.AttributeType
		want       string
	}{
		{nil, "Attributes did not conform to the schema: email: The attribute is required\n"},
		{[]api.AttributeType{email, attr("custom:none", "x")}, "custom:none: Attribute does not exist in the schema."},
		{[]api.AttributeType{attr("email", "nonsense")}, "Invalid email address format."},
		{[]api.AttributeType{email, attr("phone_number", "123")}, "Invalid phone number format."},
		{[]api.AttributeType{email, attr("custom:level", "10")}, "custom:level"},
		{[]api.AttributeType{email, attr("custom:level", "many")}, "custom:level"},
		{[]api.AttributeType{email, attr("birthdate", "1.1.70")}, "birthdate"},
		{[]api.AttributeType{email, attr("email_verified", "yes")}, "email_verified"},
		{[]api.AttributeType{email, attr("sub", "x")}, "sub"},
	} {
		fails(t, create(tt.attributes...), "InvalidParameterException", tt.want)
	}
	ok(t, create(email, attr("custom:tenant", "a")))
	_, err := f.AdminUpdateUserAttributes(f.Call, &api.AdminUpdateUserAttributesRequest{UserPoolId: &f.pool, Username: new("u"), UserAttributes: []api.AttributeType{attr("custom:tenant", "b")}})
	fails(t, err, "InvalidParameterException", "custom:tenant: Attribute cannot be updated.")
	_, err = f.AdminDeleteUserAttributes(f.Call, &api.AdminDeleteUserAttributesRequest{UserPoolId: &f.pool, Username: new("u"), UserAttributeNames: []string{"email"}})
	fails(t, err, "InvalidParameterException", "required")
}

// TestUpdatePool has what a call leaves out go back to its default.
func TestUpdatePool(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{
		UserPoolTags: map[string]string{"a": "1"}, AutoVerifiedAttributes: []string{"email"}, EmailVerificationMessage: new("old {####}"),
		LambdaConfig: &api.LambdaConfigType{PreTokenGeneration: new("arn:aws:lambda:eu-central-1:123456789012:function:f")},
		Policies:     &api.UserPoolPolicyType{PasswordPolicy: &api.PasswordPolicyType{MinimumLength: new(int32(12))}},
	})
	before := f.describe()
	if *before.VerificationMessageTemplate.EmailMessage != "old {####}" || *before.LambdaConfig.PreTokenGenerationConfig.LambdaVersion != "V1_0" {
		t.Errorf("not mirrored: %+v, %+v", before.VerificationMessageTemplate, before.LambdaConfig)
	}
	_, err := f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool, DeletionProtection: new("ACTIVE")})
	ok(t, err)
	p := f.describe()
	if p.AutoVerifiedAttributes != nil || *p.Policies.PasswordPolicy.MinimumLength != 8 || p.LambdaConfig.PreTokenGeneration != nil ||
		p.EmailVerificationMessage != nil || p.UserPoolTags["a"] != "1" || *p.Name != "pool" || len(p.SchemaAttributes) != 20 {
		t.Errorf("%+v", p)
	}
	fails(t, f.DeleteUserPool(f.Call, &api.DeleteUserPoolRequest{UserPoolId: &f.pool}), "InvalidParameterException", "deletion protection")
	_, err = f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool, MfaConfiguration: new("ON")})
	fails(t, err, "InvalidParameterException", "SMS configuration")
	_, err = f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool,
		AdminCreateUserConfig: &api.AdminCreateUserConfigType{UnusedAccountValidityDays: new(int32(3))},
		Policies:              &api.UserPoolPolicyType{PasswordPolicy: &api.PasswordPolicyType{TemporaryPasswordValidityDays: new(int32(4))}}})
	fails(t, err, "InvalidParameterException", "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays")
	_, err = f.UpdateUserPool(f.Call, &api.UpdateUserPoolRequest{UserPoolId: &f.pool, IssuerConfiguration: &api.IssuerConfigurationType{}})
	fails(t, err, "InvalidParameterException", "IssuerConfiguration isn't supported")
}

func TestMFAConfig(t *testing.T) {
	f := newFixture(t, nil)
	set := func(in api.SetUserPoolMfaConfigRequest) error {
		in.UserPoolId = &f.pool
		_, err := f.SetUserPoolMfaConfig(f.Call, &in)
		return err
	}
	app := &api.SoftwareTokenMfaConfigType{Enabled: new(true)}
	fails(t, set(api.SetUserPoolMfaConfigRequest{MfaConfiguration: new("OFF"), SoftwareTokenMfaConfiguration: app}), "InvalidParameterException", "can't turn off MFA and configure an MFA together.")
	fails(t, set(api.SetUserPoolMfaConfigRequest{MfaConfiguration: new("ON")}), "InvalidParameterException", "can't disable all MFAs")
	ok(t, set(api.SetUserPoolMfaConfigRequest{MfaConfiguration: new("OPTIONAL"), SoftwareTokenMfaConfiguration: app}))
	got, err := f.GetUserPoolMfaConfig(f.Call, &api.GetUserPoolMfaConfigRequest{UserPoolId: &f.pool})
	ok(t, err)
	if *got.MfaConfiguration != "OPTIONAL" || !*got.SoftwareTokenMfaConfiguration.Enabled {
		t.Errorf("%+v", got)
	}
}

// TestDeletePool leaves nothing behind that a pool of the same id would inherit.
func TestDeletePool(t *testing.T) {
	tagged := func() *api.CreateUserPoolRequest {
		return &api.CreateUserPoolRequest{PoolName: new("p"), UserPoolTags: map[string]string{"_custom_id_": "again"}}
	}
	f := newFixture(t, tagged())
	cl := f.client(nil)
	f.user("alice", attr("email", "a@example.com"))
	_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{UserPoolId: &f.pool, GroupName: new("g")})
	ok(t, err)
	ok(t, f.AdminAddUserToGroup(f.Call, &api.AdminAddUserToGroupRequest{UserPoolId: &f.pool, Username: new("alice"), GroupName: new("g")}))
	token := f.signIn(cl, "alice").AccessToken
	if n := *f.describe().EstimatedNumberOfUsers; n != 1 {
		t.Errorf("%d users", n)
	}
	domain := &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("shop")}
	_, err = f.CreateUserPoolDomain(f.Call, domain)
	ok(t, err)
	if p := f.describe(); *p.Domain != "shop" {
		t.Errorf("domain %v", p.Domain)
	}
	if p, found := f.directory.Domain("shop", "eu-central-1"); !found || p.ID != f.pool {
		t.Error("the domain isn't in the directory")
	}
	fails(t, f.DeleteUserPool(f.Call, &api.DeleteUserPoolRequest{UserPoolId: &f.pool}), "InvalidParameterException", "has a domain configured")
	_, err = f.DeleteUserPoolDomain(f.Call, &api.DeleteUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("shop")})
	ok(t, err)
	ok(t, f.DeleteUserPool(f.Call, &api.DeleteUserPoolRequest{UserPoolId: &f.pool}))

	_, err = f.GetUser(f.Call, &api.GetUserRequest{AccessToken: token})
	fails(t, err, "NotAuthorizedException", "Invalid Access Token")
	if _, found := f.directory.Keys("https://cognito-idp.eu-central-1.amazonaws.com/" + f.pool); found {
		t.Error("keys of a deleted pool")
	}
	_, err = f.initiate(cl, "USER_PASSWORD_AUTH", "USERNAME", "alice", "PASSWORD", password)
	fails(t, err, "ResourceNotFoundException", "User pool client")
	_, err = f.CreateUserPool(f.Call, tagged())
	ok(t, err)
	users, err := f.ListUsers(f.Call, &api.ListUsersRequest{UserPoolId: &f.pool})
	if err != nil || len(users.Users) != 0 || *f.describe().EstimatedNumberOfUsers != 0 {
		t.Errorf("%+v, %v", users, err)
	}
	_, err = f.GetUser(f.Call, &api.GetUserRequest{AccessToken: token})
	fails(t, err, "NotAuthorizedException", "Invalid Access Token")
}

// putCertificate stores a certificate of ACM for names.
func (f *fixture) putCertificate(id, region, status string, names ...string) {
	f.t.Helper()
	doc := &definition.Certificate{CertificateDetail: acm.CertificateDetail{Status: &status, DomainName: &names[0], SubjectAlternativeNames: names}}
	ok(f.t, f.store.Update(context.Background(), func(tx *store.Tx) error {
		return definition.Certificates.Put(tx, store.Scope{Account: account, Region: region}, doc, id)
	}))
}

func TestDomains(t *testing.T) {
	f := newFixture(t, nil)
	f.putCertificate("x", "us-east-1", acm.CertificateStatusIssued, "*.example.com")
	create := func(name string, custom *api.CustomDomainConfigType) error {
		_, err := f.CreateUserPoolDomain(f.Call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: &name, CustomDomainConfig: custom})
		return err
	}
	fails(t, create("my-cognito", nil), "InvalidParameterException", "reserved word: cognito")
	fails(t, create("Upper", nil), "InvalidParameterException", "")
	ok(t, create("one", nil))
	fails(t, create("two", nil), "InvalidParameterException", "User pool already has a domain configured.")
	ok(t, create("auth.example.com", &api.CustomDomainConfigType{CertificateArn: new("arn:aws:acm:us-east-1:123456789012:certificate/x")}))
	if p := f.describe(); *p.Domain != "one" || *p.CustomDomain != "auth.example.com" {
		t.Errorf("%v, %v", p.Domain, p.CustomDomain)
	}
	for name, want := range map[string]string{"one": "ACTIVE", "none": ""} {
		got, err := f.DescribeUserPoolDomain(f.Call, &api.DescribeUserPoolDomainRequest{Domain: &name})
		ok(t, err)
		if status := got.DomainDescription.Status; want == "" && status != nil || want != "" && *status != want {
			t.Errorf("%s: %+v", name, got.DomainDescription)
		}
	}
	_, err := f.DeleteUserPoolDomain(f.Call, &api.DeleteUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("none")})
	fails(t, err, "InvalidParameterException", "No such domain")
	other, err := f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("q")})
	ok(t, err)
	f.pool = *other.UserPool.Id
	fails(t, create("one", nil), "InvalidParameterException", "Domain already associated with another user pool.")
}

// A name is a user pool's or an API's.
func TestCustomDomains(t *testing.T) {
	f := newFixture(t, nil)
	f.putCertificate("x", "us-east-1", acm.CertificateStatusIssued, "auth.example.com")
	ok(t, f.store.Update(context.Background(), func(tx *store.Tx) error {
		return errors.Join(
			definition.DomainOwners.Put(tx, store.Scope{}, &definition.Reference{ID: account + "/eu-west-1"}, "api.example.com"),
			definition.DomainOwners.Put(tx, store.Scope{}, &definition.Reference{ID: account + "/eu-west-1"}, "*.example.com"),
			definition.DomainOwners.Put(tx, store.Scope{}, &definition.Reference{ID: "222222222222/eu-west-1"}, "*.example.org"),
		)
	}))
	const taken = "One or more of the CNAMEs you provided are already associated with a different resource."
	for _, test := range []struct{ name, want string }{
		{"api.example.com", taken},
		{"auth.example.org", taken}, // below another account's star
		{"Auth.example.com", "Custom domain is not a valid subdomain: Auth.example.com"},
		{"auth", "Custom domain is not a valid subdomain: auth"},
		{"127.0.0.1", "Custom domain is not a valid subdomain: 127.0.0.1"},
		{"gateway.example.com", "Custom domain is not a valid subdomain: the gateway itself is called by gateway.example.com"},
		{"auth.example.com", ""}, // below the account's own star
	} {
		_, err := f.CreateUserPoolDomain(f.Call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: &test.name, CustomDomainConfig: &api.CustomDomainConfigType{CertificateArn: new("arn:aws:acm:us-east-1:123456789012:certificate/x")}})
		if test.want == "" {
			ok(t, err)
			continue
		}
		fails(t, err, "InvalidParameterException", test.want)
	}
}

// A custom domain uses its certificate as long as it names it.
func TestCertificatesOfCustomDomains(t *testing.T) {
	f := newFixture(t, nil)
	for _, id := range []string{"1", "2"} {
		f.putCertificate(id, "us-east-1", acm.CertificateStatusIssued, "*.example.com")
	}
	f.putCertificate("elsewhere", "eu-central-1", acm.CertificateStatusIssued, "*.example.com")
	f.putCertificate("pending", "us-east-1", acm.CertificateStatusPendingValidation, "*.example.com")
	f.putCertificate("others", "us-east-1", acm.CertificateStatusIssued, "example.com", "*.example.org", "*.auth.example.com")
	config := func(arn string) *api.CustomDomainConfigType { return &api.CustomDomainConfigType{CertificateArn: &arn} }
	const one, two, theirs = "arn:aws:acm:us-east-1:123456789012:certificate/1", "arn:aws:acm:us-east-1:123456789012:certificate/2", "arn:aws:acm:us-east-1:222222222222:certificate/3"
	expect := func(what string, want ...string) {
		t.Helper()
		ok(t, f.store.View(context.Background(), func(tx *store.Tx) error {
			var used []string
			for _, text := range []string{one, two, theirs} {
				uses, err := definition.CertificateUses(tx, text)
				ok(t, err)
				if slices.Equal(uses, []string{"arn:aws:cloudfront::123456789012:distribution/auth.example.com"}) {
					used = append(used, text)
				}
			}
			if !slices.Equal(used, want) {
				t.Errorf("%s: %q are used, want %q", what, used, want)
			}
			return nil
		}))
	}
	update := func(arn string) error {
		_, err := f.UpdateUserPoolDomain(f.Call, &api.UpdateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("auth.example.com"), CustomDomainConfig: config(arn)})
		return err
	}
	bad := []string{
		theirs, "arn:aws:acm:us-east-1:123456789012:certificate/none", "arn:aws:acm:eu-central-1:123456789012:certificate/elsewhere",
		"arn:aws:acm:us-east-1:123456789012:certificate/pending", "arn:aws:acm:us-east-1:123456789012:certificate/others",
		"arn:aws:iam::123456789012:server-certificate/x",
	}
	for _, arn := range bad {
		_, err := f.CreateUserPoolDomain(f.Call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("auth.example.com"), CustomDomainConfig: config(arn)})
		fails(t, err, "InvalidParameterException", "The specified SSL certificate doesn't exist")
	}
	_, err := f.CreateUserPoolDomain(f.Call, &api.CreateUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("auth.example.com"), CustomDomainConfig: config(one)})
	ok(t, err)
	expect("made", one)
	ok(t, update(two))
	for _, arn := range bad {
		fails(t, update(arn), "InvalidParameterException", "The specified SSL certificate doesn't exist")
	}
	ok(t, update(two))
	expect("changed", two)
	_, err = f.DeleteUserPoolDomain(f.Call, &api.DeleteUserPoolDomainRequest{UserPoolId: &f.pool, Domain: new("auth.example.com")})
	ok(t, err)
	expect("deleted")
}

func TestTagsAndLists(t *testing.T) {
	f := newFixture(t, &api.CreateUserPoolRequest{UserPoolTags: map[string]string{"a": "1"}})
	arn := f.describe().Arn
	_, err := f.TagResource(f.Call, &api.TagResourceRequest{ResourceArn: arn, Tags: map[string]string{"b": "2"}})
	ok(t, err)
	_, err = f.UntagResource(f.Call, &api.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"a", "none"}})
	ok(t, err)
	tags, err := f.ListTagsForResource(f.Call, &api.ListTagsForResourceRequest{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || tags.Tags["b"] != "2" {
		t.Errorf("%v, %v", tags, err)
	}
	_, err = f.TagResource(f.Call, &api.TagResourceRequest{ResourceArn: arn, Tags: map[string]string{"aws:x": "2"}})
	fails(t, err, "UserPoolTaggingException", "aws:")
	_, err = f.TagResource(f.Call, &api.TagResourceRequest{ResourceArn: new("arn:aws:s3:::x"), Tags: map[string]string{"x": "2"}})
	fails(t, err, "InvalidParameterException", "ARN")

	for range 4 {
		_, err := f.CreateUserPool(f.Call, &api.CreateUserPoolRequest{PoolName: new("more")})
		ok(t, err)
	}
	var ids []string
	var token *string
	for {
		page, err := f.ListUserPools(f.Call, &api.ListUserPoolsRequest{MaxResults: new(int32(2)), NextToken: token})
		ok(t, err)
		for _, p := range page.UserPools {
			ids = append(ids, *p.Id)
		}
		if token = page.NextToken; token == nil {
			break
		}
	}
	if len(ids) != 5 || !slices.IsSorted(ids) {
		t.Errorf("%v", ids)
	}
	_, err = f.ListUserPools(f.Call, &api.ListUserPoolsRequest{MaxResults: new(int32(2)), NextToken: new("x")})
	fails(t, err, "InvalidParameterException", "token")
}
