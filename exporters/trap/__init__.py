"""The trap exporter: SNMP traps and informs become counters, states and events."""
