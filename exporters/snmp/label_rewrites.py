"""Rewriting of labels by the rules of a module, for many rows together.

Source: the configuration of Prometheus, ``relabel_config``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exporters.config.module_labels import rewrites_alone
from exporters.config.snmp_relabel import Relabel


def rewrite_labels(rules: Sequence[Relabel], texts: dict[str, Sequence[str]], rows: int) -> None:
    """Apply *rules*, which are for these labels, in their order to those of *rows* rows."""
    for rule in rules:
        if rule.target_label is None:  # labeldrop
            for label in texts.keys() - rule.names_after(texts):
                del texts[label]
            continue
        sources = (texts[label] for label in rule.source_labels)
        before = texts.get(rule.target_label) or [""] * rows
        joined = map(rule.separator.join, zip(*sources, strict=True))
        texts[rule.target_label] = list(map(rule.rewrite, joined, before))


def value_rewriter(rules: Sequence[Relabel], label: str) -> Callable[[str], str] | None:
    """Give what rewrites the text of a value in the label *label*; None if nothing does.

    That label stands beside the others, so only rules that look at it alone are for it.
    """
    own = [rule for rule in rules if rewrites_alone(rule) and rule.target_label == label]
    if not own:
        return None

    def rewrite(text: str) -> str:
        for rule in own:
            text = rule.rewrite(text, text)
        return text

    return rewrite
