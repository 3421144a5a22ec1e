"""A pretend network: simulated devices for the demo, the tests and the benchmarks."""
