package archtest

import (
	"slices"
	"strings"
	"testing"
)

// A rule forbids an edge. Chains count: what a package reaches through others
// it has imported too, unless direct says otherwise.
type rule struct {
	from, to string
	// except are packages below from that the rule doesn't bind.
	except []string
	// direct binds a package's own imports only, for an edge that is allowed
	// through one bridge.
	direct bool
	why    string
}

// The data plane is everything a request passes; it knows plans, never the
// definitions they were compiled from.
var dataPlane = []string{
	"internal/serve/...", "internal/authorize/...", "internal/throttle/...", "internal/transform/...",
	"internal/integrate/...", "internal/lambdaevent/...", "internal/socket/...", "internal/observe/...", "internal/contextvar/...", "internal/stagecache/...",
}

func rules() []rule {
	list := []rule{
		{from: "internal/control/...", to: "internal/compile/...", why: "control says what is stored; that the store then has it compiled is wired in cmd/gatehouse"},
		{from: "internal/control/...", to: "internal/plan/...", why: "control works on definitions; a plan it could read would become a second truth"},
		{from: "internal/control/...", to: "internal/serve/...", why: "management must work without a listener for traffic"},
		{from: "internal/control/...", to: "internal/socket/...", why: "control reaches connections through a one-method interface of its own"},
		{from: "internal/control/...", to: "internal/integrate/...", why: "calling backends is the data plane's"},
		{from: "internal/control/...", to: "internal/observe/...", why: "control checks a log format through compile's interface, so that checked and run are one thing"},
		{from: "internal/control/...", to: "internal/store/sqlite/...", why: "operations are written against store; which engine it is gets decided in cmd/gatehouse"},
		{from: "internal/compile/...", to: "internal/control/...", why: "compile reads what is stored, not the operations that stored it"},
		{from: "internal/compile/...", to: "internal/serve/...", why: "compile is pure of transport"},
		{from: "internal/compile/...", to: "internal/store/sqlite/...", why: "compile reads through store"},
		{from: "internal/definition/...", to: "internal/control/...", why: "the stored kinds are below everyone who reads or writes them"},
		{from: "internal/definition/...", to: "internal/plan/...", why: "the stored kinds know nothing of how they run"},
		{from: "internal/awsapi/...", to: "internal/control/...", why: "generated shapes are below the operations"},
		{from: "internal/awsapi/...", to: "internal/store/...", why: "generated shapes don't know that they are stored"},
		{from: "internal/awswire/...", to: "internal/awsapi/...", why: "the protocol runtime serves every service and names none"},
		{from: "internal/awswire/...", to: "internal/control/...", why: "the protocol runtime doesn't know the operations"},
		{from: "internal/awswire/...", to: "internal/store/...", why: "the protocol runtime is stateless"},
		{from: "internal/store/...", to: "internal/awsapi/...", why: "store keeps documents of any service"},
		{from: "internal/store/...", to: "internal/awswire/...", why: "store knows no wire protocol"},
		{from: "internal/store/...", to: "internal/control/...", why: "store is below the operations"},
		{from: "internal/store/...", to: "internal/compile/...", why: "store calls the compiler through a function it was given"},
		{from: "internal/function/...", to: "internal/...", except: []string{"internal/function/...", "internal/arn"}, why: "function is called through one-method interfaces and could leave the process tomorrow"},
		{from: "internal/logstore/...", to: "internal/...", except: []string{"internal/logstore/..."}, why: "logstore is a leaf that both planes write to"},
		{from: "internal/openapi/...", to: "internal/store/...", why: "the language of documents knows nothing of how APIs are stored"},
		{from: "internal/openapi/...", to: "internal/control/...", why: "the operations use the language, not the other way round"},
		{from: "internal/userpool/...", to: "internal/...", except: []string{"internal/userpool/..."}, why: "passwords, keys and tokens are pure; what is stored of them is control's"},
		{from: "internal/nameserver/...", to: "internal/...", except: []string{"internal/nameserver/..."}, why: "answering DNS queries is a leaf; what is stored of zones is control's"},
		{from: "internal/policy/...", to: "internal/...", except: []string{"internal/policy/...", "internal/arn"}, why: "the policy engine is a pure leaf that control and data plane share"},
		{from: "internal/transform/...", to: "internal/...", except: []string{"internal/transform/...", "internal/plan", "internal/contextvar"}, why: "a mapping works on an exchange and on nothing else"},
		{from: "internal/stagecache/...", to: "internal/...", except: []string{"internal/plan"}, why: "a cache keeps responses; whose they are and who may have them is decided before"},
		{from: "internal/contextvar/...", to: "internal/...", except: []string{"internal/plan"}, why: "access logs and mappings share the names of $context, not each other's manners"},
		{from: "internal/...", to: "cmd/...", why: "cmd/gatehouse imports everything and nothing imports it"},
		{from: "internal/...", to: "tools/...", why: "tools run at build time only"},
	}
	for _, p := range dataPlane {
		for _, to := range []string{"internal/store/...", "internal/definition/...", "internal/awsapi/...", "internal/control/...", "internal/compile/..."} {
			list = append(list, rule{from: p, to: to, why: "past compile nothing sees a stored definition or a management shape"})
		}
		if p != "internal/serve/..." {
			list = append(list, rule{from: p, to: "internal/serve/...", why: "steps are called by serve and never look back"})
		}
	}
	return list
}

func TestImportDirection(t *testing.T) {
	tr := loadTree(t)
	for _, r := range rules() {
		for _, chain := range tr.breaks(r) {
			t.Errorf("%s\n\timports a package it must not: %s", strings.Join(chain, "\n\t→ "), r.why)
		}
	}
}

// breaks returns an import chain for every package that breaks the rule.
func (tr *tree) breaks(r rule) [][]string {
	var chains [][]string
	for _, p := range tr.sorted() {
		if !inside(r.from, p.path) || r.from != r.to && inside(r.to, p.path) && len(r.except) == 0 {
			continue
		}
		chain := tr.reach(p, r.to)
		if chain == nil || r.direct && len(chain) > 2 {
			continue
		}
		if slices.ContainsFunc(r.except, func(e string) bool { return inside(e, chain[len(chain)-1]) }) {
			continue
		}
		chains = append(chains, chain)
	}
	return chains
}

// leaves import the standard library only.
var leaves = map[string]string{
	"internal/plan":          "plan is what every step shares; whatever it imported, all would",
	"internal/arn":           "a leaf is one idea that both planes use",
	"internal/paging":        "a leaf is one idea that every service uses",
	"internal/balance":       "what is balanced isn't a definition, and how, no API's business",
	"internal/localca":       "the keys that sign for any name stay away from everything else",
	"internal/seal":          "the key of sealed values stays away from everything else",
	"internal/awswire/sigv4": "authorize and awswire share it",
	"internal/awsendpoint":   "where AWS's services are is nobody's definition",
	"internal/tlspolicy":     "what a policy's name means is nobody's definition",
	"internal/truststore":    "both planes use it: control for warnings, plan for clients",
	"internal/proxyproto":    "a header's syntax needs no gateway",
}

func TestLeaves(t *testing.T) {
	tr := loadTree(t)
	for name, why := range leaves {
		p := tr.pkgs[name]
		if p == nil {
			continue
		}
		for _, imported := range p.imports {
			if !standard(imported) {
				t.Errorf("%s imports %s: %s", name, imported, why)
			}
		}
	}
}

// foreign libraries stay where they are named; a second place would spread
// their types through the house.
var foreign = map[string]struct {
	in  []string
	why string
}{
	"github.com/valyala/fasthttp":                {[]string{"internal/serve/...", "internal/integrate/...", "cmd/..."}, "fasthttp's types stay at the two edges"},
	"github.com/gobwas/ws":                       {[]string{"internal/socket"}, "frames are read and written in one place"},
	"modernc.org/sqlite":                         {[]string{"internal/store/sqlite/..."}, "the database engine is one backend of store"},
	"github.com/miekg/dns":                       {[]string{"internal/nameserver", "test/pebble"}, "DNS messages and values are read and written in one place"},
	"github.com/mholt/acmez":                     {[]string{"internal/acmeissuer"}, "orders are placed in one place"},
	"github.com/spf13/cobra":                     {[]string{"cmd/..."}, "the command line is cmd's"},
	"github.com/quic-go/quic-go":                 {[]string{"internal/serve"}, "HTTP/3 comes in by one front"},
	"github.com/prometheus/client_golang":        {[]string{"internal/observe/...", "internal/function/...", "cmd/..."}, "metrics are counted through plan.Metrics"},
	"github.com/santhosh-tekuri/jsonschema":      {[]string{"internal/transform/model"}, "what a model is, package model says"},
	"github.com/lestrrat-go/jwx":                 {[]string{"internal/authorize/oidc"}, "what an issuer's key is, package oidc says"},
	"github.com/aws/aws-sdk-go-v2":               {nil, "AWS's SDKs are test clients; the gateway speaks the wire itself"},
	"github.com/aws/aws-sdk-go":                  {nil, "AWS's SDKs are test clients; the gateway speaks the wire itself"},
	"go.uber.org/goleak":                         {nil, "goleak belongs to tests"},
	"github.com/rogpeppe/go-internal/testscript": {nil, "scripts belong to tests"},
}

func TestForeignLibrariesStayPut(t *testing.T) {
	tr := loadTree(t)
	for _, p := range tr.sorted() {
		for _, imported := range p.imports {
			for library, place := range foreign {
				if imported != library && !strings.HasPrefix(imported, library+"/") {
					continue
				}
				if !slices.ContainsFunc(place.in, func(in string) bool { return inside(in, p.path) }) {
					t.Errorf("%s imports %s: %s", p.path, imported, place.why)
				}
			}
		}
	}
}

// The rules themselves are tested on a small house with known faults.
func TestRulesFindFaults(t *testing.T) {
	tr := &tree{pkgs: map[string]*pkg{}}
	for name, imports := range map[string][]string{
		"internal/control/x":     {"fmt", module + "/internal/bridge"},
		"internal/bridge":        {module + "/internal/plan"},
		"internal/plan":          {"time"},
		"internal/function":      {module + "/internal/function/pool"},
		"internal/function/pool": {},
	} {
		tr.pkgs[name] = &pkg{path: name, imports: imports}
	}
	got := tr.breaks(rule{from: "internal/control/...", to: "internal/plan/..."})
	want := []string{"internal/control/x", "internal/bridge", "internal/plan"}
	if len(got) != 1 || !slices.Equal(got[0], want) {
		t.Errorf("breaks = %v, want one chain %v", got, want)
	}
	if got := tr.breaks(rule{from: "internal/control/...", to: "internal/plan/...", direct: true}); got != nil {
		t.Errorf("a direct rule counted a chain: %v", got)
	}
	if got := tr.breaks(rule{from: "internal/function/...", to: "internal/...", except: []string{"internal/function/..."}}); got != nil {
		t.Errorf("a package's own parts broke its rule: %v", got)
	}
	tr.pkgs["internal/function/pool"].imports = []string{module + "/internal/plan"}
	if got := tr.breaks(rule{from: "internal/function/...", to: "internal/...", except: []string{"internal/function/..."}}); len(got) == 0 {
		t.Error("an import out of function went unseen")
	}
}
