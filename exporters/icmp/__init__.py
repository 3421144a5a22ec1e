"""The ICMP exporter: pings all the time, and when it is asked to."""
