"""netexporters: Prometheus exporters for the network's own protocols."""

__version__ = "0.1.0"
