"""What Prometheus reads: text formats, escaping, telemetry. Knows nothing of networks."""
