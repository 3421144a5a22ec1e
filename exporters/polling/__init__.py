"""What exporters that poll agents share: the walker, limits, what is remembered of agents."""
