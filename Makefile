# `make demo` runs the main job once; `make test` runs every test. Both install what they need.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/
PIP := $(RUN)python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Several at once (tests/conftest.py says how many): most of a test is waiting.
# Modules are compiled once, not by each of a thousand interpreters, whatever the machine says.
TESTS := PYTHONDONTWRITEBYTECODE= $(RUN)python -m pytest -n auto --dist loadscope
BENCH := PYTHONPATH=tests/support $(RUN)python tests/bench/

.PHONY: demo test test-fast cover check faults attack fuzz fuzz-pjlink test-windows test-office test-machine \
  installer bundle bench bench-rest bench-equipment bench-collector bench-fleet bench-stampede \
  bench-keeper bench-keeper-city bench-storage bench-scale bench-line bench-dashboards \
  types-boards bench-figure \
  bench-archive bench-backup bench-roster bench-enrol bench-status bench-rule bench-standing \
  bench-report bench-attacks bench-tls bench-lineserver bench-line-odd bench-line-attack bench-line-load \
  bench-line-far bench-line-memory requirements audit bench-web test-web-axe page-pictures \
  board-pictures docs clean

demo: $(VENV)/.demo
	$(RUN)schoolpulse demo

test: $(VENV)/.dev
	sh tests/install_services.sh
	$(TESTS)

# All but the tests that take their time.
test-fast: $(VENV)/.dev
	sh tests/install_services.sh
	$(TESTS) -m "not slow"

# Every test, and a table of what none of them ran. A part of it: make cover OF=tests/agent/wire
# Processes that are killed are not counted: agent/probes/line/load.py and speedtest.py show less.
cover: $(VENV)/.dev
	sh tests/install_services.sh
	$(TESTS) --cov --cov-report=term:skip-covered $(OF)

check: $(VENV)/.dev
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)python deploy/audit.py

# Real processes are hurt, every report is counted: half an hour, and a table.
faults: $(VENV)/.dev
	sh tests/install_services.sh
	PYTHONPATH=tests/support:tests/faults $(RUN)python tests/faults/matrix.py

# The holder of one school's credential: every attack, then all at full speed for ten minutes beside
# other schools (root on Linux, nftables). Shorter: make attack ATTACK="--minutes 2"
attack: $(VENV)/.dev
	sh tests/install_services.sh
	$(RUN)python -m pytest tests/attack
	$(BENCH)holder.py $(ATTACK)

# What that holder does to the broker, as it was deployed at first and now: a table.
bench-attacks: $(VENV)/.dev
	sh tests/install_services.sh
	$(BENCH)attacks.py

# A million hurt messages; 20,000 of them in every `make test`.
fuzz: $(VENV)/.dev
	$(BENCH)fuzz.py

# Ten thousand conversations with projectors that misbehave.
fuzz-pjlink: $(VENV)/.dev
	$(BENCH)pjlink.py

# The Windows agent under Wine: frozen, probing, killed, installed. Installs what it needs.
test-windows: $(VENV)/.dev installer
	sh tests/install_services.sh
	$(RUN)python -m pytest -o addopts="-ra --import-mode=importlib" tests/windows

# The report's files in LibreOffice, which must be installed.
test-office: $(VENV)/.dev
	$(RUN)python -m pytest -o addopts="-ra --import-mode=importlib" tests/office

# docs/deploy typed on machines that boot: Debian 12 with systemd, in containers. Root on Linux, with
# mmdebstrap and systemd-nspawn (Debian: mmdebstrap, systemd-container) and a network.
test-machine: $(VENV)/.dev
	$(RUN)python -m pytest -o addopts="-ra --import-mode=importlib" tests/machine

# The agent frozen to one folder, and its installer: dist/windows/
installer:
	sh deploy/windows/installer.sh

# The agent's wheels for PCs without a package index, Linux and Windows: dist/…-offline.zip
bundle: $(VENV)/bin/python
	sh deploy/offline/bundle.sh $(RUN)python

bench: bench-rest bench-equipment bench-collector

# The agent at rest for ten minutes, all probes, over TLS.
bench-rest: $(VENV)/.dev
	$(BENCH)rest.py

# What the equipment probes cost an hour, over a PC of many devices.
bench-equipment: $(VENV)/.dev
	$(BENCH)equipment.py

# The collector as fast as it goes, and at 2,000 reports a second, on both stores. Reports of a PC
# with four devices: make bench-collector COLLECTOR=--whole
bench-collector: $(VENV)/.dev
	$(BENCH)ingest.py $(if $(TELEGRAF),--telegraf $(TELEGRAF)) $(COLLECTOR)

# 20,000 agents over 500 connections, ten minutes.
bench-fleet: $(VENV)/.dev
	$(BENCH)fleet.py

# 1,000 agents whose broker is killed and started again: how they come back.
bench-stampede: $(VENV)/.dev
	$(BENCH)stampede.py

# A month derived on both stores: once, twice, killed and again; and a day that comes bit by bit,
# its keeper killed 50 times.
bench-keeper: $(VENV)/.dev
	$(BENCH)keeper.py
	$(BENCH)keeper_killed.py

# The keeper of 600 schools at four in the afternoon, reports still coming, on both stores. A part:
# make bench-keeper-city CITY="--schools 150 --minutes 4 --stores sqlite"
bench-keeper-city: $(VENV)/.dev
	$(BENCH)keeper_city.py $(CITY)

# What a PC's reports take in each store. More: make bench-storage STORAGE="--schools 8 --days 20"
bench-storage: $(VENV)/.dev
	$(BENCH)storage.py $(STORAGE)

# What a city, a province and the country need, from measured costs; and into docs/scale.md.
bench-scale: $(VENV)/.dev
	$(BENCH)scale_page.py docs/scale.md

# Lines of known rate, by us, speedtest-cli and iperf3 (root on Linux; an hour). A part of it:
# make bench-line LINE="--rates 10,20 --runs 5"; what was kept: make bench-line LINE=--table
bench-line: $(VENV)/.dev
	$(BENCH)line.py $(LINE)

# Every query of every board and alert on a city-month of 600 schools, in a real InfluxDB. Beside an
# openGemini: make bench-dashboards BOARDS="--schools 40 --opengemini"
bench-dashboards: $(VENV)/.dev
	$(BENCH)boards_month/measure.py $(BOARDS)

# The built boards against the types that Grafana publishes (needs node and npm).
types-boards:
	$(PYTHON) tests/dashboards/typed.py

# The figure, an explanation and the report of 600, 1,200 and 2,400 schools, in processes of their
# own. A part of it: make bench-figure FIGURE="--sizes 1 --stores sqlite,influxdb --runs 5"
bench-figure: $(VENV)/.dev
	$(BENCH)figure.py $(FIGURE)

# What freezing and verifying that city costs.
bench-archive: $(VENV)/.dev
	$(BENCH)archive.py

# A backup and a restore of two million rows. Fewer: make bench-backup BACKUP="--rows 100000"
bench-backup: $(VENV)/.dev
	$(BENCH)backup.py $(BACKUP)

# A register of 600 schools in one workbook: 10 s, 200 MB; and the largest sheet that there can be.
bench-roster: $(VENV)/.dev
	$(BENCH)roster.py

# 600 schools enrolled, again, rotated; and runs killed at any moment: make bench-enrol
# ENROL="--schools 60 --kills 100"
bench-enrol: $(VENV)/.dev
	$(BENCH)enrol.py $(ENROL)

# What `schoolpulse status` costs for 600 schools and 20,000 PCs, on both stores: 2 s of processor.
bench-status: $(VENV)/.dev
	$(BENCH)status.py

# How often the rule for lines errs, by simulation: the table of docs/line.md.
bench-rule: $(VENV)/.dev
	$(BENCH)rule.py

# What a year of tests of a line costs to judge, in the best case and the dearest.
bench-standing: $(VENV)/.dev
	$(BENCH)standing.py

# What all formats of the report cost for a city of 600 schools, and of 1,200.
bench-report: $(VENV)/.dev
	$(BENCH)report.py

# 5,000 agents over TLS on one Mosquitto, which is restarted: all back within a minute.
bench-tls: $(VENV)/.dev
	$(BENCH)tls.py

# What the measurement server carries over loopback.
bench-lineserver: $(VENV)/.dev
	$(BENCH)lineserver.py

# The same with other traffic beside it, and with a burst bucket.
bench-line-odd: $(VENV)/.dev
	$(BENCH)line_odd.py

# What attacks on the measurement server cost others: on loopback, and (root on Linux) on a line.
bench-line-attack: $(VENV)/.dev
	$(BENCH)line_attack.py

# Tests of a line on a busy PC: none may read low and not say so. A part: LINE="--works 0 --runs 5"
bench-line-load: $(VENV)/.dev
	$(BENCH)line_load.py $(LINE)

# Lines with delay, loss and queues: LINE="--rates 10 --trips 600", or LINE=--all (20 minutes; in
# parts: LINE="--all --rest --seconds 500").
bench-line-far: $(VENV)/.dev
	$(BENCH)line_far.py $(LINE)

# What a test at 1000 Mbit/s holds in memory: the agent's process and the load's. Root on Linux.
bench-line-memory: $(VENV)/.dev
	$(BENCH)line_memory.py

# Which files installers may take, by version and SHA-256: requirements/. Asks a package index.
requirements: $(VENV)/.dev
	$(RUN)python deploy/requirements.py

# Known weaknesses of what installers take; `make check` asks too. Skipped by name where the
# advisories do not answer.
audit: $(VENV)/bin/python
	$(RUN)python deploy/audit.py

# The pages of 600 schools and 20,000 PCs under 20 readers: WEB="--readers 20 --pause 0"
bench-web: $(VENV)/.dev
	$(BENCH)web.py $(WEB)

# axe-core, by npm into a temporary folder, on every page in both themes and languages.
test-web-axe: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/web_axe/axe.py

# Every board of a running Grafana, as the pictures of docs/boards:
# GRAFANA="http://127.0.0.1:3000 --login admin:admin"
board-pictures: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/pictures/boards.py $(GRAFANA)

# Every page that runs somewhere, as pictures: PAGES="http://127.0.0.1:8080 build/pages"
page-pictures: $(VENV)/.dev
	PYTHONPATH=tests/support $(RUN)python tests/pictures/pages.py $(PAGES)

docs: $(VENV)/.dev
	$(RUN)python -m collector.schema.page > docs/schema.md
	for kind in message receipt presence policy; do \
	  $(RUN)python -m agent.wire.jsonschema $$kind > docs/wire/$$kind.schema.json; done
	$(RUN)schoolpulse dashboards build
	$(RUN)python -c 'from agent.service import unit; print(unit.sample(), end="")' \
	  > deploy/systemd/schoolpulse-agent.service
	$(RUN)python -m collector.units deploy/systemd

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
