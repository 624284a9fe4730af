package conformance

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gatehouse/test/frame"
)

// A run is one case on its way.
type run struct {
	world *World
	scene *scene
	// bound are the values that the case has met.
	bound map[string]string
	// sockets are the WebSocket connections by name, kept those of requests.
	sockets map[string]*frame.Conn
	kept    map[string]*kept
	// sessions are those of TLS that the case's steps can resume.
	sessions tls.ClientSessionCache
}

func startRun(w *World, s *scene) *run {
	return &run{
		world: w, scene: s, bound: map[string]string{}, sockets: map[string]*frame.Conn{}, kept: map[string]*kept{},
		sessions: tls.NewLRUClientSessionCache(0),
	}
}

// Run runs a case of a file whose setup the scene is. The error tells all
// differences between what came and what AWS would have answered.
func (c *Case) Run(ctx context.Context, s *scene) error {
	if c.Private {
		s = newScene(s.world, s.title, s.setup, s.outer)
	}
	r := startRun(s.world, newScene(s.world, s.title, c.Setup, s))
	defer r.hangUp()
	for i, step := range c.Steps {
		if err := r.step(ctx, step); err != nil {
			if len(c.Steps) > 1 {
				return fmt.Errorf("step %d, %s: %w", i+1, step.title(), err)
			}
			return fmt.Errorf("%s: %w", step.title(), err)
		}
	}
	return nil
}

// title is the first line of what a step does.
func (s *Step) title() string {
	switch kind := s.kind(); kind {
	case "request", "connect":
	case "call":
		return s.Call
	default:
		return kind
	}
	line, _, _ := strings.Cut(s.Request+s.Connect, "\n")
	return clip(line)
}

func (r *run) lookup(name string) (string, bool, error) {
	if v, ok := r.bound[name]; ok {
		return v, true, nil
	}
	return r.scene.lookup(name)
}

func (r *run) step(ctx context.Context, s *Step) error {
	switch s.kind() {
	case "send":
		return r.send(s)
	case "receive":
		return r.receive(s)
	case "close":
		return r.close(s)
	case "drop":
		c, err := r.socket(s)
		if err != nil {
			return err
		}
		return c.Close()
	case "saw":
		return r.saw(ctx, s.Saw)
	case "logged":
		return r.logged(ctx, s.Logged)
	case "issuer":
		return r.issuer(s.Issuer)
	case "different":
		return r.different(s.Different)
	case "offers":
		return r.offer(ctx, s)
	case "hello":
		return r.hello(ctx, s)
	}
	if s.Crowd != nil {
		return r.crowd(ctx, s)
	}
	if s.Within > 0 {
		return r.within(ctx, s)
	}
	got, err := r.ask(ctx, s)
	var no *refusal
	if s.Expect != nil && s.Expect.Refused {
		if errors.As(err, &no) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("the client wasn't refused: %s", got))
	}
	if err != nil {
		return err
	}
	if s.Connect != "" && s.Expect == nil && got.status != 101 {
		return fmt.Errorf("the handshake failed: %s", got)
	}
	if s.Call != "" && (s.Expect == nil || s.Expect.Status == 0 && s.Expect.Error == "") && got.status >= 300 {
		return fmt.Errorf("the call failed: %s", got)
	}
	if s.Expect == nil {
		return nil
	}
	r.learnIDs(got)
	m := &match{lookup: r.lookup, bound: r.bound}
	if err := m.check(s.Expect, got); err != nil {
		return err
	}
	if s.Expect.TLS != nil {
		if err := r.handshake(s.Expect.TLS, got.tls); err != nil {
			return err
		}
	}
	if s.Expect.Log != nil {
		if err := r.log(ctx, m, s.Expect.Log); err != nil {
			return err
		}
	}
	if s.Expect.ExecutionLog != nil {
		return r.executionLog(ctx, m, s.API, s.Expect.ExecutionLog)
	}
	return nil
}

// within repeats a request until its answer is as expected.
func (r *run) within(ctx context.Context, s *Step) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.Within)*time.Second)
	defer cancel()
	once := *s
	once.Within = 0
	var problem error
	if err := r.world.eventually(ctx, func() (bool, error) {
		problem = r.step(ctx, &once)
		return problem == nil, nil
	}); err != nil {
		return fmt.Errorf("not within %d s: %w", s.Within, problem)
	}
	return nil
}

// learnIDs keeps the ids of an answer: apigw-requestid is an HTTP API's, the
// other two are a REST API's.
func (r *run) learnIDs(got *answer) {
	for _, id := range []struct{ header, name string }{
		{"apigw-requestid", "requestId"}, {"x-amzn-requestid", "requestId"}, {"x-amz-apigw-id", "extendedRequestId"},
	} {
		if v := got.first(id.header); v != "" {
			r.bound[id.name] = v
		}
	}
}

// ask sends the request or calls the operation.
func (r *run) ask(ctx context.Context, s *Step) (*answer, error) {
	if s.Call != "" {
		with, err := expandMembers(s.With, r.lookup)
		if err != nil {
			return nil, err
		}
		for _, id := range []string{"apiId", "restApiId"} {
			if _, given := with[id]; given || !r.world.Client.Takes(s.Call, id) {
				continue
			}
			if with[id], err = produce(s.API, r.lookup); err != nil {
				return nil, err
			}
		}
		at := ""
		if strings.HasPrefix(s.Call, connectionsAPI) {
			if at, err = r.connections(s); err != nil {
				return nil, err
			}
		}
		got, err := r.callAs(ctx, at, s, with)
		if err == nil {
			r.adopt(s.Call, got)
		}
		return got, err
	}
	if s.Connect != "" {
		return r.connect(ctx, s)
	}
	text, err := expand(s.Request, r.lookup)
	if err != nil {
		return nil, err
	}
	base, err := r.base(s)
	if err != nil {
		return nil, err
	}
	if s.kind() == "tls" {
		config, err := r.config(s, base, "")
		if err != nil {
			return nil, err
		}
		return r.shake(ctx, base, config)
	}
	if text, err = r.signed(s, text, base.Host); err != nil {
		return nil, err
	}
	config, err := r.config(s, base, text)
	if err != nil {
		return nil, err
	}
	request := requestBytes(text, base.Host)
	if s.Bare {
		request = bareBytes(text)
	}
	address := r.world.Address
	if s.VPCE {
		address = or(r.world.Private.Address, address)
	}
	switch {
	case s.HTTP2:
		return sendHTTP2(ctx, base, address, config, text)
	case s.Connection != "":
		return r.over(ctx, s.Connection, base, config, request)
	}
	return send(ctx, base, address, config, request)
}

// callAs calls an operation as the step's principal, the client's by default.
func (r *run) callAs(ctx context.Context, at string, s *Step, with Members) (*answer, error) {
	if s.Sign == nil {
		return r.world.Client.CallAt(ctx, at, s.Call, with)
	}
	who, err := r.scene.principal(s.Sign.As)
	if err != nil {
		return nil, err
	}
	return r.world.Client.CallAs(ctx, who.credentials, at, s.Call, with)
}

// signed is the text of a request with the step's signature.
func (r *run) signed(s *Step, text, host string) (string, error) {
	if s.Sign == nil {
		return text, nil
	}
	sign := *s.Sign
	for _, field := range []*string{&sign.Key, &sign.Secret, &sign.Service, &sign.Region, &sign.Date, &sign.Payload, &sign.Regions} {
		var err error
		if *field, err = expand(*field, r.lookup); err != nil {
			return "", err
		}
	}
	if s.Sign.Token != nil {
		token, err := expand(*s.Sign.Token, r.lookup)
		if err != nil {
			return "", err
		}
		sign.Token = &token
	}
	sign.Altered = map[string]string{}
	for old, replacement := range s.Sign.Altered {
		from, err := expand(old, r.lookup)
		if err != nil {
			return "", err
		}
		if sign.Altered[from], err = expand(replacement, r.lookup); err != nil {
			return "", err
		}
	}
	var c aws.Credentials
	if sign.As != "" {
		who, err := r.scene.principal(sign.As)
		if err != nil {
			return "", err
		}
		c = who.credentials
	}
	return sign.request(text, host, r.world.Client.region, c, time.Now())
}

// different compares values that the case has met.
func (r *run) different(names []string) error {
	met := map[string]string{}
	for _, name := range names {
		value, err := produce(name, r.lookup)
		if err != nil {
			return err
		}
		if other, ok := met[value]; ok {
			return fmt.Errorf("%s and %s are both %q", other, name, clip(value))
		}
		met[value] = name
	}
	return nil
}

// base is where the step's API is.
func (r *run) base(s *Step) (*url.URL, error) {
	endpoint, err := produce(s.API+".endpoint", r.lookup)
	if err != nil {
		return nil, err
	}
	return url.Parse(endpoint)
}

// connectionsAPI begins the calls that go to a WebSocket API's stage.
const connectionsAPI = "apigatewaymanagementapi:"

// connections is where the management API of the step's stage is.
func (r *run) connections(s *Step) (string, error) {
	base, err := r.base(s)
	if err != nil {
		return "", err
	}
	base.Scheme = strings.Replace(base.Scheme, "ws", "http", 1)
	return base.String() + "/" + s.Stage, nil
}

// adopt sees to it that what a case made outside of its APIs is removed at the
// end.
func (r *run) adopt(call string, got *answer) {
	if got.status >= 300 {
		return
	}
	var made struct {
		APIID, ID, DomainName string
		APIStages             []struct{ APIID, Stage string }
	}
	if json.Unmarshal(got.body, &made) != nil {
		return
	}
	switch call {
	case "CreateApi", "ImportApi":
		r.world.later("DeleteApi", Members{"apiId": made.APIID})
	case "apigateway:CreateRestApi", "apigateway:ImportRestApi":
		r.world.later("apigateway:DeleteRestApi", Members{"restApiId": made.ID})
	case "CreateDomainName", "apigateway:CreateDomainName":
		r.world.later("DeleteDomainName", Members{"domainName": made.DomainName})
	case "apigateway:CreateApiKey":
		r.world.later("apigateway:DeleteApiKey", Members{"apiKey": made.ID})
	case "apigateway:CreateUsagePlan":
		r.world.laterPlan(made.ID)
		for _, s := range made.APIStages {
			r.world.laterStage(made.ID, s.APIID, s.Stage)
		}
	}
}
