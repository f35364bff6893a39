# Keng. `make` alone says what there is.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run upgrade-seed api build web test check sbom vuln reproduce fmt race fuzz soak bench pictures clean need

# One static program; and one build cache for building and testing.
export CGO_ENABLED ?= 0
# Debian keeps servers out of an ordinary user's path.
export PATH := $(PATH):/usr/sbin:/sbin

LINT := .cache/bin/golangci-lint
SBOM := .cache/bin/cyclonedx-gomod
VULN := .cache/bin/govulncheck
NODE_RED := 4.1.8
NODE_RED_BIN := .cache/node-red-$(NODE_RED)/node_modules/.bin
DEBIAN := postgresql mosquitto mosquitto-clients chromium strace fonts-noto-core
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
WEB := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f ! -name '*.go' -print)

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build everything and start the demo (KENG_HTTP, KENG_MQTT, KENG_DATA)
	@exec bin/keng demo

build: web ## build bin/keng with its screens
	go build -trimpath -buildvcs=false -ldflags "-X main.version=$(VERSION)" -o bin/keng ./cmd/keng

web: web/dist/manifest.json ## build the screens

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci
	@touch $@

web/dist/manifest.json: $(WEB) web/node_modules/.package-lock.json
	cd web && npm run build
	@touch $@

upgrade-seed: web ## save data of a release for the upgrade test: make upgrade-seed SEED=v0.2.0, from its tag
	KENG_SEED=$(SEED) go test -count=1 -run TestWriteUpgradeSeed ./internal/app

api: ## write web/openapi.json anew after the API changed
	go run ./cmd/keng openapi > web/openapi.json.new && mv web/openapi.json.new web/openapi.json

need:
	@scripts/need $(DEBIAN)

test: need web ## everything: units, both databases, MQTT clients, kill -9, real browsers
	go vet ./...
	cd web && npm run check
	scripts/with-postgres scripts/test

$(LINT): tools/go.mod tools/go.sum
	go build -C tools -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

check: web $(LINT) ## format, lint, types, floors, promises, links
	@status=0; \
	$(LINT) fmt --diff || { echo "make fmt mends the format"; status=1; }; \
	$(LINT) run || status=1; \
	(cd web && npm run check) || status=1; \
	go test ./internal/arch ./internal/engine/say || status=1; \
	exit $$status

$(SBOM): tools/go.mod tools/go.sum
	go build -C tools -o ../$@ github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod

$(VULN): tools/go.mod tools/go.sum
	go build -C tools -o ../$@ golang.org/x/vuln/cmd/govulncheck

sbom: $(SBOM) ## list all that is in the program and its screens: bin/keng.cdx.json, bin/keng-web.cdx.json
	@mkdir -p bin
	$(SBOM) app -json -std -licenses -noserial -notimestamp -main cmd/keng -output bin/keng.cdx.json .
	cd web && npm sbom --package-lock-only --sbom-format cyclonedx --sbom-type application > ../bin/keng-web.cdx.json

vuln: $(VULN) ## known vulnerabilities that our code reaches (KENG_VULNDB: a copy of vuln.go.dev)
	scripts/vuln $(VULN)

reproduce: ## build twice in two folders: the same bytes
	scripts/reproduce

fmt: $(LINT) ## format the Go code
	$(LINT) fmt

race: need web ## the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 scripts/with-postgres scripts/test -race

fuzz: ## every fuzz test for 30 s
	scripts/fuzz 30s

soak: need web ## hours: 10,000 kill -9, long fuzzing, two builds that are one, the race detector
	KENG_SOAK=1 scripts/with-postgres scripts/test -count=1 -timeout 12h
	scripts/fuzz 5m
	scripts/reproduce
	$(MAKE) --no-print-directory race

$(NODE_RED_BIN)/node-red:
	npm install --prefix .cache/node-red-$(NODE_RED) --no-audit --no-fund node-red@$(NODE_RED)

bench: build $(NODE_RED_BIN)/node-red ## press to siren, beside Mosquitto and Node-RED
	@scripts/need mosquitto
	PATH="$(CURDIR)/$(NODE_RED_BIN):$$PATH" bin/keng bench alarm

pictures: web ## take the pictures in docs/pictures anew
	@scripts/need chromium fonts-noto-core
	KENG_PICTURES=1 go test -count=1 -run TestPictures ./internal/village/stories

clean: ## remove what was built and fetched
	rm -rf bin .cache web/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete
