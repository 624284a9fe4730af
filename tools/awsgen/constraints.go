package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"gatehouse/tools/awsgen/model"
)

// c2j is the part of an SDK v1 service model that is read here.
type c2j struct {
	Operations map[string]struct {
		Input, Output struct{ Shape string }
	}
	Shapes map[string]*c2jShape
}

type c2jShape struct {
	Type       string
	Min, Max   *float64
	Pattern    string
	Members    map[string]c2jRef
	Member     c2jRef
	Key, Value c2jRef
}

type c2jRef struct{ Shape string }

// addConstraints merges length, range, pattern and number types of the SDK v1
// model into s, matching structures and members by name.
func addConstraints(s *model.Service, src source) error {
	dir, err := moduleDir(sdkV1, sdkV1Ver)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "models/apis", src.v1, "*/api-2.json"))
	if err != nil || len(files) == 0 {
		return os.ErrNotExist
	}
	data, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return err
	}
	var v1 c2j
	if err := json.Unmarshal(data, &v1); err != nil {
		return err
	}
	// A few inputs and outputs have another name there: follow the operation.
	alias := map[string]string{}
	for _, op := range s.Operations {
		old := v1.Operations[op.Name]
		alias[op.Input], alias[op.Output] = old.Input.Shape, old.Output.Shape
	}
	for _, st := range s.Structures {
		old := v1.Shapes[st.Name]
		if old == nil {
			old = v1.Shapes[alias[st.Name]]
		}
		if old == nil {
			continue
		}
		for _, m := range st.Members {
			if ref, ok := old.Members[m.Name]; ok {
				v1.merge(m.Type, ref)
			}
		}
	}
	return nil
}

func (v1 c2j) merge(t *model.Type, ref c2jRef) {
	old := v1.Shapes[ref.Shape]
	if old == nil {
		return
	}
	switch t.Kind {
	case model.List:
		v1.merge(t.Element, old.Member)
	case model.Map:
		v1.merge(t.Key, old.Key)
		v1.merge(t.Element, old.Value)
	case number:
		switch old.Type {
		case "integer":
			t.Kind = model.Integer
		case "long":
			t.Kind = model.Long
		case "float":
			t.Kind = model.Float
		case "double":
			t.Kind = model.Double
		}
	}
	// An enum's values are its constraint; the old model's length beside it says nothing more.
	if t.Enum == "" && t.Kind != model.Boolean && t.Kind != model.Struct && t.Kind != model.Timestamp {
		t.Min, t.Max, t.Pattern = clone(old.Min), clone(old.Max), old.Pattern
	}
}

// clone keeps a limit that many members share from being corrected for all by
// the overlay of one.
func clone(limit *float64) *float64 {
	if limit == nil {
		return nil
	}
	return new(*limit)
}
