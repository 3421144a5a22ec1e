"""The SNMP exporter."""
