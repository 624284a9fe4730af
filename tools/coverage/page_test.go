package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// TestPageIsCurrent fails when an operation came or went without go generate.
func TestPageIsCurrent(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	want, err := write(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, pageFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: run go generate ./tools/coverage", pageFile)
	}
}

func TestIsOperation(t *testing.T) {
	src := `package p
func (s *S) Real(c *awswire.Call, in *X) error { x(); return nil }
func (s *S) OneLine(c *awswire.Call) (*Y, error) { return s.y(c) }
func (s *S) Refuses(c *awswire.Call) error { return awswire.NotImplemented("s", "Refuses") }
func (s *S) Helper(x int) error { return nil }
func (s *S) Nothing() {}
func Free(c *awswire.Call) error { return nil }
`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"Real": true, "OneLine": true}
	for _, decl := range f.Decls {
		fn := decl.(*ast.FuncDecl)
		if got := isOperation(fn); got != want[fn.Name.Name] {
			t.Errorf("%s: %v", fn.Name.Name, got)
		}
	}
}
