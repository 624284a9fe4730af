// Lint runs the project's linters over the packages named on its command line:
// staticcheck's checks, errcheck, errorlint, and a ban on init functions.
//
//	go run ./tools/lint ./...
package main

import (
	"go/ast"

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

func main() {
	analyzers := []*analysis.Analyzer{errcheck.Analyzer, errorlint.NewAnalyzer(), noInits}
	for _, a := range staticcheck.Analyzers {
		analyzers = append(analyzers, a.Analyzer)
	}
	for _, a := range simple.Analyzers {
		analyzers = append(analyzers, a.Analyzer)
	}
	multichecker.Main(analyzers...)
}
