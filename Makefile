# The same commands on a laptop and in CI. What is missing is installed first (Debian).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
PAGE := web/app/dist/index.html
PAGE_SOURCES := $(shell find web -type f \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -not -path 'web/e2e/*' 2>/dev/null)

.PHONY: help run test check bench load compare setup page clean

help: ## Show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile

run: setup page ## Install what is missing, build, start, print the URL
	cargo build --release --locked --bin weir
	exec $(TARGET)/release/weir serve $(if $(CONFIG),--config $(CONFIG))

test: page ## Install what is missing, browsers too, and run every test
	scripts/setup.sh test
	scripts/test.sh

check: page ## Format, clippy, docs, dependencies, types
	scripts/setup.sh check
	scripts/check.sh

bench: setup page ## Measure and print; ARGS="floor forward steps join" chooses
	scripts/setup.sh bench
	cargo build --release --locked -p weir-bench --bins
	cargo build --release --locked --bin weir
	cargo run --release --locked -p weir-bench -- $(ARGS)

load: setup page ## Load a server that it starts; ARGS="meeting --rooms 20" chooses
	cargo build --release --locked -p weir -p weir-loadtest --bin weir --bin weir-load
	scripts/load.sh $(ARGS)

compare: setup page ## Weir and Janus side by side, as root; SERVERS="weir-mmsg janus" chooses
	cargo build --release --locked -p weir -p weir-loadtest --bin weir --bin weir-load
	scripts/compare/compare.sh $(SERVERS)

setup: ## Install what running needs
	scripts/setup.sh run

page: $(PAGE) ## Build the web page

# node_modules is made by setup; the page is embedded in the binary, so it comes before cargo.
$(PAGE): $(PAGE_SOURCES)
	scripts/setup.sh run
	npm --prefix web run --silent build
	@touch $(PAGE)

clean: ## Remove what was built
	cargo clean
	rm -rf web/app/dist web/sdk/dist test-artifacts
