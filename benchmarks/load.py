"""HTTP clients that scrape without a pause, in a process of their own.

They do what Prometheus does: connections that stay, gzip, its headers. A body is read, not looked
at, so that the clients leave the processor to those who are measured; where the network loses
packets, they wait for it, and clients count samples.

Reads a ``Load`` as JSON from stdin, writes a ``Scrapes`` as JSON to stdout.
"""

from __future__ import annotations

import gzip
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from benchmarks.answers import of_the_device, read_samples

SCRAPE_TIMEOUT_SECONDS: Final = 600.0
"""Longer than anything takes, where speed is measured."""
HEADERS: Final = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4",
    "User-Agent": "Prometheus",
}
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Load:
    """Who is asked for what: one client a path, each for so many seconds, and at least once.

    A client ends with its first failure. Over a *lossy* network it goes on, and counts samples.
    """

    port: int
    paths: Sequence[str]
    seconds: float
    encoding: str = "gzip"
    timeout_seconds: float = SCRAPE_TIMEOUT_SECONDS
    lossy: bool = False


@dataclass(frozen=True, slots=True)
class Scrapes:
    """What came of it."""

    wall_seconds: list[float] = field(default_factory=list)
    """Of each scrape, from the request to the last byte of the answer, or to a failure after which
    the client goes on."""
    samples: list[int] = field(default_factory=list)
    """Of each scrape that did not fail, over lossy networks: those of the device."""
    elapsed_seconds: float = 0.0
    body_bytes: int = 0
    failures: list[str] = field(default_factory=list)


def run_load(load: Load) -> Scrapes:
    """Run the clients in another process."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=load.seconds + 2 * load.timeout_seconds + 60,
    )
    return Scrapes(**json.loads(finished.stdout))


def fetch(port: int, path: str, encoding: str = "identity") -> bytes:
    """Scrape once.

    Raises:
        RuntimeError: The status is not 200.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SCRAPE_TIMEOUT_SECONDS)
    try:
        return _fetch(connection, path, encoding, SCRAPE_TIMEOUT_SECONDS)
    finally:
        connection.close()


def _fetch(
    connection: http.client.HTTPConnection, path: str, encoding: str, timeout_seconds: float
) -> bytes:
    headers = {
        **HEADERS,
        "Accept-Encoding": encoding,
        "X-Prometheus-Scrape-Timeout-Seconds": f"{timeout_seconds:g}",
    }
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"HTTP {response.status}: {body[:200]!r}")
    return body


def _scrape_until(end_at: float, load: Load, path: str, scrapes: Scrapes) -> int:
    """Scrape one path again and again; give the bytes of all answers."""
    connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=load.timeout_seconds)
    size = 0
    try:
        while True:
            started_at = time.monotonic()
            body = b""
            try:
                body = _fetch(connection, path, load.encoding, load.timeout_seconds)
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                scrapes.failures.append(str(error))
                if not load.lossy:
                    return size
                connection.close()  # the next request opens it again
            ended_at = time.monotonic()
            scrapes.wall_seconds.append(ended_at - started_at)
            size += len(body)
            if load.lossy and body:
                scrapes.samples.append(_count_samples(body))
            if ended_at >= end_at:
                return size
    finally:
        connection.close()


def _count_samples(body: bytes) -> int:
    text = gzip.decompress(body) if body.startswith(_GZIP) else body
    return len(of_the_device(read_samples(text.decode())))


def _run(load: Load) -> Scrapes:
    started_at = time.monotonic()
    scrapes = Scrapes()
    sizes: list[int] = []

    def scrape(path: str) -> None:
        sizes.append(_scrape_until(started_at + load.seconds, load, path, scrapes))

    threads = [threading.Thread(target=scrape, args=(path,)) for path in load.paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - started_at
    return replace(scrapes, elapsed_seconds=elapsed, body_bytes=sum(sizes))


if __name__ == "__main__":
    print(json.dumps(asdict(_run(Load(**json.load(sys.stdin))))))
