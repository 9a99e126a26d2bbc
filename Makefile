# Three words are enough: make demo, make test, make check (and make long once in a while). Each installs what it needs, and resolves nothing.
PYTHON ?= python3
BIN    := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help demo test long mutation check lock clean

help:            ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*## */\t/' | expand -t 10

.venv/installed: requirements.lock scripts/install.py
	@$(PYTHON) scripts/install.py .venv requirements.lock

.venv/installed-dev: requirements-dev.lock scripts/install.py
	@$(PYTHON) scripts/install.py .venv requirements-dev.lock
	@touch .venv/installed

demo: .venv/installed       ## the whole path on a local REDCap (DEMO="--patients 40 --serve")
	@$(BIN)/python scripts/demo.py $(DEMO)

test: .venv/installed-dev   ## all tests
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(PYTEST)

long: .venv/installed-dev   ## what takes long and is no part of `make test`: with the time of each part
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/long --durations=0

validation: .venv/installed-dev  ## the package a trial unit files, in validation/VERSION (about as long as test and long)
	@$(BIN)/python scripts/make_validation.py $(VALIDATION)

mutation: .venv/installed-dev  ## can the tests fail? goes on where it stopped (MODULES="release gate" for some)
	@$(BIN)/python scripts/survivors.py --write $(MODULES)

check: .venv/installed-dev  ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=src $(BIN)/lint-imports

RESOLVE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --only-binary :all:
lock:            ## resolve the locks again (needs uv; UPGRADE=--upgrade for newer versions)
	$(RESOLVE) --group dev --output-file requirements-dev.lock $(UPGRADE)
	$(RESOLVE) --constraint requirements-dev.lock --output-file requirements.lock $(UPGRADE)

clean:           ## forget environment and caches
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .mutation demo
