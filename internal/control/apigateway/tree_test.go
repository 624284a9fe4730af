package apigateway_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// Whatever is done to resources, their paths are those of a tree in which
// siblings differ, at most one of them is a variable, and nothing is below a
// greedy one; and the index of names says the same.
func TestRandomTrees(t *testing.T) {
	g := newServing(t)
	id, root := g.api()
	c := g.call()
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "c", "zz", "{id}", "{name}", "{all+}"}
	for step := range 400 {
		ids := g.resourceIDs(id)
		one := func() *string { return new(ids[random.IntN(len(ids))]) }
		part := parts[random.IntN(len(parts))]
		var did string
		switch random.IntN(6) {
		case 0, 1, 2:
			_, err := g.CreateResource(c, &api.CreateResourceRequest{RestApiId: &id, ParentId: one(), PathPart: &part})
			did = fmt.Sprint("create ", part, ": ", err)
		case 3:
			_, err := g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: one(), PatchOperations: patch("replace", "/pathPart", part)})
			did = fmt.Sprint("rename to ", part, ": ", err)
		case 4:
			_, err := g.UpdateResource(c, &api.UpdateResourceRequest{RestApiId: &id, ResourceId: one(), PatchOperations: patch("replace", "/parentId", *one())})
			did = fmt.Sprint("move: ", err)
		case 5:
			err := g.DeleteResource(c, &api.DeleteResourceRequest{RestApiId: &id, ResourceId: one()})
			did = fmt.Sprint("delete: ", err)
		}
		if problem := g.checkTree(id, root); problem != "" {
			t.Fatalf("step %d, %s: %s", step, did, problem)
		}
	}
}

func (s *serving) resourceIDs(apiID string) []string {
	s.t.Helper()
	var ids []string
	for _, r := range must[*api.Resources](s.t)(s.GetResources(s.call(), &api.GetResourcesRequest{RestApiId: &apiID, Limit: new(int32(500))})).Items {
		ids = append(ids, *r.Id)
	}
	return ids
}

// checkTree says what is wrong with the resources of an API, "" for nothing.
func (s *serving) checkTree(apiID, root string) (problem string) {
	s.t.Helper()
	if err := s.store.View(context.Background(), func(tx *store.Tx) error {
		byID := map[string]*definition.Resource{}
		for e, err := range definition.Resources.All(tx, here, apiID) {
			if err != nil {
				return err
			}
			byID[*e.Doc.Id] = e.Doc
		}
		names := map[string]string{}
		for e, err := range definition.ResourceNames.All(tx, here, apiID) {
			if err != nil {
				return err
			}
			names[e.ID[1]+" "+e.ID[2]] = e.Doc.ID
		}
		if len(names) != len(byID)-1 {
			problem = fmt.Sprintf("%d names of %d resources below the root", len(names), len(byID)-1)
		}
		variables := map[string]int{}
		for id, r := range byID {
			if id == root {
				continue
			}
			parent := byID[*r.ParentId]
			switch {
			case parent == nil:
				problem = *r.Path + " has no parent"
				continue
			case names[*r.ParentId+" "+*r.PathPart] != id:
				problem = *r.Path + " isn't known by its name"
			case *r.Path != strings.TrimSuffix(*parent.Path, "/")+"/"+*r.PathPart:
				problem = *r.Path + " is below " + *parent.Path
			case strings.Contains(*parent.Path, "+}"):
				problem = *r.Path + " is below a greedy variable"
			}
			if strings.HasPrefix(*r.PathPart, "{") {
				if variables[*r.ParentId]++; variables[*r.ParentId] > 1 {
					problem = *parent.Path + " has two variables"
				}
			}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return problem
}
