# Letterlock's commands. What takes more than a line is a script in scripts/.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PLAYGROUND := web/playground/dist/index.html
PLAYGROUND_SOURCES := $(shell find web/playground/src web/playground/public -type f) \
	web/playground/index.html web/playground/vite.config.js

.PHONY: help run build binaries playground test generate lint fuzz bench benchstat vuln migration clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build everything and start the server on the embedded database
	@LETTERLOCK_HINTS=1 exec ./bin/letterlock

build: playground binaries ## build the playground, bin/letterlock and bin/letter

playground: $(PLAYGROUND)

# The playground is embedded into the server: it has to be there first. Without Node, `go build .` still makes a server.
binaries: playground
	go build -o bin/letterlock .
	go build -o bin/letter ./cmd/letter

$(PLAYGROUND): web/playground/node_modules/.package-lock.json $(PLAYGROUND_SOURCES)
	cd web/playground && npm run --silent build -- --logLevel warn
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

benchstat: ## compare the hot functions with those of a commit, base=REF packages=... (all)
	./scripts/benchstat.sh "$(base)" $(packages)

vuln: ## look up known vulnerabilities; needs the internet
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

migration: ## write the next migration for both databases, name=what_it_does
	./scripts/with-postgres.sh go run ./internal/tools/migration "$(name)"

clean: ## remove what was built
	rm -rf bin artifacts web/*/node_modules
	find web/playground/dist -mindepth 1 ! -name .gitkeep -delete
