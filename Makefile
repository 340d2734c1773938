# make test    install into .venv and run all tests
# make demo    a look at what the package does
# make check   lint, types, and all tests in the checked build
# make bench   us and the peers, side by side
# make docs    the documentation, in docs/_build/html; a warning is an error
PYTHON ?= python3
BIN := .venv/bin
SOURCES := setup.py pyproject.toml $(wildcard cext/*)

.PHONY: test demo check bench docs clean

test: .venv/test
	$(BIN)/pytest $(ARGS)

demo: .venv/base
	$(BIN)/lsstregions demo --overwrite

check: .venv/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint cext
	$(BIN)/mypy
	LSSTREGIONS_DEBUG=1 $(BIN)/python setup.py -q build --build-base build/checked --build-lib build/checked/lib
	PYTHONPATH=build/checked/lib $(BIN)/pytest -q -p no:cacheprovider $(ARGS)

bench: .venv/bench
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

docs: .venv/docs
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf .venv build dist docs/_build docs/api lsstregions/*.so *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip

# One stamp for each set of extras: installing again rebuilds what changed.
.venv/base: .venv/bin/python $(SOURCES)
	$(BIN)/python -m pip install -q -e ".[cli,io,plot]"
	touch $@

.venv/test .venv/check .venv/bench .venv/docs: .venv/bin/python $(SOURCES)
	$(BIN)/python -m pip install -q -e ".[test,$(notdir $@)]"
	touch $@
