package lambda

import (
	"encoding/json"
	"fmt"
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/policy"
)

// A resourcePolicy is the policy of one function, version, alias or layer
// version, as GetPolicy writes it.
type resourcePolicy struct {
	Version   string
	ID        string `json:"Id"`
	Statement []statement
}

// A statement is one permission, in the form AWS gives it: single strings
// where IAM would also take lists.
type statement struct {
	Sid       string
	Effect    string
	Principal principal
	Action    string
	Resource  string
	Condition *condition `json:",omitempty"`
}

// A condition holds the only keys that the permission operations can set.
type condition struct {
	StringEquals *stringEquals `json:",omitempty"`
	ArnLike      *arnLike      `json:",omitempty"`
	Bool         *boolEquals   `json:",omitempty"`
}

type stringEquals struct {
	SourceAccount       string `json:"AWS:SourceAccount,omitempty"`
	FunctionURLAuthType string `json:"lambda:FunctionUrlAuthType,omitempty"`
	PrincipalOrgID      string `json:"aws:PrincipalOrgID,omitempty"`
	EventSourceToken    string `json:"lambda:EventSourceToken,omitempty"`
}

type arnLike struct {
	SourceARN string `json:"AWS:SourceArn,omitempty"`
}

type boolEquals struct {
	InvokedViaFunctionURL string `json:"lambda:InvokedViaFunctionUrl,omitempty"`
}

// A principal is who a statement allows; one member is set, none means anyone.
type principal struct {
	AWS     string `json:",omitempty"`
	Service string `json:",omitempty"`
}

// MarshalJSON writes anyone as "*".
func (p principal) MarshalJSON() ([]byte, error) {
	if p == (principal{}) {
		return []byte(`"*"`), nil
	}
	type plain principal
	return json.Marshal(plain(p))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *principal) UnmarshalJSON(b []byte) error {
	if string(b) == `"*"` {
		*p = principal{}
		return nil
	}
	type plain principal
	return json.Unmarshal(b, (*plain)(p))
}

// parsePrincipal reads the Principal member of AddPermission.
func parsePrincipal(s, region string) (principal, bool) {
	switch {
	case s == "*":
		return principal{}, true
	case isAccount(s):
		return principal{AWS: "arn:" + arn.Partition(region) + ":iam::" + s + ":root"}, true
	case strings.HasPrefix(s, "arn:"):
		a, err := arn.Parse(s)
		if err != nil || a.Service != "iam" && a.Service != "sts" || !isAccount(a.Account) {
			return principal{}, false
		}
		return principal{AWS: s}, true
	}
	for _, domain := range [...]string{".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"} {
		if name, ok := strings.CutSuffix(s, domain); ok && isName(strings.ReplaceAll(name, ".", ""), false) {
			return principal{Service: s}, true
		}
	}
	return principal{}, false
}

func newPolicy() *resourcePolicy {
	return &resourcePolicy{Version: "2012-10-17", ID: "default"}
}

// add appends st; it is false when the policy already has a statement of that
// name.
func (p *resourcePolicy) add(st statement) bool {
	for _, have := range p.Statement {
		if have.Sid == st.Sid {
			return false
		}
	}
	p.Statement = append(p.Statement[:len(p.Statement):len(p.Statement)], st)
	return true
}

// remove takes the statement named sid out; it is false when there is none.
func (p *resourcePolicy) remove(sid string) bool {
	for i, have := range p.Statement {
		if have.Sid == sid {
			p.Statement = append(p.Statement[:i:i], p.Statement[i+1:]...)
			return true
		}
	}
	return false
}

func (p *resourcePolicy) text() (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("write resource policy: %w", err)
	}
	return string(b), nil
}

// An Access is a call that a resource policy is asked about.
type Access struct {
	// Principal is a service such as apigateway.amazonaws.com, or the ARN of an
	// IAM identity.
	Principal string
	// SourceARN and SourceAccount are what a service calls on behalf of.
	SourceARN     string
	SourceAccount string
}

// compile is the policy ready to be asked, or nil when there is none.
func (p *resourcePolicy) compile() (*policy.Document, error) {
	if p == nil || len(p.Statement) == 0 {
		return nil, nil
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	d, err := policy.Parse(policy.Resource, text)
	if err != nil {
		return nil, fmt.Errorf("read resource policy: %w", err)
	}
	return d, nil
}

// caller is who calls.
func (a *Access) caller() policy.Caller {
	if who, err := arn.Parse(a.Principal); err == nil {
		return policy.Caller{Account: who.Account, ARN: a.Principal}
	}
	return policy.Caller{Service: a.Principal}
}

// accessKeys are the condition keys of a call on somebody's behalf. The other
// keys that permissions can have aren't known of an invocation by a service.
type accessKeys struct{ source, account [1]string }

// Lookup implements policy.Keys.
func (k *accessKeys) Lookup(key string) ([]string, bool) {
	switch key {
	case "aws:sourcearn":
		return k.source[:], k.source[0] != ""
	case "aws:sourceaccount":
		return k.account[:], k.account[0] != ""
	}
	return nil, false
}
