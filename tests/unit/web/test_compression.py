"""gzip: who gets it, and that it is the same text."""

from __future__ import annotations

import gzip as python_gzip
from dataclasses import replace

import pytest
from prometheus_client import Gauge

from exporters.web.compression import gzip, gzip_accepted


@pytest.fixture
async def client(connect):
    return await connect(decompress=False)


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *;q=1", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("identity", False),
        ("br, zstd", False),
        ("", False),
        ("gzipped", False),
    ],
)
def test_gzip_is_for_who_likes_it_no_less_than_plain_text(header, accepted):
    assert gzip_accepted(header) is accepted


def test_gzip_is_what_others_read_and_the_same_each_time():
    text = b"metric 1\n" * 1000
    assert python_gzip.decompress(gzip(text)) == text
    assert gzip(text) == gzip(text)


@pytest.mark.parametrize("size", [1024, 300_000], ids=["in the loop", "in a thread"])
async def test_large_text_is_compressed(client, size):
    response = await client.get("/echo", params={"size": str(size)})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    body = await response.read()
    assert int(response.headers["Content-Length"]) == len(body) < size
    assert python_gzip.decompress(body) == b"x" * size


async def test_small_text_is_not_compressed(client):
    response = await client.get("/echo", params={"size": "1023"})
    assert "Content-Encoding" not in response.headers
    assert await response.read() == b"x" * 1023


async def test_text_is_plain_for_who_does_not_ask(client):
    response = await client.get(
        "/echo", params={"size": "5000"}, headers={"Accept-Encoding": "identity"}
    )
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"
    assert len(await response.read()) == 5000


async def test_two_headers_count_as_one_list(client):
    headers = [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
    response = await client.get("/echo", params={"size": "5000"}, headers=headers)
    assert response.headers["Content-Encoding"] == "gzip"


async def test_openmetrics_and_json_are_compressed(connect, service):
    groups = [{"targets": ["192.0.2.1"], "labels": {}}] * 100
    for number in range(50):
        Gauge(f"filler_{number}", "Makes the page worth it.", registry=service.registry)
    client = await connect(replace(service, discovery=lambda: groups), decompress=False)
    assert (await client.get("/sd")).headers["Content-Encoding"] == "gzip"
    headers = {"Accept": "application/openmetrics-text"}
    response = await client.get("/metrics", headers=headers)
    assert response.headers["Content-Encoding"] == "gzip"
    assert python_gzip.decompress(await response.read()).endswith(b"# EOF\n")


async def test_head_of_a_compressed_answer_tells_its_length(client):
    get = await client.get("/echo", params={"size": "5000"})
    head = await client.head("/echo", params={"size": "5000"})
    assert head.headers["Content-Encoding"] == "gzip"
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
