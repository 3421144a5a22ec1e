"""The syslog exporter: messages of any format become counters, states and events."""
