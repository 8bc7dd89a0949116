# What people and machines call. Needs Python 3.11 or newer (with venv) and make; everything else comes pinned by hash.
# Options are passed on: make demo ARGS=--json, make test ARGS="-k orders", make run PYTHON=python3.12.

.DEFAULT_GOAL := help
.PHONY: help run demo test check web web-packages bench install install-dev clean
.SUFFIXES:

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
RUNTIME_READY := $(VENV)/.runtime-installed
DEV_READY := $(VENV)/.dev-installed
INSTALL_LOG := $(VENV)/install.log
MIGRATIONS := $(sort $(wildcard src/alphintra/*/sql/migrations/*.sql))

# Servers of tests write much and keep nothing: in memory where there is room and programs may run, else where TMPDIR says.
TEST_FOLDER = folder=/dev/shm; probe=$$(mktemp $$folder/alphintra.XXXXXX 2>/dev/null); \
	if [ -n "$$probe" ] && cp /bin/true "$$probe" && chmod 700 "$$probe" && "$$probe" && \
	[ "$$(df -k $$folder | awk 'NR == 2 { print $$4 }')" -gt 6000000 ]; then echo $$folder; else echo "$${TMPDIR:-/tmp}"; fi; \
	rm -f "$$probe"

# The first interpreter that is new enough; PYTHON=... overrides the search.
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
FIND_PYTHON = for candidate in $(CANDIDATES); do \
	if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$candidate"; break; fi; done

help: ## List the targets
	@echo "Alphintra. Targets (options after ARGS=, e.g. make demo ARGS=--json):"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '|' '{ printf "%-14s %s\n", $$1, $$2 }'

run: install ## Install, start the platform in the foreground with sample data, print its address
	@$(VENV)/bin/alphintra up --sample $(ARGS)

demo: install ## Install, run the main job end to end, print the summary; the exit code tells
	@$(VENV)/bin/alphintra demo $(ARGS)

# The house rules are tests too: `make check` runs them, in one process that reads every file once.
NOT_HERE = $(if $(findstring tests/architecture,$(ARGS)),,--ignore=tests/architecture)

test: install-dev ## Run every test that needs neither root nor a browser; the slow ones with ARGS="-m slow"
	@TMPDIR=$$($(TEST_FOLDER)) $(PY) -m pytest -n 4 --dist worksteal -m "not slow and not browser" $(NOT_HERE) $(ARGS)
	@echo "make test: the pages in a browser are left out: make web tests them (it needs Chromium and fetches Node)"

check: install-dev ## Check style, types, import contracts, migrations and house rules
	@failed=; step() { name=$$1; shift; echo "==> $$name"; "$$@" || failed="$$failed, $$name"; }; \
	step "ruff check" $(VENV)/bin/ruff check --quiet --output-format concise .; \
	step "ruff format" $(VENV)/bin/ruff format --check --quiet .; \
	step "mypy --strict" $(PY) -m mypy; \
	step "import contracts" $(VENV)/bin/lint-imports --no-logo; \
	step "squawk, $(words $(MIGRATIONS)) migrations" $(if $(MIGRATIONS),$(VENV)/bin/squawk $(MIGRATIONS),true); \
	step "house rules" $(PY) -m pytest -q -p no:randomly tests/architecture; \
	if [ -n "$$failed" ]; then echo "make check: broken:$${failed#,}" >&2; exit 1; fi; echo "make check: all kept"

web: web-packages ## Build the web interface and check it: types, unit tests, sizes, every page in Chromium
	@$(PY) tools/build_web.py --check
	@TMPDIR=$$($(TEST_FOLDER)) $(PY) -m pytest -q -n 2 --dist loadfile -m "browser and not slow" tests/browser $(ARGS)

web-packages: install-dev
	@$(PIP) install --require-hashes -r requirements/web.txt >>$(INSTALL_LOG) 2>&1 \
		|| { tail -n 15 $(INSTALL_LOG) >&2; echo "Node could not be installed; the reason is above." >&2; exit 1; }
	@$(PY) tools/build_web.py --fetch

bench: install-dev ## Measure start, memory and order throughput; prints ratios
	@$(PY) benchmarks/run.py $(ARGS)

install: $(RUNTIME_READY)

install-dev: $(DEV_READY)

clean: ## Remove the environment and everything that was built from it
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	@rm -rf web/node_modules src/alphintra/webdist*
	@find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# An environment whose interpreter is gone (moved checkout, upgraded system) is made anew.
$(RUNTIME_READY): pyproject.toml requirements/build.txt requirements/runtime.txt
	@if ! $(PY) -c 'import pip' 2>/dev/null; then \
		python=$$($(FIND_PYTHON)); \
		if [ -z "$$python" ]; then \
			echo "Alphintra needs Python 3.11 or newer, found none of: $(CANDIDATES)." >&2; \
			echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; fi; \
		echo "[1/3] Creating $(VENV) with $$("$$python" --version)" >&2; \
		rm -rf $(VENV); \
		if ! "$$python" -m venv $(VENV) >/dev/null 2>&1; then \
			rm -rf $(VENV); \
			echo "$$python cannot create virtual environments: install its venv module" >&2; \
			echo "(Debian and Ubuntu: the package python3-venv)." >&2; exit 2; fi; fi
	@echo "[2/3] Installing $$(grep -c '^[a-z].*==' requirements/runtime.txt) pinned packages, a minute the first time (log: $(INSTALL_LOG))" >&2
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/runtime.txt >$(INSTALL_LOG) 2>&1 \
		|| { tail -n 15 $(INSTALL_LOG) >&2; echo "The packages could not be installed; the reason is above." >&2; exit 1; }
	@echo "[3/3] Installing Alphintra" >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >>$(INSTALL_LOG) 2>&1 \
		|| { tail -n 15 $(INSTALL_LOG) >&2; echo "Alphintra could not be installed; the reason is above." >&2; exit 1; }
	@touch $@

$(DEV_READY): requirements/dev.txt $(RUNTIME_READY)
	@echo "[dev] Installing the tools for tests and checks" >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt >>$(INSTALL_LOG) 2>&1 \
		|| { tail -n 15 $(INSTALL_LOG) >&2; echo "The tools could not be installed; the reason is above." >&2; exit 1; }
	@touch $@
