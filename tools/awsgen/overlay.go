package main

import (
	"encoding/json"
	"fmt"
	"os"

	"gatehouse/tools/awsgen/model"
)

// An overlay corrects one service's model by hand where no package has the fact.
type overlay struct {
	// Members are corrections of types.
	Members []correction `json:"members"`
	// Codes maps an operation to its success status.
	Codes map[string]int `json:"codes"`
	// Errors maps an error to its status, where the service doesn't send the
	// model's.
	Errors map[string]int `json:"errors"`
}

// A correction sets parts of the types of members.
type correction struct {
	// Set is a partial model.Type; null takes a constraint away.
	Set json.RawMessage `json:"set"`
	// Of lists members as "Structure.Member".
	Of []string `json:"of"`
}

func readOverlay(file string) (map[string]overlay, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all map[string]overlay
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// apply fails on an entry that matches nothing, so that the overlay can't rot.
func (o overlay) apply(s *model.Service) error {
	members := map[string]*model.Member{}
	for _, st := range s.Structures {
		for _, m := range st.Members {
			members[st.Name+"."+m.Name] = m
		}
	}
	for _, c := range o.Members {
		for _, name := range c.Of {
			m := members[name]
			if m == nil {
				return fmt.Errorf("overlay: no member %s", name)
			}
			if err := json.Unmarshal(c.Set, m.Type); err != nil {
				return fmt.Errorf("overlay: %s: %w", name, err)
			}
		}
	}
	ops := map[string]*model.Operation{}
	for _, op := range s.Operations {
		ops[op.Name] = op
	}
	for name, code := range o.Codes {
		if ops[name] == nil {
			return fmt.Errorf("overlay: no operation %s", name)
		}
		ops[name].Code = code
	}
	failures := map[string]*model.Error{}
	for _, e := range s.Errors {
		failures[e.Name] = e
	}
	for name, status := range o.Errors {
		if failures[name] == nil {
			return fmt.Errorf("overlay: no error %s", name)
		}
		failures[name].Status = status
	}
	return nil
}
