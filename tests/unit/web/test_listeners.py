"""Listen addresses and the sockets they become."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from exporters.errors import ConfigError
from exporters.web import listeners as module
from exporters.web.listeners import (
    ListenAddress,
    describe_listener,
    open_listeners,
    parse_listen_address,
    systemd_listeners,
)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


@pytest.fixture
def open_all():
    opened = []

    def open_all(*texts, **settings):
        opened.extend(open_listeners([parse_listen_address(text) for text in texts], **settings))
        return opened

    yield open_all
    for listener in opened:
        listener.close()


def port(listener: socket.socket) -> int:
    return listener.getsockname()[1]


def can_connect(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":9116", "", 9116),
        ("127.0.0.1:9116", "127.0.0.1", 9116),
        ("[::1]:9116", "::1", 9116),
        ("[::]:0", "::", 0),
        ("[fe80::1%eth0]:9116", "fe80::1%eth0", 9116),
        ("localhost:65535", "localhost", 65535),
        ("exporter.example.net:80", "exporter.example.net", 80),
    ],
)
def test_address_is_parsed_and_written_alike(text, host, port):
    address = parse_listen_address(text)
    assert address == ListenAddress(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no port"),
        ("localhost", "has no port"),
        ("9116", "has no port"),
        ("::1:9116", "is ambiguous"),
        ("localhost:", "has the port ''"),
        ("localhost:http", "has the port 'http'"),
        (":65536", "has the port '65536'"),
        (":-1", "has the port '-1'"),
        (":９", "has the port '９'"),
    ],
)
def test_address_that_is_none_is_refused_with_a_hint(text, problem):
    with pytest.raises(ConfigError) as refusal:
        parse_listen_address(text)
    (found,) = refusal.value.problems
    assert found.problem == f"--web.listen-address={text} {problem}"
    assert found.hint


@needs_ipv6
def test_no_host_means_both_families_on_one_socket(open_all):
    (listener,) = open_all(":0")
    assert can_connect("127.0.0.1", port(listener))
    assert can_connect("::1", port(listener))
    assert describe_listener(listener) == f":{port(listener)}"


def test_no_host_means_ipv4_where_the_kernel_has_no_ipv6(open_all, monkeypatch):
    create = socket.socket

    def without_ipv6(family=-1, *arguments, **settings):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return create(family, *arguments, **settings)

    monkeypatch.setattr(module.socket, "socket", without_ipv6)
    (listener,) = open_all(":0")
    monkeypatch.undo()
    assert listener.family == socket.AF_INET
    assert can_connect("127.0.0.1", port(listener))


def test_ipv4_address_is_that_address(open_all):
    (listener,) = open_all("127.0.0.1:0")
    assert describe_listener(listener) == f"127.0.0.1:{port(listener)}"
    assert not can_connect("127.0.0.2", port(listener))


@needs_ipv6
def test_ipv6_address_is_that_address(open_all):
    (listener,) = open_all("[::1]:0")
    assert describe_listener(listener) == f"[::1]:{port(listener)}"
    assert not can_connect("127.0.0.1", port(listener))


def test_name_is_every_address_of_it(open_all, monkeypatch):
    addresses = ["127.0.0.1", "127.0.0.2"]
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in addresses]
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: answer)
    assert [listener.getsockname()[0] for listener in open_all("two.example:0")] == addresses


def test_address_that_a_name_has_and_this_machine_lacks_is_left_out(open_all, monkeypatch):
    addresses = ["192.0.2.1", "127.0.0.1"]
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in addresses]
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *_, **__: answer)
    (listener,) = open_all("two.example:0")
    assert listener.getsockname()[0] == "127.0.0.1"


def test_several_addresses(open_all):
    assert len(open_all("127.0.0.1:0", "127.0.0.1:0", "127.0.0.2:0")) == 3


def test_port_in_use_is_told_in_one_line(open_all):
    (listener,) = open_all("127.0.0.1:0")
    with pytest.raises(ConfigError) as refusal:
        open_all(f"127.0.0.1:{port(listener)}")
    assert str(refusal.value) == (
        f"cannot listen on 127.0.0.1:{port(listener)}: address already in use; "
        "stop what listens there, or choose another --web.listen-address"
    )


def test_listeners_opened_before_a_refused_one_are_closed(open_all):
    (taken,) = open_all("127.0.0.1:0")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with pytest.raises(ConfigError):
        open_all(f"127.0.0.1:{free}", f"127.0.0.1:{port(taken)}")
    assert not can_connect("127.0.0.1", free)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("192.0.2.1:0", "cannot listen on 192.0.2.1:0: cannot assign requested address; choose"),
        ("nothing.invalid:0", "--web.listen-address=nothing.invalid:0 cannot be resolved"),
    ],
)
def test_address_of_elsewhere_is_refused(open_all, text, message):
    with pytest.raises(ConfigError, match=message):
        open_all(text)


def test_systemd_that_passed_nothing_is_a_config_error():
    for environment in ({}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_FDS": "x"}):
        with pytest.raises(ConfigError, match="systemd passed no socket"):
            systemd_listeners(environment, 4711)


@pytest.mark.parametrize("kind", ["datagram", "not listening", "file", "closed"])
def test_systemd_descriptor_that_is_no_listener_is_a_config_error(monkeypatch, tmp_path, kind):
    with socket.socket(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as s:
        descriptor = os.dup(s.fileno())
    if kind == "file":
        os.close(descriptor)
        descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    elif kind == "closed":
        os.close(descriptor)
    monkeypatch.setattr(module, "_SYSTEMD_FIRST_FD", descriptor)
    with pytest.raises(ConfigError, match=f"descriptor {descriptor}, which is no listening socket"):
        systemd_listeners({"LISTEN_FDS": "1", "LISTEN_PID": "5"}, 5)
    if kind == "file":
        os.close(descriptor)


def test_unix_socket_of_systemd_is_described_by_its_path(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "http"))
        assert describe_listener(listener) == str(tmp_path / "http")
