package iam_test

import (
	"slices"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/iam"
)

// told is a decision with the statements behind it, as in
// "allowed PolicyInputList.1@1:38-1:167".
func told(decision *string, statements []api.Statement) string {
	text := *decision
	for _, s := range statements {
		text += " " + *s.SourcePolicyId + "@" + place(s.StartPosition) + "-" + place(s.EndPosition)
	}
	return text
}

func place(p *api.Position) string {
	digits := func(n int32) string {
		if n < 10 {
			return string('0' + rune(n))
		}
		return string('0'+rune(n/100%10)) + string('0'+rune(n/10%10)) + string('0'+rune(n%10))
	}
	return digits(*p.Line) + ":" + digits(*p.Column)
}

func one(effect, action, more string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*"` + more + `}}`
}

func TestSimulateCustomPolicy(t *testing.T) {
	f := newFixture(t)
	// The positions are those of AWS's own example.
	dynamo := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`
	lines := "{\n \"Version\": \"2012-10-17\",\n \"Statement\": [\n  {\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"},\n  {\"Effect\": \"Deny\", \"Action\": \"s3:Put\", \"Resource\": \"*\"}\n ]\n}"
	tests := []struct {
		name    string
		in      api.SimulateCustomPolicyRequest
		want    []string // of each action
		missing []string // of the first
	}{
		{"the documented example", api.SimulateCustomPolicyRequest{PolicyInputList: []string{dynamo}, ActionNames: []string{"dynamodb:CreateBackup"}},
			[]string{"allowed PolicyInputList.1@1:038-1:167"}, nil},
		{"at another time", api.SimulateCustomPolicyRequest{PolicyInputList: []string{dynamo}, ActionNames: []string{"dynamodb:CreateBackup"},
			ContextEntries: []api.ContextEntry{{ContextKeyName: new("aws:CurrentTime"), ContextKeyValues: []string{"2017-01-01T00:00:00Z"}, ContextKeyType: new("date")}}},
			[]string{"implicitDeny"}, nil},
		{"a deny on its own line", api.SimulateCustomPolicyRequest{PolicyInputList: []string{lines}, ActionNames: []string{"s3:Put", "s3:Get", "ec2:Run"}},
			[]string{"explicitDeny PolicyInputList.1@5:4-5:058", "allowed PolicyInputList.1@4:4-4:057", "implicitDeny"}, nil},
		{"two policies", api.SimulateCustomPolicyRequest{PolicyInputList: []string{one("Allow", "s3:*", ""), one("Deny", "s3:Put", "")}, ActionNames: []string{"s3:Put", "s3:Get"}},
			[]string{"explicitDeny PolicyInputList.2@1:038-1:087", "allowed PolicyInputList.1@1:038-1:086"}, nil},
		{"missing keys", api.SimulateCustomPolicyRequest{PolicyInputList: []string{one("Allow", "s3:*", `,"Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:username}"},"Bool":{"aws:SecureTransport":"true"}}`)}, ActionNames: []string{"s3:Get"},
			ContextEntries: []api.ContextEntry{{ContextKeyName: new("AWS:SecureTransport"), ContextKeyValues: []string{"true"}, ContextKeyType: new("boolean")}}},
			[]string{"implicitDeny"}, []string{"aws:PrincipalTag/team", "aws:username"}},
		{"a resource's policy", api.SimulateCustomPolicyRequest{PolicyInputList: []string{one("Allow", "ec2:*", "")}, ActionNames: []string{"s3:Get"},
			CallerArn:      new("arn:aws:iam::123456789012:user/u"),
			ResourcePolicy: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/u"},"Action":"s3:Get","Resource":"*"}}`)},
			[]string{"allowed ResourcePolicy@1:038-1:143"}, nil},
		{"another account's", api.SimulateCustomPolicyRequest{PolicyInputList: []string{one("Allow", "ec2:*", "")}, ActionNames: []string{"s3:Get"},
			CallerArn: new("arn:aws:iam::123456789012:user/u"), ResourceOwner: new("arn:aws:iam::210987654321:root"),
			ResourcePolicy: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:Get","Resource":"*"}}`)},
			[]string{"implicitDeny ResourcePolicy@1:038-1:104"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := f.SimulateCustomPolicy(f.Call, &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, r := range out.EvaluationResults {
				if *r.EvalActionName != tt.in.ActionNames[i] || *r.EvalResourceName != "*" || r.ResourceSpecificResults != nil {
					t.Errorf("result %+v", r)
				}
				got = append(got, told(r.EvalDecision, r.MatchedStatements))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if got := out.EvaluationResults[0].MissingContextValues; !slices.Equal(got, tt.missing) {
				t.Errorf("missing %q, want %q", got, tt.missing)
			}
		})
	}
}

func TestSimulatedResourcesAndBoundaries(t *testing.T) {
	f := newFixture(t)
	out, err := f.SimulateCustomPolicy(f.Call, &api.SimulateCustomPolicyRequest{
		PolicyInputList:                    []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a*","Condition":{"Bool":{"aws:x":"true"}}},{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b"}]}`},
		PermissionsBoundaryPolicyInputList: []string{one("Allow", "s3:Get", "")},
		ActionNames:                        []string{"s3:Get", "s3:Put"}, ResourceArns: []string{"arn:aws:s3:::a", "arn:aws:s3:::b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	get, put := out.EvaluationResults[0], out.EvaluationResults[1]
	if *get.EvalDecision != "implicitDeny" || len(get.ResourceSpecificResults) != 2 || len(get.MissingContextValues) != 0 || !*get.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Errorf("s3:Get %+v", get)
	}
	a, b := get.ResourceSpecificResults[0], get.ResourceSpecificResults[1]
	if *a.EvalResourceDecision != "implicitDeny" || *b.EvalResourceDecision != "allowed" || *b.EvalResourceName != "arn:aws:s3:::b" || !slices.Equal(a.MissingContextValues, []string{"aws:x"}) {
		t.Errorf("s3:Get of each %+v, %+v", a, b)
	}
	if *put.EvalDecision != "implicitDeny" || *put.PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary {
		t.Errorf("s3:Put %+v", put)
	}
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	f := newFixture(t)
	f.user(t, "u")
	f.role(t, "r")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	own := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"}}`
	must(f.PutUserPolicy(f.Call, &api.PutUserPolicyRequest{UserName: new("u"), PolicyName: new("own"), PolicyDocument: &own}))
	_, err := f.CreateGroup(f.Call, &api.CreateGroupRequest{GroupName: new("G")})
	must(err)
	must(f.AddUserToGroup(f.Call, &api.AddUserToGroupRequest{GroupName: new("G"), UserName: new("u")}))
	must(f.PutGroupPolicy(f.Call, &api.PutGroupPolicyRequest{GroupName: new("G"), PolicyName: new("never"), PolicyDocument: new(one("Deny", "iam:DeleteUser", ""))}))
	must(f.AttachRolePolicy(f.Call, &api.AttachRolePolicyRequest{RoleName: new("r"), PolicyArn: new(basic)}))

	simulate := func(source string, actions ...string) *api.SimulatePolicyResponse {
		t.Helper()
		out, err := f.SimulatePrincipalPolicy(f.Call, &api.SimulatePrincipalPolicyRequest{
			PolicySourceArn: &source, ActionNames: actions, ResourceArns: []string{"arn:aws:iam::123456789012:user/u"}, MaxItems: new(int32(2)),
		})
		must(err)
		return out
	}
	const user, role, group = "arn:aws:iam::123456789012:user/u", "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:group/G"
	out := simulate(user, "iam:GetUser", "iam:DeleteUser", "s3:Get")
	if !*out.IsTruncated || len(out.EvaluationResults) != 2 {
		t.Fatalf("a page of %d, more: %v", len(out.EvaluationResults), *out.IsTruncated)
	}
	get, remove := out.EvaluationResults[0], out.EvaluationResults[1]
	if got := told(get.EvalDecision, get.MatchedStatements); !strings.HasPrefix(got, "allowed user_u_own@") {
		t.Errorf("iam:GetUser: %s", got)
	}
	if got := told(remove.EvalDecision, remove.MatchedStatements); !strings.HasPrefix(got, "explicitDeny group_G_never@") {
		t.Errorf("iam:DeleteUser: %s", got)
	}
	rest, err := f.SimulatePrincipalPolicy(f.Call, &api.SimulatePrincipalPolicyRequest{
		PolicySourceArn: new(user), ActionNames: []string{"iam:GetUser", "iam:DeleteUser", "s3:Get"}, MaxItems: new(int32(2)), Marker: out.Marker,
		PolicyInputList: []string{one("Allow", "s3:Get", "")},
	})
	must(err)
	if len(rest.EvaluationResults) != 1 || *rest.IsTruncated || *rest.EvaluationResults[0].EvalDecision != "allowed" {
		t.Errorf("the rest %+v", rest)
	}
	if got := simulate(role, "logs:PutLogEvents").EvaluationResults[0]; *got.EvalDecision != "allowed" || *got.MatchedStatements[0].SourcePolicyId != "AWSLambdaBasicExecutionRole" {
		t.Errorf("of the role %+v", got)
	}
	if got := simulate(group, "iam:DeleteUser").EvaluationResults[0]; *got.EvalDecision != "explicitDeny" {
		t.Errorf("of the group %+v", got)
	}
	keys, err := f.GetContextKeysForPrincipalPolicy(f.Call, &api.GetContextKeysForPrincipalPolicyRequest{PolicySourceArn: new(user)})
	if err != nil || !slices.Equal(keys.ContextKeyNames, []string{"aws:username"}) {
		t.Errorf("keys %v, %v", keys, err)
	}
	custom, err := f.GetContextKeysForCustomPolicy(f.Call, &api.GetContextKeysForCustomPolicyRequest{PolicyInputList: []string{own, one("Allow", "*", `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`)}})
	if err != nil || !slices.Equal(custom.ContextKeyNames, []string{"aws:username", "aws:SecureTransport"}) {
		t.Errorf("keys %v, %v", custom, err)
	}
}

func TestSimulationsRefused(t *testing.T) {
	f := newFixture(t)
	_, err := f.SimulateCustomPolicy(f.Call, &api.SimulateCustomPolicyRequest{PolicyInputList: []string{"{}"}, ActionNames: []string{"a:b"}})
	fails(t, err, "InvalidInput", "Invalid Input Policy: PolicyInputList.1: Syntax errors in policy.")
	_, err = f.SimulateCustomPolicy(f.Call, &api.SimulateCustomPolicyRequest{ActionNames: []string{"a:*"}})
	fails(t, err, "InvalidInput", "Invalid Action: a:* must name one action of one service.")
	_, err = f.SimulateCustomPolicy(f.Call, &api.SimulateCustomPolicyRequest{ActionNames: []string{"a:b"}, ResourcePolicy: new("{}")})
	fails(t, err, "InvalidInput", "CallerArn is required with a ResourcePolicy unless the policies simulated are a user's.")
	_, err = f.SimulatePrincipalPolicy(f.Call, &api.SimulatePrincipalPolicyRequest{PolicySourceArn: new("arn:aws:iam::123456789012:user/none"), ActionNames: []string{"a:b"}})
	fails(t, err, "NoSuchEntity", "The user with name none cannot be found.")
	_, err = f.SimulatePrincipalPolicy(f.Call, &api.SimulatePrincipalPolicyRequest{PolicySourceArn: new("arn:aws:s3:::b"), ActionNames: []string{"a:b"}})
	fails(t, err, "InvalidInput", "Invalid Entity Arn: arn:aws:s3:::b does not clearly define entity type and name.")
}

// FuzzSimulate asks that no policy that is accepted makes a simulation fail
// halfway, and that statements are found where they stand.
func FuzzSimulate(f *testing.F) {
	f.Add(one("Allow", "s3:*", ""), "s3:Get")
	f.Add("{\n\"Statement\": [ {\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"} ,{\"Effect\":\"Allow\",\"NotAction\":\"a:b\",\"NotResource\":\"arn:aws:s3:::${aws:username}\"}]}", "é:b")
	fixture := open(f, f.TempDir())
	f.Fuzz(func(t *testing.T, text, action string) {
		out, err := fixture.SimulateCustomPolicy(fixture.Call, &api.SimulateCustomPolicyRequest{PolicyInputList: []string{text}, ActionNames: []string{action}})
		if err != nil {
			return
		}
		r := out.EvaluationResults[0]
		if (*r.EvalDecision == "implicitDeny") != (len(r.MatchedStatements) == 0) {
			t.Errorf("%s", told(r.EvalDecision, r.MatchedStatements))
		}
	})
}
