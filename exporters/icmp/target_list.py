"""The list of targets on the landing page: what is looked for, in which order, and what it says.

Of each target: its state, loss and times of its window, and a small chart. Thousands of targets are
read in turns, so that pings go out meanwhile; charts are drawn for those that are shown.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2s
from typing import Final
from urllib.parse import urlencode

from exporters.icmp.history import RttWindow
from exporters.icmp.smoke_chart import columns_of, smoke_chart
from exporters.icmp.target import Target
from exporters.web.markup import Html, element, join
from exporters.wording import counted

TARGET_PATH: Final = "/target"

_TARGETS_A_TURN: Final = 200
_ROWS_A_PAGE: Final = 50
_DOWN_AFTER_LOSSES: Final = 3
_CHART_COLUMNS: Final = 60
_CHARTED_PINGS: Final = 300


class State(Enum):
    """What a target is like now, the worst first."""

    DOWN = ("down", "bad")
    NO_ADDRESS = ("no address", "bad")
    LOSSY = ("losing", "bad")
    WAITING = ("waiting", "hint")
    UP = ("up", "good")

    def __init__(self, text: str, style: str) -> None:
        self.text = text
        self.style = style

    @property
    def place(self) -> int:
        """Its place in the order, 0 for the worst."""
        return _ORDER.index(self)


_ORDER: Final = tuple(State)


@dataclass(frozen=True, slots=True)
class Row:
    """One target and what its window says."""

    target: Target
    state: State
    window: RttWindow

    @property
    def loss(self) -> float:
        """The share of the window's pings that was lost."""
        return self.window.lost / self.window.pings if self.window.pings else 0.0


_SORTS: Final[Mapping[str, Callable[[Row], object]]] = {
    "state": lambda row: (row.state.place, -row.loss, row.target.key),
    "name": lambda row: row.target.key,
    "loss": lambda row: (-row.loss, row.target.key),
    "time": lambda row: (-(row.window.mean or 0.0), row.target.key),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see."""

    text: str = ""
    state: State | None = None
    sort: str = "state"
    page: int = 1

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> Wish:
        """Read a query; what it says wrongly counts as not said."""
        state = next((state for state in State if state.text == query.get("state")), None)
        sort = query.get("sort", "")
        page = query.get("page", "")
        return cls(
            query.get("q", "").strip(),
            state,
            sort if sort in _SORTS else "state",
            max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 8 else 1,
        )

    def link(self, *, page: int) -> str:
        """Give the address of another page of the same list."""
        fields = {"q": self.text, "state": self.state.text if self.state else "", "sort": self.sort}
        return "./?" + urlencode({**{k: v for k, v in fields.items() if v}, "page": page})

    def wants(self, row: Row) -> bool:
        """Whether *row* is what is looked for: every word stands in one of its labels."""
        if self.state is not None and row.state is not self.state:
            return False
        labels = " ".join(value for _, value in row.target.key).lower()
        return all(word in labels for word in self.text.lower().split())


def target_id(target: Target) -> str:
    """Give what stands for a target in addresses: the same for as long as its labels are."""
    return blake2s(repr(target.key).encode(), digest_size=8).hexdigest()


def read_row(target: Target) -> Row:
    """Read how a target is doing."""
    account = target.account
    window = account.history.window(target.settings.window, account.in_flight)
    return Row(target, _state(target, window), window)


async def render_list(targets: Iterable[Target], query: Mapping[str, str]) -> Html:
    """Draw the list that *query* asks for."""
    wish = Wish.of_query(query)
    every: list[Row] = []
    for number, target in enumerate(list(targets), 1):
        every.append(read_row(target))
        if number % _TARGETS_A_TURN == 0:
            await asyncio.sleep(0)
    rows = sorted(filter(wish.wants, every), key=_SORTS[wish.sort])  # type: ignore[arg-type]
    pages = max(math.ceil(len(rows) / _ROWS_A_PAGE), 1)
    page = min(wish.page, pages)
    shown = rows[(page - 1) * _ROWS_A_PAGE : page * _ROWS_A_PAGE]
    return join(
        element("h2", "Targets", id="targets"),
        element("p", _summary(every)),
        _search(wish),
        _table(shown) if shown else element("p", "No target is like that."),
        _turns(wish, page, pages) if pages > 1 else "",
    )


def headings(*titles: str) -> Html:
    """Write the headings of a table's columns; that of a column of numbers ends in a bar."""
    return element(
        "tr",
        *(
            element(
                "th",
                title.removesuffix("|"),
                scope="col",
                class_="number" if title.endswith("|") else None,
            )
            for title in titles
        ),
    )


def percent(share: float) -> str:
    """Write a share so that little is not nothing."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")


def milliseconds(seconds: float | None) -> str:
    """Write a time with three digits that count; a dash for none."""
    if seconds is None:
        return "–"
    value = seconds * 1000
    return f"{value:.{max(0, 2 - math.floor(math.log10(max(value, 0.01))))}f} ms"


def _state(target: Target, window: RttWindow) -> State:
    account = target.account
    if target.address is None:
        return State.NO_ADDRESS
    if not account.replies and not any(account.lost):
        return State.WAITING
    if account.consecutive_losses >= _DOWN_AFTER_LOSSES:
        return State.DOWN
    return State.LOSSY if window.lost else State.UP


def _summary(rows: Sequence[Row]) -> str:
    if not rows:
        return "Nothing is pinged all the time: no group of the configuration has hosts."
    counts = [
        f"{count} {state.text}" for state in State if (count := sum(r.state is state for r in rows))
    ]
    return f"{counted(len(rows), 'target')}: {', '.join(counts)}."


def _search(wish: Wish) -> Html:
    states = [
        element("option", "any", value=""),
        *(
            element("option", state.text, value=state.text, selected=state is wish.state)
            for state in State
        ),
    ]
    sorts = [element("option", sort, value=sort, selected=sort == wish.sort) for sort in _SORTS]
    return element(
        "form",
        _field("targets-q", "Find", element("input", id="targets-q", name="q", value=wish.text)),
        _field(
            "targets-state", "State", element("select", *states, id="targets-state", name="state")
        ),
        _field("targets-sort", "Order", element("select", *sorts, id="targets-sort", name="sort")),
        element("div", element("button", "Show", type="submit"), class_="actions"),
        action="./",
        method="get",
        aria_labelledby="targets",
    )


def _field(field_id: str, label: str, control: Html) -> Html:
    return element("div", element("label", label, for_=field_id), control)


def _table(rows: Sequence[Row]) -> Html:
    heading = headings("State", "Target", "Group", "Loss|", "Mean time|", "Last pings")
    body = element("tbody", *map(_table_row, rows))
    return element(
        "div", element("table", element("thead", heading), body, class_="targets"), class_="table"
    )


def _table_row(row: Row) -> Html:
    labels = dict(row.target.key)
    link = f"target?id={target_id(row.target)}"
    name = element("a", labels["device"], href=link)
    addresses = dict.fromkeys(labels[key] for key in ("host", "ip") if labels[key])
    details = [address for address in addresses if address != labels["device"]]
    details += [f"{key.upper()} {labels[key]}" for key in ("dscp", "tos") if key in labels]
    return element(
        "tr",
        element("td", element("strong", row.state.text, class_=row.state.style)),
        element("td", name, element("span", " ".join(details), class_="hint") if details else ""),
        element("td", labels["group"]),
        element("td", percent(row.loss), class_="number"),
        element("td", milliseconds(row.window.mean), class_="number"),
        element("td", chart(row.target, width=180, height=36)),
    )


def chart(target: Target, *, width: int, height: int, columns: int = _CHART_COLUMNS) -> Html:
    """Draw the last pings of a target."""
    outcomes = target.account.history.last(_CHARTED_PINGS)
    drawn = columns_of(outcomes, columns)
    lost = sum(column.lost for column in drawn)
    label = f"the last {len(outcomes)} pings, {lost} of them lost"
    return smoke_chart(drawn, width=width, height=height, label=label)


def _turns(wish: Wish, page: int, pages: int) -> Html:
    """Links to the pages before and after."""
    return element(
        "nav",
        element("a", "Previous", href=wish.link(page=page - 1)) if page > 1 else "",
        f" Page {page} of {pages} ",
        element("a", "Next", href=wish.link(page=page + 1)) if page < pages else "",
        aria_label="Pages",
    )
