"""The RMON exporter: ``/rmon`` reads remote monitoring tables of a device when it is asked for."""
