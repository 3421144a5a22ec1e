"""The HTTP shell, identical for every exporter."""
