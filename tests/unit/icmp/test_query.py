"""The query of /probe: the checks of blackbox_exporter, in its order, and the time that is left."""

from __future__ import annotations

import pytest
from multidict import MultiDict

from exporters.config.icmp_config import load_icmp_config
from exporters.errors import BadRequest
from exporters.icmp.query import UnknownModule, WrongTimeout, probe_timeout, read_query


@pytest.fixture
def modules(tmp_path):
    path = tmp_path / "icmp.yml"
    path.write_text("modules: {icmp: {prober: icmp}, slow: {prober: icmp, timeout: 5s}, "
                    "web: {prober: http}}")  # fmt: skip
    return load_icmp_config([path], environment={}).modules


@pytest.fixture
def read(modules):
    def read(header="", **parameters):
        return read_query(MultiDict(parameters), header, modules=modules, offset_seconds=0.5)

    return read


# module, header, offset, seconds: the table of the peer's own tests
@pytest.mark.parametrize(
    ("module", "header", "offset", "seconds"),
    [
        (0, "15", 0.5, 14.5),
        (0, "15", 0, 15),
        (20, "15", 0.5, 14.5),
        (5, "15", 0.5, 5),
        (10, "", 0.5, 10),
        (10, "10", 0.5, 9.5),
        (9.5, "", 0.5, 9.5),
        (9.5, "", 1, 9.5),
        (0, "", 0.5, 119.5),
        (0, "", 0, 120),
        (0, "1", 0.5, 0.5),
        (0, "0", 0.5, 119.5),
        (0, "1.5e1", 0.5, 14.5),
    ],
)
def test_probe_takes_its_modules_time_or_what_prometheus_leaves(module, header, offset, seconds):
    assert probe_timeout(header, module, offset) == seconds


@pytest.mark.parametrize(
    ("module", "header", "offset", "seconds"),
    [(0, "0.4", 0.5, 0.2), (5, "0.4", 0.5, 0.2), (5, "0.5", 0.5, 0.25), (0.1, "0.4", 0.5, 0.1)],
)
def test_probe_is_over_before_prometheus_hangs_up_even_if_that_is_soon(
    module, header, offset, seconds
):
    assert probe_timeout(header, module, offset) == seconds


@pytest.mark.parametrize("header", ["abc", "1s", "nan", "inf", "-inf", " ", "0x1p3"])
def test_time_that_is_no_number_is_refused(header, read):
    with pytest.raises(WrongTimeout, match=r"^Failed to parse timeout from Prometheus header: "):
        read(header, target="a")


def test_query_has_what_was_asked_for(read, modules):
    query = read("10", target="switch", module="slow", debug="true", hostname="x")
    assert (query.target, query.module_name, query.module) == ("switch", "slow", modules["slow"])
    assert (query.timeout_seconds, query.count, query.debug) == (5, 1, True)
    assert not query.statistics


@pytest.mark.parametrize("debug", ["", "1", "True", "false"])
def test_debug_is_asked_for_with_true_alone(read, debug):
    assert not read(target="a", debug=debug).debug


@pytest.mark.parametrize("module", [{}, {"module": ""}])
def test_module_is_icmp_where_none_is_named(read, module):
    assert read(target="a", **module).module_name == "icmp"


def test_of_a_parameter_that_comes_twice_the_first_counts(modules):
    parameters = MultiDict([("target", "a"), ("target", "b"), ("module", "slow"), ("module", "x")])
    query = read_query(parameters, "", modules=modules, offset_seconds=0.5)
    assert (query.target, query.module_name) == ("a", "slow")


@pytest.mark.parametrize(
    ("header", "parameters", "error", "words"),
    [
        ("abc", {"module": "none"}, UnknownModule, 'Unknown module "none"'),
        ("abc", {}, WrongTimeout, "Failed to parse timeout"),
        ("", {"module": "web"}, BadRequest, "Target parameter is missing"),
        ("", {"target": ""}, BadRequest, "Target parameter is missing"),
        ("", {"module": "web", "target": "a"}, BadRequest, 'Unknown prober "http"'),
    ],
)
def test_checks_come_in_the_peers_order(read, header, parameters, error, words):
    with pytest.raises(error, match=words):
        read(header, **parameters)


@pytest.mark.parametrize(
    ("target", "decoded"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("a%2Eb", "a.b"),
        ("%31%30.0.0.1", "10.0.0.1"),
        ("a+b", "a b"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fe80::1%25eth0", "fe80::1%eth0"),
        ("100%", "100%"),
        ("a%2", "a%2"),
    ],
)
def test_target_is_decoded_a_second_time_where_that_can_be(read, target, decoded):
    assert read(target=target).target == decoded


@pytest.mark.parametrize(
    ("parameters", "count", "interval"),
    [
        ({"count": "5"}, 5, 0.2),
        ({"interval": "1s"}, 1, 1),
        ({"count": "100", "interval": "10ms"}, 100, 0.01),
    ],
)
def test_several_pings_may_be_asked_for(read, parameters, count, interval):
    query = read(target="a", **parameters)
    assert (query.count, query.interval_seconds, query.statistics) == (count, interval, True)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"count": "0"}, "'count' parameter: '0' is not a number from 1 to 100"),
        ({"count": "101"}, "'count' parameter: '101' is not"),
        ({"count": "-1"}, "'count' parameter"),
        ({"count": "many"}, "'count' parameter"),
        ({"count": "9" * 5000}, "'count' parameter"),
        ({"interval": "1"}, "'interval' parameter: '1' is not a duration"),
        ({"interval": "9ms"}, "'interval' parameter: 9ms is less than 10ms"),
        ({"interval": "-1s"}, "'interval' parameter: -1s is less than 10ms"),
        ({"count": "6", "interval": "1s", "module": "slow"}, "6 pings every 1s do not fit into 5s"),
    ],
)
def test_pings_that_cannot_be_are_refused(read, parameters, words):
    with pytest.raises(BadRequest, match=words):
        read(target="a", **parameters)


def test_pings_that_just_fit_are_sent(read):
    assert read("6", target="a", count="6", interval="1s").count == 6
