package iam

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/policy"
)

// The types of policies in answers. UNVERIFIED: AWS answers "IAM Policy" where
// its model lists other words; the two others are alike.
const (
	identityPolicy = "IAM Policy"
	boundaryPolicy = "Permissions Boundary Policy"
	resourcePolicy = "Resource Policy"
)

// A simulated policy is asked as a whole, and statement by statement to tell
// which it was.
type simulated struct {
	id, kind string
	document *policy.Document
	parts    []part
}

// A part is one statement and where it stands.
type part struct {
	document   *policy.Document
	start, end api.Position
}

// newSimulated reads a policy. Its error is IAM's answer.
func newSimulated(kind policy.Kind, id, as, text string) (*simulated, error) {
	d, err := policy.Parse(kind, text)
	if err != nil {
		var words policy.Error
		if errors.As(err, &words) {
			// UNVERIFIED: the words.
			return nil, invalidInput("Invalid Input Policy: " + id + ": " + string(words))
		}
		return nil, err
	}
	p := &simulated{id: id, kind: as, document: d}
	for _, at := range statementsOf(text) {
		one, err := json.Marshal(map[string]any{"Version": versionOf(d), "Statement": []json.RawMessage{json.RawMessage(text[at[0]:at[1]])}})
		if err != nil {
			return nil, err
		}
		alone, err := policy.Parse(kind, string(one))
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, part{document: alone, start: position(text, at[0]+1), end: position(text, at[1])})
	}
	return p, nil
}

// versionOf is the version of the language that a document is in.
func versionOf(d *policy.Document) string {
	if d.Version == "" {
		return "2008-10-17"
	}
	return d.Version
}

// statementsOf finds where the statements of a valid document begin and end.
func statementsOf(text string) [][2]int {
	var out [][2]int
	dec := json.NewDecoder(strings.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return out
		}
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return out
		}
		if name != "Statement" {
			continue
		}
		// Of several members of the name the last counts.
		out = elements(raw, int(dec.InputOffset())-len(raw))
	}
	return out
}

// elements finds the elements of a list, or the value itself; from is where raw
// stands.
func elements(raw json.RawMessage, from int) [][2]int {
	if raw[0] != '[' {
		return [][2]int{{from, from + len(raw)}}
	}
	var out [][2]int
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		var one json.RawMessage
		if dec.Decode(&one) != nil {
			return out
		}
		end := from + int(dec.InputOffset())
		out = append(out, [2]int{end - len(one), end})
	}
	return out
}

// position is that of the character at an offset; lines and columns begin at 1.
func position(text string, offset int) api.Position {
	before := text[:offset]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return api.Position{Line: new(int32(line + 1)), Column: new(int32(column + 1))}
}

// matched adds the statements that decide as wanted.
func (p *simulated) matched(to []api.Statement, r *policy.Request, wanted policy.Decision) []api.Statement {
	for i := range p.parts {
		if at := &p.parts[i]; at.document.Decide(r) == wanted {
			to = append(to, api.Statement{SourcePolicyId: &p.id, SourcePolicyType: &p.kind, StartPosition: &at.start, EndPosition: &at.end})
		}
	}
	return to
}

// contextKeys adds the condition keys that a policy speaks of: those of its
// conditions and of its variables.
func (p *simulated) contextKeys(names []string) []string {
	add := func(name string) {
		if !slices.ContainsFunc(names, func(have string) bool { return strings.EqualFold(have, name) }) {
			names = append(names, name)
		}
	}
	variables := func(texts []string) {
		if p.document.Version != "2012-10-17" {
			return
		}
		for _, text := range texts {
			for {
				_, rest, found := strings.Cut(text, "${")
				name, after, closed := strings.Cut(rest, "}")
				if !found || !closed {
					break
				}
				name, _, _ = strings.Cut(name, ",")
				if strings.Contains(name, ":") {
					add(strings.TrimSpace(name))
				}
				text = after
			}
		}
	}
	for i := range p.document.Statements {
		s := &p.document.Statements[i]
		variables(s.Resource)
		variables(s.NotResource)
		for _, c := range s.Conditions {
			add(c.Key)
			variables(c.Values)
		}
	}
	return names
}
