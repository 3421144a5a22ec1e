"""What every exporter answers, and what it answers when something is wrong."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import ClientResponse
from prometheus_client.parser import text_string_to_metric_families

from exporters.errors import ConfigError, Problem
from exporters.metrics.negotiation import TextFormat

OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.5"


def value(text: str, sample_name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == sample_name and sample.labels == labels:
                return sample.value
    return None


async def is_plain_text(response: ClientResponse) -> str:
    assert response.content_type == "text/plain"
    assert response.charset == "utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    text = await response.text()
    assert text.endswith("\n")
    return text


async def test_telemetry_is_the_registry_in_the_text_format(client):
    response = await client.get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = await response.text()
    assert value(text, "tiny_exporter_config_last_reload_successful") == 1
    assert value(text, "promhttp_metric_handler_requests_in_flight") == 1
    assert value(text, "promhttp_metric_handler_requests_total", code="500") == 0


async def test_telemetry_is_openmetrics_for_who_prefers_it(client):
    response = await client.get("/metrics", headers={"Accept": OPENMETRICS})
    assert response.content_type == "application/openmetrics-text"
    assert (await response.text()).endswith("# EOF\n")


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
async def test_what_was_measured_stands_before_the_telemetry(connect, service, accept):
    def samples(text_format: TextFormat) -> Iterator[str]:
        yield "# TYPE tiny_found gauge\n"
        yield f'tiny_found{{format="{text_format.name}"}} 7\n'

    client = await connect(replace(service, samples=samples))
    text = await (await client.get("/metrics", headers={"Accept": accept})).text()
    text_format = "OPENMETRICS" if accept == OPENMETRICS else "PROMETHEUS"
    assert text.startswith("# TYPE tiny_found gauge\n")
    assert value(text, "tiny_found", format=text_format) == 7
    assert value(text, "promhttp_metric_handler_requests_in_flight") == 1
    assert text.endswith("# EOF\n") == (accept == OPENMETRICS)


async def test_what_was_measured_is_compressed_for_who_takes_it(connect, service):
    def samples(_: TextFormat) -> Iterator[str]:
        yield "# TYPE tiny_found gauge\n"
        yield from (f'tiny_found{{number="{number}"}} 7\n' for number in range(1000))

    client = await connect(replace(service, samples=samples), decompress=False)
    packed = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    plain = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    text = gzip.decompress(await packed.read()).decode()
    assert value(text, "tiny_found", number="999") == 7
    assert (await plain.text()).startswith(text.partition("# HELP")[0])


async def test_measurements_that_cannot_be_written_are_500_and_counted(connect, service):
    def samples(text_format: TextFormat) -> Iterator[str]:
        yield "# TYPE tiny_found gauge\n"
        raise ConfigError("not now")

    client = await connect(replace(service, samples=samples))
    assert (await client.get("/metrics")).status == 500
    counted = service.registry.get_sample_value(
        "promhttp_metric_handler_requests_total", {"code": "500"}
    )
    assert counted == 1


async def test_scrapes_of_the_telemetry_are_counted(client):
    await client.get("/metrics")
    text = await (await client.get("/metrics")).text()
    assert value(text, "promhttp_metric_handler_requests_total", code="200") == 1


async def test_telemetry_that_fails_is_500_and_counted(client, service):
    class Broken:
        def collect(self):
            raise RuntimeError("no samples")

    broken = Broken()
    service.registry._collector_to_names[broken] = []
    response = await client.get("/metrics")
    assert response.status == 500
    assert "no samples" not in await is_plain_text(response)
    del service.registry._collector_to_names[broken]
    text = await (await client.get("/metrics")).text()
    assert value(text, "promhttp_metric_handler_requests_total", code="500") == 1


async def test_telemetry_path_can_be_chosen(connect):
    client = await connect(telemetry_path="/own")
    assert (await client.get("/own")).status == 200
    assert (await client.get("/metrics")).status == 404


async def test_telemetry_at_the_root_replaces_the_landing_page(connect):
    client = await connect(telemetry_path="/")
    assert (await client.get("/")).content_type == "text/plain"


@pytest.mark.parametrize(
    "path", ["", "metrics", "/echo", "/-/healthy", "/static/style.css", "/{x}", "/a b", "/a?b"]
)
async def test_telemetry_path_that_cannot_be_is_refused(connect, path):
    with pytest.raises(ConfigError, match=r"--web\.telemetry-path="):
        await connect(telemetry_path=path)


async def test_config_is_the_masked_yaml_as_text(client):
    response = await client.get("/config")
    assert response.status == 200
    assert await is_plain_text(response) == "community: <secret>\n"


async def test_config_is_written_beside_the_event_loop(connect, service):
    def running_config() -> str:
        return threading.current_thread().name

    client = await connect(replace(service, running_config=running_config))
    text = await (await client.get("/config")).text()
    assert text != threading.current_thread().name


async def test_healthy(client, tiny):
    tiny.not_ready = "loading"
    response = await client.get("/-/healthy")
    assert response.status == 200
    assert await is_plain_text(response) == "Healthy\n"


async def test_ready_tells_the_reason_while_it_is_not(client, tiny):
    assert (await client.get("/-/ready")).status == 200
    tiny.not_ready = "loading modules"
    response = await client.get("/-/ready")
    assert response.status == 503
    assert await is_plain_text(response) == "loading modules\n"


async def test_reload_by_post(client, tiny):
    response = await client.post("/-/reload")
    assert response.status == 200
    assert tiny.reloads == 1


async def test_reload_that_is_refused_tells_every_problem(client, tiny):
    tiny.reload_error = ConfigError(
        (Problem("is no module", "use if_mib", "snmp.yml", 3, "modules.x"), Problem("also wrong"))
    )
    response = await client.post("/-/reload")
    assert response.status == 500
    lines = (await is_plain_text(response)).splitlines()
    assert lines[1:] == ["snmp.yml:3: modules.x: is no module; use if_mib", "also wrong"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_reload_by_another_method_is_405(client, tiny, method):
    response = await client.request(method, "/-/reload")
    assert response.status == 405
    assert response.headers["Allow"] == "POST"
    assert tiny.reloads == 0


async def test_reload_that_a_page_of_another_site_asks_for_is_refused(client, tiny):
    response = await client.post("/-/reload", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status == 403
    assert tiny.reloads == 0
    response = await client.post("/-/reload", headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status == 200


async def test_service_discovery_is_json(connect, with_discovery):
    client = await connect(with_discovery)
    response = await client.get("/sd")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(await response.text()) == [
        {"targets": ["192.0.2.1"], "labels": {"device": "core-sw-01"}}
    ]


async def test_service_discovery_without_targets_is_an_empty_list(connect, service):
    client = await connect(replace(service, discovery=list))
    assert await (await client.get("/sd")).text() == "[]"


async def test_service_discovery_is_absent_where_there_is_none(client):
    assert (await client.get("/sd")).status == 404


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/config", "/-/healthy", "/-/ready", "/echo", "/static/style.css"]
)
async def test_head_has_the_headers_of_get_and_no_body(client, path):
    get = await client.get(path)
    head = await client.head(path)
    assert head.status == get.status == 200
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert await head.read() == b""
    if path != "/metrics":  # whose length changes with its own counters
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


async def test_unknown_address_is_404_in_plain_words(client):
    response = await client.get("/<script>alert(1)</script>")
    assert response.status == 404
    assert "script" not in await is_plain_text(response)


async def test_wrong_method_is_405_and_tells_the_right_ones(client):
    response = await client.post("/echo")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert "POST" in await is_plain_text(response)


@pytest.mark.parametrize(
    ("failure", "status", "text"),
    [
        ("bad", 400, "Unknown module '<script>'\n"),
        ("forbidden", 403, "target 192.0.2.1 is not allowed\n"),
        ("target", 500, "192.0.2.1:161 did not answer (timeout)\n"),
        ("teapot", 429, "slow down\n"),
    ],
)
async def test_error_of_the_exporter_is_told_as_text(client, failure, status, text):
    response = await client.get("/fail", params={"with": failure})
    assert response.status == status
    assert await is_plain_text(response) == text


async def test_headers_of_a_raised_response_are_kept(client):
    response = await client.get("/fail", params={"with": "teapot"})
    assert response.headers["Retry-After"] == "3"
    response = await client.get("/fail", params={"with": "redirect"}, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/elsewhere")


async def test_unforeseen_error_is_logged_once_and_not_shown(client, caplog):
    response = await client.get("/fail", params={"with": "surprise"})
    assert response.status == 500
    text = await is_plain_text(response)
    assert "secret" not in text
    assert "Traceback" not in text
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is not None
    assert record.fields["path"] == "/fail"


async def test_every_answer_forbids_sniffing_and_hides_the_library(client):
    for path in ("/", "/metrics", "/config", "/nowhere", "/fail?with=bad"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] == "netexporters"


async def test_lifespan_surrounds_the_serving(connect, service, tiny):
    client = await connect()
    assert tiny.events == ["entered"]
    await client.close()
    assert tiny.events == ["entered", "left"]
