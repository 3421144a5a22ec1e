"""From the rows that were read to lines of text, one writer for each kind of metric.

Writers are compiled with their module and hold nothing of a scrape; what a scrape has is in its
``Sheet``. They work on whole columns, because a scrape has thousands of rows and little time.

The kinds and their text are snmp_exporter's, so that dashboards stay as they are; where that one
loses data or fails (docs/compatibility.md lists it), the writers do the right thing and count it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isinf
from typing import Final

from exporters.config.snmp_config import Metric, RegexExtract
from exporters.config.snmp_metric import value_label_of
from exporters.config.snmp_rows import Constant
from exporters.metrics.text import FamilyType, escape_label_value, format_value
from exporters.polling.cursor import Value
from exporters.smi.dates import DATE_TYPES, compile_date
from exporters.smi.enumerations import (
    States,
    compile_bits,
    compile_enum_text,
    compile_state_set,
)
from exporters.smi.values import integer, number
from exporters.snmp.label_rewrites import value_rewriter
from exporters.snmp.row_labels import Cells, LabelRecipe, RowSource, ValueText
from exporters.snmp.sheet import LabelledRows, Sheet
from exporters.wire.tags import (
    COUNTER32,
    COUNTER64,
    GAUGE32,
    INTEGER,
    INTEGER_TAGS,
    OPAQUE,
    TIME_TICKS,
    UINTEGER32,
)

NUMERIC_TYPES: Final = frozenset({"gauge", "counter", "Float", "Double"})
_NUMBER_TAGS: Final = INTEGER_TAGS | {OPAQUE}
_UNSIGNED_TAGS: Final = frozenset({COUNTER32, COUNTER64, GAUGE32, TIME_TICKS, UINTEGER32})
_MOST_UNSIGNED_32: Final = (1 << 32) - 1
_EXACT_FLOAT_MASK: Final = (1 << 53) - 1
_MOST_OCTETS: Final = 8
_LINES_PER_STEP: Final = 5_000

# Decimal numbers as Go's ParseFloat reads them: stricter than Python's float(), but for 1_000.
_DIGITS: Final = r"[0-9]+(?:_[0-9]+)*"
_DECIMAL: Final = re.compile(
    rf"[+-]?(?:(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:e[+-]?{_DIGITS})?"
    r"|(inf(?:inity)?)|nan)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Linear:
    """``value * scale + offset``; a scale of 0 means none."""

    scale: float
    offset: float

    def __call__(self, value: int | float) -> int | float:
        if self.scale:
            value = value * self.scale
        return value + self.offset if self.offset else value

    @property
    def changes(self) -> bool:
        """Whether a value becomes another one."""
        return bool(self.scale or self.offset)


class Writer(ABC):
    """Writes the samples of one name."""

    def __init__(self, item: Metric | Constant, cells: RowSource, recipe: LabelRecipe) -> None:
        self.name = item.name
        self.help = item.help
        self.cells = cells
        self.recipe = recipe

    def rows(self, sheet: Sheet) -> LabelledRows:
        """The rows of this metric."""
        return sheet.rows(self.cells, self.recipe)

    @abstractmethod
    def write(self, sheet: Sheet) -> None:
        """Write what the sheet has of this metric."""

    def write_in_steps(self, sheet: Sheet) -> Iterator[None]:
        """Write all at once, which takes few milliseconds for some thousand samples."""
        self.write(sheet)
        yield


class SampleWriter(Writer):
    """Writes the samples of one metric."""

    def __init__(self, metric: Metric, cells: RowSource, recipe: LabelRecipe) -> None:
        super().__init__(metric, cells, recipe)
        self.linear = _Linear(metric.scale, metric.offset)
        self.label = value_label_of(metric) or metric.name
        """The label for what the value says."""
        self.labelled = self.label in recipe.names
        """Whether an index or a lookup has that label."""
        self.rewrite = value_rewriter(recipe.rules, self.label)
        """What rewrites that label, if anything does."""


class ConstantWriter(Writer):
    """The same number for every row."""

    def __init__(self, constant: Constant, cells: RowSource, recipe: LabelRecipe) -> None:
        super().__init__(constant, cells, recipe)
        self._value = format_value(constant.value)

    def write(self, sheet: Sheet) -> None:
        """One sample a row."""
        rows = self.rows(sheet)
        lines = [f"{self.name}{labels} {self._value}\n" for labels in rows.labels]
        sheet.exposition.add(self.name, FamilyType.GAUGE, self.help, lines, unique=rows.unique)


def compile_writer(
    metric: Metric, cells: RowSource, subtype: Cells | None, recipe: LabelRecipe
) -> SampleWriter:
    """Choose and prepare the writer of one metric."""
    if metric.type in NUMERIC_TYPES:
        return NumberWriter(metric, cells, recipe)
    if metric.type in DATE_TYPES:
        return DateWriter(metric, cells, recipe)
    if metric.type == "EnumAsInfo":
        return InfoWriter(metric, cells, recipe)
    if metric.type == "EnumAsStateSet":
        state_set = compile_state_set(metric.enum_values)
        return StatesWriter(metric, cells, recipe, lambda tag, raw: state_set(integer(tag, raw)))
    if metric.type == "Bits":
        return StatesWriter(metric, cells, recipe, compile_bits(metric.enum_values))
    text = ValueText(metric.type, metric.display_hint, subtype=subtype)
    if metric.regex_extracts:
        return ExtractWriter(metric, cells, recipe, text)
    return TextWriter(metric, cells, recipe, text)


class NumberWriter(SampleWriter):
    """Gauges, counters and floats."""

    def __init__(self, metric: Metric, cells: RowSource, recipe: LabelRecipe) -> None:
        super().__init__(metric, cells, recipe)
        self._kind = FamilyType.COUNTER if metric.type == "counter" else FamilyType.GAUGE

    def write(self, sheet: Sheet) -> None:
        """One sample a row: the number that the device sent."""
        rows = self.rows(sheet)
        name = self.name
        numbers = self._numbers(rows.values, sheet)
        lines = [
            f"{name}{labels} {value}\n" for labels, value in zip(rows.labels, numbers, strict=True)
        ]
        sheet.exposition.add(name, self._kind, self.help, lines, unique=rows.unique)

    def _numbers(self, values: Sequence[Value], sheet: Sheet) -> Sequence[int | str]:
        """The number of each value: an int, or the text of what need not be one."""
        linear = self.linear
        wrap = sheet.wrap_counters
        if not linear.changes:
            plain = _plain_numbers(values, wrap_counters=wrap)
            if plain is not None:
                return plain
        sheet.types_unexpected += sum(tag not in _NUMBER_TAGS for tag, _ in values)
        return [format_value(linear(number(tag, raw, wrap_counters=wrap))) for tag, raw in values]


def _plain_numbers(values: Sequence[Value], *, wrap_counters: bool) -> Sequence[int] | None:
    """As ``smi.values.number`` for a column of plain integers; None where a value is none.

    Nearly all columns are such, and this takes a fifth of the time of looking at each value.
    """
    tags = {tag for tag, _ in values}
    raws = [raw for _, raw in values]
    if tags <= _UNSIGNED_TAGS:
        numbers = list(map(int.from_bytes, raws))
        if max(numbers, default=0) <= _MOST_UNSIGNED_32:
            return numbers
        if wrap_counters and tags == {COUNTER64}:
            return [value & _EXACT_FLOAT_MASK for value in numbers]
    elif tags == {INTEGER} and max(map(len, raws)) <= _MOST_OCTETS:
        return [int.from_bytes(raw, signed=True) for raw in raws]
    return None


class DateWriter(SampleWriter):
    """Dates as Unix seconds; what is no date gives no sample and is counted."""

    def __init__(self, metric: Metric, cells: RowSource, recipe: LabelRecipe) -> None:
        super().__init__(metric, cells, recipe)
        self._read = compile_date(metric.type, metric.datetime_pattern)

    def write(self, sheet: Sheet) -> None:
        """One sample a row that holds a date."""
        rows = self.rows(sheet)
        lines = []
        for labels, value in zip(rows.labels, rows.values, strict=True):
            try:
                seconds = self._read(*value)
            except ValueError:
                sheet.values_unreadable += 1
                continue
            lines.append(f"{self.name}{labels} {format_value(self.linear(seconds))}\n")
        sheet.exposition.add(self.name, FamilyType.GAUGE, self.help, lines, unique=rows.unique)


class TextWriter(SampleWriter):
    """Strings: the text is a label named like the metric, the value is 1."""

    def __init__(
        self, metric: Metric, cells: RowSource, recipe: LabelRecipe, text: ValueText
    ) -> None:
        super().__init__(metric, cells, recipe)
        self._text = text
        self._value = format_value(self.linear(1))

    def write(self, sheet: Sheet) -> None:
        """One sample a row; the label is left out where an index or lookup has its name."""
        rows = self.rows(sheet)
        name, value = self.name, self._value
        if self.labelled:
            lines = [f"{name}{labels} {value}\n" for labels in rows.labels]
        else:
            texts = self._text.texts(rows.values, rows.instances, sheet.result.columns)
            if self.rewrite is not None:
                texts = list(map(self.rewrite, texts))
            lines = [
                f"{name}{before}{escape_label_value(text)}{after} {value}\n"
                for text, (before, after) in zip(texts, rows.around(self.label), strict=True)
            ]
        sheet.exposition.add(name, FamilyType.GAUGE, self.help, lines, unique=rows.unique)


class ExtractWriter(SampleWriter):
    """Numbers cut out of strings by patterns, one family for each suffix."""

    def __init__(
        self, metric: Metric, cells: RowSource, recipe: LabelRecipe, text: ValueText
    ) -> None:
        super().__init__(metric, cells, recipe)
        self._text = text
        self._extracts = metric.regex_extracts

    def write(self, sheet: Sheet) -> None:
        """For each suffix, the first pattern that matches and gives a number makes the sample."""
        rows = self.rows(sheet)
        texts = self._text.texts(rows.values, rows.instances, sheet.result.columns)
        for suffix, extracts in self._extracts.items():
            name = self.name + suffix
            lines = []
            for labels, text in zip(rows.labels, texts, strict=True):
                value = _extract(text, extracts)
                if value is not None:
                    lines.append(f"{name}{labels} {format_value(self.linear(value))}\n")
            help_text = f"{self.help} (regex extracted)"
            sheet.exposition.add(name, FamilyType.GAUGE, help_text, lines, unique=rows.unique)


class InfoWriter(SampleWriter):
    """Enumerations as a label of an ``_info`` metric."""

    def __init__(self, metric: Metric, cells: RowSource, recipe: LabelRecipe) -> None:
        super().__init__(metric, cells, recipe)
        name_of, rewrite = compile_enum_text(metric.enum_values), self.rewrite
        self._name_of = name_of if rewrite is None else lambda number: rewrite(name_of(number))

    def write(self, sheet: Sheet) -> None:
        """One sample a row, unless the column is its own index and the label says it already."""
        if self.labelled:
            return
        rows = self.rows(sheet)
        name = f"{self.name}_info"
        lines = [
            f"{name}{before}{escape_label_value(self._name_of(integer(*value)))}{after} 1\n"
            for value, (before, after) in zip(rows.values, rows.around(self.label), strict=True)
        ]
        help_text = f"{self.help} (EnumAsInfo)"
        sheet.exposition.add(name, FamilyType.GAUGE, help_text, lines, unique=rows.unique)


class StatesWriter(SampleWriter):
    """Enumerations and BITS as one sample for each state, 1 where it holds."""

    def __init__(
        self,
        metric: Metric,
        cells: RowSource,
        recipe: LabelRecipe,
        states: Callable[[int, bytes], States],
    ) -> None:
        super().__init__(metric, cells, recipe)
        rewrite = self.rewrite
        self._states = states
        if rewrite is not None:
            self._states = lambda tag, raw: tuple(
                (rewrite(state), holds) for state, holds in states(tag, raw)
            )
        self._help = f"{metric.help} ({metric.type})"

    def write(self, sheet: Sheet) -> None:
        """As many samples a row as there are states; none where the value has no states.

        Nor are there any where the column is its own index, as with ``InfoWriter``.
        """
        for _ in self.write_in_steps(sheet):
            pass

    def write_in_steps(self, sheet: Sheet) -> Iterator[None]:
        """Pause now and then: a column of an enumeration with many names is very many samples."""
        if self.labelled:
            return
        rows = self.rows(sheet)
        name = self.name
        lines: list[str] = []
        pause_at = _LINES_PER_STEP
        for value, (before, after) in zip(rows.values, rows.around(self.label), strict=True):
            if len(lines) >= pause_at:
                pause_at = len(lines) + _LINES_PER_STEP
                yield
            try:
                states = self._states(*value)
            except ValueError:
                sheet.values_unreadable += 1
                continue
            lines.extend(
                f"{name}{before}{escape_label_value(state)}{after} {holds}\n"
                for state, holds in states
            )
        sheet.exposition.add(name, FamilyType.GAUGE, self._help, lines, unique=rows.unique)
        yield


def _extract(text: str, extracts: Sequence[RegexExtract]) -> float | None:
    """The number of the first pattern that matches and gives one."""
    for extract in extracts:
        found = extract.extract(text)
        if found is not None:
            value = _parse_decimal(found)
            if value is not None:
                return value
    return None


def _parse_decimal(text: str) -> float | None:
    """Read a number; None for what is none and, unless it says infinity, for what is too large."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    value = float(text)
    return None if isinf(value) and match[1] is None else value
