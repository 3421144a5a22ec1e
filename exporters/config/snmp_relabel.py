"""Rules that rewrite labels, as Prometheus' ``relabel_configs`` do.

A rule is for the rows that have all of its source labels. Prometheus takes a label that is missing
for an empty one; here it is known beforehand which labels a metric has, so that a rule that no
metric has the labels for is an error.

Source: the configuration of Prometheus, ``relabel_config``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

from exporters.config.fields import (
    NULL_IS_EMPTY_LIST,
    LabelName,
    ReplacementText,
    Text,
    WholeRegex,
    one_of,
)
from exporters.config.go_template import parse_template
from exporters.config.re2 import compile_regex
from exporters.config.rejection import Fault, Rejected

RelabelAction = Literal["replace", "lowercase", "uppercase", "labeldrop"]

_CONFIG = ConfigDict(extra="forbid")
_EVERYTHING = compile_regex("(.*)", whole=True)
_WHOLE_MATCH = parse_template("$1")
_OPTIONS = {
    "replace": ("source_labels", "target_label", "separator", "regex", "replacement"),
    "lowercase": ("source_labels", "target_label", "separator"),
    "uppercase": ("source_labels", "target_label", "separator"),
    "labeldrop": ("regex",),
}
_NEEDED = {"labeldrop": ("regex",)}


@dataclass(frozen=True, slots=True, kw_only=True, config=_CONFIG)
class Relabel:
    """One rule; those of a module apply in their order."""

    source_labels: Annotated[
        tuple[LabelName, ...],
        NULL_IS_EMPTY_LIST,
        Field(description="Labels whose values are joined, and looked at."),
    ] = ()
    separator: Annotated[Text, Field(description="Stands between the joined values.")] = ";"
    regex: Annotated[
        WholeRegex,
        Field(description="RE2 pattern that the joined values, or a label's name, must match."),
    ] = _EVERYTHING
    target_label: Annotated[LabelName | None, Field(description="Label that is set.")] = None
    replacement: Annotated[
        ReplacementText, Field(description="What it is set to: $1, ${1}, $name, or a literal.")
    ] = _WHOLE_MATCH
    action: Annotated[
        RelabelAction,
        one_of(get_args(RelabelAction), "action"),
        Field(
            description="replace: where the pattern matches, set target_label to replacement; "
            "lowercase, uppercase: set it to the joined values in that case; labeldrop: drop "
            "labels whose name matches."
        ),
    ] = "replace"

    @model_validator(mode="after")
    def _check(self) -> Relabel:
        faults = [
            Fault("is missing", f"{self.action} needs it", at=(key,))
            for key in _NEEDED.get(self.action, ("source_labels", "target_label"))
            if getattr(self, key) == _DEFAULTS[key]
        ]
        faults += [
            Fault(f"has no effect with {self.action}", "drop it", at=(key,))
            for key, default in _DEFAULTS.items()
            if key not in _OPTIONS[self.action] and getattr(self, key) != default
        ]
        if faults:
            raise Rejected(faults)
        return self

    def applies_to(self, names: Collection[str]) -> bool:
        """Tell whether the rule does anything with rows that have these labels."""
        if self.action == "labeldrop":
            return any(self.regex.search(name) for name in names)
        return all(label in names for label in self.source_labels)

    def names_after(self, names: Collection[str]) -> set[str]:
        """Give the labels that rows with these labels have in the end."""
        if not self.applies_to(names):
            return set(names)
        if self.action == "labeldrop":
            return {name for name in names if not self.regex.search(name)}
        return {*names, self.target_label or ""}

    def rewrite(self, joined: str, before: str) -> str:
        """Give the value of the target label, which was *before*."""
        if self.action == "lowercase":
            return joined.lower()
        if self.action == "uppercase":
            return joined.upper()
        match = self.regex.search(joined)
        return before if match is None else self.replacement.expand(match)


_DEFAULTS = {
    "source_labels": (),
    "target_label": None,
    "separator": ";",
    "regex": _EVERYTHING,
    "replacement": _WHOLE_MATCH,
}
