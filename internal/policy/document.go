package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A Document is a policy whose syntax has been checked, and which is ready to be
// asked. Parse makes it; what is changed in it later isn't heeded.
type Document struct {
	// Version is "2012-10-17", "2008-10-17" or empty.
	Version    string
	Statements []Statement
}

// A Statement is one rule of a document. Of each pair such as Action and
// NotAction at most one is set.
type Statement struct {
	Sid string
	// Deny tells that the effect is Deny and not Allow.
	Deny                    bool
	Principal, NotPrincipal *Principal
	Action, NotAction       []string
	Resource, NotResource   []string
	Conditions              []Condition

	run rule
}

// A Principal is who a statement of a resource's or role's policy speaks of.
type Principal struct {
	// Any is the plain "*": everybody, anonymous callers included.
	Any                                bool
	AWS, Service, Federated, Canonical []string
}

// A Condition is one operator applied to one key, as in StringEquals on
// aws:SourceArn. One of the values must fit.
type Condition struct {
	Operator, Key string
	Values        []string
}

// A Kind tells what a document is for, which decides what it may hold.
type Kind int

const (
	// Managed is a policy of its own that identities attach.
	Managed Kind = iota
	// Inline is a policy that belongs to one user, group or role.
	Inline
	// Trust is a role's assume-role policy.
	Trust
	// Session is a policy that bounds one session.
	Session
	// Resource is the policy of something that isn't IAM's, as of a REST API or a
	// function. Its resources may be short forms that mean something to the owner.
	Resource
	// Authorizer is what a Lambda authorizer of an API returns.
	Authorizer
)

// An Error says why a document is malformed, in AWS's words.
type Error string

func (e Error) Error() string { return string(e) }

// Parse reads a document and checks it as AWS does for its kind. Every error
// is an Error.
func Parse(kind Kind, text string) (*Document, error) {
	if kind.identity() && strings.TrimLeft(text, " \t\r\n") != text {
		return nil, Error("JSON strings must not have leading spaces")
	}
	var top map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &top) != nil || top == nil {
		if kind == Trust {
			return nil, Error("This policy contains invalid Json")
		}
		return nil, errSyntax
	}
	d := &Document{}
	statements, err := parseTop(kind, top, d)
	if err != nil {
		return nil, err
	}
	for _, raw := range statements {
		s, err := parseStatement(kind, raw)
		if err != nil {
			return nil, err
		}
		d.Statements = append(d.Statements, s)
	}
	if err := check(kind, d); err != nil {
		return nil, err
	}
	for i := range d.Statements {
		d.Statements[i].compile(d.Version == variableVersion)
	}
	return d, nil
}

func check(kind Kind, d *Document) error {
	switch kind {
	case Trust:
		return checkTrust(d)
	case Resource:
		return checkResourcePolicy(d)
	case Authorizer:
		return checkAuthorizer(d)
	default:
		return checkIdentity(kind, d)
	}
}

// identity tells whether IAM itself keeps documents of the kind and whether
// they are bound by its oldest habits.
func (k Kind) identity() bool { return k != Resource && k != Authorizer }

// variableVersion is the version of the language that has variables.
const variableVersion = "2012-10-17"

const errSyntax = Error("Syntax errors in policy.")

// parseTop reads the members beside the statements, and splits those.
func parseTop(kind Kind, top map[string]json.RawMessage, d *Document) ([]map[string]json.RawMessage, error) {
	for _, name := range slices.Sorted(maps.Keys(top)) {
		raw := top[name]
		if kind == Authorizer && string(raw) == "null" {
			continue
		}
		switch name {
		case "Version":
			if json.Unmarshal(raw, &d.Version) != nil || d.Version != "2012-10-17" && d.Version != "2008-10-17" {
				return nil, errSyntax
			}
		case "Id":
			if _, ok := text(raw); !ok {
				return nil, errSyntax
			}
		case "Statement":
		default:
			if err := unknown(kind, name); err != nil {
				return nil, err
			}
		}
	}
	raw, ok := top["Statement"]
	if !ok {
		return nil, missing(kind, "Statement")
	}
	var list []map[string]json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		var one map[string]json.RawMessage
		if json.Unmarshal(raw, &one) != nil {
			return nil, errSyntax
		}
		list = append(list, one)
	}
	if len(list) == 0 && kind != Authorizer {
		return nil, missing(kind, "Statement")
	}
	return list, nil
}

func parseStatement(kind Kind, members map[string]json.RawMessage) (Statement, error) {
	var s Statement
	if members == nil {
		return s, errSyntax
	}
	effect := ""
	for _, name := range slices.Sorted(maps.Keys(members)) {
		raw, ok := members[name], true
		if kind == Authorizer && string(raw) == "null" {
			continue
		}
		switch name {
		case "Sid":
			s.Sid, ok = text(raw)
		case "Effect":
			effect, ok = text(raw)
		case "Principal":
			s.Principal, ok = principal(raw)
		case "NotPrincipal":
			s.NotPrincipal, ok = principal(raw)
		case "Action":
			s.Action, ok = texts(raw)
		case "NotAction":
			s.NotAction, ok = texts(raw)
		case "Resource":
			s.Resource, ok = texts(raw)
		case "NotResource":
			s.NotResource, ok = texts(raw)
		case "Condition":
			s.Conditions, ok = conditions(raw)
		default:
			if err := unknown(kind, name); err != nil {
				return s, err
			}
		}
		if !ok {
			return s, errSyntax
		}
	}
	switch {
	case effect == "Deny":
		s.Deny = true
	case effect == "Allow":
	case effect == "":
		return s, missing(kind, "Effect")
	case strings.EqualFold(effect, "Allow"), strings.EqualFold(effect, "Deny"):
		return s, errLegacy
	case kind == Trust:
		return s, Error("Invalid effect: " + effect)
	default:
		return s, errSyntax
	}
	if s.Action != nil && s.NotAction != nil || s.Resource != nil && s.NotResource != nil || s.Principal != nil && s.NotPrincipal != nil {
		return s, errSyntax
	}
	return s, nil
}

// missing and unknown are the words for a member that must be there or must
// not; IAM's two checkers, of trust policies and of the others, word them
// differently.
func missing(kind Kind, member string) error {
	if kind == Trust {
		return Error("Missing required field " + member)
	}
	return errSyntax
}

// UNVERIFIED: an authorizer's policy may have members that nobody knows.
func unknown(kind Kind, member string) error {
	switch kind {
	case Trust:
		return Error("Unknown field " + member)
	case Authorizer:
		return nil
	}
	return errSyntax
}

func text(raw json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// texts reads a string or a list of strings; the answer is never nil when ok.
func texts(raw json.RawMessage) ([]string, bool) {
	if s, ok := text(raw); ok {
		return []string{s}, true
	}
	var list []*string
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s == nil {
			return nil, false
		}
		out = append(out, *s)
	}
	return out, true
}

func principal(raw json.RawMessage) (*Principal, bool) {
	if s, ok := text(raw); ok {
		return &Principal{Any: true}, s == "*"
	}
	var kinds map[string]json.RawMessage
	if json.Unmarshal(raw, &kinds) != nil || kinds == nil {
		return nil, false
	}
	p := &Principal{}
	for kind, raw := range kinds {
		list, ok := texts(raw)
		if !ok {
			return nil, false
		}
		switch kind {
		case "AWS":
			p.AWS = list
		case "Service":
			p.Service = list
		case "Federated":
			p.Federated = list
		case "CanonicalUser":
			p.Canonical = list
		default:
			return nil, false
		}
	}
	return p, true
}

func conditions(raw json.RawMessage) ([]Condition, bool) {
	var operators map[string]map[string]json.RawMessage
	if json.Unmarshal(raw, &operators) != nil || operators == nil {
		return nil, false
	}
	var out []Condition
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		keys := operators[operator]
		if _, ok := parseOperator(operator); len(keys) > 0 && !ok {
			return nil, false
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			values, ok := scalars(keys[key])
			if !ok {
				return nil, false
			}
			out = append(out, Condition{Operator: operator, Key: key, Values: values})
		}
	}
	return out, true
}

// scalars reads a condition's values: strings, numbers or booleans, one or a
// list of them, as text.
func scalars(raw json.RawMessage) ([]string, bool) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	out := make([]string, 0, len(list))
	for _, item := range list {
		if s, ok := text(item); ok {
			out = append(out, s)
			continue
		}
		if len(item) == 0 || item[0] == '{' || item[0] == '[' || string(item) == "null" {
			return nil, false
		}
		out = append(out, string(item))
	}
	return out, true
}
