package compile

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// A stage is what the writer remembers of one stage beside its plan: enough to
// apply an edit without looking at the rest.
type stage struct {
	plan *plan.Stage
	// atHead tells that the stage runs the API's definitions as they are now,
	// so that the next edit can be applied to it.
	atHead        bool
	routeSettings routeSettings
	certificateID string
	routes        map[string]*route
	calls         map[string]*call
	// users are the routes of each integration.
	users map[string]map[string]struct{}
}

// A route is a compiled route and the integration it calls, "" for none.
type route struct {
	plan        *plan.Route
	integration string
}

// CheckStage says why a stage couldn't serve the API's definitions as the
// transaction has them now; "" when it can. A stage without a name is one
// nobody has made yet.
func (c *Compiler) CheckStage(tx *store.Tx, s store.Scope, apiID string, doc *definition.Stage) (reason string, err error) {
	err = c.checkStage(tx, apiKey{s, apiID}, doc)
	var p *Problem
	if errors.As(err, &p) {
		return p.Error(), nil
	}
	return "", err
}

func (c *Compiler) checkStage(tx *store.Tx, key apiKey, doc *definition.Stage) error {
	apiDoc, err := definition.APIs.Get(tx, key.Scope, key.id)
	if err != nil {
		return fmt.Errorf("compile: API %s: %w", key.id, err)
	}
	var old *stage
	if a := c.apis[key]; a != nil {
		old = a.stages[value(doc.StageName)]
	}
	d, err := c.newDraft(tx, key, newAPI(key, apiDoc), old, doc)
	if err != nil {
		return err
	}
	for _, e := range group(tx.Changes()) {
		if e.key == key && d.canEdit(e) {
			return d.edit(tx, e)
		}
	}
	return d.build(tx)
}

// draftStage compiles a stage as stored. e is what the transaction changes, nil
// when loading.
func (c *Compiler) draftStage(tx *store.Tx, key apiKey, head *plan.API, old *stage, doc *definition.Stage, e *edits) (*draft, error) {
	if doc.DeploymentId == nil {
		return c.emptyDraft(key, head, doc), nil
	}
	d, err := c.newDraft(tx, key, head, old, doc)
	if err != nil {
		return nil, err
	}
	// A stage that stays on its deployment with the same settings keeps its
	// routes.
	same := old != nil && old.plan.DeploymentID == *doc.DeploymentId
	if same && d.canKeep() {
		d.keep(old.atHead && (e == nil || !e.children()))
		return d, nil
	}
	deployment, err := definition.Deployments.Get(tx, key.Scope, key.id, *doc.DeploymentId)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem("Deployment", *doc.DeploymentId, errors.New("it is gone"))
	}
	if err != nil {
		return nil, fmt.Errorf("compile: stage %s of API %s: deployment %s: %w", *doc.StageName, key.id, *doc.DeploymentId, err)
	}
	now := deployment.Revision == tx.Revision()
	switch {
	case now && e != nil && d.canEdit(e):
		d.atHead = true
		return d, d.edit(tx, e)
	case now && e != nil:
		d.atHead = true
		return d, d.build(tx)
	default:
		d.atHead = same && old.atHead && !e.children()
		return d, d.build(tx.AsOf(deployment.Revision))
	}
}

// A draft is a stage being compiled: what a transaction would make of it. It
// changes nothing that is in use before commit.
type draft struct {
	c   *Compiler
	key apiKey
	// base is the stage the draft edits; nil when it is built from nothing.
	base   *stage
	plan   *plan.Stage
	atHead bool

	routeSettings routeSettings
	// certificateID names the certificate that backends are shown, "" for none, and
	// certificate is it: of WebSocket APIs alone.
	certificateID string
	certificate   *tls.Certificate
	// guards compile who may use routes, once there is a view to read from.
	guards *guards
	// What differs from base; nil values are gone.
	routes map[string]*route
	calls  map[string]*call
}

// newDraft makes a draft with the settings of the stage and, where they are
// there, the routes of old.
func (c *Compiler) newDraft(tx *store.Tx, key apiKey, head *plan.API, old *stage, doc *definition.Stage) (*draft, error) {
	d := c.emptyDraft(key, head, doc)
	d.base = old
	accessLog, err := c.accessLog(head, doc)
	if err != nil {
		return nil, problem("Access log of stage", d.plan.Name, err)
	}
	d.plan.AccessLog = accessLog
	d.certificate, err = c.clientCertificate(tx, key.Scope, d.certificateID)
	return d, err
}

// emptyDraft is a stage that serves nothing.
func (c *Compiler) emptyDraft(key apiKey, head *plan.API, doc *definition.Stage) *draft {
	return &draft{
		c:   c,
		key: key,
		plan: &plan.Stage{
			API:          head,
			Name:         value(doc.StageName),
			DeploymentID: value(doc.DeploymentId),
			Variables:    doc.StageVariables,
			Limit:        c.parts.accountLimit(head),
			AccessLog:    c.parts.DefaultAccessLog,
			Metrics:      c.parts.stageMetrics(head, value(doc.StageName)),
		},
		routeSettings: routeSettings{doc.DefaultRouteSettings, doc.RouteSettings},
		certificateID: value(doc.ClientCertificateId),
		routes:        map[string]*route{},
		calls:         map[string]*call{},
	}
}

// canKeep tells whether the compiled routes of base are good under the
// settings of the draft, and canEdit whether they are those of the definitions
// before the transaction, too. A WebSocket API is always compiled whole: it has
// few routes, and its changes seldom go live one by one. So is an API whose
// authorizers change.
func (d *draft) canKeep() bool {
	return d.base != nil && maps.Equal(d.base.plan.Variables, d.plan.Variables) &&
		d.base.plan.API.Name == d.plan.API.Name && d.base.certificateID == d.certificateID &&
		reflect.DeepEqual(d.base.routeSettings, d.routeSettings)
}

func (d *draft) canEdit(e *edits) bool {
	return !e.authorizers && d.canKeep() && d.base.atHead && d.plan.API.Protocol != plan.WebSocket
}

// keep takes the routes of base as they are.
func (d *draft) keep(atHead bool) {
	d.atHead = atHead
	base := d.base.plan
	d.plan.Routes, d.plan.Default, d.plan.Socket = base.Routes, base.Default, base.Socket
	d.plan.DisableExecuteAPIEndpoint, d.plan.CORS = base.DisableExecuteAPIEndpoint, base.CORS
}

// freeze takes what a deployment freezes of the API itself.
func (d *draft) freeze(view *store.Tx) error {
	doc, err := definition.APIs.Get(view, d.key.Scope, d.key.id)
	if err != nil {
		return fmt.Errorf("compile: API %s: %w", d.key.id, err)
	}
	d.plan.DisableExecuteAPIEndpoint = value(doc.DisableExecuteApiEndpoint)
	d.plan.CORS = cors(doc.CorsConfiguration)
	return nil
}

// build compiles everything in a view of the store.
func (d *draft) build(view *store.Tx) error {
	d.base = nil
	d.guards = newGuards(d.c, d.key, view, d.plan)
	if err := d.freeze(view); err != nil {
		return err
	}
	if d.plan.API.Protocol == plan.WebSocket {
		return d.buildSocket(view)
	}
	for e, err := range definition.Integrations.All(view, d.key.Scope, d.key.id) {
		if err != nil {
			return fmt.Errorf("compile: integrations of API %s: %w", d.key.id, err)
		}
		if err := d.setIntegration(e.ID[1], e.Doc); err != nil {
			return err
		}
	}
	for e, err := range definition.Routes.All(view, d.key.Scope, d.key.id) {
		if err != nil {
			return fmt.Errorf("compile: routes of API %s: %w", d.key.id, err)
		}
		if err := d.setRoute(e.ID[1], e.Doc); err != nil {
			return err
		}
	}
	return nil
}

// edit applies a transaction's changes to the routes of base.
func (d *draft) edit(tx *store.Tx, e *edits) error {
	d.keep(true)
	d.guards = newGuards(d.c, d.key, tx, d.plan)
	if err := d.freeze(tx); err != nil {
		return err
	}
	for _, id := range e.integrations {
		doc, err := definition.Integrations.Get(tx, d.key.Scope, d.key.id, id)
		if errors.Is(err, store.ErrNotFound) {
			d.calls[id] = nil
			continue
		}
		if err != nil {
			return fmt.Errorf("compile: integration %s of API %s: %w", id, d.key.id, err)
		}
		if err := d.setIntegration(id, doc); err != nil {
			return err
		}
	}
	// All that go before any that come: a key may pass from one to another.
	for _, id := range e.routes {
		d.unsetRoute(id)
	}
	for _, id := range e.routes {
		doc, err := definition.Routes.Get(tx, d.key.Scope, d.key.id, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("compile: route %s of API %s: %w", id, d.key.id, err)
		}
		if err := d.setRoute(id, doc); err != nil {
			return err
		}
	}
	for _, id := range e.integrations {
		for user := range d.base.users[id] {
			if _, edited := d.routes[user]; !edited {
				d.rewire(user, id)
			}
		}
	}
	return nil
}

func (d *draft) setIntegration(id string, doc *definition.Integration) error {
	call, err := d.c.integration(doc, d.plan)
	if err != nil {
		return problem("Integration", id, err)
	}
	d.calls[id] = call
	return nil
}

// call returns the compiled integration, nil when there is none.
func (d *draft) call(id string) *call {
	if call, edited := d.calls[id]; edited {
		return call
	}
	if d.base != nil {
		return d.base.calls[id]
	}
	return nil
}

func (d *draft) setRoute(id string, doc *definition.Route) error {
	key, err := plan.ParseRouteKey(value(doc.RouteKey))
	if err != nil {
		return problem("Route", id, err)
	}
	r := &route{integration: integrationID(doc.Target), plan: &plan.Route{
		Key:        value(doc.RouteKey),
		ID:         id,
		Method:     key.Method,
		Path:       key.Path,
		ParamNames: key.ParamNames,
		Greedy:     key.Greedy,
	}}
	if r.plan.Authorizer, err = d.guards.authorizer(doc); err != nil {
		return problem("Route", r.plan.Key, err)
	}
	if r.integration != "" {
		d.callOrRefusal(r.integration).wire(r.plan)
	}
	r.plan.Limit = d.routeLimit(r.plan)
	if d.routeSettings.detailed(r.plan.Key) {
		r.plan.Metrics = d.c.parts.routeMetrics(d.plan.API, d.plan.Name, r.plan)
	}
	d.place(id, r)
	return nil
}

// routeLimit returns the throttle of a route, nil for none.
func (d *draft) routeLimit(r *plan.Route) plan.Limiter {
	rate, burst, ok := d.routeSettings.limit(r.Key)
	if !ok {
		return nil
	}
	return d.c.parts.RouteLimit(d.plan.API, d.plan.Name, r.ID, rate, burst)
}

// rewire gives a route the integration that was changed under it.
func (d *draft) rewire(id, integration string) {
	next := *d.base.routes[id].plan
	d.callOrRefusal(integration).wire(&next)
	d.place(id, &route{plan: &next, integration: integration})
}

func (d *draft) callOrRefusal(id string) *call {
	if call := d.call(id); call != nil {
		return call
	}
	return refusal("the route's integration " + id + " is gone")
}

func (d *draft) place(id string, r *route) {
	d.routes[id] = r
	if r.plan.Path == "" {
		d.plan.Default = r.plan
		return
	}
	d.plan.Routes = d.plan.Routes.With(r.plan)
}

func (d *draft) unsetRoute(id string) {
	d.routes[id] = nil
	old := d.base.routes[id]
	if old == nil {
		return
	}
	if old.plan.Path == "" {
		d.plan.Default = nil
		return
	}
	d.plan.Routes = d.plan.Routes.Without(old.plan.Key)
}

// commit makes the draft the stage the writer remembers. It may write base,
// which nobody reads any more.
func (d *draft) commit() *stage {
	st := d.base
	if st == nil {
		st = &stage{routes: map[string]*route{}, calls: map[string]*call{}, users: map[string]map[string]struct{}{}}
	}
	st.plan, st.atHead, st.routeSettings, st.certificateID = d.plan, d.atHead, d.routeSettings, d.certificateID
	for id, call := range d.calls {
		if call == nil {
			delete(st.calls, id)
			continue
		}
		st.calls[id] = call
	}
	for id, r := range d.routes {
		if old := st.routes[id]; old != nil {
			delete(st.users[old.integration], id)
			if len(st.users[old.integration]) == 0 {
				delete(st.users, old.integration)
			}
		}
		if r == nil {
			delete(st.routes, id)
			continue
		}
		st.routes[id] = r
		if r.integration == "" {
			continue
		}
		if st.users[r.integration] == nil {
			st.users[r.integration] = map[string]struct{}{}
		}
		st.users[r.integration][id] = struct{}{}
	}
	return st
}
