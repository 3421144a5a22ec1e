"""Races against the peers on one machine; docs/benchmarks.md has the results."""
