package compile

import (
	"encoding/json"
	"strings"
)

// opensToAll tells whether a resource policy lets everyone call everything: one
// that no statement of narrows. API Gateway stores the policy with its quotes
// escaped or plain.
func opensToAll(policy string) bool {
	var doc struct {
		Statement []struct {
			Effect                  string
			Principal, Action       json.RawMessage
			Resource, NotResource   json.RawMessage
			NotPrincipal, NotAction json.RawMessage
			Condition               json.RawMessage
		}
	}
	if json.Unmarshal([]byte(policy), &doc) != nil && json.Unmarshal([]byte(strings.ReplaceAll(policy, `\"`, `"`)), &doc) != nil {
		return false
	}
	open := false
	for _, s := range doc.Statement {
		if s.Effect != "Allow" {
			return false
		}
		if s.NotPrincipal != nil || s.NotAction != nil || s.NotResource != nil || s.Condition != nil {
			continue
		}
		open = open || anyOf(principals(s.Principal), "*") && anyOf(oneOrMore(s.Action), "*", "execute-api:*", "execute-api:Invoke") && anyOf(wholeAPI(oneOrMore(s.Resource)), "*")
	}
	return open
}

// oneOrMore is a JSON string or a list of them.
func oneOrMore(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var more []string
	if json.Unmarshal(raw, &more) != nil {
		return nil
	}
	return more
}

// principals are the AWS principals of a statement.
func principals(raw json.RawMessage) []string {
	var byKind map[string]json.RawMessage
	if json.Unmarshal(raw, &byKind) == nil {
		return oneOrMore(byKind["AWS"])
	}
	return oneOrMore(raw)
}

// wholeAPI writes the ARN of everything in an API as "*".
func wholeAPI(resources []string) []string {
	all := make([]string, 0, len(resources))
	for _, r := range resources {
		switch parts := strings.SplitN(r, "/", 2); {
		case len(parts) == 2 && parts[1] == "*" && strings.HasPrefix(r, "execute-api:"), len(parts) == 2 && parts[1] == "*" && strings.HasPrefix(r, "arn:aws:execute-api:"):
			all = append(all, "*")
		default:
			all = append(all, r)
		}
	}
	return all
}

func anyOf(have []string, wanted ...string) bool {
	for _, h := range have {
		for _, w := range wanted {
			if strings.EqualFold(h, w) {
				return true
			}
		}
	}
	return false
}
