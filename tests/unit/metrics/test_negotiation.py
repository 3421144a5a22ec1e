"""Which text format an Accept header gets."""

from __future__ import annotations

import pytest

from exporters.metrics.negotiation import TextFormat, negotiate_text_format, parse_preferences

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2_WITH_PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
    "application/openmetrics-text;version=1.0.0;q=0.8,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        PROMETHEUS_3,
        PROMETHEUS_2_WITH_PROTOBUF,
        "application/openmetrics-text",
        "application/openmetrics-text; version=1.0.0",
        'Application/OpenMetrics-Text; Version="1.0.0"',
        "text/plain;version=0.0.4;q=0.5, application/openmetrics-text;version=1.0.0;q=0.6",
        "text/plain;q=0, application/openmetrics-text;q=0.1",
        "application/openmetrics-text;version=1.0.0;q=high, text/plain;q=0.9",
    ],
)
def test_openmetrics_is_for_who_ranks_it_first(accept):
    assert negotiate_text_format(accept) is TextFormat.OPENMETRICS


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        CHROME,
        "text/plain;version=0.0.4",
        "text/plain;version=0.0.4;escaping=underscores, application/openmetrics-text;q=0.9",
        "text/*;q=0.9, application/openmetrics-text;q=0.8",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;version=0.0.1",
        "application/json",
        ";;;,,,q=,=;",
        "application/openmetrics-text;q=0.4, text/plain;q=0.5",
    ],
)
def test_the_classic_format_is_for_everybody_else(accept):
    assert negotiate_text_format(accept) is TextFormat.PROMETHEUS


def test_content_types_name_version_and_charset():
    assert TextFormat.PROMETHEUS.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert (
        TextFormat.OPENMETRICS.content_type
        == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    )


def test_preferences_of_equal_quality_keep_their_order():
    parsed = parse_preferences("b;q=0.5, a, c;q=0.5, d;q=0, e;q=nan, f;q=7")
    assert [preference.value for preference in parsed] == ["a", "e", "f", "b", "c", "d"]
