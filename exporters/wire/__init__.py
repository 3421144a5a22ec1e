"""Bytes to frozen values and back. Pure: no sockets, clock, configuration, logs or metrics."""
