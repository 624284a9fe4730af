package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/tools/awsgen/model"
)

// A generator writes the files of one service.
type generator struct {
	s          *model.Service
	structures map[string]int // index by name
	enumIndex  map[string]int
	errorIndex map[string]int
	inputs     map[string]bool // structures an input reaches: only they keep constraints
	names      map[string]bool // top-level names in use
}

func newGenerator(s *model.Service) *generator {
	g := &generator{s: s, structures: map[string]int{}, enumIndex: map[string]int{}, errorIndex: map[string]int{},
		inputs: map[string]bool{}, names: map[string]bool{"Operations": true, "Unimplemented": true, "NewService": true}}
	for i, st := range s.Structures {
		g.structures[st.Name] = i
		g.names[goName(st.Name)] = true
	}
	for i, e := range s.Enums {
		g.enumIndex[e.Name] = i
	}
	for i, e := range s.Errors {
		g.errorIndex[e.Name] = i
		g.names["New"+goName(e.Name)] = true
	}
	for _, op := range s.Operations {
		g.reach(op.Input)
	}
	return g
}

func (g *generator) reach(name string) {
	if name == "" || g.inputs[name] {
		return
	}
	g.inputs[name] = true
	var walk func(t *model.Type)
	walk = func(t *model.Type) {
		if t == nil {
			return
		}
		if t.Ref != "" {
			g.reach(t.Ref)
		}
		walk(t.Element)
	}
	for _, m := range g.s.Structures[g.structures[name]].Members {
		walk(m.Type)
	}
}

func (g *generator) doc(f *file) {
	f.doc = fmt.Sprintf("// Package %s holds the shapes and the operation table of AWS's %s API,\n// version %s. Its structures are also what is stored. tools/awsgen writes it\n// from schema/%s.json; control/%s implements its Operations.\n",
		g.s.Package, g.s.ID, g.s.APIVersion, g.s.Package, g.s.Package)
	f.p("")
}

// types writes one Go struct per structure.
func (g *generator) types(f *file) {
	imports := map[string]bool{}
	for _, st := range g.s.Structures {
		kind := "structure"
		if st.Union {
			kind = "union"
		}
		f.p("\n// %s is AWS's %s of that name.\ntype %s struct {", goName(st.Name), kind, goName(st.Name))
		for _, m := range st.Members {
			tag := m.Name + ",omitzero"
			if m.Type.Kind == model.EventStream {
				tag = "-"
			}
			f.p("%s %s `json:\"%s\"`", goName(m.Name), g.fieldType(m.Type, imports), tag)
		}
		f.p("}")
	}
	f.imports = slices.Sorted(maps.Keys(imports))
}

// fieldType is the Go type of a member: nil must be able to say "absent".
func (g *generator) fieldType(t *model.Type, imports map[string]bool) string {
	typ := g.goType(t, imports)
	switch t.Kind {
	case model.List, model.Map, model.Blob, model.Document, model.EventStream:
		return typ
	}
	return "*" + typ
}

// goType is the Go type of a value.
func (g *generator) goType(t *model.Type, imports map[string]bool) string {
	switch t.Kind {
	case model.String:
		return "string"
	case model.Integer:
		return "int32"
	case model.Long:
		return "int64"
	case model.Float, model.Double:
		return "float64"
	case model.Boolean:
		return "bool"
	case model.Timestamp:
		imports["time"] = true
		return "time.Time"
	case model.Blob:
		return "[]byte"
	case model.Document:
		imports["encoding/json"] = true
		return "json.RawMessage"
	case model.List, model.Map:
		elem := g.goType(t.Element, imports)
		if t.Sparse {
			elem = g.fieldType(t.Element, imports)
		}
		if t.Kind == model.Map {
			return "map[string]" + elem
		}
		return "[]" + elem
	case model.Struct:
		return goName(t.Ref)
	case model.EventStream:
		imports["iter"] = true
		return "iter.Seq2[" + goName(t.Ref) + ", error]"
	}
	panic("kind " + t.Kind) // model.Read let an unknown kind through
}

// enums writes one constant per enum value.
func (g *generator) enums(f *file) {
	for _, e := range g.s.Enums {
		f.p("\n// The values of %s.\nconst (", goName(e.Name))
		for _, v := range e.Values {
			name := constName(e.Name, v.Key)
			for g.names[name] {
				name += "Value"
			}
			g.names[name] = true
			f.p("%s = %s", name, strconv.Quote(v.Value))
		}
		f.p(")")
	}
}

// errors writes one constructor per modelled error.
func (g *generator) errors(f *file) {
	f.imports = []string{"gatehouse/internal/awswire"}
	for _, e := range g.s.Errors {
		fields := []string{fmt.Sprintf("Code: %q, Status: %d", e.Name, e.Status)}
		if e.QueryCode != "" {
			fields = append(fields, fmt.Sprintf("QueryCode: %q", e.QueryCode))
		}
		if e.Server {
			fields = append(fields, "Server: true")
		}
		fields = append(fields, "Message: message")
		for _, m := range e.Members {
			wire := m.Name
			if m.Wire != "" {
				wire = m.Wire
			}
			switch {
			case wire == "Message":
				fields = append(fields, `MessageMember: "Message"`)
			case wire == "Type" && m.Type.Kind == model.String:
				fault := "User"
				if e.Server {
					fault = "Service"
				}
				fields = append(fields, fmt.Sprintf("Members: map[string]any{%q: %q}", wire, fault))
			}
		}
		f.p("\n// New%s makes the modelled error of that name, status %d.", goName(e.Name), e.Status)
		f.p("func New%s(message string) *awswire.Error {\nreturn &awswire.Error{%s}\n}", goName(e.Name), strings.Join(fields, ", "))
	}
}

// operations writes the interface, its empty implementation and NewService.
func (g *generator) operations(f *file) {
	f.imports = []string{"gatehouse/internal/awswire"}
	f.p("\n// Operations are the calls of the service.\ntype Operations interface {")
	for _, op := range g.s.Operations {
		f.p("%s%s", op.Name, signature(op))
	}
	f.p("}")
	f.p("\n// Unimplemented answers every operation with awswire.NotImplemented. Embed it\n// and declare the operations there are.\ntype Unimplemented struct{}\n")
	f.p("var _ Operations = Unimplemented{}\n")
	for _, op := range g.s.Operations {
		result := ""
		if op.Output != "" {
			result = "nil, "
		}
		f.p("func (Unimplemented) %s%s {\nreturn %sawswire.NotImplemented(%q, %q)\n}\n", op.Name, strings.NewReplacer("c *", "*", "in *", "*").Replace(signature(op)), result, g.s.Package, op.Name)
	}
	f.p("// NewService binds the service's model to ops.\nfunc NewService(ops Operations) *awswire.Service {\nreturn &awswire.Service{\nModel: &serviceModel,\nHandlers: []awswire.Bound{")
	for _, op := range g.s.Operations {
		bind := "Bind"
		switch {
		case op.Input == "" && op.Output == "":
			bind = "BindNothing"
		case op.Input == "":
			bind = "BindOutput"
		case op.Output == "":
			bind = "BindInput"
		}
		f.p("awswire.%s(ops.%s),", bind, op.Name)
	}
	f.p("},\n}\n}")
}

func signature(op *model.Operation) string {
	in, out := "c *awswire.Call", "error"
	if op.Input != "" {
		in += ", in *" + goName(op.Input)
	}
	if op.Output != "" {
		out = "(*" + goName(op.Output) + ", error)"
	}
	return "(" + in + ") " + out
}
