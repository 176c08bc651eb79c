# From a bare clone to a running demo: `make demo`. All that must be there is make, git and Python 3.11 to 3.13.
# ARGS is handed on (`make demo ARGS=--json`, `make test ARGS='-k crawl -x'`); PYTHON names the Python to build .venv with.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow mutation benchmarks lint lock clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
STAMP := .venv/.ready

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(STAMP) ## .venv, the packages of requirements.lock, and what `fullshot doctor --fix` provides
	@:

demo: $(STAMP) ## the whole way, against the built-in shop
	@$(BIN)/fullshot demo $(ARGS)

test: lint ## ruff, mypy and the tests, without the slow ones
	@$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile $(ARGS)

test-slow: $(STAMP) ## the slow tests alone
	@$(BIN)/python -m pytest -m slow $(ARGS)

mutation: $(STAMP) ## how many small changes of the code the tests notice (mutmut)
	@$(BIN)/python -m benchmarks.mutation $(ARGS)

benchmarks: $(STAMP) ## those that need no pictures: some twenty minutes on an idle machine
	@for one in parse crawl pictures faults kills memory hashes rejudge rows; do $(BIN)/python -m benchmarks.$$one $(ARGS) || exit 1; done

lint: $(STAMP) ## ruff check, ruff format --check, mypy --strict
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

lock: $(STAMP) ## requirements.lock from pyproject.toml; ARGS=--upgrade for the newest of everything
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --extra dev --no-emit-package fullshot $(ARGS) \
		pyproject.toml --output-file requirements.lock

clean: ## take away .venv and the tools' caches; data stays
	@rm -rf .venv build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One set-up at a time: the lock on this file lives as long as this shell and what it started, so a killed one leaves
# none behind. The stamp is written last and says what was installed, so an interrupted set-up goes on where it stopped
# and one that another make finished meanwhile is not done again. pip writes INSTALLER last but one into a package: without
# it the package was cut short, and pip would take it for installed.
$(STAMP): requirements.lock pyproject.toml
	@set -eu; \
	qualifies() { "$$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }; \
	python=; \
	for candidate in $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3 python); do \
		if qualifies "$$candidate"; then \
			python=$$candidate; \
			if "$$candidate" -c 'import venv, ensurepip' 2>/dev/null; then break; fi; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "fullshot needs Python 3.11, 3.12 or 3.13: $(if $(PYTHON),$(PYTHON) is none of them,none found; install one or name it: make PYTHON=/path/to/python3 …)" >&2; exit 1; \
	fi; \
	exec 9<Makefile; \
	"$$python" -c "$$TAKE_LOCK"; \
	wanted=$$(cat requirements.lock pyproject.toml | cksum); \
	if [ -f $@ ] && [ "$$(cat $@)" = "$$wanted" ]; then touch $@; exit 0; fi; \
	rm -f $@; \
	if [ ! -f .venv/.made ]; then \
		if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
			echo "$$python comes without venv: install it (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; \
		fi; \
		echo "Making .venv with $$("$$python" --version)" >&2; \
		"$$python" -m venv --clear .venv; \
		touch .venv/.made; \
	fi; \
	locked=$$(cksum <requirements.lock); \
	if [ "$$(cat .venv/.locked 2>/dev/null)" != "$$locked" ]; then \
		rm -f .venv/.locked; \
		for unfinished in .venv/lib/python3*/site-packages/*.dist-info; do \
			[ ! -d "$$unfinished" ] || [ -f "$$unfinished/INSTALLER" ] || rm -r "$$unfinished"; \
		done; \
		$(PIP) install --require-hashes --no-deps --requirement requirements.lock >&2; \
		echo "$$locked" >.venv/.locked; \
	fi; \
	$(PIP) install --quiet --no-deps --no-build-isolation --editable . >&2; \
	$(BIN)/fullshot doctor --fix >&2; \
	echo "$$wanted" >$@

define TAKE_LOCK
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Waiting for the set-up that runs already", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass  # a file system without locks: go on without
endef
export TAKE_LOCK
