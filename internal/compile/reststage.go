package compile

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/stagecache"
	"gatehouse/internal/store"
	"gatehouse/internal/transform/rest"
)

// A restBuilder compiles stages of one REST API.
type restBuilder struct {
	c    *Compiler
	key  apiKey
	head *plan.API
	// cluster is the cache of the stage, nil for none.
	cluster *stagecache.Cluster
}

// A variant is a deployment with stage variables: a stage's own, or its
// canary's.
type variant struct {
	deploymentID string
	variables    map[string]string
	canary       bool
	// certificate is what backends are shown, nil for nothing.
	certificate *tls.Certificate
}

// CanarySuffix is behind the name of a stage where its canary is counted and
// logged apart.
const CanarySuffix = "/Canary"

// deployed compiles a stage with the deployments it points at.
func (b *restBuilder) deployed(tx *store.Tx, doc *definition.RestStage) (*plan.Stage, error) {
	certificate, err := b.c.clientCertificate(tx, b.key.Scope, value(doc.ClientCertificateId))
	if err != nil {
		return nil, err
	}
	own := variant{deploymentID: value(doc.DeploymentId), variables: doc.Variables, certificate: certificate}
	stage, err := b.deployment(tx, doc, own)
	if err != nil {
		return nil, err
	}
	settings := doc.CanarySettings
	if settings == nil {
		return stage, nil
	}
	canary := variant{deploymentID: value(settings.DeploymentId), variables: maps.Clone(doc.Variables), canary: true, certificate: certificate}
	if canary.deploymentID == "" {
		canary.deploymentID = own.deploymentID
	}
	if canary.variables == nil {
		canary.variables = map[string]string{}
	}
	maps.Copy(canary.variables, settings.StageVariableOverrides)
	other, err := b.deployment(tx, doc, canary)
	if err != nil {
		return nil, err
	}
	stage.Rest.Canary = &plan.Canary{Stage: other, Percent: value(settings.PercentTraffic)}
	return stage, nil
}

// deployment compiles what a deployment froze.
func (b *restBuilder) deployment(tx *store.Tx, doc *definition.RestStage, v variant) (*plan.Stage, error) {
	if v.deploymentID == "" {
		return b.empty(doc), nil
	}
	deployment, err := definition.RestDeployments.Get(tx, b.key.Scope, b.key.id, v.deploymentID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem("Deployment", v.deploymentID, errors.New("it is gone"))
	}
	if err != nil {
		return nil, fmt.Errorf("compile: stage %s of API %s: deployment %s: %w", value(doc.StageName), b.key.id, v.deploymentID, err)
	}
	view := tx
	if deployment.Revision != tx.Revision() {
		view = tx.AsOf(deployment.Revision)
	}
	return b.build(view, doc, v)
}

// empty is a stage that serves nothing.
func (b *restBuilder) empty(doc *definition.RestStage) *plan.Stage {
	return &plan.Stage{
		API:       b.head,
		Name:      value(doc.StageName),
		Variables: doc.Variables,
		AccessLog: b.c.parts.DefaultAccessLog,
		Metrics:   b.c.parts.stageMetrics(b.head, value(doc.StageName)),
		Rest:      &plan.RestStage{MinCompression: -1},
	}
}

// build compiles a stage from a view of the store.
func (b *restBuilder) build(view *store.Tx, doc *definition.RestStage, v variant) (*plan.Stage, error) {
	api, err := definition.RestAPIs.Get(view, b.key.Scope, b.key.id)
	if err != nil {
		return nil, fmt.Errorf("compile: API %s: %w", b.key.id, err)
	}
	name := value(doc.StageName)
	counted := name
	if v.canary {
		counted += CanarySuffix
	}
	accessLog, err := b.c.restAccessLog(b.head, doc)
	if err != nil {
		return nil, problem("Access log of stage", name, err)
	}
	stage := &plan.Stage{
		API:          b.head,
		Name:         name,
		DeploymentID: v.deploymentID,
		Variables:    v.variables,
		Limit:        b.c.parts.accountLimit(b.head),
		AccessLog:    accessLog,
		Metrics:      b.c.parts.stageMetrics(b.head, counted),
	}
	if stage.Rest, err = b.frozen(view, api, v.variables); err != nil {
		return nil, err
	}
	stage.Rest.ExecutionLog = b.c.parts.executionLog(b.head, counted)
	stage.Rest.Tracing = value(doc.TracingEnabled)
	stage.Rest.IsCanary = v.canary
	m := methodBuilder{
		restBuilder: b, stage: stage, doc: doc, counted: counted, certificate: v.certificate,
		keysFromAuthorizer: value(api.ApiKeySource) == apigateway.ApiKeySourceTypeAuthorizer,
		uncached:           b.cluster == nil || v.canary && !value(doc.CanarySettings.UseStageCache),
	}
	if m.policy, err = b.c.resourcePolicy(api); err != nil {
		return nil, err
	}
	if err := m.readModels(view); err != nil {
		return nil, err
	}
	if err := m.readAuthorizers(view); err != nil {
		return nil, err
	}
	for e, err := range definition.Resources.All(view, b.key.Scope, b.key.id) {
		if err != nil {
			return nil, fmt.Errorf("compile: resources of API %s: %w", b.key.id, err)
		}
		if err := m.addResource(&e.Doc.Resource); err != nil {
			return nil, err
		}
	}
	return stage, nil
}

// frozen compiles what a deployment freezes of the API itself.
func (b *restBuilder) frozen(view *store.Tx, api *definition.RestAPI, variables map[string]string) (*plan.RestStage, error) {
	r := &plan.RestStage{BinaryTypes: plan.NewMediaTypes(api.BinaryMediaTypes), MinCompression: -1}
	if api.MinimumCompressionSize != nil {
		r.MinCompression = int(*api.MinimumCompressionSize)
	}
	var err error
	r.Responses, err = b.gatewayResponses(view, variables)
	return r, err
}

// gatewayResponses compiles the responses that were customised.
func (b *restBuilder) gatewayResponses(view *store.Tx, variables map[string]string) (compiled [plan.ResponseTypes]plan.GatewayResponse, err error) {
	put := map[string]rest.GatewayResponseOptions{}
	for e, err := range definition.GatewayResponses.All(view, b.key.Scope, b.key.id) {
		if err != nil {
			return compiled, fmt.Errorf("compile: gateway responses of API %s: %w", b.key.id, err)
		}
		put[e.ID[1]] = rest.GatewayResponseOptions{
			Status:     value(e.Doc.StatusCode),
			Parameters: e.Doc.ResponseParameters,
			Templates:  e.Doc.ResponseTemplates,
		}
	}
	compiled, err = rest.NewGatewayResponses(put, variables)
	if err != nil {
		return compiled, problem("Gateway responses of API", b.key.id, err)
	}
	return compiled, nil
}

// statusOf is a status as AWS writes it; 0 for text that is none.
func statusOf(text string) int {
	status, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return status
}
