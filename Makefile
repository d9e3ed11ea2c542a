# Bare `make` explains itself: a target's line ends in "## what it does".
# What needs more than a line of shell stands in tools/*.sh or is a Go program in e2e/.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory --silent
.DEFAULT_GOAL := help

GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w"
TOOLS    := .cache/tools

# What the agent runs at its start, or when a connection is made, and the simulated machine: without inlining it is 0.4 MB less for a small board. What a
# sample meets of it is a record of TLS, a line of JSON or a request, and what a heartbeat of a hand, at a few calls more; no packet of a data channel does.
SELDOM := compress/... crypto/ecdsa crypto/hpke crypto/mlkem crypto/rsa crypto/tls/... crypto/x509/... encoding/asn1 encoding/csv encoding/gob encoding/hex encoding/json encoding/pem flag \
          log log/slog/... math/big mime/... net/http/... net/textproto net/url os/exec os/signal regexp/... text/template/... vendor/golang.org/x/crypto/cryptobyte/... \
          vendor/golang.org/x/net/... vendor/golang.org/x/text/... github.com/lmittmann/... github.com/pion/dtls/v3/pkg/protocol/extension \
          github.com/pion/dtls/v3/pkg/protocol/handshake github.com/pion/interceptor/... github.com/pion/mdns/v2 github.com/pion/rtcp github.com/pion/rtp/... \
          github.com/pion/sdp/v3 github.com/pion/srtp/v3 github.com/pion/stun/v4/... github.com/pion/webrtc/v4 github.com/shirou/... github.com/spf13/... \
          golang.org/x/crypto/cryptobyte/... golang.org/x/net/... ./device/actuator/... ./device/cli ./device/control/... ./device/machine/... ./device/source/... ./device/urgent \
          ./peer/carrier/tunnel ./peer/folder ./peer/listen ./peer/network ./peer/rpc ./peer/signal ./settings/... \
          go.yaml.in/yaml/v3 crypto/internal/fips140/ecdsa crypto/internal/fips140/mlkem crypto/internal/fips140/rsa os/user golang.org/x/term github.com/tklauser/... \
          github.com/wlynxg/... github.com/pion/transport/v4/stdnet github.com/pion/transport/v4/vnet github.com/pion/turn/v5/internal/server github.com/pion/turn/v5/internal/allocation

WEB     := dashboard/web
WEB_SRC := peer/carrier/failures.json $(shell find $(WEB) \( -name node_modules -o -name testdata \) -prune -o -type f -print 2>/dev/null)

# Steps are numbered "[n/STEPS] what". `make run` goes on counting behind the steps of `build`.
STEPS ?= 4

##@ Use

.PHONY: run
run: ## build, start a server, an agent for this machine and a simulated one to drive, check that telemetry flows, print the URL
	@STEPS=8 $(MAKE) build
	@$(if $(BAD_LINK),go build -o .cache/linkem ./e2e/linkem)
	@FIRST=5 STEPS=8 tools/run.sh

.PHONY: build
build: ## build the dashboard and the three programs into bin/
	@echo "[1/$(STEPS)] web: the dashboard's files"
	@$(MAKE) web
	@echo "[2/$(STEPS)] bin/telepath-signaling: the server"
	@$(GO_BUILD) -o bin/telepath-signaling ./signaling
	@echo "[3/$(STEPS)] bin/telepath-device: the agent"
	@$(MAKE) agent
	@echo "[4/$(STEPS)] bin/telepath: the terminal's dashboard"
	@$(GO_BUILD) -o bin/telepath ./dashboard/term

.PHONY: agent
agent: ## build only the agent, as small as it gets; GOARCH=arm GOARM=6 OUT=file for another machine
	@$(GO_BUILD) $(foreach package,$(SELDOM),'-gcflags=$(package)=-l') -o $(or $(OUT),bin/telepath-device) ./device

.PHONY: web
web: .cache/web.stamp

# Stamps, so that what has not changed is not built again.
.cache/npm.stamp: $(WEB)/package-lock.json
	@mkdir -p $(@D)
	@cd $(WEB) && npm ci --no-audit --no-fund --silent
	@touch $@

.cache/web.stamp: .cache/npm.stamp $(WEB_SRC)
	@cd $(WEB) && npm run --silent build -- --logLevel warn
	@touch dashboard/dist/.keep $@

##@ Check

.PHONY: test
test: ## everything (installs what is missing): format, lint, units, build, programs and a browser
	@tools/test.sh need format lint go web build e2e fallback nat

.PHONY: test-go
test-go: ## Go's unit tests with the race detector
	@tools/test.sh go

.PHONY: test-web
test-web: ## the dashboard: lint, types, unit tests
	@tools/test.sh need web

.PHONY: test-e2e
test-e2e: ## the built programs and Chromium in network namespaces (root)
	@tools/test.sh need build e2e

.PHONY: test-fallback
test-fallback: ## the programs and Chromium behind firewalls, proxies and boxes that spoil (root)
	@tools/test.sh need build fallback

.PHONY: test-nat
test-nat: ## device and viewer behind every kind of NAT, each with each (root)
	@tools/test.sh need build nat

.PHONY: lint
lint: ## formatters and linters, changing nothing
	@tools/test.sh format lint

.PHONY: fmt
fmt: $(TOOLS)/gofumpt ## format the Go and the web code in place
	@$(TOOLS)/gofumpt -w .
	@cd $(WEB) && npm run --silent format

.PHONY: compose-test
compose-test: build ## the containers on a real engine: build, bring up, see telemetry, take down (root)
	@tools/compose-test.sh

##@ Measure

.PHONY: bench
bench: build ## beside bare UDP, TCP, MQTT, WebSockets and pion on bad links, into docs/benchmarks/ (an hour); PARTS=peers,live runs only these, CONDITIONS=50,100-5 prints only
	@go build -o .cache/bench ./e2e/bench && exec .cache/bench -readme README.md $(if $(PARTS),-parts $(PARTS)) $(if $(CONDITIONS),-conditions $(CONDITIONS))

.PHONY: soak
soak: build ## what takes minutes, into docs/soak.md; PARTS=switches,control,pole,dashboard,comeback,restarts,matrix,slow,spool,gpio,nat runs only these
	@go build -o .cache/soak ./e2e/soak && exec .cache/soak $(if $(PARTS),-parts $(PARTS))

.PHONY: size
size: build ## the agent's size on disk and in memory against its budget
	@go run ./e2e/size

##@ Rest

.PHONY: tools
tools: $(TOOLS)/gofumpt ## build the pinned formatter and linter into .cache/tools

$(TOOLS)/gofumpt: tools/go.mod tools/go.sum
	@mkdir -p $(TOOLS)
	@go -C tools build -o ../$(TOOLS)/ mvdan.cc/gofumpt honnef.co/go/tools/cmd/staticcheck
	@touch $@

.PHONY: clean
clean: ## remove what was built; keys and tokens of `make run` (.telepath/) stay
	@rm -rf bin .cache $(WEB)/node_modules
	@find dashboard/dist -mindepth 1 ! -name .keep -delete

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
