# Slipway: see README.md. "make help" lists what there is.

GO      ?= go
BIN     := bin
TOOLS   := .tools
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# What the server needs, what making the builder needs, what the tests need.
RUN_PACKAGES  := runc git tini
MAKE_PACKAGES := mmdebstrap debian-archive-keyring gcc libc6-dev binutils
TEST_PACKAGES := docker.io iptables skopeo openssh-client curl busybox-static iproute2 openssl procps postgresql
# Other git clients, which push to the git server in its tests.
CLIENT_PACKAGES := jgit-cli python3-dulwich python3-pygit2 $(if $(shell command -v npm),,nodejs npm)
BENCH_PACKAGES := caddy wrk
GIT_BENCH_PACKAGES := git openssh-client openssh-server

LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run test test-short build builder check bench bench-git deps-run deps-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: deps-run build builder ## set up, build and serve (ARGS="--http 0.0.0.0:5000" for settings)
	$(BIN)/slipway serve $(ARGS)

test: deps-test build builder ## set up and run every test
	$(GO) vet ./...
	$(GO) test -race -timeout 10m $$(./.ci/long rest)
	@# Those that -short shortens. Our buildpacks are programs of one goroutine.
	$(GO) test -timeout 30m $$(./.ci/long | grep '^./buildpacks/bundled/')
	@# One at a time: some hold others to a deadline of two seconds.
	$(GO) test -race -p 1 -timeout 30m $$(./.ci/long | grep -v '^./buildpacks/bundled/')

test-short: build ## the quick tests: no builder, no Docker daemon
	$(GO) test -short -timeout 5m ./...

build: ## build bin/slipway
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN)/slipway ./cmd/slipway

builder: ## make the bundled builder in bin/builder (does nothing when it is up to date)
	$(GO) run ./cmd/builder -o $(BIN)/builder

check: $(TOOLS)/golangci-lint ## vet and lint
	$(GO) vet ./...
	$(TOOLS)/golangci-lint run ./...

BENCH = $(GO) test -tags bench -v -count 1 -timeout 90m ./internal/bench
BENCH_ARGS = -args -o $(abspath bench.json) $(if $(BENCH_REPO),-repo $(abspath $(BENCH_REPO)))

bench: deps-test build builder ## compare with pack, git and others; writes bench.json
	@./.ci/packages $(BENCH_PACKAGES) $(GIT_BENCH_PACKAGES)
	$(BENCH) $(BENCH_ARGS)

bench-git: ## compare only the git server (BENCH_REPO=a bare repository, else generated ones)
	@./.ci/packages $(GIT_BENCH_PACKAGES)
	$(BENCH) -run '^TestGit$$' $(BENCH_ARGS)

$(TOOLS)/golangci-lint:
	GOBIN=$(abspath $(TOOLS)) $(GO) install $(LINT)

deps-run: ## install the Debian packages that serving needs
	@./.ci/packages $(RUN_PACKAGES) $(MAKE_PACKAGES)

deps-test: ## install what the tests need: Debian packages, isomorphic-git, Heroku's command line
	@./.ci/packages $(RUN_PACKAGES) $(MAKE_PACKAGES) $(TEST_PACKAGES) $(CLIENT_PACKAGES)
	@$(MAKE) --no-print-directory $(CLIENTS)/node_modules/.package-lock.json
	@./.ci/heroku

CLIENTS := gitserver/testdata/clients
$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package-lock.json
	npm ci --prefix $(CLIENTS) --no-audit --no-fund --ignore-scripts
	touch $@

clean: ## remove what was built
	rm -rf $(BIN) $(TOOLS) $(CLIENTS)/node_modules testdata/heroku/node_modules bench.json
