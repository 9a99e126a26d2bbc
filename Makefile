# Three words are enough: make demo, make test, make check. Each installs what it needs.
PYTHON ?= python3
BIN    := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help demo test check lock clean

help:            ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*## */\t/' | expand -t 10

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -c "import pathlib, site; pathlib.Path(site.getsitepackages()[0], 'trialdesk.pth').write_text(str(pathlib.Path('src').resolve()))"
	@touch $@

demo: .venv/installed   ## the whole path on a local REDCap (DEMO="--patients 40 --serve")
	@$(BIN)/python scripts/demo.py $(DEMO)

test: .venv/installed   ## all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST)

check: .venv/installed  ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=src $(BIN)/lint-imports

lock:            ## resolve requirements.lock again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --only-binary :all: --output-file requirements.lock --upgrade

clean:           ## forget environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis demo
