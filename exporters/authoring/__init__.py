"""Tools for whoever writes SNMP modules: ``netexporters snmp module show|lint|from-walk``."""
