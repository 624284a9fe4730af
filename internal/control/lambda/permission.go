package lambda

import (
	"encoding/json"
	"fmt"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const (
	statementPattern = `([a-zA-Z0-9-_]+)`
	actionPattern    = `(lambda:[*]|lambda:[a-zA-Z]+|[*])`
	maxPolicyBytes   = 20 << 10
)

// AddPermission adds a statement to the resource policy of a function, a
// version or an alias.
func (s *Service) AddPermission(c *awswire.Call, in *api.AddPermissionRequest) (*api.AddPermissionResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := checkPermission(in); err != nil {
		return nil, err
	}
	if t.qualifier == latest {
		return nil, badParameter("We currently do not support adding policies for $LATEST.")
	}
	who, ok := parsePrincipal(*in.Principal, c.Region)
	if !ok {
		return nil, badParameter("The provided principal was invalid. Please check the principal and try again.")
	}
	st := statement{
		Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: t.arn(),
		Condition: newCondition(in),
	}
	text, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("write statement: %w", err)
	}
	return update(s, c, func(tx *store.Tx) (*api.AddPermissionResponse, error) {
		owner, err := getPolicyOwner(tx, t)
		if err != nil {
			return nil, err
		}
		if err := checkRevision(in.RevisionId, owner.revision(), "GetPolicy"); err != nil {
			return nil, err
		}
		policy, err := optional(policies.Get(tx, t.scope, t.name, t.policyID()))
		if err != nil {
			return nil, err
		}
		if policy == nil {
			policy = newPolicy()
		}
		if !policy.add(st) {
			return nil, statementExists(st.Sid)
		}
		whole, err := policy.text()
		if err != nil {
			return nil, err
		}
		if len(whole) > maxPolicyBytes {
			return nil, api.NewPolicyLengthExceededException(fmt.Sprintf("The final policy size (%d) is bigger than the limit (%d).", len(whole), maxPolicyBytes))
		}
		if err := policies.Put(tx, t.scope, policy, t.name, t.policyID()); err != nil {
			return nil, err
		}
		return &api.AddPermissionResponse{Statement: new(string(text))}, owner.revise(tx, s.newID())
	})
}

func statementExists(sid string) *awswire.Error {
	return api.NewResourceConflictException(fmt.Sprintf("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", sid))
}

func checkPermission(in *api.AddPermissionRequest) error {
	var problems []string
	if id := str(in.StatementId); !isName(id, false) {
		problems = append(problems, badPattern(id, "statementId", statementPattern))
	}
	if action := str(in.Action); !isAction(action) {
		problems = append(problems, badPattern(action, "action", actionPattern))
	}
	if in.Principal == nil {
		problems = append(problems, "Value null at 'principal' failed to satisfy constraint: Member must not be null")
	}
	if in.SourceAccount != nil && !isAccount(*in.SourceAccount) {
		problems = append(problems, badPattern(*in.SourceAccount, "sourceAccount", `\d{12}`))
	}
	if v := in.FunctionUrlAuthType; v != nil && *v != api.FunctionUrlAuthTypeNone && *v != api.FunctionUrlAuthTypeAWSIAM {
		problems = append(problems, fmt.Sprintf("Value '%s' at 'functionUrlAuthType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, AWS_IAM]", *v))
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}

func isAction(s string) bool {
	if s == "*" || s == "lambda:*" {
		return true
	}
	const prefix = "lambda:"
	if len(s) <= len(prefix) || s[:len(prefix)] != prefix {
		return false
	}
	for i := len(prefix); i < len(s); i++ {
		if !isLetter(s[i]) {
			return false
		}
	}
	return true
}

// newCondition is the condition of a statement, or nil.
func newCondition(in *api.AddPermissionRequest) *condition {
	var c condition
	if e := (stringEquals{
		SourceAccount: str(in.SourceAccount), FunctionURLAuthType: str(in.FunctionUrlAuthType),
		PrincipalOrgID: str(in.PrincipalOrgID), EventSourceToken: str(in.EventSourceToken),
	}); e != (stringEquals{}) {
		c.StringEquals = &e
	}
	if source := str(in.SourceArn); source != "" {
		c.ArnLike = &arnLike{SourceARN: source}
	}
	if deref(in.InvokedViaFunctionUrl) {
		c.Bool = &boolEquals{InvokedViaFunctionURL: "true"}
	}
	if c == (condition{}) {
		return nil
	}
	return &c
}

// RemovePermission takes a statement away; the policy goes with its last one.
func (s *Service) RemovePermission(c *awswire.Call, in *api.RemovePermissionRequest) error {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		exists, err := functions.Exists(tx, t.scope, t.name)
		if err != nil {
			return err
		}
		if !exists {
			return api.NewResourceNotFoundException("No policy found for: " + t.qualified(""))
		}
		owner, err := getPolicyOwner(tx, t)
		if err != nil {
			return err
		}
		policy, err := optional(policies.Get(tx, t.scope, t.name, t.policyID()))
		if err != nil {
			return err
		}
		if policy == nil {
			return api.NewResourceNotFoundException("No policy is associated with the given resource.")
		}
		if !policy.remove(str(in.StatementId)) {
			return api.NewResourceNotFoundException(fmt.Sprintf("Statement %s is not found in resource policy.", str(in.StatementId)))
		}
		if err := checkRevision(in.RevisionId, owner.revision(), "GetFunction/GetAlias"); err != nil {
			return err
		}
		if len(policy.Statement) == 0 {
			err = policies.Delete(tx, t.scope, t.name, t.policyID())
		} else {
			err = policies.Put(tx, t.scope, policy, t.name, t.policyID())
		}
		if err != nil {
			return err
		}
		return owner.revise(tx, s.newID())
	})
}

// GetPolicy shows the resource policy. Its revision is that of the function,
// version or alias it belongs to.
func (s *Service) GetPolicy(c *awswire.Call, in *api.GetPolicyRequest) (*api.GetPolicyResponse, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.GetPolicyResponse, error) {
		policy, err := policies.Get(tx, t.scope, t.name, t.policyID())
		if notFound(err) {
			return nil, resourceNotFound()
		}
		if err != nil {
			return nil, err
		}
		text, err := policy.text()
		if err != nil {
			return nil, err
		}
		owner, err := getPolicyOwner(tx, t)
		if err != nil {
			return nil, err
		}
		return &api.GetPolicyResponse{Policy: &text, RevisionId: owner.revision()}, nil
	})
}

// policyID is the qualifier as part of a policy's key.
func (t target) policyID() string {
	if t.qualifier == "" {
		return latest
	}
	return t.qualifier
}

// A policyOwner is what has a resource policy: exactly one member is set.
type policyOwner struct {
	target   target
	function *functionDoc
	version  *versionDoc
	alias    *api.AliasConfiguration
}

func getPolicyOwner(tx *store.Tx, t target) (policyOwner, error) {
	o := policyOwner{target: t}
	fn, err := getFunction(tx, target{scope: t.scope, name: t.name})
	if err != nil {
		return o, err
	}
	switch {
	case t.qualifier == "" || t.qualifier == latest:
		o.function = fn
	case isNumber(t.qualifier):
		o.version, err = versionNumbered(tx, t, t.qualifier)
	case !isName(t.qualifier, false):
		err = functionNotFound(t.arn())
	default:
		o.alias, err = aliases.Get(tx, t.scope, t.name, t.qualifier)
		if notFound(err) {
			err = aliasNotFound(t.arn())
		}
	}
	return o, err
}

func (o policyOwner) revision() *string {
	switch {
	case o.function != nil:
		return o.function.Configuration.RevisionId
	case o.version != nil:
		return o.version.Configuration.RevisionId
	default:
		return o.alias.RevisionId
	}
}

// revise stores the owner under a new revision.
func (o policyOwner) revise(tx *store.Tx, id string) error {
	t := o.target
	switch {
	case o.function != nil:
		o.function.Configuration.RevisionId = &id
		return functions.Put(tx, t.scope, o.function, t.name)
	case o.version != nil:
		n, _ := parseVersion(t.qualifier)
		o.version.Configuration.RevisionId = &id
		return versions.Put(tx, t.scope, o.version, t.name, versionID(n))
	default:
		o.alias.RevisionId = &id
		return aliases.Put(tx, t.scope, o.alias, t.name, t.qualifier)
	}
}
