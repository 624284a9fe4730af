package archtest

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "gatehouse"

// A pkg is one package of the module, its test files left out.
type pkg struct {
	// path is the import path without the module, as in "internal/plan".
	path    string
	imports []string
	files   []*ast.File
}

// A tree is every package of the module.
type tree struct {
	fset *token.FileSet
	pkgs map[string]*pkg
}

// loadTree is the module's packages, parsed once: no test changes them.
func loadTree(t *testing.T) *tree {
	t.Helper()
	tr, err := parsedTree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// A file that doesn't parse is left to the compiler: while it is being written,
// the rules of others still hold.
var parsedTree = sync.OnceValues(func() (*tree, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	tr := &tree{fset: token.NewFileSet(), pkgs: map[string]*pkg{}}
	for _, top := range []string{"cmd", "internal", "tools"} {
		if err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if d != nil && d.Name() == "testdata" {
					return filepath.SkipDir
				}
				return err
			}
			return tr.add(root, name)
		}); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	if len(tr.pkgs) == 0 {
		return nil, errors.New("found no package")
	}
	return tr, nil
})

func (tr *tree) add(root, name string) error {
	if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
		return nil
	}
	f, err := parser.ParseFile(tr.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	dir, err := filepath.Rel(root, filepath.Dir(name))
	if err != nil {
		return err
	}
	dir = filepath.ToSlash(dir)
	p := tr.pkgs[dir]
	if p == nil {
		p = &pkg{path: dir}
		tr.pkgs[dir] = p
	}
	p.files = append(p.files, f)
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if !slices.Contains(p.imports, imported) {
			p.imports = append(p.imports, imported)
		}
	}
	return nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = up
	}
}

// sorted returns the packages in order of path.
func (tr *tree) sorted() []*pkg {
	var list []*pkg
	for _, p := range tr.pkgs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return list
}

// inside tells whether a package of this module is pattern or, for a pattern
// that ends in "/...", lies below it (or is it).
func inside(pattern, p string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return p == base || below && strings.HasPrefix(p, base+"/")
}

// ownImport cuts the module from an import path; ok is false for a foreign one.
func ownImport(imported string) (string, bool) {
	return strings.CutPrefix(imported, module+"/")
}

// standard tells an import of the standard library, whose first element has no dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return first != module && !strings.Contains(first, ".")
}

// reach returns the import chain by which from depends on a package that
// matches target, itself not counted; nil when it doesn't.
func (tr *tree) reach(from *pkg, target string) []string {
	type hop struct {
		p    *pkg
		path []string
	}
	seen := map[string]bool{from.path: true}
	for queue := []hop{{from, []string{from.path}}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, imported := range at.p.imports {
			own, ok := ownImport(imported)
			if !ok || seen[own] {
				continue
			}
			seen[own] = true
			chain := append(slices.Clone(at.path), own)
			if inside(target, own) {
				return chain
			}
			if next := tr.pkgs[own]; next != nil {
				queue = append(queue, hop{next, chain})
			}
		}
	}
	return nil
}

// name returns where a node is, relative enough to be read.
func (tr *tree) position(n ast.Node) string {
	at := tr.fset.Position(n.Pos())
	return path.Join(path.Base(filepath.ToSlash(filepath.Dir(at.Filename))), filepath.Base(at.Filename)) + ":" + strconv.Itoa(at.Line)
}
