# Everything a checkout needs: Python 3.11 or later, make, and a package index.
#
#   make demo                         run the exporters against a pretend network
#   make demo ARGS="--duration 20"    ... for 20 seconds, then check that all of it was scraped
#   make test                         install what the tests need, then run all of them
#   make bench-snmp                   race against snmp_exporter, nine minutes (ARGS=--quick: one)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test bench-snmp lint install-peers clean

demo: $(VENV)/.installed
	@$(BIN)/netexporters demo $(ARGS)

test: $(VENV)/.installed-for-tests install-peers lint
	$(BIN)/pytest $(ARGS)

bench-snmp: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.snmp $(ARGS)

lint: $(VENV)/.installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install-peers:
	@sh tests/install_peers.sh

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
