package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"

	"gatehouse/tools/awsgen/model"
)

// addWidths gives numbers the Go type the SDK v2 declares for them.
func addWidths(s *model.Service, dir string) error {
	types := map[string]ast.Expr{}
	for _, pattern := range []string{"types/*.go", "api_op_*.go"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			collectFields(types, f)
		}
	}
	alias := map[string]string{}
	for _, op := range s.Operations {
		alias[op.Input], alias[op.Output] = op.Name+"Input", op.Name+"Output"
	}
	for _, st := range s.Structures {
		for _, m := range st.Members {
			for _, owner := range []string{st.Name, alias[st.Name]} {
				if e, ok := types[owner+"."+goName(m.Name)]; ok {
					setWidth(m.Type, e)
				}
			}
			if e, ok := types[st.Name+"Member"+goName(m.Name)+".Value"]; ok && st.Union {
				setWidth(m.Type, e)
			}
		}
	}
	return nil
}

func collectFields(types map[string]ast.Expr, f *ast.File) {
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			ts, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			st, ok := ts.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range st.Fields.List {
				for _, name := range field.Names {
					types[ts.Name.Name+"."+name.Name] = field.Type
				}
			}
		}
	}
}

func setWidth(t *model.Type, e ast.Expr) {
	switch e := e.(type) {
	case *ast.StarExpr:
		setWidth(t, e.X)
	case *ast.ArrayType:
		if t.Kind == model.List {
			setWidth(t.Element, e.Elt)
		}
	case *ast.MapType:
		if t.Kind == model.Map {
			setWidth(t.Element, e.Value)
		}
	case *ast.Ident:
		if t.Kind != number {
			return
		}
		switch e.Name {
		case "int32":
			t.Kind = model.Integer
		case "int64":
			t.Kind = model.Long
		case "float32":
			t.Kind = model.Float
		case "float64":
			t.Kind = model.Double
		}
	}
}

// checkWidths fails if a number has no width from any source: the overlay must give it.
func checkWidths(s *model.Service) error {
	var missing []string
	var walk func(name string, t *model.Type)
	walk = func(name string, t *model.Type) {
		if t == nil {
			return
		}
		if t.Kind == number {
			missing = append(missing, name)
		}
		walk(name, t.Key)
		walk(name, t.Element)
	}
	for _, st := range s.Structures {
		for _, m := range st.Members {
			walk(st.Name+"."+m.Name, m.Type)
		}
	}
	for _, e := range s.Errors {
		for _, m := range e.Members {
			if m.Type.Kind == number {
				m.Type.Kind = model.Integer // error members are sent, never read
			}
		}
	}
	if missing != nil {
		return fmt.Errorf("numbers of unknown width, name them in the overlay: %s", strings.Join(missing, ", "))
	}
	return nil
}
