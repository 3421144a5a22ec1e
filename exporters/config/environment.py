"""Environment variables in configuration values: ``${NAME}``, and ``$NAME`` where asked for.

``${NAME}`` is replaced by the variable, which must be set (empty is fine); ``$${`` is a literal
``${``. With *bare*, Go's ``os.Expand`` applies besides: ``$NAME`` too, and a dollar sign that
begins no name stands for itself. What ``os.Expand`` drops without a word, such as ``${}``, is
refused.

Source: the documentation of Go's ``os.Expand``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exporters.config.rejection import Fault, Rejected

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_BRACED = re.compile(r"\$(?P<literal>\$\{)|\$\{(?P<braced>[^}]*)(?P<closed>\}?)")
_BARE = re.compile(
    _BRACED.pattern + r"|\$(?P<special>[*#$@!?\-0-9])|\$(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
)
_ESCAPE_HINT = "for a literal ${ write $${"


def expand_variables(text: str, environment: Mapping[str, str], *, bare: bool = False) -> str:
    """Give *text* with its variables replaced.

    Raises:
        Rejected: Variables are not set, or a reference is malformed; says so for each.
    """
    if "$" not in text:
        return text
    faults: list[Fault] = []

    def replacement(reference: re.Match[str]) -> str:
        groups = reference.groupdict()
        if groups["literal"]:
            return "${"
        name = groups["braced"]
        if name is None:
            name = groups.get("special") or groups.get("bare") or ""
        elif not groups["closed"]:
            faults.append(Fault("a ${ is not closed with }", _ESCAPE_HINT))
            return ""
        elif not re.fullmatch(_NAME, name):
            faults.append(Fault("a ${...} does not hold the name of a variable", _ESCAPE_HINT))
            return ""
        if name not in environment:
            hint = _ESCAPE_HINT if groups["braced"] else "set it, or give the value in another way"
            faults.append(Fault(f"the environment variable {name} is not set", hint))
        return environment.get(name, "")

    expanded = (_BARE if bare else _BRACED).sub(replacement, text)
    if faults:
        raise Rejected(faults)
    return expanded
