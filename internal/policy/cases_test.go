package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"gatehouse/internal/policy"
)

// A corpus file is one subject; testdata/README.md has its language.
type corpusFile struct {
	Cases []corpusCase `yaml:"cases"`
}

type corpusCase struct {
	Name     string `yaml:"name"`
	Evidence struct {
		// Source is documented, recorded, reported or unverified.
		Source string `yaml:"source"`
		Where  string `yaml:"where"`
	} `yaml:"evidence"`
	Kind     string `yaml:"kind"`
	document `yaml:",inline"`
	// The rest is of cases that put several policies together.
	Identity  []document `yaml:"identity"`
	Boundary  *document  `yaml:"boundary"`
	Session   []document `yaml:"session"`
	Guard     *document  `yaml:"guard"`
	Owner     string     `yaml:"owner"`
	Caller    string     `yaml:"caller"`
	Action    string     `yaml:"action"`
	Resource  string     `yaml:"resource"`
	Asks      []ask      `yaml:"asks"`
	Malformed string     `yaml:"malformed"`
}

// A document is a policy: whole, its statements, or one condition.
type document struct {
	Policy    any `yaml:"policy"`
	Statement any `yaml:"statement"`
	Condition any `yaml:"condition"`
	// Effect is that of the statement with the condition.
	Effect  string `yaml:"effect"`
	Version string `yaml:"version"`
}

type ask struct {
	Name     string            `yaml:"name"`
	Caller   string            `yaml:"caller"`
	Action   string            `yaml:"action"`
	Resource string            `yaml:"resource"`
	Keys     map[string]values `yaml:"keys"`
	Want     string            `yaml:"want"`
	Because  string            `yaml:"because"`
}

type values []string

func (v *values) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*v = values{n.Value}
		return nil
	}
	return n.Decode((*[]string)(v))
}

var kinds = map[string]policy.Kind{
	"": policy.Inline, "managed": policy.Managed, "trust": policy.Trust, "session": policy.Session,
	"resource": policy.Resource, "authorizer": policy.Authorizer,
}

// text is the document as JSON.
func (d *document) text(t testing.TB) string {
	t.Helper()
	whole := d.Policy
	if text, ok := whole.(string); ok {
		return text
	}
	if whole == nil {
		version := d.Version
		if version == "" {
			version = "2012-10-17"
		}
		statement := d.Statement
		if d.Condition != nil {
			effect := d.Effect
			if effect == "" {
				effect = "Allow"
			}
			statement = map[string]any{"Effect": effect, "Action": "*", "Resource": "*", "Condition": d.Condition}
		}
		whole = map[string]any{"Statement": statement}
		if version != "none" {
			whole.(map[string]any)["Version"] = version
		}
	}
	out, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (d *document) parse(t *testing.T, kind policy.Kind) *policy.Document {
	t.Helper()
	text := d.text(t)
	p, err := policy.Parse(kind, text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return p
}

const account = "123456789012"

// callers have the names that cases call them by.
var callers = map[string]policy.Caller{
	"":        {Account: account, ARN: "arn:aws:iam::" + account + ":user/alice", UserID: "AIDAALICEALICEALICE1"},
	"bob":     {Account: account, ARN: "arn:aws:iam::" + account + ":user/bob", UserID: "AIDABOBBOBBOBBOBBOB1"},
	"foreign": {Account: "444455556666", ARN: "arn:aws:iam::444455556666:user/Bob", UserID: "AIDAFOREIGNFOREIGN01"},
	"session": {
		Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/dev/one", RoleARN: "arn:aws:iam::" + account + ":role/dev", UserID: "AROADEVDEVDEVDEVDEV1:one",
	},
	"session2": {
		Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/dev/two", RoleARN: "arn:aws:iam::" + account + ":role/dev", UserID: "AROADEVDEVDEVDEVDEV1:two",
	},
	"foreign session": {
		Account: "444455556666", ARN: "arn:aws:sts::444455556666:assumed-role/audit/app", RoleARN: "arn:aws:iam::444455556666:role/audit", UserID: "AROAAUDITAUDITAUDIT1:app",
	},
	"federated user": {
		Account: account, ARN: "arn:aws:sts::" + account + ":federated-user/carol", RoleARN: "arn:aws:iam::" + account + ":user/alice", UserID: account + ":carol",
	},
	"root":         {Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, Root: true},
	"foreign root": {Account: "444455556666", ARN: "arn:aws:iam::444455556666:root", UserID: "444455556666", Root: true},
	"anonymous":    {},
	"gateway":      {Service: "apigateway.amazonaws.com"},
	"google":       {Federated: "accounts.google.com"},
	"canonical":    {Account: "444455556666", ARN: "arn:aws:iam::444455556666:user/Bob", Canonical: "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
}

// request is what an ask asks, with the case's own where it is silent.
func (c *corpusCase) request(t testing.TB, a *ask) *policy.Request {
	t.Helper()
	first := func(texts ...string) string {
		for _, s := range texts {
			if s != "" {
				return s
			}
		}
		return ""
	}
	name := first(a.Caller, c.Caller)
	caller, ok := callers[name]
	if !ok {
		t.Fatalf("no caller is called %q", name)
	}
	keys := policy.KeyMap{}
	for k, v := range a.Keys {
		keys[strings.ToLower(k)] = v
	}
	return &policy.Request{
		Action:   first(a.Action, c.Action, "s3:GetObject"),
		Resource: first(a.Resource, c.Resource, "arn:aws:s3:::bucket/key"),
		Caller:   caller, Keys: keys,
	}
}

func (a *ask) name(i int) string {
	if a.Name != "" {
		return a.Name
	}
	return fmt.Sprintf("%d", i+1)
}

var decisions = map[policy.Decision]string{policy.Silent: "silent", policy.Allowed: "allowed", policy.Denied: "denied"}

// corpus reads all files of the corpus.
func corpus(t testing.TB) map[string]*corpusFile {
	t.Helper()
	names, err := filepath.Glob("testdata/cases/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	files := map[string]*corpusFile{}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		file := &corpusFile{}
		dec := yaml.NewDecoder(f)
		dec.KnownFields(true)
		err = dec.Decode(file)
		if cerr := f.Close(); err != nil || cerr != nil {
			t.Fatalf("%s: %v, %v", name, err, cerr)
		}
		files[strings.TrimSuffix(filepath.Base(name), ".yaml")] = file
	}
	return files
}

func TestCorpus(t *testing.T) {
	asked := 0
	for file, f := range corpus(t) {
		t.Run(file, func(t *testing.T) {
			for i := range f.Cases {
				c := &f.Cases[i]
				asked += max(1, len(c.Asks))
				t.Run(c.Name, func(t *testing.T) { c.run(t) })
			}
		})
	}
	t.Logf("%d questions", asked)
	if want := 300; asked < want {
		t.Errorf("the corpus asks %d questions, want %d at least", asked, want)
	}
}

func (c *corpusCase) run(t *testing.T) {
	switch c.Evidence.Source {
	case "documented", "recorded", "reported", "unverified":
	default:
		t.Errorf("no evidence, but %q", c.Evidence.Source)
	}
	if c.Evidence.Where == "" {
		t.Error("the evidence doesn't say where")
	}
	kind, ok := kinds[c.Kind]
	if !ok {
		t.Fatalf("no kind is called %q", c.Kind)
	}
	if c.Malformed != "" {
		if _, err := policy.Parse(kind, c.text(t)); err == nil || err.Error() != c.Malformed {
			t.Errorf("error %v, want %q", err, c.Malformed)
		}
		return
	}
	if len(c.Asks) == 0 {
		t.Fatal("asks nothing")
	}
	decide := c.decider(t, kind)
	for i := range c.Asks {
		a := &c.Asks[i]
		t.Run(a.name(i), func(t *testing.T) {
			r := c.request(t, a)
			got := decide(t, r)
			if decisions[got.Decision] != a.Want {
				t.Errorf("%s, want %s", decisions[got.Decision], a.Want)
			}
			if because := strings.TrimPrefix(got.Because(r.Action), " "); a.Because != "" && because != a.Because {
				t.Errorf("%q, want %q", because, a.Because)
			}
		})
	}
}

// decider is what a case asks: one document, or all together.
func (c *corpusCase) decider(t *testing.T, kind policy.Kind) func(*testing.T, *policy.Request) policy.Verdict {
	if c.Policy != nil || c.Statement != nil || c.Condition != nil {
		d := c.parse(t, kind)
		return func(t *testing.T, r *policy.Request) policy.Verdict {
			got := d.Decide(r)
			if want := naiveDecide(d, r); got != want {
				t.Errorf("%s, the naive twin says %s", decisions[got], decisions[want])
			}
			return policy.Verdict{Decision: got}
		}
	}
	var s *policy.Subject
	if c.Identity != nil || c.Boundary != nil || c.Session != nil {
		s = &policy.Subject{}
		identity := policy.Inline
		if c.Kind == "authorizer" {
			identity = policy.Authorizer
		}
		for i := range c.Identity {
			s.Identity = append(s.Identity, c.Identity[i].parse(t, identity))
		}
		if c.Boundary != nil {
			s.Boundary = c.Boundary.parse(t, policy.Managed)
		}
		if c.Session != nil {
			s.Session = []*policy.Document{}
		}
		for i := range c.Session {
			s.Session = append(s.Session, c.Session[i].parse(t, policy.Session))
		}
	}
	var guard *policy.Document
	if c.Guard != nil {
		guard = c.Guard.parse(t, policy.Resource)
	}
	owner := c.Owner
	if owner == "" {
		owner = account
	}
	return func(t *testing.T, r *policy.Request) policy.Verdict {
		if c.Guard == nil && c.Owner == "" {
			return s.Decide(r)
		}
		return policy.Evaluate(s, guard, r, owner)
	}
}
