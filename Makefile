# `make demo` runs the main job once; `make test` runs every test. Both install what they need.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
PIP := $(RUN)python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check bench bench-rest bench-collector bench-fleet bench-keeper faults fuzz docs clean

demo: $(VENV)/.demo
	$(RUN)schoolpulse demo

test: $(VENV)/.dev
	sh tests/install_services.sh
	$(RUN)python -m pytest

check: $(VENV)/.dev
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy

bench: bench-rest bench-collector

# The agent at rest for ten minutes, all probes, over TLS.
bench-rest: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/bench/rest.py

# The collector as fast as it goes, and at 2,000 reports a second, on both stores.
bench-collector: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/bench/ingest.py

# 20,000 agents over 500 connections, ten minutes.
bench-fleet: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/bench/fleet.py

# A month derived on both stores: once, twice, killed and again.
bench-keeper: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/bench/keeper.py

# Real processes are hurt, every report is counted: half an hour, and a table.
faults: $(VENV)/.dev
	sh tests/install_services.sh
	PYTHONPATH=tests/support:tests/faults $(RUN)python tests/faults/matrix.py

# A million hurt messages; 20,000 of them in every `make test`.
fuzz: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/bench/fuzz.py

docs: $(VENV)/.dev
	$(RUN)python -m collector.schema > docs/schema.md
	for kind in message receipt presence policy; do \
	  $(RUN)python -m agent.wire.jsonschema $$kind > docs/wire/$$kind.schema.json; done
	$(RUN)schoolpulse dashboards build

clean:
	rm -rf $(VENV) var build dist *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "需要 Python 3.11 以上；用 make PYTHON=… 指定 / Python 3.11 or later: make PYTHON=…" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[all]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.demo
