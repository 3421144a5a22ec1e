"""What SNMP bytes mean: values, indexes, display hints, dates. Pure, like wire."""
