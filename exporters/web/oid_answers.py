"""What ``/oid.json`` answers, as plain values: results of a search, an object, the root's children.

The pages of ``exporters.web.oid_content`` say the same. Everything is bounded: results, children,
the length of what is asked for. None of this knows HTTP; it is slow enough to belong in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exporters.smi.dictionary import Child, Dictionary, UnknownNameError
from exporters.smi.mib_description import describe, summarize
from exporters.smi.mib_objects import MibObject
from exporters.wire.ber import Oid, decode_subids, encode_oid, format_oid

MOST_RESULTS = 50
MOST_CHILDREN = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a name or an OID leads."""

    item: MibObject | None
    """None for a number without a name that leads to some that have one."""
    oid: Oid
    """As it was asked for."""
    instance: str
    """What of the OID follows the object, in dotted decimal."""

    @property
    def node(self) -> Oid:
        """The OID of the object, or of the number without a name."""
        return self.oid if self.item is None else self.item.oid


def answer(dictionary: Dictionary, text: str, name: str, start: int) -> tuple[int, dict[str, Any]]:
    """Give a status and what is known.

    Args:
        dictionary: Where to look.
        text: What to search, if anything.
        name: A name or an OID to tell all of, if there is nothing to search.
        start: Which child comes first, where there are more than fit.
    """
    if text:
        return 200, find_results(dictionary, text)
    if not name:
        return 200, {"children": _summaries(dictionary.children())}
    try:
        return 200, _describe_place(dictionary, find_place(dictionary, name), start)
    except UnknownNameError as error:
        return 404, {"error": str(error)}


def find_results(dictionary: Dictionary, text: str) -> dict[str, Any]:
    """Give the objects that *text* finds, in short, and whether there are more."""
    found = dictionary.search(text, limit=MOST_RESULTS + 1)
    return {
        "query": text,
        "results": [summarize(item) for item in found[:MOST_RESULTS]],
        "more": len(found) > MOST_RESULTS,
    }


def find_place(dictionary: Dictionary, name: str) -> Place:
    """Give the place that *name*, a name or an OID, leads to.

    Raises:
        UnknownNameError: Nothing is known of it.
    """
    oid = dictionary.parse_oid(name)
    # Of several objects with one OID, the one that was named.
    named = dictionary.find(name)
    if named is not None:
        return Place(named, oid, "")
    found = dictionary.by_oid(oid)
    item, instance = found or (None, b"")
    if item is not None and not instance:
        return Place(item, oid, "")
    if dictionary.children(oid):
        return Place(None, oid, "")
    if item is None:
        raise UnknownNameError(f"nothing is known of {name}")
    return Place(item, oid, ".".join(map(str, decode_subids(instance))))


def path_to(dictionary: Dictionary, oid: Oid) -> Iterator[tuple[Oid, MibObject | None]]:
    """Give the places from the top down to *oid*, with the best object of each."""
    numbers = format_oid(oid).split(".")
    for length in range(2, len(numbers) + 1):
        place = encode_oid(".".join(numbers[:length]))
        yield place, next(iter(dictionary.at(place)), None)


def _describe_place(dictionary: Dictionary, place: Place, start: int) -> dict[str, Any]:
    children = dictionary.children(place.node)
    shown = children[start : start + MOST_CHILDREN]
    return {
        "oid": format_oid(place.oid),
        "name": dictionary.format_oid_named(place.oid),
        "object": None if place.item is None else describe(dictionary, place.item),
        "instance": place.instance,
        "path": [
            {"oid": format_oid(above), "name": "" if item is None else item.qualified_name}
            for above, item in path_to(dictionary, place.node)
        ],
        "children": _summaries(shown),
        "more": start + len(shown) < len(children),
    }


def _summaries(children: Sequence[Child]) -> list[dict[str, Any]]:
    return [
        {"oid": format_oid(child.oid), **(summarize(child.objects[0]) if child.objects else {})}
        for child in children
    ]
