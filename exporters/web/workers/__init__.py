"""Several processes that serve one exporter on one set of listening sockets (``--workers``).

    parent ── supervisor.py     starts workers, restarts those that end (restarts.py), ends them all
      │       totals.py         joins what all have measured and counted
      │       everybody.py      puts a question of the exporter to all
      │       common_reload.py  reloads all
      ├── channel.py ── worker 0 ── link.py     asks the parent, does what it orders
      └── channel.py ── worker 1    sharing.py  accepts its share of the connections

Workers are forks of the parent, made after the configuration was loaded. With the 53 modules of
snmp_exporter's snmp.yml, a parent and four workers that are forks of a frozen heap hold 101 MB
together (PSS), forks of one that is not frozen 167 MB, and four processes that load by themselves
200 MB, as do the workers once they have reloaded. What counts more: the parent keeps the
configuration that is in use, and reloads before the workers do, so that a worker that ended comes
back at once and with what the others have, whatever the files hold by then.

What else a worker needs that must outlive it, such as the sockets of a receiver, the parent opens
before the first fork and keeps open (``Service.divide``): what arrives for a worker that has ended
waits for its successor.

The parent serves no HTTP. It has no thread while it forks (``fork.py``), and a worker that finds
its channel closed knows that the parent is gone, however that came about, and ends.
"""
