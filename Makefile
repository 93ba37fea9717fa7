# The only list of verbs. `make` alone prints it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-rust test-story test-conformance mosquitto-clients lint tidy bench bench-soak mosquitto fuzz docs

VENV := target/venv
MQTTJS := target/mqttjs
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
FUZZ_SECONDS ?= 60
DATA_DIR ?= ./data

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

run: ## build and start the server in ./data (the environment passes through)
	cargo build --release -p althing
	./target/release/althing serve --data-dir $(DATA_DIR)

test: test-rust test-story test-conformance ## all tests: Rust, the story told with real software, the standards' statements

# --tests with --bins: one set of features, so that nothing is compiled twice for both halves of the tests.
test-rust: ## unit, table and socket tests
	cargo build --workspace --bins --tests
	cargo test --workspace --no-fail-fast

test-story: $(VENV)/.installed mosquitto-clients ## the story told with the AWS CLI, boto3, the AWS IoT Device SDK, mosquitto and moto
	cargo build --workspace --bins --tests
	ALTHING_BIN="$${ALTHING_BIN:-$${CARGO_TARGET_DIR:-target}/debug/althing}" $(VENV)/bin/pytest tests/story

test-conformance: $(VENV)/.installed $(MQTTJS)/.installed mosquitto-clients ## each statement of MQTT 3.1.1 and 5, and AWS's dialect, on the wire
	cargo build --workspace --bins --tests
	ALTHING_BIN="$${ALTHING_BIN:-$${CARGO_TARGET_DIR:-target}/debug/althing}" $(VENV)/bin/pytest -n 8 dev/conformance

mosquitto-clients:
	@command -v mosquitto_pub >/dev/null && command -v mosquitto_sub >/dev/null \
	  || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq mosquitto-clients; }

$(VENV)/.installed: tests/story/requirements.txt dev/conformance/requirements.txt
	rm -rf $(VENV)
	python3 -m venv $(VENV) || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv \
	  && rm -rf $(VENV) && python3 -m venv $(VENV); }
	$(VENV)/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	touch $@

$(MQTTJS)/.installed: dev/conformance/clients/package.json dev/conformance/clients/package-lock.json
	@command -v npm >/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq nodejs npm; }
	mkdir -p $(MQTTJS)
	cp $^ $(MQTTJS)/
	npm ci --silent --no-fund --no-audit --prefix $(MQTTJS)
	touch $@

lint: ## format, clippy, tidy, licences and advisories
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	$(MAKE) --no-print-directory tidy
	@if cargo deny --version >/dev/null 2>&1; then \
	    cargo deny --log-level error check bans licenses sources; \
	    if cargo deny fetch db >/dev/null 2>&1; then cargo deny --log-level error check --disable-fetch advisories; \
	    else echo "the advisory database cannot be fetched from here: advisories are not checked"; fi; \
	  else echo "cargo deny is not installed, licences and advisories are not checked: cargo install --locked cargo-deny"; fi

tidy: ## the repository's own rules: floors, cycles, lengths, dead files
	cargo xtask tidy

# As many files as may be: 10,000 idle connections are 10,000 files.
bench: mosquitto ## CPU time and memory against the floor and Mosquitto, then the soak (BENCH="--quick", "--only ROW", "--json")
	ulimit -n "$$(ulimit -Hn)" && cargo run --release --quiet -p bench --bin bench -- $(BENCH)

bench-soak: ## five minutes of clients that come and go, and memory that must stay flat
	ulimit -n "$$(ulimit -Hn)" && cargo run --release --quiet -p bench --bin bench -- --soak $(BENCH)

# The bench starts its own: the service that comes with the package would keep port 1883.
mosquitto:
	@PATH="$$PATH:/usr/sbin" command -v mosquitto >/dev/null \
	  || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq mosquitto \
	    && { $(SUDO) systemctl disable --now mosquitto >/dev/null 2>&1 || true; }; }

fuzz: ## every fuzz target for FUZZ_SECONDS (60)
	cargo test --release -p fuzz --no-run
	BOLERO_RANDOM_TEST_TIME_MS=$$(( $(FUZZ_SECONDS) * 1000 )) cargo test --release -p fuzz --test targets -- --test-threads=1

docs: ## the crates' documentation
	cargo doc --workspace --no-deps
