"""The peer: Debian's snmp_exporter (0.21), fed with our modules."""

from __future__ import annotations

from pathlib import Path

import yaml

from .exporter import Exporter
from .processes import Programs, free_port


def start_snmp_exporter(programs: Programs, repository: Path, *modules: str) -> Exporter:
    """Start it with these shipped modules, each with its version and auth, as 0.21 has them."""
    configuration = {}
    for module in modules:
        shipped = yaml.safe_load((repository / f"modules/snmp/{module}.yml").read_text())
        auth = {"version": 2, "auth": {"community": "public"}}
        configuration[module] = shipped["modules"][module] | auth
    file = programs.folder / "snmp_exporter.yml"
    file.write_text(yaml.safe_dump(configuration))
    port = free_port()
    program = programs.start(
        "prometheus-snmp-exporter",
        f"--config.file={file}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    peer = Exporter(program, port)

    def ready() -> bool:
        try:
            return peer.request("/metrics").status == 200
        except ConnectionError:
            return False

    program.until(ready, "snmp_exporter is ready")
    return peer
