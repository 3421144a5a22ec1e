"""What /config shows of ``syslog.yml`` can be loaded again, but for the key."""

from __future__ import annotations

from pathlib import Path

from exporters.config.secrets import MASK
from exporters.config.syslog_config import load_syslog_config
from exporters.config.syslog_dump import dump_syslog_config
from exporters.config.yaml_file import load_yaml

from .test_tls import identity

CASES = Path(__file__).parents[2] / "cases" / "config" / "syslog"


def test_dumped_configuration_loads_to_the_same(tmp_path: Path) -> None:
    config = load_syslog_config([CASES / "full.good.yml"], environment={})
    again = tmp_path / "again.yml"
    again.write_text(dump_syslog_config(config))
    assert load_syslog_config([again], environment={}) == config


def test_dump_shows_certificates_and_no_key(tmp_path: Path) -> None:
    server = identity("log.example")
    (tmp_path / "server.crt").write_text(server.cert_pem)
    path = tmp_path / "syslog.yml"
    key = "".join(f"    {line}\n" for line in server.key_pem().splitlines())
    path.write_text(
        f"tls:\n  cert_file: server.crt\n  key: |\n{key}"
        "  client_auth_type: RequireAnyClientCert\n"
        f"  client_fingerprints: ['sha-1:{':'.join(['ab'] * 20)}']\n"
    )
    text = dump_syslog_config(load_syslog_config([path], environment={}))
    path.write_text(text)
    shown = load_yaml(path)["tls"]
    assert "PRIVATE" not in text
    assert (shown["key"], shown["cert_file"]) == (MASK, str(tmp_path / "server.crt"))
    assert shown["client_fingerprints"] == ["sha-1:" + ":".join(["AB"] * 20)]
