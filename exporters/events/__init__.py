"""What the trap and the syslog exporter share: from a message to rules, counters, states, pages."""
