package lambda

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/codestore"
	"gatehouse/internal/function"
	"gatehouse/internal/policy"
	"gatehouse/internal/store"
)

// ErrNotFound tells that an ARN names no function, version or alias.
var ErrNotFound = errors.New("control/lambda: no such function")

// A Directory is what can be invoked: every qualifier of every function with a
// spec that is ready to run and the policy that guards it. Reading it takes no
// lock; the store's writer is the only one to change it.
//
// It is in shards by function, each an immutable map behind an atomic pointer,
// so that one change copies a fraction of what there is.
type Directory struct {
	log     *slog.Logger
	code    *codestore.Store
	runtime Runtime
	role    Role
	random  func() float64

	// keys are *accessKeys for reuse: every request of every API asks.
	keys sync.Pool

	seed   maphash.Seed
	shards [256]atomic.Pointer[shard]
}

// A shard holds functions by their unqualified ARN.
type shard map[string]*entry

// An entry is one function: its qualifiers, $LATEST included.
type entry map[string]*route

// A route is where a qualifier leads.
type route struct {
	// main is the version called, or the more likely one of an alias with weights.
	main *version
	// other, if not nil, is called with the probability of weight.
	other  *version
	weight float64
	// policy is the qualifier's own; nil allows nothing.
	policy *policy.Document
	retry  retryPolicy
}

// A version is one version that can be run once its code is unpacked.
type version struct {
	// spec lacks CodeDir and Layers; they are in ready.
	spec      *function.Spec
	code      codeRef
	layerCode []codeRef

	mu sync.Mutex
	// ready is spec with the code's place, or nil until the code is unpacked. That
	// happens when code changes, or by the first call after a restart: unpacking
	// everything at once would make the start slow.
	ready atomic.Pointer[function.Spec]
}

// A retryPolicy says how asynchronous events of a qualifier are retried.
type retryPolicy struct {
	attempts int           // after the first
	age      time.Duration // of an event, at most
}

// AWS's own.
var defaultRetry = retryPolicy{attempts: 2, age: 6 * time.Hour}

// NewDirectory returns an empty directory; Load fills it. Of the options it
// uses Logger, Code, Runtime, Role and Random, and Store isn't needed yet.
func NewDirectory(o Options) (*Directory, error) {
	if o.Code == nil || o.Runtime == nil {
		return nil, errors.New("control/lambda: the directory needs Code and Runtime")
	}
	d := &Directory{log: o.Logger, code: o.Code, runtime: o.Runtime, role: o.Role, random: o.Random, seed: maphash.MakeSeed()}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.random == nil {
		d.random = randomFloat
	}
	for i := range d.shards {
		d.shards[i].Store(&shard{})
	}
	return d, nil
}

func (d *Directory) shard(function string) *atomic.Pointer[shard] {
	return &d.shards[maphash.String(d.seed, function)%uint64(len(d.shards))]
}

// splitARN cuts a function's ARN into the unqualified one and the qualifier,
// which is empty when there is none.
func splitARN(functionARN string) (unqualified, qualifier string) {
	colons := 0
	for i := range len(functionARN) {
		if functionARN[i] == ':' {
			if colons++; colons == 7 {
				return functionARN[:i], functionARN[i+1:]
			}
		}
	}
	return functionARN, ""
}

// route finds what an ARN leads to, or nil.
func (d *Directory) route(functionARN string) *route {
	unqualified, qualifier := splitARN(functionARN)
	e := (*d.shard(unqualified).Load())[unqualified]
	if e == nil {
		return nil
	}
	if qualifier == "" {
		qualifier = latest
	}
	return (*e)[qualifier]
}

// pick chooses the version to call.
func (d *Directory) pick(r *route) *version {
	if r.other != nil && d.random() < r.weight {
		return r.other
	}
	return r.main
}

// Exists tells whether an ARN, with or without a qualifier, can be invoked.
func (d *Directory) Exists(functionARN string) bool { return d.route(functionARN) != nil }

// Permitted tells whether the resource policy of what the ARN names allows the
// call. It says nothing of what the caller's own policies allow.
func (d *Directory) Permitted(functionARN string, a Access) bool {
	document := d.ResourcePolicy(functionARN)
	if document == nil {
		return false
	}
	keys, _ := d.keys.Get().(*accessKeys)
	if keys == nil {
		keys = new(accessKeys)
	}
	defer d.keys.Put(keys)
	keys.source[0], keys.account[0] = a.SourceARN, a.SourceAccount
	// $LATEST has the policy of the function, which speaks of its plain ARN.
	r := policy.Request{
		Action: "lambda:InvokeFunction", Resource: strings.TrimSuffix(functionARN, ":"+latest), Caller: a.caller(), Keys: keys,
	}
	return document.Decide(&r) == policy.Allowed
}

// ResourcePolicy is the policy of what the ARN names; nil if there is none.
func (d *Directory) ResourcePolicy(functionARN string) *policy.Document {
	if r := d.route(functionARN); r != nil {
		return r.policy
	}
	return nil
}

// Invoke runs a function and waits for it. The error is [ErrNotFound], a
// *function.Error, or ctx's own.
func (d *Directory) Invoke(ctx context.Context, functionARN string, payload []byte) (*function.Result, error) {
	res, _, err := d.InvokeWith(ctx, functionARN, &function.Invocation{Payload: payload})
	return res, err
}

// InvokeWith is Invoke with all that an invocation can carry; it sets inv's
// InvokedARN. It also returns the version that was called.
func (d *Directory) InvokeWith(ctx context.Context, functionARN string, inv *function.Invocation) (*function.Result, string, error) {
	var version string
	res, err := d.invoke(ctx, functionARN, inv, &version)
	return res, version, err
}

// invoke is InvokeWith that tells the version before the function is called.
func (d *Directory) invoke(ctx context.Context, functionARN string, inv *function.Invocation, version *string) (*function.Result, error) {
	inv.InvokedARN = functionARN
	for attempt := 0; ; attempt++ {
		r := d.route(functionARN)
		if r == nil {
			return nil, fmt.Errorf("%w: %s", ErrNotFound, functionARN)
		}
		v := d.pick(r)
		*version = v.spec.Version
		spec := v.ready.Load()
		if spec == nil {
			var err error
			if spec, err = d.unpack(ctx, v); err != nil {
				return nil, err
			}
		}
		res, err := d.runtime.Invoke(ctx, spec, inv)
		// Between the look-up and the call the version may have been replaced.
		if err != nil && attempt < 2 && unavailable(err) {
			if now := d.route(functionARN); now == nil || now.main != v && now.other != v {
				continue
			}
		}
		return res, err
	}
}

func unavailable(err error) bool {
	var refused *function.Error
	return errors.As(err, &refused) && refused.Kind == function.Unavailable
}

// unpack makes a version ready. A failure is the call's; the next one tries again.
func (d *Directory) unpack(ctx context.Context, v *version) (*function.Spec, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if spec := v.ready.Load(); spec != nil {
		return spec, nil
	}
	spec, err := d.locate(ctx, v)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d.log.Error("the code of a function can't be had", "function", v.spec.ARN, "version", v.spec.Version, "error", err)
		return nil, &function.Error{Kind: function.StartFailed, Message: "The code of the function can't be had on this host", Err: err}
	}
	v.ready.Store(spec)
	return spec, nil
}

// Load fills the directory from the store. It reads each kind once, since a
// look-up per function would make the start slow.
func (d *Directory) Load(tx *store.Tx) error {
	all := map[functionName]*documents{}
	for e, err := range functions.Everywhere(tx) {
		if err != nil {
			return fmt.Errorf("load functions: %w", err)
		}
		all[functionName{e.Scope, e.ID[0]}] = newDocuments(e.Doc)
	}
	err := errors.Join(
		loadAll(tx, versions, all, func(d *documents, e store.Entry[versionDoc]) { d.versions = append(d.versions, e.Doc) }),
		loadAll(tx, aliases, all, func(d *documents, e store.Entry[api.AliasConfiguration]) { d.aliases = append(d.aliases, e.Doc) }),
		loadAll(tx, policies, all, func(d *documents, e store.Entry[resourcePolicy]) { d.policies[e.ID[1]] = e.Doc }),
		loadAll(tx, invokes, all, func(d *documents, e store.Entry[api.FunctionEventInvokeConfig]) { d.invokes[e.ID[1]] = e.Doc }),
	)
	if err != nil {
		return fmt.Errorf("load functions: %w", err)
	}
	shards := make(map[*atomic.Pointer[shard]]shard)
	for name, docs := range all {
		at := d.shard(name.arn())
		if shards[at] == nil {
			shards[at] = shard{}
		}
		shards[at][name.arn()] = d.build(name, docs, nil)
	}
	for at, s := range shards {
		at.Store(&s)
	}
	return nil
}

// documents are all that is stored of one function.
type documents struct {
	function *functionDoc
	versions []*versionDoc
	aliases  []*api.AliasConfiguration
	// policies and invokes are by qualifier.
	policies map[string]*resourcePolicy
	invokes  map[string]*api.FunctionEventInvokeConfig
}

func newDocuments(fn *functionDoc) *documents {
	return &documents{function: fn, policies: map[string]*resourcePolicy{}, invokes: map[string]*api.FunctionEventInvokeConfig{}}
}

// loadAll hands every document of a kind to its function's.
func loadAll[T any](tx *store.Tx, kind store.Kind[T], all map[functionName]*documents, add func(*documents, store.Entry[T])) error {
	for e, err := range kind.Everywhere(tx) {
		if err != nil {
			return err
		}
		if docs := all[functionName{e.Scope, e.ID[0]}]; docs != nil {
			add(docs, e)
		}
	}
	return nil
}

// read is what is stored of one function, or nil.
func read(tx *store.Tx, name functionName) (*documents, error) {
	fn, err := optional(functions.Get(tx, name.scope, name.name))
	if fn == nil || err != nil {
		return nil, err
	}
	docs := newDocuments(fn)
	for e, err := range versions.All(tx, name.scope, name.name) {
		if err != nil {
			return nil, err
		}
		docs.versions = append(docs.versions, e.Doc)
	}
	for e, err := range aliases.All(tx, name.scope, name.name) {
		if err != nil {
			return nil, err
		}
		docs.aliases = append(docs.aliases, e.Doc)
	}
	for e, err := range policies.All(tx, name.scope, name.name) {
		if err != nil {
			return nil, err
		}
		docs.policies[e.ID[1]] = e.Doc
	}
	for e, err := range invokes.All(tx, name.scope, name.name) {
		if err != nil {
			return nil, err
		}
		docs.invokes[e.ID[1]] = e.Doc
	}
	return docs, nil
}

// A functionName is a function in its account and region.
type functionName struct {
	scope scope
	name  string
}

func (n functionName) arn() string { return functionARN(n.scope.Region, n.scope.Account, n.name, "") }

// Prepare makes the runnable forms of the functions that a transaction
// changed. Publish makes them the ones that are invoked.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	changed := map[functionName]bool{}
	for _, ch := range changes {
		switch ch.Kind {
		case functions.Name, versions.Name, aliases.Name, policies.Name, invokes.Name:
			changed[functionName{ch.Scope, ch.ID[0]}] = true
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	built := make(map[string]*entry, len(changed))
	for name := range changed {
		old := (*d.shard(name.arn()).Load())[name.arn()]
		docs, err := read(tx, name)
		if err != nil {
			return nil, fmt.Errorf("prepare function %s: %w", name.arn(), err)
		}
		built[name.arn()] = d.build(name, docs, old)
	}
	return func() {
		for function, e := range built {
			old := d.put(function, e)
			for _, id := range retired(old, e) {
				d.runtime.Retire(id)
			}
		}
	}, nil
}

// put replaces a function's entry, nil being none, and returns the one before.
func (d *Directory) put(function string, e *entry) (old *entry) {
	at := d.shard(function)
	next := maps.Clone(*at.Load())
	old = next[function]
	if e == nil {
		delete(next, function)
	} else {
		next[function] = e
	}
	at.Store(&next)
	return old
}

// retired lists the ids of specs that the old entry has and the new one hasn't.
func retired(old, now *entry) []string {
	kept := map[string]bool{}
	if now != nil {
		for _, r := range *now {
			kept[r.main.spec.ID] = true
		}
	}
	var ids []string
	if old != nil {
		for _, r := range *old {
			if !kept[r.main.spec.ID] {
				kept[r.main.spec.ID] = true
				ids = append(ids, r.main.spec.ID)
			}
		}
	}
	return ids
}

// build makes the entry of a function, or nil when there is none. Versions of
// old that are still the same are kept.
func (d *Directory) build(name functionName, docs *documents, old *entry) *entry {
	if docs == nil {
		return nil
	}
	e := entry{}
	add := func(qualifier string, doc *versionDoc) {
		v := &version{spec: d.spec(name, doc, docs.function.ReservedConcurrency), code: doc.Code, layerCode: doc.LayerCode}
		if old != nil {
			if was := (*old)[qualifier]; was != nil && was.main.spec.ID == v.spec.ID {
				v = was.main.with(v)
			}
		}
		e[qualifier] = &route{main: v, retry: defaultRetry}
	}
	add(latest, &docs.function.versionDoc)
	for _, v := range docs.versions {
		add(str(v.Configuration.Version), v)
	}
	for _, a := range docs.aliases {
		if r := aliasRoute(e, a); r != nil {
			e[str(a.Name)] = r
		}
	}
	for qualifier, r := range e {
		document, err := docs.policies[qualifier].compile()
		if err != nil {
			// It only has statements that allow: unread, it allows nothing.
			d.log.Error("the policy of a function can't be read", "function", name.arn(), "qualifier", qualifier, "error", err)
		}
		r.policy = document
		if c := docs.invokes[qualifier]; c != nil {
			r.retry = retryOf(c)
		}
	}
	return &e
}

// aliasRoute is where an alias leads, or nil when its version is gone.
func aliasRoute(e entry, alias *api.AliasConfiguration) *route {
	main := e[str(alias.FunctionVersion)]
	if main == nil {
		return nil
	}
	r := &route{main: main.main, retry: defaultRetry}
	if alias.RoutingConfig != nil {
		for version, weight := range alias.RoutingConfig.AdditionalVersionWeights {
			if to := e[version]; to != nil && weight > 0 {
				r.other, r.weight = to.main, weight
			}
		}
	}
	return r
}

func retryOf(c *api.FunctionEventInvokeConfig) retryPolicy {
	p := defaultRetry
	if c.MaximumRetryAttempts != nil {
		p.attempts = int(*c.MaximumRetryAttempts)
	}
	if c.MaximumEventAgeInSeconds != nil {
		p.age = time.Duration(*c.MaximumEventAgeInSeconds) * time.Second
	}
	return p
}

// with is next, which has the same code and configuration, or v itself when
// the rest is the same too.
func (v *version) with(next *version) *version {
	a, b := v.spec.ReservedConcurrency, next.spec.ReservedConcurrency
	if (a == nil) == (b == nil) && deref(a) == deref(b) {
		return v
	}
	if ready := v.ready.Load(); ready != nil {
		spec := *next.spec
		spec.CodeDir, spec.Layers = ready.CodeDir, ready.Layers
		next.ready.Store(&spec)
	}
	return next
}

// spec is the runnable form of one version, all but where its code is.
func (d *Directory) spec(name functionName, doc *versionDoc, reserved *int32) *function.Spec {
	cfg := doc.Configuration
	unqualified := name.arn()
	spec := &function.Spec{
		ID:          strings.Join([]string{unqualified, str(cfg.Version), doc.Generation}, ":"),
		ARN:         unqualified,
		Name:        name.name,
		Version:     str(cfg.Version),
		AccountID:   name.scope.Account,
		Region:      name.scope.Region,
		Runtime:     str(cfg.Runtime),
		Handler:     str(cfg.Handler),
		MemoryMB:    int(deref(cfg.MemorySize)),
		Timeout:     time.Duration(deref(cfg.Timeout)) * time.Second,
		HotReload:   doc.Code.Directory != "",
		Credentials: d.credentials(str(cfg.Role), unqualified),
	}
	if len(cfg.Architectures) > 0 {
		spec.Architecture = cfg.Architectures[0]
	}
	if cfg.Environment != nil {
		spec.Environment = cfg.Environment.Variables
	}
	if cfg.EphemeralStorage != nil {
		spec.EphemeralStorageMB = int(deref(cfg.EphemeralStorage.Size))
	}
	if l := cfg.LoggingConfig; l != nil {
		spec.LogGroup, spec.LogFormat = str(l.LogGroup), str(l.LogFormat)
		spec.ApplicationLogLevel, spec.SystemLogLevel = str(l.ApplicationLogLevel), str(l.SystemLogLevel)
	}
	if reserved != nil {
		spec.ReservedConcurrency = new(int(*reserved))
	}
	return spec
}

// locate is the spec of a version with its code unpacked.
func (d *Directory) locate(ctx context.Context, v *version) (*function.Spec, error) {
	spec := *v.spec
	var err error
	if spec.CodeDir, err = d.unpacked(ctx, v.code); err != nil {
		return nil, err
	}
	spec.Layers = make([]string, len(v.layerCode))
	for i, layer := range v.layerCode {
		if spec.Layers[i], err = d.unpacked(ctx, layer); err != nil {
			return nil, err
		}
	}
	return &spec, nil
}

// unpacked is the directory of code.
func (d *Directory) unpacked(ctx context.Context, code codeRef) (string, error) {
	if code.Directory != "" {
		return code.Directory, nil
	}
	hash, err := codestore.ParseHash(code.Digest)
	if err != nil {
		return "", err
	}
	return d.code.Unpacked(ctx, hash)
}

// credentials makes the session keys of a role for new environments. Without
// them a function runs as well; it just can't call AWS APIs.
func (d *Directory) credentials(role, functionARN string) func() function.Credentials {
	if d.role == nil {
		return nil
	}
	return func() function.Credentials {
		keys, err := d.role.FunctionCredentials(role, functionARN)
		if err != nil {
			d.log.Warn("no session keys for a function's role", "function", functionARN, "role", role, "error", err)
		}
		return keys
	}
}
