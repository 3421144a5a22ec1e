"""snmpsim's variation module ``numeric``: a value that is computed from the time.

A row ``OID|65:numeric|initial=100,rate=20`` serves 100 at the agent's start and grows by 20 a
second. This is the arithmetic alone, one value at a time; who keeps the clock and the last value
is ``exporters.demo.computed_rows``.

The options, all optional, as snmpsim documents them::

    rate        units a second, default 1          initial    value at the start, default min
    function    of the math module, with arguments after "%": pow%<time>%2; default the time
    scale       factor of the function's result    offset     added to the result
    deviation   random addition of up to +-this    min, max   bounds; default 0 and the type's own
    wrap        start again at min instead of staying at max
    cumulative  add each result to the value served last
    atime       the time is that of the epoch and not of the agent's start

Source: snmpsim's user guide, "Variation modules: numeric".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from exporters.wire.tags import COUNTER32, COUNTER64, GAUGE32, INTEGER, TIME_TICKS, UINTEGER32

_TIME: Final = "<time>"
_FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = MappingProxyType(
    {
        name: getattr(math, name)
        for name in (
            *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
            *("exp", "log", "log10", "sqrt", "pow", "fabs", "floor", "ceil", "fmod", "hypot"),
            *("degrees", "radians"),
        )
    }
)
_NUMBERS: Final = frozenset({"rate", "initial", "scale", "offset", "deviation", "min", "max"})
_FLAGS: Final = frozenset({"wrap", "cumulative", "atime"})

UNSIGNED32_TAGS: Final = frozenset({COUNTER32, GAUGE32, TIME_TICKS, UINTEGER32})


def integer_range(tag: int) -> tuple[int, int]:
    """Give the smallest and the largest value of an integer type (RFC 2578 s7.1).

    Raises:
        ValueError: The tag is not that of an integer.
    """
    if tag == INTEGER:
        return -(2**31), 2**31 - 1
    if tag in UNSIGNED32_TAGS:
        return 0, 2**32 - 1
    if tag == COUNTER64:
        return 0, 2**64 - 1
    raise ValueError(f"tag {tag} is not that of an integer")


@dataclass(frozen=True, slots=True)
class Numeric:
    """The options of one row, checked."""

    tag: int
    minimum: float
    maximum: float
    initial: float
    rate: float = 1.0
    scale: float = 1.0
    offset: float = 0.0
    deviation: float = 0.0
    function: str = ""
    arguments: tuple[float | None, ...] = (None,)  # None stands for the time
    wrap: bool = False
    cumulative: bool = False
    atime: bool = False

    @classmethod
    def parse(cls, tag: int, text: str) -> Numeric:
        """Parse an option list such as ``initial=100,rate=20,wrap=1``.

        Raises:
            ValueError: The tag is no integer's, an option is unknown or its value no number.
        """
        lowest, highest = integer_range(tag)
        options = parse_options(text)
        if unknown := options.keys() - _NUMBERS - _FLAGS - {"function"}:
            raise ValueError(f"numeric has no option {min(unknown)!r}")
        numbers = {name: _number(name, options[name]) for name in _NUMBERS & options.keys()}
        minimum = numbers.pop("min", 0.0)
        maximum = numbers.pop("max", float(highest))
        if minimum > maximum:
            raise ValueError(f"min={minimum:g} is above max={maximum:g}")
        function, arguments = _parse_function(options.get("function", ""))
        # snmpsim asks whether a flag is there, not what it is set to
        flags = {name: name in options for name in _FLAGS}
        return cls(
            tag=tag,
            minimum=max(minimum, lowest),
            maximum=min(maximum, highest),
            initial=numbers.pop("initial", minimum),
            function=function,
            arguments=arguments,
            wrap=flags["wrap"],
            cumulative=flags["cumulative"],
            atime=flags["atime"],
            **numbers,
        )

    def value(self, now: Moment, last: tuple[float, Moment] | None, random: Random) -> float:
        """Compute the value of one moment.

        Args:
            now: The moment.
            last: What this method gave before and when, for rows with ``cumulative``.
            random: Where the deviation comes from.
        """
        before, then = last or (self.initial, Moment(0.0, 0.0))
        value = self._apply((now.epoch if self.atime else now.elapsed) * self.rate) * self.scale
        if self.cumulative:
            value += self.offset * (now.elapsed - then.elapsed) * self.rate
        else:
            value += self.offset
        if self.deviation:
            value += random.uniform(-self.deviation, self.deviation)
        if self.cumulative:
            value = max(value, 0.0) + before
        else:
            value += self.initial
        if not math.isfinite(value):  # options can be chosen so; what is served must be a number
            return self.minimum
        if value > self.maximum and self.wrap and self.maximum > 0:
            value = value % self.maximum + self.minimum
        return min(max(value, self.minimum), self.maximum)

    def _apply(self, time: float) -> float:
        if not self.function:
            return time
        arguments = [time if argument is None else argument for argument in self.arguments]
        try:
            return _FUNCTIONS[self.function](*arguments)
        except (OverflowError, ValueError):
            return 0.0  # where the function is not defined, such as log at the first instant


class Computed(Protocol):
    """A value that is computed when it is asked for; ``Numeric`` is one."""

    def value(self, now: Moment, last: tuple[float, Moment] | None, random: Random) -> float:
        """Compute the value of one moment; the arguments are those of ``Numeric.value``."""


class Moment(NamedTuple):
    """Seconds since the agent's start, and since 1970."""

    elapsed: float
    epoch: float


def parse_options(text: str) -> dict[str, str]:
    """Parse ``name=value,name=value``; a name alone stands for an empty value."""
    pairs = (option.partition("=") for option in text.split(",") if option.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _parse_function(text: str) -> tuple[str, tuple[float | None, ...]]:
    name, *texts = text.split("%")
    if not name:
        return "", (None,)
    if name not in _FUNCTIONS:
        raise ValueError(f"{name!r} is not a function that numeric offers")
    arguments = tuple(None if text == _TIME else _number(name, text) for text in texts) or (None,)
    try:
        # Whether it is defined at 1 does not matter, only whether it takes so many arguments.
        with suppress(OverflowError, ValueError):
            _FUNCTIONS[name](*(1.0 if argument is None else argument for argument in arguments))
    except TypeError as error:
        raise ValueError(
            f"{name} takes another number of arguments than {len(arguments)}"
        ) from error
    return name, arguments


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name}={text} is not a number")
    return number
