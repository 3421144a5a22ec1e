# Everything a checkout needs: Python 3.11 or later, make, and a package index.
#
#   make demo                         run the exporters against a pretend network
#   make demo ARGS="--duration 20"    ... for 20 seconds, then check that all of it was scraped
#   make test                         install what the tests need, then run all of them
#   make test ARGS=tests/unit/snmp    ... or some
#   make bench-icmp                   race against fping and smokeping_prober, ten minutes (root)
#   make bench-snmp                   race against snmp_exporter, nine minutes (ARGS=--quick: one)
#   make bench-rmon                   RMON beside snmp_exporter's walks of it, one minute
#   make soak-snmp                    10,000 scrapes of 200 targets, a fifth of them dead, five minutes
#   make soak-syslog                  honest senders of syslog among hostile ones, ten minutes
#   make bench-trap                   race the trap exporter against snmptrapd, four minutes
#   make bench-syslog                 race the syslog exporter against rsyslog, four minutes
#   make bench-mibs                   what the OID dictionary costs, one minute
#   make dashboards                   make Grafana's JSON of dashboards/source
#   make mibs MIBS=DIRECTORY          compile the MIB modules that ship, from MIB files
#   make check-mibs                   compile every MIB file there is, and compare with net-snmp

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test bench-icmp bench-rmon bench-snmp bench-syslog bench-trap bench-mibs soak-snmp
.PHONY: soak-syslog lint
.PHONY: install-peers dashboards mibs check-mibs clean

demo: $(VENV)/.installed
	@$(BIN)/netexporters demo $(ARGS)

# Tests that measure time and processor of programs have the machine for themselves. All others run
# two at a time, and so does the one of alerting, which waits for minutes and needs little.
BESIDE_OTHERS := tests/unit tests/contract tests/integration/test_alerting.py

test: $(VENV)/.installed-for-tests install-peers lint
ifeq ($(strip $(ARGS)),)
	$(BIN)/pytest --numprocesses=2 --dist=worksteal $(BESIDE_OTHERS)
	$(BIN)/pytest $(addprefix --ignore=,$(BESIDE_OTHERS))
else
	$(BIN)/pytest $(ARGS)
endif

bench-icmp: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.icmp $(ARGS)

bench-snmp: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.snmp $(ARGS)

bench-rmon: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.rmon $(ARGS)

soak-snmp: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.soak $(ARGS)

soak-syslog: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.syslog_soak $(ARGS)

bench-trap: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.trap $(ARGS)

bench-syslog: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.syslog $(ARGS)

bench-mibs: $(VENV)/.installed-for-tests
	@$(BIN)/python -m benchmarks.mibs $(ARGS)

lint: $(VENV)/.installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dashboards: $(VENV)/.installed
	$(BIN)/python tools/build_dashboards.py

mibs: $(VENV)/.installed
	$(BIN)/python tools/ship_mibs.py $(MIBS) --output modules/mibs

check-mibs: $(VENV)/.installed-for-tests install-peers
	NETEXPORTERS_ALL_MIBS=1 $(BIN)/pytest -rA tests/external/test_mib_files.py $(ARGS)

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
