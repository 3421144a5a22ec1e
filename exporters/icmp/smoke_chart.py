"""A smoke chart as inline SVG: how round-trip times spread, and what was lost, ping by ping.

It has four paths, each of many small pieces, so that a page of a hundred charts stays small:

* ``smoke``: from the shortest to the longest time of a column of pings.
* ``core``: the middle half of the times; ``middle``: their median.
* ``loss``: a bar from the top, as long as the share that was lost.

Colours are the stylesheet's. Time runs to the right; the scale is the chart's own and linear from
zero, with room for all but the rarest times.

Source: smokeping's graphs, for the idea.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exporters.icmp.history import loss_reason
from exporters.web.markup import Html, element

_SCALE_SHARE: Final = 0.98
"""The share of the times that the scale has room for."""
_LEAST_SECONDS: Final = 50e-6


@dataclass(frozen=True, slots=True)
class Column:
    """Some pings in a row: their times in ascending order, and how many had no reply."""

    times: tuple[float, ...]
    lost: int

    @property
    def loss(self) -> float:
        """The share that was lost."""
        return self.lost / (self.lost + len(self.times)) if self.lost else 0.0

    def quantile(self, share: float) -> float:
        """Give the time that *share* of the pings stayed within."""
        return self.times[min(int(share * len(self.times)), len(self.times) - 1)]


def columns_of(outcomes: Sequence[float], count: int) -> list[Column]:
    """Put the outcomes of a history into at most *count* columns of as many pings each."""
    width = max(-(-len(outcomes) // count), 1)
    return [_column(outcomes[start : start + width]) for start in range(0, len(outcomes), width)]


def top_of_scale(columns: Sequence[Column]) -> float:
    """Give the time at the top of a chart of these columns, in seconds."""
    times = sorted(time for column in columns for time in column.times)
    if not times:
        return _LEAST_SECONDS
    return max(times[min(int(_SCALE_SHARE * len(times)), len(times) - 1)] * 1.1, _LEAST_SECONDS)


def smoke_chart(columns: Sequence[Column], *, width: int, height: int, label: str) -> Html:
    """Draw a chart of *width* by *height*; *label* says in words what it shows."""
    step = width / max(len(columns), 1)
    top = top_of_scale(columns)

    def y(seconds: float) -> float:
        return height * (1 - min(seconds / top, 1.0))

    smoke, core, middle, loss = [], [], [], []
    for place, column in enumerate(columns):
        x = place * step
        if column.times:
            smoke.append(_bar(x, step, y(column.times[-1]), y(column.times[0])))
            core.append(_bar(x, step, y(column.quantile(0.75)), y(column.quantile(0.25))))
            middle.append(f"M{x:.1f} {y(column.quantile(0.5)):.1f}h{step:.1f}")
        if column.lost:
            loss.append(_bar(x, step, 0, height * column.loss))
    paths = (("loss", loss), ("smoke", smoke), ("core", core), ("middle", middle))
    return element(
        "svg",
        *(element("path", d="".join(pieces), class_=name) for name, pieces in paths if pieces),
        class_="chart",
        viewBox=f"0 0 {width} {height}",
        width=str(width),
        height=str(height),
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )


def _column(outcomes: Sequence[float]) -> Column:
    times = sorted(_times(outcomes))
    lost = sum(loss_reason(outcome) is not None for outcome in outcomes)
    return Column(tuple(times), lost)


def _times(outcomes: Sequence[float]) -> Iterator[float]:
    return (outcome for outcome in outcomes if outcome >= 0)


def _bar(x: float, width: float, upper: float, lower: float) -> str:
    """A filled rectangle, at least a hair high."""
    return f"M{x:.1f} {upper:.1f}h{width:.1f}v{max(lower - upper, 0.5):.1f}h-{width:.1f}z"
