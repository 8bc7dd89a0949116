"""Lets `pip install` and releases build the web interface; that it cannot be built never stops an installation."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))  # a build backend does not look beside its hooks

from build_web import NODE_REQUIREMENT, BuildError, Site


class WebHook(BuildHookInterface):  # type: ignore[type-arg] # generic over configurations that nobody here has
    """Builds what is stale; `ALPHINTRA_WEB=no` leaves it as it is."""

    def dependencies(self) -> list[str]:
        """Return Node where it will be needed."""
        return [NODE_REQUIREMENT] if self._is_needed() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's own signature
        """Build, or say why not."""
        if not self._is_needed():
            return
        try:
            Site(Path(self.root), tell=self.app.display_info).ensure()
        except BuildError as error:
            self.app.display_warning(f"without web interface: {error}")

    def _is_needed(self) -> bool:
        return os.environ.get("ALPHINTRA_WEB") != "no" and Site(Path(self.root)).is_needed()
