package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"gatehouse/tools/awsgen/model"
)

const (
	pageFile   = "docs/COVERAGE.md"
	storedFile = "docs/coverage-stored.yaml"
)

// services is the order of the page.
var services = []string{"apigatewayv2", "apigateway", "apigatewaymanagementapi", "lambda", "iam", "sts", "cognitoidp", "acm", "route53", "elbv2", "servicediscovery", "logs"}

// A stored setting is kept and shown but doesn't act yet.
type stored struct {
	Service string `yaml:"service"`
	Setting string `yaml:"setting"`
	Note    string `yaml:"note"`
}

func write(root string) ([]byte, error) {
	list, err := readStored(filepath.Join(root, storedFile))
	if err != nil {
		return nil, err
	}
	var summary, detail bytes.Buffer
	for _, name := range services {
		s, err := model.Read(filepath.Join(root, "schema", name+".json"))
		if err != nil {
			return nil, err
		}
		done, err := implemented(filepath.Join(root, "internal/control", name), s)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&summary, "| [%s](#%s) | %d | %d |\n", name, name, len(done), len(s.Operations))
		section(&detail, s, done, list)
	}
	var page bytes.Buffer
	page.WriteString("# Coverage\n\nWritten by `go generate` from the operation tables and the code; don't edit it. An operation that isn't\n" +
		"here yet answers 501 `NotImplementedException` and names itself, never a 500 that a client would retry.\n\n" +
		"| Service | Implemented | Operations |\n|---|---|---|\n")
	page.Write(summary.Bytes())
	page.Write(detail.Bytes())
	return page.Bytes(), nil
}

func section(b *bytes.Buffer, s *model.Service, done map[string]bool, list []stored) {
	fmt.Fprintf(b, "\n## %s\n", s.Package)
	var yes, no []string
	for _, op := range s.Operations {
		if done[op.Name] {
			yes = append(yes, op.Name)
		} else {
			no = append(no, op.Name)
		}
	}
	paragraph(b, "Implemented", yes)
	paragraph(b, "Not yet", no)
	list = slices.DeleteFunc(slices.Clone(list), func(x stored) bool { return x.Service != s.Package })
	if len(list) == 0 {
		return
	}
	b.WriteString("\nStored and shown, without effect yet:\n\n| Setting | What to know |\n|---|---|\n")
	for _, x := range list {
		fmt.Fprintf(b, "| `%s` | %s |\n", x.Setting, x.Note)
	}
}

func paragraph(b *bytes.Buffer, title string, names []string) {
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s (%d): %s.\n", title, len(names), strings.Join(names, ", "))
}

func readStored(file string) ([]stored, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []stored
	if err := yaml.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, x := range list {
		if !slices.Contains(services, x.Service) || x.Setting == "" || x.Note == "" {
			return nil, fmt.Errorf("%s: entry %+v needs a known service, a setting and a note", file, x)
		}
	}
	return list, nil
}

// implemented finds the operations that the package in dir declares as methods.
// A service without a package has none.
func implemented(dir string, s *model.Service) (map[string]bool, error) {
	known := map[string]bool{}
	for _, op := range s.Operations {
		known[op.Name] = true
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	done := map[string]bool{}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && known[fn.Name.Name] && isOperation(fn) {
				done[fn.Name.Name] = true
			}
		}
	}
	return done, nil
}

// isOperation tells a method that takes a call and does more than to say that
// it isn't there.
func isOperation(fn *ast.FuncDecl) bool {
	if fn.Recv == nil || fn.Body == nil || len(fn.Type.Params.List) == 0 || !selects(fn.Type.Params.List[0].Type, "Call") {
		return false
	}
	if len(fn.Body.List) != 1 {
		return true
	}
	refuses := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && selects(e, "NotImplemented") {
			refuses = true
		}
		return true
	})
	return !refuses
}

// selects tells that e is awswire.name or a pointer to it.
func selects(e ast.Expr, name string) bool {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "awswire" && sel.Sel.Name == name
}
