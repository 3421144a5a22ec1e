"""``python -m exporters`` is the command ``netexporters``."""

from __future__ import annotations

import sys

from exporters.cli import main

sys.exit(main())
