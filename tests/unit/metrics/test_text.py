from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from exporters.metrics.negotiation import TextFormat
from exporters.metrics.text import (
    OPENMETRICS_END,
    FamilyType,
    escape_help,
    escape_label_value,
    family_header,
    format_value,
    is_label_name,
    is_metric_name,
    label_text,
)

settings.register_profile("metrics_text", deadline=None)
settings.load_profile("metrics_text")

_FORMATS = st.sampled_from(TextFormat)
_NASTY = st.text(alphabet='\\"\nn ab{}=,#', max_size=12) | st.text(max_size=12)


def parse(text: str, text_format: TextFormat) -> list[Metric]:
    """What prometheus_client makes of an exposition."""
    if text_format is TextFormat.OPENMETRICS:
        return list(parse_openmetrics(text + OPENMETRICS_END))
    return list(parse_prometheus(text))


@given(_FORMATS, st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), _NASTY, max_size=4))
def test_label_values_are_read_back(text_format: TextFormat, labels: dict[str, str]) -> None:
    header = family_header("m", FamilyType.GAUGE, "h", text_format)

    (family,) = parse(f"{header}m{label_text(labels.items())} 1\n", text_format)

    assert family.samples[0].labels == labels


@given(_FORMATS, _NASTY.filter(lambda text: text == text.strip() and text))
def test_help_is_read_back(text_format: TextFormat, help_text: str) -> None:
    header = family_header("m", FamilyType.GAUGE, help_text, text_format)

    (family,) = parse(f"{header}m 1\n", text_format)

    assert family.documentation == help_text


@pytest.mark.peer("promtool", "prometheus")
def test_prometheus_itself_takes_the_text() -> None:
    values = [0, -1, (1 << 64) - 1, 0.1, 1e300, 5e-324, -0.0, math.inf, -math.inf, math.nan]
    texts = [
        "",
        " ",
        '"',
        "\\",
        "\n",
        "\\n",
        '\\"\n',
        '{a="b"} 1',
        "\0\a\r\t",
        "\u2028",
        "서울",
        "\ufffd",
    ]
    lines = [family_header("m", FamilyType.GAUGE, 'a "b" \\ \n c', TextFormat.PROMETHEUS)]
    lines += [f"m{label_text([('text', text)])} 1\n" for text in texts]
    lines += [f"m{label_text([('n', str(n))])} {format_value(v)}\n" for n, v in enumerate(values)]

    checked = subprocess.run(
        ["promtool", "check", "metrics"], input="".join(lines).encode(), capture_output=True
    )

    assert checked.stderr == b""
    assert checked.returncode == 0


@given(st.text())
def test_escaped_text_stays_on_its_line_and_between_its_quotes(value: str) -> None:
    escaped = escape_label_value(value)

    assert "\n" not in escaped
    assert '"' not in escaped.replace("\\\\", "").replace('\\"', "")


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("plain", "plain"),
        ("", ""),
        ('say "hi"', r"say \"hi\""),
        ("a\\b", r"a\\b"),
        ("two\nlines", r"two\nlines"),
        ('\\n"\n', r"\\n\"\n"),
        ("carriage\rreturn", "carriage\rreturn"),
    ],
    ids=["plain", "empty", "quote", "backslash", "line-feed", "all", "carriage-return-stays"],
)
def test_label_value_is_escaped(value: str, escaped: str) -> None:
    assert escape_label_value(value) == escaped
    assert label_text([("l", value)]) == f'{{l="{escaped}"}}'


def test_help_escapes_the_quote_in_openmetrics_only() -> None:
    assert escape_help('a "b" \\ \n', TextFormat.PROMETHEUS) == r'a "b" \\ \n'
    assert escape_help('a "b" \\ \n', TextFormat.OPENMETRICS) == r"a \"b\" \\ \n"


def test_label_set_keeps_its_order_and_is_nothing_when_empty() -> None:
    assert label_text([("b", "1"), ("a", "2")]) == '{b="1",a="2"}'
    assert label_text([]) == ""
    assert label_text(iter([("a", "1")])) == '{a="1"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-2, "-2"),
        (4294967295, "4294967295"),
        ((1 << 53) + 1, "9007199254740993"),
        (18446744073709551615, "18446744073709551615"),
        (True, "1"),
        (42.0, "42"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (19007199254740992.0, "1.900719925474099e+16"),
        (1e22, "1e+22"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_number_is_written(value: int | float, text: str) -> None:
    assert format_value(value) == text


@given(st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(), _FORMATS)
def test_numbers_are_read_back_as_the_same_float64(
    value: int | float, text_format: TextFormat
) -> None:
    header = family_header("m", FamilyType.GAUGE, "", text_format)

    (family,) = parse(f"{header}m {format_value(value)}\n", text_format)

    found = float(family.samples[0].value)
    assert found == float(value) or (math.isnan(found) and math.isnan(value))


@pytest.mark.parametrize(
    ("family_type", "text_format", "name", "header"),
    [
        ("counter", "PROMETHEUS", "ifInOctets", "# HELP ifInOctets h\n# TYPE ifInOctets counter\n"),
        (
            "counter",
            "OPENMETRICS",
            "ifInOctets",
            "# HELP ifInOctets h\n# TYPE ifInOctets unknown\n",
        ),
        ("counter", "PROMETHEUS", "x_total", "# HELP x_total h\n# TYPE x_total counter\n"),
        ("counter", "OPENMETRICS", "x_total", "# HELP x h\n# TYPE x counter\n"),
        ("gauge", "OPENMETRICS", "x", "# HELP x h\n# TYPE x gauge\n"),
        ("gauge", "OPENMETRICS", "x_total", "# HELP x_total h\n# TYPE x_total gauge\n"),
        ("untyped", "PROMETHEUS", "x", "# HELP x h\n# TYPE x untyped\n"),
        ("untyped", "OPENMETRICS", "x", "# HELP x h\n# TYPE x unknown\n"),
        ("histogram", "OPENMETRICS", "x", "# HELP x h\n# TYPE x histogram\n"),
    ],
)
def test_family_header(family_type: str, text_format: str, name: str, header: str) -> None:
    found = family_header(name, FamilyType(family_type), "h", TextFormat[text_format])

    assert found == header


def test_family_without_help_has_no_help_line() -> None:
    header = family_header("x", FamilyType.GAUGE, "", TextFormat.PROMETHEUS)

    assert header == "# TYPE x gauge\n"


@pytest.mark.parametrize(
    "name", ["ifInOctets", "x_total", "ifType_info", "x_created", "x_count", "x_sum", "x_bucket"]
)
@pytest.mark.parametrize("family_type", ["counter", "gauge", "untyped"])
def test_openmetrics_takes_every_name_unchanged(name: str, family_type: str) -> None:
    header = family_header(name, FamilyType(family_type), "h", TextFormat.OPENMETRICS)

    (family,) = parse(f'{header}{name}{{a="b"}} 1\n', TextFormat.OPENMETRICS)

    assert [sample.name for sample in family.samples] == [name]


def test_counter_is_a_counter_for_prometheus_whatever_its_name() -> None:
    header = family_header("ifInOctets", FamilyType.COUNTER, "h", TextFormat.PROMETHEUS)

    (family,) = parse(f"{header}ifInOctets 1\n", TextFormat.PROMETHEUS)

    assert (family.type, family.name) == ("counter", "ifInOctets")


@pytest.mark.parametrize(
    ("accepts", "good", "bad"),
    [
        (is_metric_name, ["a", "A9_", ":rule:", "_x", "__x"], ["9a", "a-b", "", "a b", "é", "a\n"]),
        (is_label_name, ["a", "A9_", "_x"], ["9a", "a-b", "", "a:b", "__name__", "é", "a\n"]),
    ],
    ids=["metric", "label"],
)
def test_names_are_checked(
    accepts: Callable[[str], bool], good: Iterable[str], bad: Iterable[str]
) -> None:
    assert [name for name in good if not accepts(name)] == []
    assert [name for name in bad if accepts(name)] == []
