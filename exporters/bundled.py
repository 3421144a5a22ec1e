"""Where the data that ships with the exporters is: ``modules/``, ``alert_rules/``, ``dashboards/``.

Two places, in this order. A checkout has them beside the package. A wheel has them inside it,
under ``exporters/_bundled``, and a container image has the wheel.

This knows directories only; what is in them belongs to each exporter's loader.
"""

from __future__ import annotations

from pathlib import Path

from exporters.errors import ConfigError, Problem

_PACKAGE = Path(__file__).resolve().parent


def bundled_directory(name: str, package: Path = _PACKAGE) -> Path:
    """Return the directory *name* ("modules", "alert_rules", "dashboards") of what was installed.

    Raises:
        ConfigError: this installation does not have it.
    """
    checkout = package.parent
    candidates = [package / "_bundled" / name]
    # Beside an installed package lies site-packages, where "modules" could be anybody's.
    if (checkout / "pyproject.toml").is_file():
        candidates.insert(0, checkout / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    looked = " and ".join(str(candidate) for candidate in candidates)
    raise ConfigError(
        (
            Problem(
                f"the directory {name!r} that ships with netexporters is missing",
                hint=f"looked for {looked}; install the wheel or run from a complete checkout",
            ),
        )
    )


def modules_directory(exporter: str) -> Path:
    """Return the shipped modules of one exporter, ``modules/<exporter>``.

    Raises:
        ConfigError: this installation does not have them.
    """
    return bundled_directory("modules") / exporter
