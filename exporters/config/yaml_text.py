"""Writing configurations as YAML text, in the style that Go's writers have.

What is read back is checked nowhere here: ``exporters.config.yaml_file`` reads.
"""

from __future__ import annotations

from typing import Any

import yaml

from exporters.config.scalars import boolean_of, resolve


def yaml_text(document: Any) -> str:
    """Write dicts, lists and scalars; keys keep their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def present(**values: Any) -> dict[str, Any]:
    """Leave out what is empty, zero or false, as Go's ``omitempty`` does."""
    return {key: value for key, value in values.items() if value}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes text that looks like something else in double quotes, as Go does."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    needs_quotes = not isinstance(resolve(text), str) or boolean_of(text) is not None
    style = '"' if needs_quotes else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
