# The front door: every target works on a fresh Debian 12 with git and make.
# Why:  one word for each thing a newcomer wants; what is missing is installed, after saying so.
# How:  the work is in tools/dev and in CMake presets; everything made lies under build/.
#       NAME=value arguments (TRADES=, KEEP=1, KAFKA_VERSION=) reach the scripts as environment.

SHELL := /bin/bash
.DEFAULT_GOAL := help
DEV := tools/dev
JOBS ?= $(shell nproc)
SEEDS ?= 1000
FIRST_SEED ?= 1
CONFIGURE = cmake --preset $(1) -DPython3_EXECUTABLE=/usr/bin/python3 --log-level=WARNING
COMPILE = $(call CONFIGURE,$(1)) && cmake --build --preset $(1) --parallel $(JOBS)

.PHONY: help deps deps-build build debug demo try test test-unit test-integration test-long \
	sim sim-planted stack-up stack-down stack-status stack-reset bench fuzz mutants chaos crash-points lint format \
	new-stage sdk docs hooks clean

help: ## this list
	@echo 'Millrace: stream processing in C, and an order pipeline that runs on it.'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Arguments: KAFKA_VERSION=4.1.1 (second lane)  STACK_DIR=DIR (another stack)  JOBS=N'
	@echo '  demo:    TRADES=FILE  MARKETS=spot,usdm  RATE=N  SPEED=10x|max  KEEP=1 (leave it running)'
	@echo '  test:    LANES="debug asan tsan clang"  TESTS=REGEX (only tests whose name matches)'
	@echo '  sim:     SEEDS=N  FIRST_SEED=N  TRACE=1 (a trace of every seed)'
	@echo '  chaos:   KILLS=20  SEED=N  RATE=3000  MIX=kill,stop,...  BROKERS=3  KEEP=1'
	@echo '  fuzz:    SECONDS=60  KEEP=1 (keep the new inputs)'
	@echo '  mutants: FILES="order_book.c ..."  SAMPLE=N  SEED=N  JOBS=N'
	@echo '  bench:   PEER=DIR (run the peer side by side)'

demo: deps ## the main job on real servers: play trades, verify, print a summary
	@$(call COMPILE,release)
	@$(DEV)/demo.sh

try: deps-build ## the same on the in-memory log: one process, no server, seconds
	@$(call COMPILE,release)
	@$(DEV)/try.sh

test: ## all tests, on the real servers too; ends with `N passed, N failed`
	@$(DEV)/test.sh all

test-unit: ## one build, no servers: the quick round while working
	@$(DEV)/test.sh unit

test-integration: ## only the tests on the real servers
	@$(DEV)/test.sh integration

test-long: ## the long ones (label `long`), on the real servers
	@$(DEV)/test.sh long

sim: deps-build ## the pipeline under faults that seeds draw (SEEDS=1000 FIRST_SEED=1); build/sim/report.json
	@$(call COMPILE,sim) --target millrace-sim
	@build/sim/tests/sim/millrace-sim --seeds=$(SEEDS) --first=$(FIRST_SEED) --jobs=$(JOBS) $(if $(TRACE),--trace)

sim-planted: deps-build ## plant each known mistake in the runtime; the simulation must catch all of them
	@$(call COMPILE,sim) --target millrace-sim-planted
	@build/sim/tests/sim/millrace-sim-planted --jobs=$(JOBS)

build: deps-build ## release build (build/release)
	@$(call COMPILE,release)

debug: deps-build ## debug build (build/debug)
	@$(call COMPILE,debug)

stack-up: deps ## start Kafka, schema registry, document store, Redis; addresses in stack.env
	@$(DEV)/stack.sh up

stack-down: ## end what stack-up started; data stay
	@$(DEV)/stack.sh down

stack-status: ## what runs, where, how much memory; exit 0 only when all is up
	@$(DEV)/stack.sh status

stack-reset: ## stack-down, then delete the stack's data
	@$(DEV)/stack.sh reset

bench: deps ## measure throughput, latency and memory; prints the machine and the commit
	@$(call COMPILE,release)
	@$(DEV)/bench.sh

chaos: deps ## kill -9 and other faults under load on real servers; nothing lost, doubled, torn or stuck
	@$(call COMPILE,release)
	@$(DEV)/chaos.sh

crash-points: deps ## a process dies at every point of its commit cycle and recovery
	@$(call COMPILE,debug)
	@$(DEV)/chaos.sh points

fuzz: deps-build ## inputs nobody thinks of (SECONDS=60 for each target); needs clang
	@$(call COMPILE,fuzz) --target fuzz-targets
	@SECONDS_EACH='$(or $(SECONDS),60)' $(DEV)/fuzz.sh

mutants: deps-build ## change the domain in one place at a time: does a test notice? (FILES= SAMPLE= SEED=)
	@/usr/bin/python3 -B tools/mutants --jobs $(JOBS) $(if $(FILES),--files $(FILES)) $(if $(SAMPLE),--sample $(SAMPLE)) \
		$(if $(SEED),--seed $(SEED))

lint: ## layers, formatting, shell scripts: what the tests labelled `lint` check
	@$(DEV)/install.sh --build-only --test
	@$(call CONFIGURE,debug)
	@ctest --preset debug -L '^lint$$' --no-tests=ignore

format: ## clang-format over every C file of the repository
	@$(DEV)/install.sh --build-only --test
	@$(DEV)/format.sh --fix

new-stage: deps-build ## a stage of your own from stages/_template, in the graph behind AFTER (NAME=cool-down AFTER=dedupe)
	@$(DEV)/new_stage.sh '$(NAME)' '$(AFTER)'
	@$(call COMPILE,release)
	@$(DEV)/docs.sh
	@build/release/tools/millrace/millrace topology check topology.yaml

sdk: deps-build ## headers, codecs and an example for stages in shared objects (DIR=build/sdk)
	@$(call COMPILE,release)
	@cmake --install build/release --component sdk --prefix '$(or $(DIR),build/sdk)' >/dev/null
	@echo 'SDK: $(or $(DIR),build/sdk); its example: share/millrace/example, then make'

docs: deps-build ## docs/OPTIONS.md, docs/CODES.md and the README's graph, from the program
	@$(call COMPILE,release)
	@$(DEV)/docs.sh

hooks: ## git runs the quick lints before each commit
	@git config core.hooksPath $(DEV)/hooks
	@echo 'Before each commit now: formatting and shell scripts (skip once: git commit --no-verify).'

deps: ## install what is missing (says what and why first) and download the servers
	@$(DEV)/install.sh

deps-build:
	@$(DEV)/install.sh --build-only

clean: ## delete what was built; a stack and its data stay (see stack-reset)
	@for part in build/*; do \
		case "$$part" in build/stack | build/test-stack | 'build/*') ;; *) rm -rf -- "$$part" ;; esac; \
	done
	@! test -e build/stack || echo 'build/stack is kept: `make stack-reset` empties it.'
