package main

import (
	"fmt"
	"strconv"
	"strings"

	"gatehouse/tools/awsgen/model"
)

var protocolConst = map[string]string{
	restJSON1: "awswire.RestJSON1", awsQuery: "awswire.AWSQuery", awsJSON11: "awswire.AWSJSON11",
	restXML: "awswire.RestXML",
}

var locationConst = map[string]string{
	"label": "InLabel", "query": "InQuery", "queryMap": "InQueryMap", "header": "InHeader",
	"prefixHeaders": "InPrefixHeaders", "payload": "InPayload", "status": "InStatus",
}

var kindConst = map[string]string{
	model.String: "String", model.Integer: "Integer", model.Long: "Long", model.Float: "Float", model.Double: "Double",
	model.Boolean: "Boolean", model.Timestamp: "Timestamp", model.Blob: "Blob", model.Document: "Document",
	model.List: "List", model.Map: "Map", model.Struct: "Structure", model.EventStream: "EventStream",
}

var checkConst = map[string]string{
	"coral": "ChecksCoral", "coralPrefixed": "ChecksCoralPrefixed", "query": "ChecksQuery", "badRequest": "ChecksBadRequest",
	"invalidParameter": "ChecksInvalidParameter", "invalidInput": "ChecksInvalidInput",
}

var formatConst = map[string]string{"date-time": "TimeDate", "http-date": "TimeHTTP", "epoch-seconds": "TimeEpoch"}

// A typeTable numbers the distinct types of a service.
type typeTable struct {
	g     *generator
	index map[string]int
	lines []string
}

// tables writes the model the runtime interprets.
func (g *generator) tables(f *file) {
	f.imports = []string{"gatehouse/internal/awswire"}
	tt := &typeTable{g: g, index: map[string]int{}}
	s := g.s
	f.p("\n// serviceModel is read only.\nvar serviceModel = awswire.Model{")
	f.p("Name: %q, ID: %q, SigningName: %q,", s.Package, s.ID, s.SigningName)
	var protocols []string
	for _, p := range s.Protocols {
		protocols = append(protocols, protocolConst[p])
	}
	f.p("Protocols: []awswire.Protocol{%s},", strings.Join(protocols, ", "))
	f.p("APIVersion: %q, TargetPrefix: %q, XMLNamespace: %q,", s.APIVersion, s.TargetPrefix, s.XMLNamespace)
	f.p("Checks: awswire.%s,", checkConst[s.Checks])
	f.p("Operations: []awswire.Operation{")
	for _, op := range s.Operations {
		f.p("{%s},", g.operationRow(op))
	}
	f.p("},\nStructures: []awswire.Structure{")
	for _, st := range s.Structures {
		f.p("{Name: %q, Members: []awswire.Member{", st.Name)
		for _, m := range st.Members {
			f.p("{%s},", memberRow(m, tt.add(m.Type, g.inputs[st.Name])))
		}
		f.p("}},")
	}
	f.p("},\nTypes: []awswire.Type{")
	for i, line := range tt.lines {
		f.p("{%s}, // %d", line, i)
	}
	f.p("},\nEnums: [][]string{")
	for _, e := range s.Enums {
		var values []string
		for _, v := range e.Values {
			values = append(values, strconv.Quote(v.Value))
		}
		f.p("{%s},", strings.Join(values, ", "))
	}
	f.p("},\nErrors: []string{")
	for _, e := range s.Errors {
		f.p("%q,", e.Name)
	}
	f.p("},\n}")
}

func (g *generator) operationRow(op *model.Operation) string {
	in, out := -1, -1
	if op.Input != "" {
		in = g.structures[op.Input]
	}
	if op.Output != "" {
		out = g.structures[op.Output]
	}
	row := fmt.Sprintf("Name: %q, ", op.Name)
	if op.Path != "" {
		row += fmt.Sprintf("Method: %q, Path: %q, Code: %d, ", op.Method, op.Path, op.Code)
	}
	row += fmt.Sprintf("Input: %d, Output: %d", in, out)
	if len(op.Errors) > 0 {
		var idx []string
		for _, name := range op.Errors {
			idx = append(idx, strconv.Itoa(g.errorIndex[name]))
		}
		row += ", Errors: []uint8{" + strings.Join(idx, ", ") + "}"
	}
	if op.Unsigned {
		row += ", Unsigned: true"
	}
	return row
}

func memberRow(m *model.Member, typ int) string {
	row := fmt.Sprintf("Name: %q, ", m.Name)
	if m.Wire != "" {
		row += fmt.Sprintf("Wire: %q, ", m.Wire)
	}
	row += fmt.Sprintf("Type: %d", typ)
	if m.In != "" {
		row += ", In: awswire." + locationConst[m.In]
	}
	if m.Required {
		row += ", Required: true"
	}
	if m.EventPayload {
		row += ", EventPayload: true"
	}
	return row
}

// add returns the index of a type; constrained says whether its limits matter,
// which they do on inputs only.
func (tt *typeTable) add(t *model.Type, constrained bool) int {
	var b strings.Builder
	fmt.Fprintf(&b, "Kind: awswire.Kind%s", kindConst[t.Kind])
	switch t.Kind {
	case model.List:
		fmt.Fprintf(&b, ", Ref: %d", tt.add(t.Element, constrained))
	case model.Map:
		fmt.Fprintf(&b, ", Ref: %d, Key: %d", tt.add(t.Element, constrained), tt.add(t.Key, constrained))
	case model.Struct, model.EventStream:
		fmt.Fprintf(&b, ", Ref: %d", tt.g.structures[t.Ref])
	}
	if t.Format != "" {
		fmt.Fprintf(&b, ", Format: awswire.%s", formatConst[t.Format])
	}
	for _, flag := range []struct {
		name string
		on   bool
	}{{"Sensitive", t.Sensitive}, {"Sparse", t.Sparse}, {"Flattened", t.Flattened}} {
		if flag.on {
			fmt.Fprintf(&b, ", %s: true", flag.name)
		}
	}
	if t.ElementName != "" {
		fmt.Fprintf(&b, ", Element: %q", t.ElementName)
	}
	if constrained {
		if t.Enum != "" {
			fmt.Fprintf(&b, ", Enum: %d", tt.g.enumIndex[t.Enum]+1)
		}
		if t.Min != nil {
			fmt.Fprintf(&b, ", HasMin: true, Min: %v", *t.Min)
		}
		if t.Max != nil {
			fmt.Fprintf(&b, ", HasMax: true, Max: %v", *t.Max)
		}
		if t.Pattern != "" {
			fmt.Fprintf(&b, ", Pattern: %s", strconv.Quote(t.Pattern))
		}
	}
	line := b.String()
	i, ok := tt.index[line]
	if !ok {
		i = len(tt.lines)
		tt.index[line] = i
		tt.lines = append(tt.lines, line)
	}
	return i
}
