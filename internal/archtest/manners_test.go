package archtest

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range loadTree(t).sorted() {
		if !documented(p) {
			t.Errorf("%s has no package comment: say what it owns, what it must not import, and the next stop", p.path)
		}
	}
}

func documented(p *pkg) bool {
	for _, f := range p.files {
		if f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" {
			return true
		}
	}
	return false
}

func TestNoInit(t *testing.T) {
	tr := loadTree(t)
	for _, p := range tr.sorted() {
		for _, f := range p.files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s: init runs for whoever imports the package; wire it where it is used", tr.position(fn))
				}
			}
		}
	}
}

// packageVars are package-level variables that are neither an error nor made
// by one of the constructors below, each with why it may stand.
var packageVars = map[string]string{}

// A variable made by one of these is compiled once and never written: an
// error to compare with, an expression, an embedded file, a parsed table.
var constants = map[string]bool{
	"errors.New": true, "fmt.Errorf": true, "regexp.MustCompile": true, "template.Must": true,
	"strings.NewReplacer": true, "netip.MustParsePrefix": true, "netip.MustParseAddr": true,
	"crc32.MakeTable": true, "time.Date": true, "reflect.TypeFor": true, "big.NewInt": true,
}

func TestNoMutablePackageVariables(t *testing.T) {
	tr := loadTree(t)
	used := map[string]bool{}
	for _, p := range tr.sorted() {
		written := writtenNames(p)
		for _, f := range p.files {
			for _, d := range f.Decls {
				decl, ok := d.(*ast.GenDecl)
				if !ok || decl.Tok != token.VAR {
					continue
				}
				for _, s := range decl.Specs {
					spec := s.(*ast.ValueSpec)
					for i, name := range spec.Names {
						key := p.path + "." + name.Name
						if packageVars[key] != "" {
							used[key] = true
							continue
						}
						if name.Name == "_" || embedded(decl, spec) {
							continue
						}
						if !written[name.Name] && i < len(spec.Values) && fixed(spec.Values[i]) {
							continue
						}
						t.Errorf("%s: %s is state of the package; make it a field of what uses it, or say in packageVars why it may stand", tr.position(name), key)
					}
				}
			}
		}
	}
	for key := range packageVars {
		if !used[key] {
			t.Errorf("packageVars allows %s, which is gone", key)
		}
	}
}

// fixed tells a value that is complete where it is written: a literal, a table
// of literals, or what a known constructor compiles.
func fixed(v ast.Expr) bool {
	switch v := v.(type) {
	case *ast.BasicLit, *ast.CompositeLit, *ast.FuncLit, *ast.Ident, *ast.SelectorExpr, *ast.BinaryExpr:
		return true
	case *ast.UnaryExpr:
		return v.Op == token.AND && fixed(v.X) || v.Op == token.SUB
	case *ast.CallExpr:
		switch fn := v.Fun.(type) {
		case *ast.SelectorExpr:
			x, ok := fn.X.(*ast.Ident)
			return ok && constants[x.Name+"."+fn.Sel.Name]
		case *ast.ArrayType, *ast.MapType:
			return true // a conversion, as in []byte("text")
		case *ast.FuncLit:
			return len(v.Args) == 0 // a table computed on the spot
		case *ast.Ident:
			return ast.IsExported(fn.Name) || strings.HasPrefix(fn.Name, "must") || strings.HasPrefix(fn.Name, "make") || strings.HasPrefix(fn.Name, "new")
		}
	}
	return false
}

func embedded(decl *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{decl.Doc, spec.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// writtenNames are the package-level variables that some function of the
// package assigns, in whole or in part. A local variable of the same name
// would be counted too; give it another one.
func writtenNames(p *pkg) map[string]bool {
	top := map[string]bool{}
	for _, f := range p.files {
		for _, d := range f.Decls {
			if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.VAR {
				for _, s := range decl.Specs {
					for _, name := range s.(*ast.ValueSpec).Names {
						top[name.Name] = true
					}
				}
			}
		}
	}
	written := map[string]bool{}
	for _, f := range p.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			local := localNames(fn)
			mark := func(e ast.Expr) {
				if name := root(e); name != "" && top[name] && !local[name] {
					written[name] = true
				}
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						for _, e := range n.Lhs {
							mark(e)
						}
					}
				case *ast.IncDecStmt:
					mark(n.X)
				case *ast.CallExpr:
					if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "delete" || name.Name == "clear") && len(n.Args) > 0 {
						mark(n.Args[0])
					}
				}
				return true
			})
		}
	}
	return written
}

// localNames are the names a function declares anywhere.
func localNames(fn *ast.FuncDecl) map[string]bool {
	local := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, e := range n.Lhs {
					local[root(e)] = true
				}
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				local[root(n.Key)], local[root(n.Value)] = true, true
			}
		}
		return true
	})
	return local
}

// root returns the variable an assignable expression starts with.
func root(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SelectorExpr:
		return root(e.X)
	case *ast.StarExpr:
		return root(e.X)
	}
	return ""
}
