package compile

import (
	"errors"
	"fmt"
	"reflect"

	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/store"
)

// REST APIs change by deployments alone: what a stage serves is compiled when
// it is pointed at one, not when a resource is edited.

// A restAPI is what the writer remembers of one REST API beside its plan.
type restAPI struct {
	plan   *plan.API
	stages map[string]*restStage
}

// A restStage is a compiled stage and the definition it was compiled from. problem
// says why it runs what it ran before instead, nil where it doesn't.
type restStage struct {
	doc     *definition.RestStage
	plan    *plan.Stage
	cluster *stagecache.Cluster // nil for none
	problem *Problem
}

// restEdits are a transaction's changes to one REST API.
type restEdits struct {
	key    apiKey
	stages map[string]bool
}

// groupRest sorts the changes that concern REST APIs, in the order they were
// made.
func groupRest(changes []store.Change) []*restEdits {
	var list []*restEdits
	byKey := map[apiKey]*restEdits{}
	for _, change := range changes {
		if change.Kind != definition.RestAPIs.Name && change.Kind != definition.RestStages.Name {
			continue
		}
		key := apiKey{change.Scope, change.ID[0]}
		e := byKey[key]
		if e == nil {
			e = &restEdits{key: key, stages: map[string]bool{}}
			byKey[key] = e
			list = append(list, e)
		}
		if change.Kind == definition.RestStages.Name {
			e.stages[change.ID[1]] = true
		}
	}
	return list
}

// loadRest adds everything stored of REST APIs to a plan.
func (c *Compiler) loadRest(tx *store.Tx, next *plan.Plan) (*plan.Plan, map[apiKey]*restAPI, error) {
	apis := map[apiKey]*restAPI{}
	for e, err := range definition.RestAPIs.Everywhere(tx) {
		if err != nil {
			return nil, nil, fmt.Errorf("compile: load: %w", err)
		}
		key := apiKey{e.Scope, e.ID[0]}
		a := &restAPI{plan: c.securedAPI(key, e.Doc), stages: map[string]*restStage{}}
		for s, err := range definition.RestStages.All(tx, key.Scope, key.id) {
			if err != nil {
				return nil, nil, fmt.Errorf("compile: load stages of %s: %w", key.id, err)
			}
			st, err := c.restStage(tx, key, e.Doc, a.plan, s.Doc, nil)
			if err != nil {
				return nil, nil, err
			}
			a.stages[st.plan.Name] = st
			a.plan.Stages[st.plan.Name] = st.plan
		}
		apis[key] = a
		next = next.With(a.plan)
	}
	return next, apis, nil
}

// prepareRest returns the plan of one REST API after the transaction, nil when
// it is gone, and what the writer is to remember once that is durable.
func (c *Compiler) prepareRest(tx *store.Tx, e *restEdits) (*plan.API, func(), error) {
	doc, err := definition.RestAPIs.Get(tx, e.key.Scope, e.key.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, func() { delete(c.rests, e.key); c.retainClusters(e.key.id, nil) }, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compile: API %s: %w", e.key.id, err)
	}
	old := c.rests[e.key]
	if old == nil {
		old = &restAPI{}
	}
	head := c.securedAPI(e.key, doc)
	after := &restAPI{plan: head, stages: make(map[string]*restStage, len(old.stages)+1)}
	for name, st := range old.stages {
		if e.stages[name] {
			continue
		}
		if after.stages[name], err = c.restStage(tx, e.key, doc, head, st.doc, st); err != nil {
			return nil, nil, err
		}
	}
	for name := range e.stages {
		stage, err := definition.RestStages.Get(tx, e.key.Scope, e.key.id, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("compile: stage %s of API %s: %w", name, e.key.id, err)
		}
		st, err := c.restStage(tx, e.key, doc, head, stage, old.stages[name])
		if err == nil && st.problem != nil {
			err = c.refuseDeployment(tx, e.key, stage)
		}
		if err != nil {
			return nil, nil, err
		}
		after.stages[name] = st
	}
	for name, st := range after.stages {
		head.Stages[name] = st.plan
	}
	return head, func() { c.rests[e.key] = after; c.retainClusters(e.key.id, after.stages) }, nil
}

func newRestAPI(key apiKey, doc *definition.RestAPI) *plan.API {
	return &plan.API{
		ID:        key.id,
		AccountID: key.Account,
		Region:    key.Region,
		Name:      value(doc.Name),
		Protocol:  plan.REST,
		Stages:    map[string]*plan.Stage{},
	}
}

// restStage compiles a stage as stored, or keeps old where nothing that counts
// has changed. One that doesn't compile goes on with what it served before:
// operations check before they store, so this is for what an older release let
// pass.
func (c *Compiler) restStage(tx *store.Tx, key apiKey, api *definition.RestAPI, head *plan.API, doc *definition.RestStage, old *restStage) (*restStage, error) {
	st, err := c.anyRestStage(tx, key, head, doc, old)
	if err == nil {
		st.plan.DisableExecuteAPIEndpoint = api.EndpointDisabled
		if canary := st.plan.Rest.Canary; canary != nil {
			canary.Stage.DisableExecuteAPIEndpoint = api.EndpointDisabled
		}
	}
	return st, err
}

func (c *Compiler) anyRestStage(tx *store.Tx, key apiKey, head *plan.API, doc *definition.RestStage, old *restStage) (*restStage, error) {
	if old != nil && sameRest(old, head, doc) {
		return &restStage{doc: doc, plan: adopt(old.plan, head), cluster: old.cluster}, nil
	}
	b := restBuilder{c: c, key: key, head: head, cluster: c.cluster(key, doc)}
	st, err := b.deployed(tx, doc)
	var p *Problem
	if !errors.As(err, &p) {
		return &restStage{doc: doc, plan: st, cluster: b.cluster}, err
	}
	c.log.Error("a stage doesn't compile and serves what it served before", "api", key.id, "stage", value(doc.StageName), "reason", p.Error())
	if old != nil {
		return &restStage{doc: doc, plan: adopt(old.plan, head), cluster: old.cluster, problem: p}, nil
	}
	return &restStage{doc: doc, plan: b.empty(doc), problem: p}, nil
}

// undeployable is why a transaction can't be that deploys to a stage.
type undeployable struct{ reason string }

func (u *undeployable) Error() string { return "compile: the deployment doesn't compile: " + u.reason }

// Undeployable says why an API can't be deployed where that is why Prepare refused a
// transaction.
func (c *Compiler) Undeployable(err error) (reason string, ok bool) {
	var u *undeployable
	if !errors.As(err, &u) {
		return "", false
	}
	return u.reason, true
}

// refuseDeployment refuses a transaction that makes a deployment for a stage which
// doesn't compile, if the definitions are to blame, and not the stage's own settings:
// those an older release let pass, and they must not keep anyone from deploying.
func (c *Compiler) refuseDeployment(tx *store.Tx, key apiKey, doc *definition.RestStage) error {
	id := doc.DeploymentId
	if doc.CanarySettings != nil && doc.CanarySettings.DeploymentId != nil {
		id = doc.CanarySettings.DeploymentId
	}
	deployment, err := definition.RestDeployments.Get(tx, key.Scope, key.id, value(id))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("compile: deployment %s of API %s: %w", value(id), key.id, err)
	case deployment.Revision != tx.Revision():
		return nil
	}
	reason, err := c.CheckRestStage(tx, key.Scope, key.id, &definition.RestStage{})
	if err == nil && reason != "" {
		err = &undeployable{reason}
	}
	return err
}

// sameRest tells whether a compiled stage is good for another definition.
func sameRest(old *restStage, head *plan.API, doc *definition.RestStage) bool {
	if old.plan.API.Name != head.Name || old.doc.CacheSince != doc.CacheSince {
		return false
	}
	a, b := old.doc.Stage, doc.Stage
	// What has no part in the plan.
	a.Description, a.LastUpdatedDate, a.Tags, a.DocumentationVersion = b.Description, b.LastUpdatedDate, b.Tags, b.DocumentationVersion
	return reflect.DeepEqual(a, b)
}

// adopt makes a stage, and its canary, one of another generation of its API.
func adopt(old *plan.Stage, head *plan.API) *plan.Stage {
	kept := *old
	kept.API = head
	if canary := old.Rest.Canary; canary != nil {
		rest := *old.Rest
		rest.Canary = &plan.Canary{Stage: adopt(canary.Stage, head), Percent: canary.Percent}
		kept.Rest = &rest
	}
	return &kept
}

// CheckRestStage says why a stage couldn't serve the API's definitions as the
// transaction has them now; "" when it can. A stage without a name is one
// nobody has made yet.
func (c *Compiler) CheckRestStage(tx *store.Tx, s store.Scope, apiID string, doc *definition.RestStage) (reason string, err error) {
	apiDoc, err := definition.RestAPIs.Get(tx, s, apiID)
	if err != nil {
		return "", fmt.Errorf("compile: API %s: %w", apiID, err)
	}
	key := apiKey{s, apiID}
	b := restBuilder{c: c, key: key, head: newRestAPI(key, apiDoc)}
	_, err = b.build(tx, doc, variant{variables: doc.Variables})
	var p *Problem
	if errors.As(err, &p) {
		return p.Error(), nil
	}
	return "", err
}
