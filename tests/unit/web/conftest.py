"""A tiny exporter, and ways to talk to it: in this process, and as a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from exporters.errors import BadRequest, FailureReason, Forbidden, TargetError
from exporters.web.security import WebSecurity
from exporters.web.service import Form, FormField, Route, Service
from exporters.web.shell import build_app

DEADLINE_SECONDS = 20.0
TINY_EXPORTER = Path(__file__).with_name("tiny_exporter.py")


@dataclass
class Tiny:
    """What tests turn to see how the shell answers."""

    not_ready: str | None = None
    reload_error: Exception | None = None
    reloads: int = 0
    events: list[str] = field(default_factory=list)

    async def reload(self) -> None:
        if self.reload_error is not None:
            raise self.reload_error
        self.reloads += 1

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.events.append("entered")
        yield
        self.events.append("left")


async def _echo(request: web.Request) -> web.Response:
    return web.Response(text="x" * int(request.query.get("size", "4")))


async def _fail(request: web.Request) -> web.Response:
    match request.query["with"]:
        case "bad":
            raise BadRequest("Unknown module '<script>'")
        case "forbidden":
            raise Forbidden("target 192.0.2.1 is not allowed")
        case "target":
            raise TargetError(FailureReason.TIMEOUT, "192.0.2.1:161 did not answer")
        case "redirect":
            raise web.HTTPFound("/elsewhere")
        case "teapot":
            raise web.HTTPTooManyRequests(text="slow down", headers={"Retry-After": "3"})
        case _:
            raise RuntimeError("secret internal detail")


@pytest.fixture
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture
def service(tiny: Tiny) -> Service:
    fields = (
        FormField("target", "Target", "192.0.2.1", required=True, hint="An address <or> a name"),
        FormField("module", "Module", default="if_mib", choices=("if_mib", 'we"ird')),
    )
    return Service(
        name="tiny",
        title="Tiny exporter",
        description="Answers <little>.",
        registry=CollectorRegistry(),
        routes=(
            Route("GET", "/echo", _echo, "an echo", asks=True),
            Route("GET", "/fail", _fail, "failures"),
            Route("POST", "/act", _echo, "an act"),
        ),
        forms=lambda: (Form("/echo", "Ask a device", fields),),
        running_config=lambda: "community: <secret>\n",
        reload=tiny.reload,
        summary=lambda: "2 modules",
        ready=lambda: tiny.not_ready,
        lifespan=tiny.lifespan,
    )


Connect = Callable[..., Awaitable[TestClient[web.Request, web.Application]]]


@pytest.fixture
async def connect(service: Service) -> AsyncIterator[Connect]:
    """Serve a service in this process and return a client; settings are those of build_app."""
    async with AsyncExitStack() as stack:

        async def connect(
            changed: Service = service, *, decompress: bool = True, **settings: object
        ) -> TestClient:
            server = TestServer(build_app(changed, **settings), access_log=None)
            return await stack.enter_async_context(TestClient(server, auto_decompress=decompress))

        yield connect


@pytest.fixture
async def client(connect: Connect) -> TestClient:
    return await connect()


@pytest.fixture
def with_discovery(service: Service) -> Service:
    groups = [{"targets": ["192.0.2.1"], "labels": {"device": "core-sw-01"}}]
    return replace(service, discovery=lambda: groups)


@pytest.fixture
def security(tmp_path: Path) -> Callable[[str], WebSecurity]:
    """Build the security of a web configuration given as text."""

    def build(text: str) -> WebSecurity:
        path = tmp_path / "web.yml"
        path.write_text(text)
        return WebSecurity(path)

    return build


class CertificateAuthority:
    """Issues certificates for 127.0.0.1 into a directory, as PEM files."""

    def __init__(self, directory: Path, name: str = "tiny CA") -> None:
        self.directory = directory
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(self._name, self._key.public_key(), ca=True)
        self.file = directory / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Write ``name.pem`` and ``name.key``; once more writes another pair."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._build(subject, key.public_key(), ca=False)
        files = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        addresses = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("client.example")]
        usage = x509.KeyUsage(True, False, False, False, False, ca, ca, False, False)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@dataclass
class TinyProcess:
    """The tiny exporter as a process, with what it says."""

    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)

    async def log_line(self, pattern: str) -> re.Match[str]:
        """Wait for the next line of the log that *pattern* finds."""
        return await self._find(self.process.stderr, pattern)

    async def output_line(self, pattern: str) -> re.Match[str]:
        return await self._find(self.process.stdout, pattern)

    async def _find(self, stream: asyncio.StreamReader, pattern: str) -> re.Match[str]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while line := (await stream.readline()).decode():
                self.log.append(line)
                if match := re.search(pattern, line):
                    return match
        raise AssertionError(f"{pattern!r} is not in: {''.join(self.log)}")

    async def url(self, scheme: str = "http") -> str:
        """Wait until it listens, and return its address."""
        match = await self.log_line(r'msg=listening address="?([^ "]+)')
        return f"{scheme}://{match[1]}"

    async def exit_code(self) -> int:
        async with asyncio.timeout(DEADLINE_SECONDS):
            _, errors = await self.process.communicate()
        self.log.append(errors.decode())
        return self.process.returncode


Start = Callable[..., Awaitable[TinyProcess]]


@pytest.fixture
async def start(repository: Path) -> AsyncIterator[Start]:
    """Start ``netexporters tiny`` with flags; whatever still runs in the end is killed."""
    started: list[asyncio.subprocess.Process] = []
    python_path = os.pathsep.join((str(repository), os.environ.get("PYTHONPATH", "")))

    async def start(
        *flags: str,
        environment: dict[str, str] | None = None,
        listener: socket.socket | None = None,
        address: str = "127.0.0.1:0",
    ) -> TinyProcess:
        if listener is None:
            words = ["tiny", f"--web.listen-address={address}"]
        else:
            words = [f"--pass-listener={listener.fileno()}", "tiny"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(TINY_EXPORTER),
            *words,
            *flags,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": python_path, **(environment or {})},
            pass_fds=() if listener is None else (listener.fileno(),),
        )
        started.append(process)
        return TinyProcess(process)

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class Client:
    """A client that keeps its one connection, and so stays with one worker."""

    def __init__(self, session: aiohttp.ClientSession, url: str, pid: int = 0) -> None:
        self.session = session
        self.url = url
        self.pid = pid

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        async with self.session.request(method, f"{self.url}{path}") as response:
            return response.status, await response.text()

    async def text(self, path: str) -> str:
        status, text = await self.get(path)
        assert status == 200, text
        return text

    async def metrics(self) -> dict[tuple[str, ...], float]:
        """The values of /metrics by name and label values."""
        families = text_string_to_metric_families(await self.text("/metrics"))
        samples = [sample for family in families for sample in family.samples]
        found = {(sample.name, *sample.labels.values()): sample.value for sample in samples}
        assert len(found) == len(samples), "a sample is there twice"
        return found


@dataclass
class Crew:
    """A parent and its workers."""

    tiny: TinyProcess
    pids: list[int]
    url: str
    stack: AsyncExitStack

    @property
    def parent(self) -> asyncio.subprocess.Process:
        return self.tiny.process

    async def client(self, pid: int | None = None) -> Client:
        """Connect anew, to the worker *pid* if it matters which; /count is asked each time."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
                connector = aiohttp.TCPConnector(limit=1, force_close=False)
                session = aiohttp.ClientSession(timeout=timeout, connector=connector)
                client = Client(await self.stack.enter_async_context(session), self.url)
                client.pid = int(await client.text("/count"))
                if pid in (None, client.pid):
                    return client

    async def clients(self) -> list[Client]:
        """A client of each worker."""
        return [await self.client(pid) for pid in self.pids]

    async def next_worker(self) -> int:
        """Wait until a worker has taken its place, and note which it is."""
        match = await self.tiny.log_line(r'msg="worker serves" worker=(\d+) pid=(\d+)')
        number, pid = map(int, match.groups())
        self.pids[number] = pid
        return pid


StartCrew = Callable[..., Awaitable[Crew]]


@pytest.fixture
async def start_crew(start) -> AsyncIterator[StartCrew]:
    crews = []
    async with AsyncExitStack() as stack:

        async def start_crew(*flags: str, workers: int = 2, scheme: str = "http", **how) -> Crew:
            tiny = await start(f"--workers={workers}", *flags, **how)
            crew = Crew(tiny, [0] * workers, "", stack)
            crews.append(crew)
            for _ in range(workers):
                await crew.next_worker()
            crew.url = await tiny.url(scheme)
            return crew

        yield start_crew
    for crew in crews:
        if crew.parent.returncode is None:
            crew.parent.kill()
        for pid in filter(None, crew.pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
