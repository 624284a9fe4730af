package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
)

// A scene makes what one setup asks for, each thing when it is first named.
// Cases that run at the same time may share it.
type scene struct {
	world *World
	setup Setup
	// title begins the names of what is made.
	title string
	// outer is looked at for what this setup doesn't have; nil is none.
	outer *scene

	groups map[string]func() (string, error) // ARNs
	apis   map[string]func() (*madeAPI, error)
	// principals are "users.NAME" and "roles.NAME".
	principals map[string]func() (*madePrincipal, error)
	issuers    map[string]func() (*madeIssuer, error)
	tokens     map[string]func() (string, error)
	pools      map[string]func() (*madePool, error)
	plans      map[string]func() (string, error) // ids
	keys       map[string]func() (*madeKey, error)
	domains    map[string]func() (*madeDomain, error)
	// certificates are X.509's, imports ARNs of ACM's.
	certificates map[string]func() (*madeCertificate, error)
	imports      map[string]func() (string, error)
	truststores  map[string]func() (*object, error)
	// labels are those of $(unique.NAME).
	labels sync.Map
}

// A madeAPI is an API with what its parts came to be called.
type madeAPI struct {
	id       string
	endpoint *url.URL
	// parts are "integrations.NAME", as a route's target names it, "routes.KEY"
	// "authorizers.NAME" and "deployments.NAME" of an HTTP API, "api", "root", "resources.PATH",
	// "validators.NAME", "models.NAME", "authorizers.NAME" and "deployment" of a
	// REST API, "api", "authorizers.NAME", "integrations.NAME", "routes.KEY" and
	// "deployment" of a WebSocket API.
	parts map[string]string
}

func newScene(w *World, title string, setup Setup, outer *scene) *scene {
	s := &scene{world: w, setup: setup, title: title, outer: outer, groups: map[string]func() (string, error){}, apis: map[string]func() (*madeAPI, error){}}
	s.callers()
	s.domains = map[string]func() (*madeDomain, error){}
	for name := range setup.Domains {
		s.domains[name] = sync.OnceValues(func() (*madeDomain, error) { return s.makeDomain(name) })
	}
	s.certificates, s.imports, s.truststores = map[string]func() (*madeCertificate, error){}, map[string]func() (string, error){}, map[string]func() (*object, error){}
	for name := range setup.Certificates {
		s.certificates[name] = sync.OnceValues(func() (*madeCertificate, error) { return s.makeCertificate(name) })
	}
	for name := range setup.Imports {
		s.imports[name] = sync.OnceValues(func() (string, error) { return s.importCertificate(name) })
	}
	for name := range setup.Truststores {
		s.truststores[name] = sync.OnceValues(func() (*object, error) { return s.makeTruststore(name) })
	}
	for _, name := range setup.LogGroups {
		s.groups[name] = sync.OnceValues(func() (string, error) { return s.makeGroup(name) })
	}
	for name := range setup.APIs {
		s.apis[name] = sync.OnceValues(func() (*madeAPI, error) { return s.makeAPI(name) })
	}
	for name := range setup.RestAPIs {
		s.apis[name] = sync.OnceValues(func() (*madeAPI, error) { return s.makeRestAPI(name) })
	}
	for name := range setup.SocketAPIs {
		s.apis[name] = sync.OnceValues(func() (*madeAPI, error) { return s.makeSocketAPI(name) })
	}
	return s
}

// lookup finds functions.NAME (the ARN), functions.NAME.name and, as REST APIs
// invoke it, functions.NAME.invoke and functions.NAME.stream, logGroups.NAME
// (the ARN), logGroups.NAME.name, domains.NAME (the name) with its attributes, what caller finds, and of an API NAME (the id), NAME.endpoint
// with its NAME.scheme, NAME.host, NAME.domain and NAME.port, and its parts.
func (s *scene) lookup(name string) (string, bool, error) {
	head, rest, _ := strings.Cut(name, ".")
	key, attribute, _ := strings.Cut(rest, ".")
	if f, ok := s.setup.Functions[key]; ok && head == "functions" {
		arn, err := s.world.function(f)
		return s.world.functionAttribute(arn, attribute), true, err
	}
	if group := s.groups[key]; group != nil && head == "logGroups" {
		arn, err := group()
		if attribute == "name" {
			arn = groupName(arn)
		}
		return arn, true, err
	}
	if domain := s.domains[key]; domain != nil && head == "domains" {
		made, err := domain()
		if err != nil {
			return "", true, err
		}
		value, ok := made.value(attribute)
		return value, ok, nil
	}
	if value, ok, err := s.shakes(head, key, attribute); ok || err != nil {
		return value, ok, err
	}
	if value, ok, err := s.caller(head, key, attribute); ok || err != nil {
		return value, ok, err
	}
	if api := s.apis[head]; api != nil {
		made, err := api()
		if err != nil {
			return "", true, err
		}
		value, ok := made.value(rest)
		return value, ok, nil
	}
	if s.outer != nil {
		return s.outer.lookup(name)
	}
	return s.world.lookup(name)
}

// shakes finds certificates.NAME (in PEM) with its attributes, imports.NAME (the
// ARN), truststores.NAME (the URI) with the ids of its versions, and unique.NAME,
// which is a label of the outermost setup.
func (s *scene) shakes(head, key, attribute string) (value string, ok bool, err error) {
	switch head {
	case "certificates":
		if get := s.certificates[key]; get != nil {
			made, err := get()
			if err != nil {
				return "", true, err
			}
			return made.value(attribute)
		}
	case "imports":
		if get := s.imports[key]; get != nil {
			value, err = get()
			return value, true, err
		}
	case "truststores":
		if get := s.truststores[key]; get != nil {
			made, err := get()
			if err != nil {
				return "", true, err
			}
			value, ok = made.value(attribute)
			return value, ok, nil
		}
	case "unique":
		if s.outer == nil {
			label, _ := s.labels.LoadOrStore(key, s.world.unique())
			return label.(string), true, nil
		}
	}
	return "", false, nil
}

func (a *madeAPI) value(name string) (string, bool) {
	switch name {
	case "":
		return a.id, true
	case "endpoint":
		return a.endpoint.String(), true
	case "scheme":
		return a.endpoint.Scheme, true
	case "host":
		return a.endpoint.Host, true
	case "domain":
		return a.endpoint.Hostname(), true
	case "port":
		return portOf(a.endpoint), true
	}
	value, ok := a.parts[name]
	return value, ok
}

func groupName(arn string) string {
	_, name, _ := strings.Cut(arn, ":log-group:")
	return name
}

func (s *scene) makeGroup(name string) (string, error) {
	ctx := context.Background()
	account, err := s.world.account()
	if err != nil {
		return "", err
	}
	full := s.world.unique() + "-" + name
	if err := s.world.make(ctx, "logs:CreateLogGroup", Members{"logGroupName": full}, nil); err != nil {
		return "", err
	}
	s.world.later("logs:DeleteLogGroup", Members{"logGroupName": full})
	return "arn:aws:logs:" + s.world.Client.region + ":" + account + ":log-group:" + full, nil
}

// makeAPI makes an API and its parts.
func (s *scene) makeAPI(name string) (*madeAPI, error) {
	ctx := context.Background()
	spec := s.setup.APIs[name]
	a := &madeAPI{parts: map[string]string{}}
	b := builder{scene: s, api: a, idMember: "apiId"}
	with := Members{"name": s.title + " " + name, "protocolType": "HTTP"}
	maps.Copy(with, spec.Members)
	var api struct{ APIID, APIEndpoint string }
	if err := b.make(ctx, "CreateApi", with, &api); err != nil {
		return nil, err
	}
	s.world.later("DeleteApi", Members{"apiId": api.APIID})
	a.id = api.APIID
	var err error
	if a.endpoint, err = url.Parse(api.APIEndpoint); err != nil {
		return nil, err
	}
	for _, key := range sortedKeys(spec.Authorizers) {
		with := Members{"name": key}
		maps.Copy(with, spec.Authorizers[key])
		var made struct{ AuthorizerID string }
		if err := b.make(ctx, "CreateAuthorizer", with, &made); err != nil {
			return nil, err
		}
		a.parts["authorizers."+key] = made.AuthorizerID
	}
	for _, key := range sortedKeys(spec.Integrations) {
		var made struct{ IntegrationID string }
		if err := b.make(ctx, "CreateIntegration", spec.Integrations[key], &made); err != nil {
			return nil, err
		}
		a.parts["integrations."+key] = "integrations/" + made.IntegrationID
	}
	for _, route := range spec.Routes {
		var made struct{ RouteID, RouteKey string }
		if err := b.make(ctx, "CreateRoute", route, &made); err != nil {
			return nil, err
		}
		a.parts["routes."+made.RouteKey] = made.RouteID
	}
	for _, key := range sortedKeys(spec.Deployments) {
		var made struct{ DeploymentID string }
		if err := b.make(ctx, "CreateDeployment", spec.Deployments[key], &made); err != nil {
			return nil, err
		}
		a.parts["deployments."+key] = made.DeploymentID
	}
	stages := spec.Stages
	if stages == nil {
		stages = []Members{{"stageName": "$default", "autoDeploy": true}}
	}
	for _, stage := range stages {
		if err := b.stage(ctx, stage); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// A builder makes the parts of an API.
type builder struct {
	scene *scene
	api   *madeAPI
	// idMember is what the operations call the API's id.
	idMember string
}

// lookup finds the API's own parts without its name.
func (b builder) lookup(name string) (string, bool, error) {
	if value, ok := b.api.parts[name]; ok {
		return value, true, nil
	}
	return b.scene.lookup(name)
}

// make calls an operation for the API.
func (b builder) make(ctx context.Context, call string, with Members, out any) error {
	expanded, err := expandMembers(with, b.lookup)
	if err != nil {
		return fmt.Errorf("%s of the setup: %w", call, err)
	}
	if b.api.id != "" {
		expanded[b.idMember] = b.api.id
	}
	return b.scene.world.make(ctx, call, expanded, out)
}

func (b builder) stage(ctx context.Context, with Members) error {
	var stage struct {
		StageName, DeploymentID, LastDeploymentStatusMessage string

		AutoDeploy bool
	}
	if err := b.make(ctx, "CreateStage", with, &stage); err != nil || !stage.AutoDeploy {
		return err
	}
	// AWS deploys in the background.
	name := stage.StageName
	err := b.scene.world.eventually(ctx, func() (bool, error) {
		switch {
		case stage.DeploymentID != "":
			return true, nil
		case strings.HasPrefix(stage.LastDeploymentStatusMessage, "Deployment attempt failed"):
			return false, fmt.Errorf("stage %s: %s", name, stage.LastDeploymentStatusMessage)
		}
		err := b.make(ctx, "GetStage", Members{"stageName": name}, &stage)
		return false, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stage %s wasn't deployed", name)
	}
	return err
}

func expandMembers(with Members, lookup names) (Members, error) {
	plain, err := plainJSON(with)
	if err != nil {
		return nil, err
	}
	expanded, err := expandAll(plain, lookup)
	if err != nil {
		return nil, err
	}
	members, _ := expanded.(map[string]any)
	if members == nil {
		members = Members{}
	}
	return members, nil
}
