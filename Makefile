# Entry points: run · test · check · docs · bench. Each sets up what it needs.
#
#   make run ARGS="--data pairs.csv --name mine"    flags of `smallhours run`; SMALLHOURS_* variables work, too
#   make test ARGS="-k safety"                      flags of pytest
#   make bench ONLY=training ARGS="--steps 12"      one bench and its flags; without ONLY, all of them

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiling every module of every package takes as long as fetching them; what is imported is compiled then.
PIP := $(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check
ARGS ?=
ONLY ?=
# Flags are of one bench, so ARGS needs ONLY.
BENCHES = $(or $(ONLY),$(if $(ARGS),$(error make bench ARGS=... needs ONLY=corpus, training, forecast, safety, detection, replies or serving),corpus training forecast safety detection replies serving))

.PHONY: run test check docs pictures bench format lock browser services
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@$(BIN)/smallhours run $(ARGS)

test: check browser services
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet src tests scripts bench
	@$(BIN)/ruff check --quiet src tests scripts bench
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo 2>&1 | tail -n 20
	@echo "check: format, lint, types and import contracts are clean"
	@$(BIN)/python scripts/audit.py

format: $(VENV)/.dev
	@$(BIN)/ruff format --quiet src tests scripts bench
	@$(BIN)/ruff check --quiet --fix src tests scripts bench

# requirements.lock names every package, dependencies of dependencies included, hence --no-deps.
$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Smallhours needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || { echo "setting up $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "installing the locked dependencies (about a minute the first time) ..."
	@$(PIP) --no-deps -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(PIP) --no-deps -r requirements-dev.lock
	@touch $@

# The browser tests drive a real Chromium: one that is there, or Debian's own package.
browser: $(VENV)/.dev
	@$(BIN)/python scripts/ensure_browser.py

# A real PostgreSQL and a real Redis, which the tests start on free ports and stop.
services: $(VENV)/.dev
	@$(BIN)/python scripts/ensure_services.py

# Minutes to an hour; writes bench/results/.
bench: $(VENV)/.dev
	@for one in $(BENCHES); do $(BIN)/python -m bench.$$one $(ARGS) || exit; done

lock:
	@$(PYTHON) scripts/lock.py

# The pages that are made from the code, the README's figures, and the site in site/.
docs: $(VENV)/.dev
	@$(BIN)/python scripts/reference.py
	@$(BIN)/python scripts/diagrams.py
	@$(BIN)/python scripts/readme_figures.py
	@$(BIN)/python -m scripts.detection_table
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "docs: site/index.html"

# Screenshots of a finished run (runs/default), and the notebook with its output: minutes.
pictures: browser
	@$(BIN)/python scripts/screenshots.py
	@$(BIN)/python scripts/notebook.py
