"""HTML that escapes itself: pages are built from elements, and text is text unless marked.

    element("p", "a < b ", element("code", name), class_="note")

There is no template language: the pages are few, and what a template cannot forget to escape is
what a function escapes always.
"""

from __future__ import annotations

from html import escape

_VOID = frozenset(("br", "hr", "input", "link", "meta"))


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | bool | None) -> Html:
    """Return ``<tag attributes>children</tag>``, with all text escaped that is not Html.

    ``class_`` and ``for_`` stand for the attributes whose names Python keeps for itself, ``_``
    inside a name for ``-``. True writes the bare attribute, False and None leave it out.
    """
    opening = f"<{tag}{''.join(_attribute(*item) for item in attributes.items())}>"
    if tag in _VOID:
        return Html(opening)
    return Html(f"{opening}{join(*children)}</{tag}>")


def join(*parts: str) -> Html:
    """Return the parts one after another, with all text escaped that is not Html."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
