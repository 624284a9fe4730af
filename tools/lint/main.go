// Lint runs the project's linters over the packages named on its command line:
// staticcheck's checks, errcheck, errorlint, and a ban on init functions.
//
//	go run ./tools/lint ./...
//
// A finding is excused by a comment on its line that names the linter and gives
// the reason. Tests needn't check every error.
//
//	defer f.Close() //nolint:errcheck // only read
package main

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/kisielk/errcheck/errcheck"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/multichecker"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
)

// noInits reports every init function: what runs at start-up is visible in main.
var noInits = &analysis.Analyzer{
	Name: "noinits",
	Doc:  "report init functions",
	Run: func(pass *analysis.Pass) (any, error) {
		for _, file := range pass.Files {
			if ast.IsGenerated(file) {
				continue
			}
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
					pass.Reportf(f.Pos(), "init function: pass values from main instead")
				}
			}
		}
		return nil, nil
	},
}

// excusable is an analyzer that knows the excuse comments.
func excusable(from *analysis.Analyzer) *analysis.Analyzer {
	a := *from
	a.Run = func(pass *analysis.Pass) (any, error) {
		excused := map[string]map[int]bool{}
		for _, file := range pass.Files {
			excused[pass.Fset.Position(file.Pos()).Filename] = excusedLines(pass.Fset, file, a.Name)
		}
		checked := *pass
		checked.Report = func(d analysis.Diagnostic) {
			p := pass.Fset.Position(d.Pos)
			inTest := a.Name == errcheck.Analyzer.Name && strings.HasSuffix(p.Filename, "_test.go")
			if !inTest && !excused[p.Filename][p.Line] {
				pass.Report(d)
			}
		}
		return from.Run(&checked)
	}
	return &a
}

// excusedLines are the lines with an excuse for a linter; one without a reason
// doesn't count.
func excusedLines(fset *token.FileSet, file *ast.File, linter string) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if reason, ok := strings.CutPrefix(c.Text, "//nolint:"+linter+" //"); ok && strings.TrimSpace(reason) != "" {
				lines[fset.Position(c.Pos()).Line] = true
			}
		}
	}
	return lines
}

func main() {
	analyzers := []*analysis.Analyzer{excusable(errcheck.Analyzer), excusable(errorlint.NewAnalyzer()), noInits}
	for _, a := range staticcheck.Analyzers {
		analyzers = append(analyzers, excusable(a.Analyzer))
	}
	for _, a := range simple.Analyzers {
		analyzers = append(analyzers, excusable(a.Analyzer))
	}
	multichecker.Main(analyzers...)
}
