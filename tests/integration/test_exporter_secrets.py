"""Secrets stay where they belong: in files, in the environment and on the wire to their device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .agents import SYSTEM_ROWS, address_of, silent_udp, start_simulation, write_recording
from .exporter import Exporter, start_exporter
from .processes import Programs, netexporters

# Every way to give a secret. Each of these words may stand in no answer and in no log.
COMMUNITY = "s3cret-community"
FILED = "s3cret-of-a-file"
ENVIRONMENT = "s3cret-of-the-environment"
PASSWORD = "s3cret-password"
PRIVACY = "s3cret-privacy"
SECRETS = (COMMUNITY, FILED, ENVIRONMENT, PASSWORD, PRIVACY)

USER = {"version": 3, "security_level": "authPriv", "username": "visible-user",
        "auth_protocol": "SHA256", "priv_protocol": "AES"}  # fmt: skip
AUTHS = {
    "community": {"version": 2, "community": COMMUNITY},
    "filed": {"version": 1, "community_file": "filed"},
    "environment": {"version": 2, "community": "${NETEXPORTERS_TEST_SECRET}"},
    "user": USER | {"password": PASSWORD, "priv_password": PRIVACY},
    "filed_user": USER | {"password_file": "filed", "priv_password_file": "filed"},
    "wrong": {"version": 2, "community": "wrong"},
    "unused": {"version": 2, "password": PASSWORD, "priv_password": PRIVACY},
}


@pytest.fixture(scope="module")
def configuration(module_programs: Programs) -> Path:
    file = module_programs.folder / "auths.yml"
    file.write_text(yaml.safe_dump({"auths": AUTHS}))
    (file.parent / "filed").write_text(f"{FILED}\n")
    return file


@pytest.fixture(scope="module")
def exporter(
    module_programs: Programs, configuration: Path, repository: Path
) -> Iterator[Exporter]:
    """An exporter that logs all it can; in the end its log is searched for every secret."""
    exporter = start_exporter(
        module_programs,
        f"--config.file={repository}/modules/snmp/*.yml",
        f"--config.file={configuration}",
        "--log.level=debug",
        "--snmp.debug-packets",
        environment={"NETEXPORTERS_TEST_SECRET": ENVIRONMENT},
    )
    yield exporter
    exporter.program.end()
    assert "msg=packet" in exporter.program.errors
    assert shown(exporter.program.errors) == []


def shown(text: str) -> list[str]:
    """The secrets that a text shows, as they are or in hexadecimal."""
    return [secret for secret in SECRETS if secret in text or secret.encode().hex() in text.lower()]


def test_running_configuration_masks_every_secret(exporter: Exporter) -> None:
    text = exporter.request("/config").text
    assert shown(text) == []
    auths = yaml.safe_load(text)["auths"]
    assert auths["user"] == USER | {
        "community": "<secret>", "password": "<secret>", "priv_password": "<secret>",
    }  # fmt: skip
    for name in AUTHS:
        for key in ("community", "password", "priv_password"):
            assert auths[name].get(key, "<secret>") == "<secret>"
    assert auths["unused"]["priv_password"] == "<secret>"
    assert (auths["filed_user"]["password_file"], "password" in auths["filed_user"]) == (
        "filed",
        False,
    )


@pytest.mark.parametrize("auth", AUTHS)
def test_log_of_a_scrape_shows_no_secret(exporter: Exporter, auth: str) -> None:
    with silent_udp() as silent:
        answer = exporter.scrape(address_of(silent), auth=auth, timeout=0.5, debug="1")
        sent, _ = silent.recvfrom(65535)
    assert "send get" in answer.text or "send discovery" in answer.text
    assert shown(answer.text) == []
    community = {"community": COMMUNITY, "filed": FILED, "environment": ENVIRONMENT}.get(auth, "")
    assert community.encode() in sent  # the device itself is told the community, of course


@pytest.mark.parametrize(
    ("auth", "flags"),
    [
        ("community", [f"--community={COMMUNITY}"]),
        ("filed", [f"--community={FILED}"]),
        ("environment", [f"--community={ENVIRONMENT}"]),
        ("user", ["--user=visible-user", "--auth-protocol=SHA256", f"--auth-password={PASSWORD}",
                  "--priv-protocol=AES", f"--priv-password={PRIVACY}"]),
        ("filed_user", ["--user=visible-user", "--auth-protocol=SHA256",
                        f"--auth-password={FILED}", "--priv-protocol=AES",
                        f"--priv-password={FILED}"]),
    ],
)  # fmt: skip
def test_secret_from_anywhere_opens_its_device(
    exporter: Exporter, programs: Programs, auth: str, flags: list[str]
) -> None:
    recording = write_recording(programs.folder / "a.snmprec", SYSTEM_ROWS)
    _, target = start_simulation(programs, recording, *flags)
    answer = exporter.scrape(target, auth=auth, debug="1")
    assert 'sysName{sysName="switch-1"} 1' in answer.text
    assert shown(answer.text) == []
    wrong = exporter.scrape(target, auth="wrong", timeout=0.5)
    assert wrong.status == 500
    assert shown(wrong.text) == []


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/snmp", "/snmp?target=a&auth=b"])
def test_no_page_shows_a_secret(exporter: Exporter, path: str) -> None:
    assert shown(exporter.request(path).text) == []


def test_complaints_about_secrets_do_not_show_them(configuration: Path) -> None:
    wrong = configuration.with_name("wrong.yml")
    auths = {
        "a": {"version": 3, "password": PASSWORD, "priv_password": PRIVACY, "username": ""},
        "b": {"version": 2, "comunity": COMMUNITY},
        "c": {"version": 2, "community": COMMUNITY, "community_file": "filed"},
        "d": {"version": 2, "community": [COMMUNITY]},
        "e": USER | {"password": "s3cret", "priv_password": {PRIVACY: 1}},
        "f": {"version": 2, "community": "${S3CRET_THAT_IS_NOT_SET}"},
    }
    wrong.write_text(yaml.safe_dump({"auths": auths}))
    result = netexporters("check", wrong)
    assert result.returncode == 1
    assert shown(result.stderr) == []
    assert all(f"auths.{name}" in result.stderr for name in auths)


def test_reload_that_is_refused_shows_no_secret(
    programs: Programs, repository: Path, tmp_path: Path
) -> None:
    file = tmp_path / "auths.yml"
    file.write_text(yaml.safe_dump({"auths": {"a": AUTHS["community"]}}))
    shipped = f"--config.file={repository}/modules/snmp/*.yml"
    exporter = start_exporter(programs, shipped, f"--config.file={file}")
    file.write_text(yaml.safe_dump({"auths": {"a": {"version": 7, "community": COMMUNITY}}}))
    answer = exporter.request("/-/reload", method="POST")
    assert answer.status == 500
    assert shown(answer.text + exporter.program.errors) == []
