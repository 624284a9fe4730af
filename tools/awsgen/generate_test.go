package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/tools/awsgen/model"
)

// TestGenerateLeavesACleanTree writes every package again and finds what is
// committed.
func TestGenerateLeavesACleanTree(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := generate(filepath.Join(root, "schema"), out); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(out, "*/*.go"))
	if err != nil || len(files) < len(sources)*4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name, err := filepath.Rel(out, file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(root, "internal/awsapi", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go generate ./internal/awsapi", name)
		}
	}
}

// TestSchemas checks what no compiler sees: counts, encoding, bindings.
func TestSchemas(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range sources {
		file := filepath.Join(root, "schema", src.pkg+".json")
		s, err := model.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Operations) != src.opCount {
			t.Errorf("%s has %d operations, want %d", src.pkg, len(s.Operations), src.opCount)
		}
		data, err := model.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, committed) {
			t.Errorf("%s isn't as Encode writes it", file)
		}
		checkBindings(t, s)
	}
}

// checkBindings compares each path template with the label members.
func checkBindings(t *testing.T, s *model.Service) {
	t.Helper()
	structures := map[string]*model.Structure{}
	for _, st := range s.Structures {
		structures[st.Name] = st
	}
	for _, op := range s.Operations {
		labels := map[string]bool{}
		for part := range strings.SplitSeq(strings.SplitN(op.Path, "?", 2)[0], "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok {
				labels[strings.TrimRight(name, "+}")] = true
			}
		}
		if op.Input != "" {
			for _, m := range structures[op.Input].Members {
				if m.In != "label" {
					continue
				}
				if !labels[m.Name] || !m.Required {
					t.Errorf("%s %s: label %s isn't in %s, or isn't required", s.Package, op.Name, m.Name, op.Path)
				}
				delete(labels, m.Name)
			}
		}
		if len(labels) > 0 {
			t.Errorf("%s %s: %s has labels without members: %v", s.Package, op.Name, op.Path, labels)
		}
		if op.Path != "" && op.Code/100 != 2 {
			t.Errorf("%s %s succeeds with %d", s.Package, op.Name, op.Code)
		}
	}
}

const tinySchema = `const n0 = "com.example";
import { TypeRegistry } from "x";
const n0_registry = new TypeRegistry(n0);
export var Gone$ = [-3, n0, "Gone",
    { ["error"]: "client", ["httpError"]: 410 },
    ["Message"],
    [[0, { ["jsonName"]: "message" }]]
];
n0_registry.registerError(Gone$, Gone);
export const errorTypeRegistries = [
    n0_registry,
];
var Secret = [0, n0, "Secret", 8, 0];
export var In$ = [3, n0, "In", 0,
    ["Id", "Kind", "Items", "Next"],
    [[0, 1], 0, [() => Items, { ["jsonName"]: "item" }], () => In$], 1
];
var Items = [1, n0, "Items", 0, [() => Secret, 0]];
var __Unit = "unit";
export var Get$ = [9, n0, "Get",
    { ["http"]: ["GET", "/things/{Id}", 200] }, () => In$, () => __Unit
];
`

func TestEvaluate(t *testing.T) {
	shapes, err := evaluate(tinySchema)
	if err != nil {
		t.Fatal(err)
	}
	s := &model.Service{Protocols: []string{restJSON1}}
	b := builder{service: s, declared: declarations{"In.Kind": "Color"}, enums: map[string]bool{"Color": true}}
	if err := b.build(shapes); err != nil {
		t.Fatal(err)
	}
	op, in, e := s.Operations[0], s.Structures[0], s.Errors[0]
	if op.Method != "GET" || op.Path != "/things/{Id}" || op.Code != 200 || op.Input != "In" || op.Output != "" {
		t.Errorf("operation %+v", op)
	}
	if e.Status != 410 || e.Server || e.Members[0].Wire != "message" {
		t.Errorf("error %+v", e)
	}
	id, kind, items, next := in.Members[0], in.Members[1], in.Members[2], in.Members[3]
	if id.In != "label" || !id.Required || kind.Required || kind.Type.Enum != "Color" || items.Wire != "item" ||
		items.Type.Kind != model.List || !items.Type.Element.Sensitive || next.Type.Ref != "In" {
		t.Errorf("members %+v %+v %+v %+v", id, kind, items, next)
	}
}

// TestUnknownTuples makes sure that a change of the unpublished format stops
// the fetch instead of losing facts.
func TestUnknownTuples(t *testing.T) {
	for name, src := range map[string]string{
		"head":     `export var X$ = [12, "n", "X", 0];`,
		"trait":    `export var X$ = [3, "n", "X", { brandNew: 1 }, [], []];`,
		"bits":     `export var X$ = [3, "n", "X", 0, ["a"], [[0, 1024]]];`,
		"sentinel": `export var X$ = [3, "n", "X", 0, ["a"], [33]];`,
		"member":   `export var X$ = [3, "n", "X", 0, ["a"], [[0, { brandNew: 1 }]]];`,
	} {
		shapes, err := evaluate(src)
		if err == nil {
			b := builder{service: &model.Service{Protocols: []string{restJSON1}}}
			err = b.build(shapes)
		}
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestConstName(t *testing.T) {
	for key, want := range map[string]string{
		"AWS_PROXY": "XAWSProxy", "HTTP": "XHTTP", "x86_64": "XX8664", "WEBSOCKET": "XWebsocket", "Active": "XActive", "nodejs20x": "XNodejs20x",
	} {
		if got := constName("X", key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}
