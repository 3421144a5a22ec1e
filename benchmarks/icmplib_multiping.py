"""icmplib's multiping on a file of addresses, for the ICMP race: one line of JSON.

python icmplib_multiping.py FILE COUNT
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import icmplib


def main() -> None:
    """Ping all addresses at once, COUNT times, one second apart."""
    targets = Path(sys.argv[1]).read_text().split()
    hosts = icmplib.multiping(
        targets,
        count=int(sys.argv[2]),
        interval=1,
        timeout=1,
        concurrent_tasks=len(targets),
        privileged=False,
    )
    print(
        json.dumps(
            {
                "sent": sum(host.packets_sent for host in hosts),
                "received": sum(host.packets_received for host in hosts),
                "round_trips": [rtt / 1000 for host in hosts for rtt in host.rtts],
            }
        )
    )
    sys.stdout.flush()
    signal.pause()  # its CPU time and memory are read while it lives


if __name__ == "__main__":
    main()
