"""Which build of the program this is, as ``--version`` and the build_info metrics tell."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from exporters import __version__


@dataclass(frozen=True, slots=True)
class Build:
    """A version of the program on a version of Python; the names are those of the metric's labels.

    A package knows its version. An image is told its commit and branch when it is made, by the
    environment variables NETEXPORTERS_REVISION and NETEXPORTERS_BRANCH.
    """

    version: str
    revision: str
    branch: str
    pythonversion: str
    os: str
    arch: str


def this_build(environment: Mapping[str, str] = os.environ) -> Build:
    """Return the build that runs."""
    return Build(
        version=__version__,
        revision=environment.get("NETEXPORTERS_REVISION", ""),
        branch=environment.get("NETEXPORTERS_BRANCH", ""),
        pythonversion=platform.python_version(),
        os=sys.platform,
        arch=platform.machine().lower(),
    )
