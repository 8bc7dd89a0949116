"""``python -m alphintra``: the same as the console script."""

from __future__ import annotations

import sys

from alphintra.cli.main import main

sys.exit(main())
