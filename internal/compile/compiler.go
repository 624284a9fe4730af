package compile

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"gatehouse/internal/authorize"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// A Compiler holds the published plan and what it takes to change it. Plan is
// for everyone; the other methods are for the store's one writer, and for Load
// before there is one.
type Compiler struct {
	parts   Options
	log     *slog.Logger
	current atomic.Pointer[plan.Plan]
	apis    map[apiKey]*api
	rests   map[apiKey]*restAPI
	domains map[string]domain // by name
	// privates are the private domains, whose names others may have, too.
	privates map[domainKey]domain
	// handshakers are how connections to the own hosts of APIs shake hands, by security
	// policy.
	handshakers map[string]plan.Handshaker
	clock       func() time.Time
	// signingKeys outlive plans.
	signingKeys *authorize.SigningKeys
}

type apiKey struct {
	store.Scope
	id string
}

// An api is what the writer remembers of one API beside its plan.
type api struct {
	plan   *plan.API
	stages map[string]*stage
}

// New makes a compiler with an empty plan.
func New(o Options) *Compiler {
	c := &Compiler{
		parts: o, log: o.Logger, clock: o.Clock, signingKeys: authorize.NewSigningKeys(),
		apis: map[apiKey]*api{}, rests: map[apiKey]*restAPI{}, domains: map[string]domain{}, privates: map[domainKey]domain{}, handshakers: map[string]plan.Handshaker{},
	}
	if c.parts.Links == nil {
		c.parts.Links = NewLinks()
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.current.Store(&plan.Plan{})
	return c
}

// Plan returns the plan published last; it is never nil.
func (c *Compiler) Plan() *plan.Plan { return c.current.Load() }

// Published is where the plan published last is read by every request.
func (c *Compiler) Published() *atomic.Pointer[plan.Plan] { return &c.current }

// Load builds the plan of everything stored and publishes it. A stage that no
// longer compiles is logged and serves nothing; the others are served.
func (c *Compiler) Load(tx *store.Tx) (*plan.Plan, error) {
	apis := map[apiKey]*api{}
	next := &plan.Plan{}
	for e, err := range definition.APIs.Everywhere(tx) {
		if err != nil {
			return nil, fmt.Errorf("compile: load: %w", err)
		}
		key := apiKey{e.Scope, e.ID[0]}
		a := &api{plan: newAPI(key, e.Doc), stages: map[string]*stage{}}
		for s, err := range definition.Stages.All(tx, key.Scope, key.id) {
			if err != nil {
				return nil, fmt.Errorf("compile: load stages of %s: %w", key.id, err)
			}
			d, err := c.draftStage(tx, key, a.plan, nil, s.Doc, nil)
			if d, err = c.lastGood(d, err, key, a.plan, nil, s.Doc); err != nil {
				return nil, err
			}
			st := d.commit()
			a.stages[st.plan.Name] = st
			a.plan.Stages[st.plan.Name] = st.plan
		}
		apis[key] = a
		next = next.With(a.plan)
	}
	next, rests, err := c.loadRest(tx, next)
	if err != nil {
		return nil, err
	}
	next, domains, err := c.loadDomains(tx, next)
	if err != nil {
		return nil, err
	}
	c.apis, c.rests, c.domains = apis, rests, domains
	c.current.Store(next)
	return next, nil
}

// Prepare builds what a transaction changes; it is store.Options.Prepare. The
// function it returns publishes the result. A stage that doesn't compile goes on
// with what it ran before.
func (c *Compiler) Prepare(tx *store.Tx, changes []store.Change) (func(), error) {
	touched, rest, domains := group(changes), groupRest(changes), c.groupDomains(changes)
	if len(touched)+len(rest)+len(domains) == 0 {
		return nil, nil
	}
	next := c.Plan()
	var commits []func()
	replace := func(id string, after *plan.API, commit func()) {
		commits = append(commits, commit)
		if after == nil {
			next = next.Without(id)
			return
		}
		next = next.With(after)
	}
	for _, e := range touched {
		after, commit, err := c.prepareAPI(tx, e)
		if err != nil {
			return nil, err
		}
		replace(e.key.id, after, commit)
	}
	for _, e := range rest {
		after, commit, err := c.prepareRest(tx, e)
		if err != nil {
			return nil, err
		}
		replace(e.key.id, after, commit)
		if domains, err = c.securedBy(tx, e.key, after, domains); err != nil {
			return nil, err
		}
	}
	for _, key := range domains {
		after, commit, err := c.prepareDomain(tx, next, key)
		if err != nil {
			return nil, err
		}
		next = after
		commits = append(commits, commit)
	}
	return func() {
		for _, commit := range commits {
			commit()
		}
		c.current.Store(next)
	}, nil
}

// prepareAPI returns the plan of one API after the transaction, nil when it is
// gone, and what the writer is to remember once that is durable.
func (c *Compiler) prepareAPI(tx *store.Tx, e *edits) (*plan.API, func(), error) {
	doc, err := definition.APIs.Get(tx, e.key.Scope, e.key.id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, func() { delete(c.apis, e.key) }, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compile: API %s: %w", e.key.id, err)
	}
	old := c.apis[e.key]
	if old == nil {
		old = &api{}
	}
	head := newAPI(e.key, doc)
	after := &api{plan: head, stages: make(map[string]*stage, len(old.stages)+1)}
	var drafts []*draft
	for name, st := range old.stages {
		if e.stages[name] {
			continue
		}
		after.stages[name] = st
		kept := *st.plan
		kept.API = head
		head.Stages[name] = &kept
	}
	for name := range e.stages {
		doc, err := definition.Stages.Get(tx, e.key.Scope, e.key.id, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("compile: stage %s of API %s: %w", name, e.key.id, err)
		}
		d, err := c.draftStage(tx, e.key, head, old.stages[name], doc, e)
		if d, err = c.lastGood(d, err, e.key, head, old.stages[name], doc); err != nil {
			return nil, nil, err
		}
		head.Stages[name] = d.plan
		drafts = append(drafts, d)
	}
	return head, func() {
		if e.children() {
			for _, st := range after.stages {
				st.atHead = false
			}
		}
		for _, d := range drafts {
			st := d.commit()
			after.stages[st.plan.Name] = st
		}
		for name, st := range after.stages {
			st.plan = head.Stages[name]
		}
		c.apis[e.key] = after
	}, nil
}

// lastGood answers for a stage that doesn't compile: it goes on with what it
// ran before, if there was anything. Operations check before they store, so
// this is for what an older release let pass: it mustn't keep anyone from
// mending it, or from editing the rest.
func (c *Compiler) lastGood(d *draft, err error, key apiKey, head *plan.API, old *stage, doc *definition.Stage) (*draft, error) {
	var p *Problem
	if !errors.As(err, &p) {
		return d, err
	}
	c.log.Error("a stage doesn't compile and serves what it served before", "api", key.id, "stage", value(doc.StageName), "reason", p.Error())
	d = c.emptyDraft(key, head, doc)
	if old != nil {
		kept := *old.plan
		kept.API = head
		d.base, d.plan, d.routeSettings, d.certificateID = old, &kept, old.routeSettings, old.certificateID
	}
	return d, nil
}

func newAPI(key apiKey, doc *definition.API) *plan.API {
	return &plan.API{
		ID:        key.id,
		AccountID: key.Account,
		Region:    key.Region,
		Name:      value(doc.Name),
		Protocol:  protocol(doc),
		Stages:    map[string]*plan.Stage{},
	}
}

func protocol(doc *definition.API) plan.Protocol {
	if value(doc.ProtocolType) == apigatewayv2.ProtocolTypeWebsocket {
		return plan.WebSocket
	}
	return plan.HTTP
}

// edits are a transaction's changes to one API.
type edits struct {
	key                  apiKey
	routes, integrations []string
	// authorizers tells that some of them changed.
	authorizers bool
	stages      map[string]bool
}

// children tells whether what deployments freeze was changed.
func (e *edits) children() bool { return e.authorizers || len(e.routes)+len(e.integrations) > 0 }

// group sorts changes by API, in the order they were made; other documents
// have no part in the plan.
func group(changes []store.Change) []*edits {
	var list []*edits
	byKey := map[apiKey]*edits{}
	for _, change := range changes {
		if len(change.ID) == 0 {
			continue
		}
		switch change.Kind {
		case definition.APIs.Name, definition.Stages.Name, definition.Routes.Name, definition.Integrations.Name, definition.Authorizers.Name:
		default:
			continue
		}
		key := apiKey{change.Scope, change.ID[0]}
		e := byKey[key]
		if e == nil {
			e = &edits{key: key, stages: map[string]bool{}}
			byKey[key] = e
			list = append(list, e)
		}
		switch change.Kind {
		case definition.Stages.Name:
			e.stages[change.ID[1]] = true
		case definition.Routes.Name:
			e.routes = append(e.routes, change.ID[1])
		case definition.Integrations.Name:
			e.integrations = append(e.integrations, change.ID[1])
		case definition.Authorizers.Name:
			e.authorizers = true
		}
	}
	return list
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
