# `make` prints this help. `make demo` and `make test` install what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help build demo test check js race lint generate golden fuzz bench bench-websocket bench-auth bench-tls

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/gatehouse
	@scripts/need go
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/gatehouse ./cmd/gatehouse

demo: ## create a function and an HTTP API and call it; on a terminal, keep serving
	@scripts/need go node
	@$(MAKE) --no-print-directory build
	bin/gatehouse demo $$(test -t 0 && test -t 1 || echo --once)

test: ## run every check: linters, generated files, all tests under the race detector
	@scripts/need go gcc node npm python3 python3-websockets aws chromium
	@scripts/need gtlsclient || echo "make: HTTP/3 isn't tested with ngtcp2: there is no gtlsclient"
	@$(MAKE) --no-print-directory js
	$(MAKE) --no-print-directory lint
	@# The linters have run go vet.
	$(GO) test -vet off -race -timeout 20m ./cmd/... ./internal/... ./tools/... ./examples/...
	@# The race detector makes pools forget: budgets of allocations hold without it.
	$(GO) test -vet off -run 'Alloc|Budget' $$(grep -rlE '^func Test\w*(Alloc|Budget)' --include='*_test.go' internal | xargs -n 1 dirname | sort -u | sed 's|^|./|')
	@# These run the built program, which the test cache knows nothing of.
	$(GO) build -buildvcs=false -o bin/test/gatehouse ./cmd/gatehouse
	TEST_GATEHOUSE=$(CURDIR)/bin/test/gatehouse $(GO) test -vet off -race -count 1 -timeout 20m ./test/...

check: test ## exactly what CI runs

js: test/sdk/js/node_modules/.package-lock.json ## install the AWS SDK for JavaScript, ws, oidc-provider and openid-client, which tests drive

test/sdk/js/node_modules/.package-lock.json: test/sdk/js/package-lock.json
	@scripts/need node npm
	cd test/sdk/js && npm ci --no-audit --no-fund && touch node_modules/.package-lock.json

race: ## run the tests of PKG (default: all) under the race detector, more than once
	$(GO) test -race -count 3 $(or $(PKG),./...)

lint: ## gofmt, go vet, staticcheck, errcheck, errorlint
	@test -z "$$(gofmt -l cmd internal tools test examples)" || { gofmt -l cmd internal tools test examples; echo 'gofmt -w these files'; exit 1; }
	$(GO) vet ./...
	$(GO) run ./tools/lint ./...

generate: ## write the generated packages and docs/COVERAGE.md again, offline
	$(GO) generate ./...

golden: ## write the golden files again
	$(GO) test ./internal/lambdaevent ./internal/compile ./internal/definition ./internal/control/lambda ./internal/control/cognitoidp ./internal/control/apigatewayv2 ./internal/openapi ./internal/openapi/rest -update

fuzz: ## run every fuzz target for FUZZTIME (default 20s) each
	@set -e; for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz' || true); do \
	    echo "== $$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),20s); done; done

bench: ## measure the gateway beside nginx, net/http and a bare Node server
	@scripts/need go node nginx
	@$(MAKE) --no-print-directory build
	$(GO) run ./test/bench -gatehouse bin/gatehouse

bench-websocket: ## measure WebSocket APIs beside a bare gobwas/ws server
	@scripts/need go node
	@$(MAKE) --no-print-directory build
	$(GO) run ./test/bench -gatehouse bin/gatehouse -sections websocket

bench-auth: ## measure what each kind of authorization costs on the same route
	@scripts/need go node
	@$(MAKE) --no-print-directory build
	$(GO) run ./test/bench -gatehouse bin/gatehouse -sections auth

bench-tls: ## measure handshakes, start and memory with 10,000 custom domain names beside nginx
	@scripts/need go nginx
	@$(MAKE) --no-print-directory build
	$(GO) run ./test/bench -gatehouse bin/gatehouse -sections tls
