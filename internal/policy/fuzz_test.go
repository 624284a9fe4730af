package policy_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"gatehouse/internal/policy"
)

// seeds are all documents of the corpus with what is asked of them.
func seeds(f *testing.F) {
	for _, file := range corpus(f) {
		for i := range file.Cases {
			c := &file.Cases[i]
			if c.Policy == nil && c.Statement == nil && c.Condition == nil {
				continue
			}
			for _, a := range c.Asks {
				r := c.request(f, &a)
				key, value := "", ""
				for k, v := range r.Keys.(policy.KeyMap) {
					if len(v) > 0 {
						key, value = k, v[0]
					}
				}
				f.Add(int(kinds[c.Kind]), c.text(f), r.Action, r.Resource, a.Caller, key, value)
			}
		}
	}
}

// asked is the request of a fuzz target; both its keys have the value, one of
// them twice.
func asked(action, resource, caller, key, value string) *policy.Request {
	return &policy.Request{
		Action: action, Resource: resource, Caller: callers[caller],
		Keys: policy.KeyMap{key: {value}, "aws:username": {"alice"}, "aws:tagkeys": {value, "a"}, "x:none": {}},
	}
}

// parsed is the document of a fuzz target, or nil.
func parsed(t *testing.T, kind int, text string) *policy.Document {
	if kind < 0 || kind > int(policy.Authorizer) || len(text) > 4096 {
		return nil
	}
	d, err := policy.Parse(policy.Kind(kind), text)
	if err != nil && !errors.As(err, new(policy.Error)) {
		t.Errorf("error %T", err)
	}
	return d
}

// FuzzDecide asks that no document panics and that all decide as their naive
// twin does, however they are written.
func FuzzDecide(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, kind int, text, action, resource, caller, key, value string) {
		for _, s := range []string{action, resource, key, value} {
			if !utf8.ValidString(s) || len(s) > 256 {
				return
			}
		}
		d := parsed(t, kind, text)
		if d == nil {
			return
		}
		r := asked(action, resource, caller, key, value)
		if got, want := d.Decide(r), naiveDecide(d, r); got != want {
			t.Errorf("%s, the naive twin says %s", decisions[got], decisions[want])
		}
	})
}

// FuzzDeny asks that another Deny never makes anything allowed, wherever it is
// put, and that what it denies is denied.
func FuzzDeny(f *testing.F) {
	seeds(f)
	deny, err := policy.Parse(policy.Authorizer, `{"Statement":{"Effect":"Deny","NotAction":"s3:Put*","Resource":"*"}}`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind int, text, action, resource, caller, key, value string) {
		d := parsed(t, kind, text)
		if d == nil {
			return
		}
		r := asked(action, resource, caller, key, value)
		before, denies := d.Decide(r), deny.Decide(r) == policy.Denied
		more := &policy.Document{Version: d.Version, Statements: append(append([]policy.Statement{}, deny.Statements...), d.Statements...)}
		last := &policy.Document{Version: d.Version, Statements: append(append([]policy.Statement{}, d.Statements...), deny.Statements...)}
		for _, after := range []policy.Decision{more.Decide(r), last.Decide(r)} {
			if after == policy.Allowed && before != policy.Allowed || denies && after != policy.Denied || !denies && after != before {
				t.Errorf("%s, %s before", decisions[after], decisions[before])
			}
		}
		allow := policy.Subject{Identity: []*policy.Document{d}}
		bounded := policy.Subject{Identity: []*policy.Document{d, deny}, Boundary: d}
		for _, owner := range []string{account, "444455556666"} {
			if policy.Evaluate(&bounded, nil, r, owner).Decision == policy.Allowed && policy.Evaluate(&allow, nil, r, owner).Decision != policy.Allowed {
				t.Error("a boundary and a Deny allow")
			}
			if denies && policy.Evaluate(&bounded, d, r, owner).Decision != policy.Denied {
				t.Error("a Deny is lost")
			}
		}
	})
}
