package main

import (
	"context"
	"fmt"
	"strings"
)

// auth compares what it costs to know who calls: the same proxied request,
// through APIs that ask for one kind of authorization each.
func (b *bench) auth(ctx context.Context) error {
	back, err := child("backend")
	if err != nil {
		return err
	}
	defer back.stop()
	issuer, err := newIssuer()
	if err != nil {
		return err
	}
	defer issuer.close()
	g, err := b.startGateway(throttled()...)
	if err != nil {
		return err
	}
	defer g.stop()
	config := awsConfig(g.addr)
	if err := createLogGroup(ctx, config); err != nil {
		return err
	}
	user, err := createUser(ctx, config)
	if err != nil {
		return err
	}
	function, err := createAuthorizerFunction(ctx, config)
	if err != nil {
		return err
	}
	var subjects []subject
	add := func(name string, make func() (subject, error)) error {
		s, err := make()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.name, s.process = name, g
		subjects = append(subjects, s)
		return nil
	}
	http := authAPI{config: config, backend: back.addr}
	rest := authREST{config: config, backend: back.addr}
	for _, s := range []struct {
		name string
		make func() (subject, error)
	}{
		{"HTTP API, no authorization", func() (subject, error) { return http.open(ctx, issuer) }},
		{"HTTP API, JWT, warm", func() (subject, error) { return http.jwt(ctx, issuer, 1) }},
		{"HTTP API, JWT, 1,000 tokens in turns", func() (subject, error) { return http.jwt(ctx, issuer, 1_000) }},
		{"HTTP API, AWS_IAM", func() (subject, error) { return http.iam(ctx, user) }},
		{"HTTP API, Lambda authorizer, its answer kept", func() (subject, error) { return http.lambda(ctx, function) }},
		{"REST API, no authorization", func() (subject, error) { return rest.open(ctx, issuer) }},
		{"REST API, API key, plan throttle and quota", func() (subject, error) { return rest.key(ctx) }},
		{"REST API, AWS_IAM", func() (subject, error) { return rest.iam(ctx, user) }},
		{"REST API, TOKEN authorizer, its policy kept", func() (subject, error) { return rest.lambda(ctx, function) }},
	} {
		if err := add(s.name, s.make); err != nil {
			return err
		}
	}
	if err := b.compare(ctx, subjects); err != nil {
		return err
	}
	return b.coldTokens(ctx, http, issuer, g)
}

// coldTokens measures tokens that come once: each costs a verification.
func (b *bench) coldTokens(ctx context.Context, api authAPI, issuer *issuer, g *process) error {
	const tokens = 4_000
	s, err := api.jwt(ctx, issuer, tokens)
	if err != nil {
		return err
	}
	s.process = g
	once := b.settings
	// Few enough for every request to bring a token of its own.
	once.duration, once.connections = b.duration/10, 8
	per, r, err := measure(ctx, once, s)
	if err != nil {
		return err
	}
	b.title("Tokens that are new (RS256, %d bits)", issuerBits)
	b.row("", "CPU per request", "requests")
	b.row("HTTP API, JWT, cold", micros(per), r.requests)
	if r.requests > tokens*4/5 {
		b.row("(some tokens came twice: the figure is too good)")
	}
	return nil
}

// header makes an identify of one header line that is always the same.
func header(name, value string) func([]byte, int, int) []byte {
	line := name + ": " + value + "\r\n"
	return func(dst []byte, _, _ int) []byte { return append(dst, line...) }
}

// inTurns makes an identify of header lines that come one after the other.
func inTurns(lines []string) func([]byte, int, int) []byte {
	return func(dst []byte, _, n int) []byte { return append(dst, lines[n%len(lines)]...) }
}

// byRoute makes an identify of header lines for each route.
func byRoute(lines []string) func([]byte, int, int) []byte {
	return func(dst []byte, route, _ int) []byte { return append(dst, lines[route]...) }
}

// lines joins header lines.
func lines(list ...string) string { return strings.Join(list, "\r\n") + "\r\n" }
