"""SNMP modules written by name: what the peer's generator reads, read by the exporter itself.

    interfaces:
      walk: [IF-MIB::ifXTable]
      lookups:
        - {source_indexes: [ifIndex], lookup: IF-MIB::ifDescr}

``model`` is the syntax, ``places`` finds what its names mean in the OID dictionary, ``overrides``
and ``lookups`` are its two longest chapters, and ``resolving`` tells how a module becomes one with
metrics, as ``snmp.yml`` has them (``exporters.config.snmp_module``).

Source: the configuration of snmp_exporter's generator.
"""
