# Letterlock's commands. What takes more than a line is a script in scripts/.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What each web part is built from: a part is built again when any of it has changed.
CORE := web/core/dist/core.wasm
CORE_SOURCES := $(shell find cryptobox device identity internal/vault web/core/wasm -name '*.go' 2>/dev/null) go.mod go.sum \
	scripts/build-core.sh
SHARED := $(wildcard web/shared/*)
APP := web/app/dist/index.html
APP_SOURCES := $(shell find web/app -type f -not -path '*/node_modules/*' -not -path 'web/app/dist/*' -not -path '*/test/*') \
	$(shell find web/core/src -type f 2>/dev/null) graph/schema.graphqls web/tools/compress.mjs $(SHARED)
PLAYGROUND := web/playground/dist/index.html
PLAYGROUND_SOURCES := $(shell find web/playground/src web/playground/public -type f) \
	web/playground/index.html web/playground/vite.config.js web/tools/compress.mjs $(SHARED)

# The benchmarks of what runs for each message or request.
HOT := Answers|Authenticate|ContentOf|CursorString|Decode|Delivery|DeliveryToSocket|Encoder|Feed|KeyOf|Message|MessageOfRow|Operation|ParseCursor|Request

.PHONY: help run build binaries web core app playground test generate lint fuzz bench benchstat hot soak vuln migration clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build everything and start the server on the embedded database
	@LETTERLOCK_HINTS=1 exec ./bin/letterlock

build: web binaries ## build the web parts, bin/letterlock and bin/letter

web: app playground

core: $(CORE)

app: $(APP)

playground: $(PLAYGROUND)

# The web parts are embedded into the server: they have to be there first. Without Node, `go build .` still makes a server.
binaries: web
	go build -o bin/letterlock .
	go build -o bin/letter ./cmd/letter

$(CORE): $(CORE_SOURCES)
	./scripts/build-core.sh
	@touch $@

$(APP): $(CORE) web/core/node_modules/.package-lock.json web/app/node_modules/.package-lock.json $(APP_SOURCES)
	./scripts/build-web.sh web/app
	@touch $@

$(PLAYGROUND): web/playground/node_modules/.package-lock.json $(PLAYGROUND_SOURCES)
	./scripts/build-web.sh web/playground
	@touch $@

# npm writes this file last: a folder without it is half installed.
web/%/node_modules/.package-lock.json: web/%/package-lock.json web/%/package.json
	cd web/$* && npm ci
	@touch $@

test: ## run every check on a machine that has only Go, Node and Debian's package manager
	./scripts/test.sh

generate: ## write all generated code again
	go generate ./...

lint: ## look for suspicious code
	./scripts/lint.sh

fuzz: ## fuzz every parser, seconds=30 each
	./scripts/fuzz.sh $(or $(seconds),30)

bench: build ## measure all that is fast or slow and renew docs/performance.md; only=live measures one part, only=list says which there are
	./scripts/with-postgres.sh ./scripts/bench.sh $(or $(only),all) $(args)

hot: ## renew the table of hot functions in docs/performance.md, compared with those of a commit, base=REF
	DOCUMENT=docs/performance.md COUNT=$(or $(count),6) BENCH='^Benchmark($(HOT))$$' ./scripts/benchstat.sh "$(base)" graph internal/directory internal/graphqlhttp internal/mailbox internal/requestjson internal/socket internal/telemetry

benchstat: ## compare the hot functions with those of a commit, base=REF packages=... (all)
	./scripts/benchstat.sh "$(base)" $(packages)

soak: build ## check servers in trouble against the delivery contract, duration=60 seconds for each kind, then fuzz as long each; args='--only kill --seed 7' is trouble alone
	./scripts/soak.sh $(or $(duration),60) $(args)
	$(if $(args),,./scripts/fuzz.sh $(or $(duration),60))

vuln: ## look up known vulnerabilities; needs the internet
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

migration: ## write the next migration for both databases, name=what_it_does
	./scripts/with-postgres.sh go run ./internal/tools/migration "$(name)"

clean: ## remove what was built
	rm -rf bin artifacts web/*/node_modules
	rm -rf web/core/dist
	find web/app/dist web/playground/dist -mindepth 1 ! -name .gitkeep -delete
