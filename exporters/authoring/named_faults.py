"""What in a module by name can never have an effect: what its names are for does not happen.

``module_faults`` has what may be wrong in the module that it becomes.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.config.by_name.including import JoinedModule
from exporters.config.by_name.model import Override
from exporters.config.by_name.places import Places
from exporters.config.by_name.resolving import Resolution
from exporters.config.rejection import Fault, KeyPath, Rejected, quote, suggest
from exporters.smi.dictionary import Dictionary
from exporters.smi.generator_rules import sanitize_name
from exporters.smi.mib_objects import Kind
from exporters.smi.subtrees import outermost


def named_faults(
    module: JoinedModule, resolution: Resolution, dictionary: Dictionary
) -> Iterator[Fault]:
    """Give everything in *module* that has no effect on what it was resolved to."""
    places = Places(dictionary)
    yield from _unused_lookups(module, resolution)
    yield from _lookups_of_scalars(module, places)
    yield from _unused_overrides(module, resolution, places)
    yield from _ignored_and_more(module)
    yield from _asked_for_twice(module, places)
    yield from _hidden_columns(module, places)
    yield from _idle_static_filters(module, resolution, places)
    for skipped in resolution.skipped:
        if "index" in skipped.reason:
            yield Fault(f"{skipped.item.qualified_name} becomes no metric: {skipped.reason}")


def _unused_lookups(module: JoinedModule, resolution: Resolution) -> Iterator[Fault]:
    labels = sorted(
        {index.labelname for metric in resolution.module.metrics for index in metric.indexes}
    )
    for place in resolution.unused_lookups:
        lookup = module.lookups[place]
        wanted = [sanitize_name(name) for name in lookup.source_indexes]
        missing = [name for name in wanted if name not in labels]
        problem = f"no metric has the index{'es' if len(wanted) > 1 else ''} {', '.join(wanted)}"
        hint = (
            suggest(missing[0], labels, "indexes of this module")
            if missing
            else ("each is an index, but not of the same metric")
        )
        yield Fault(problem, hint, at=("lookups", place, "source_indexes"))


def _lookups_of_scalars(module: JoinedModule, places: Places) -> Iterator[Fault]:
    for place, lookup in enumerate(module.lookups):
        columns = [name for name in lookup.columns if name not in lookup.source_indexes]
        for name in (*lookup.through, *columns):
            item = places.column(name)
            if item.kind is Kind.SCALAR:
                problem = f"{item.qualified_name} is a scalar, of which no row has a value"
                hint = "the label is always empty: name a column"
                yield Fault(problem, hint, at=("lookups", place))


def _unused_overrides(
    module: JoinedModule, resolution: Resolution, places: Places
) -> Iterator[Fault]:
    for key in resolution.unused_overrides:
        at = ("overrides", key)
        try:
            place = places.find(key)
        except Rejected as error:
            yield Fault(error.faults[0].problem, at=at)
            continue
        named = "an object" if place.item is None else place.item.qualified_name
        if place.is_leaf:
            problem = f"{named} is no metric, index or lookup of this module"
            yield Fault(problem, "add it below walk, or drop the override", at=at)
        else:
            yield Fault(f"{named} is neither a column nor a scalar", "name its columns", at=at)


def _ignored_and_more(module: JoinedModule) -> Iterator[Fault]:
    idle = Override(ignore=True)
    for key, override in module.overrides.items():
        if not override.ignore:
            continue
        for option in ("scale", "offset", "help", "name", "datetime_pattern", "regex_extracts"):
            if getattr(override, option) != getattr(idle, option):
                problem = "has no effect on what is ignored"
                yield Fault(problem, "drop it", at=("overrides", key, option))


def _asked_for_twice(module: JoinedModule, places: Places) -> Iterator[Fault]:
    asked: list[tuple[KeyPath, str, bytes]] = []
    for key, names in (("walk", module.walk), ("get", module.get)):
        for number, name in enumerate(names):
            place = places.find(name)
            asked.append(((key, number), name, place.oid + place.instance))
    outer = {oid: name for _, name, oid in reversed(asked)}
    roots = outermost(outer)
    first: set[bytes] = set()
    for at, name, oid in asked:
        root = next(root for root in roots if oid.startswith(root))
        if oid != root:
            yield Fault(f"{quote(name)} is read already, below {quote(outer[root])}", "drop it", at)
        elif oid in first:
            yield Fault(f"{quote(name)} is named already", "drop it", at)
        first.add(oid)


def _hidden_columns(module: JoinedModule, places: Places) -> Iterator[Fault]:
    for number, name in enumerate(module.walk):
        place = places.find(name)
        if place.is_leaf and place.item is not None and place.item.access == "not-accessible":
            problem = f"{place.item.qualified_name} is not accessible: most agents do not show it"
            hint = "it is a label of the other columns of its row"
            yield Fault(problem, hint, at=("walk", number))


def _idle_static_filters(
    module: JoinedModule, resolution: Resolution, places: Places
) -> Iterator[Fault]:
    read = [metric.oid for metric in resolution.module.metrics]
    for metric in resolution.module.metrics:
        read += [lookup.oid for lookup in metric.lookups if lookup.labels]
    for number, item in enumerate(module.filters.static):
        for target, name in enumerate(item.targets):
            oid = places.find(name).oid
            if not any(column.startswith(oid) for column in read):
                problem = f"nothing of {quote(name)} is read"
                at = ("filters", "static", number, "targets", target)
                yield Fault(problem, "add it below walk, or drop it", at)
