"""SNMP modules written by name: what the peer's generator reads, read by the exporter itself.

    interfaces:
      walk: [IF-MIB::ifXTable]
      lookups:
        - {source_indexes: [ifIndex], lookup: IF-MIB::ifDescr}

``model`` is the syntax, ``including`` puts modules together that include each other, ``places``
finds what their names mean in the OID dictionary, ``overrides``, ``lookups`` and ``conditions`` are
the longest chapters, and ``resolving`` tells how a module becomes one with metrics, as ``snmp.yml``
has them (``exporters.config.snmp_module``); ``finishing`` has its last steps.

Source: the configuration of snmp_exporter's generator.
"""
