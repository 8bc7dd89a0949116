"""Installations of a test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.installation import Account


@pytest.fixture
def fresh_installation() -> Iterator[Callable[..., Installation]]:
    """Make installations whose home does not exist yet, and clear them after the test, whatever is left running."""
    made: list[Installation] = []

    def make(account: Account | None = None, **settings: str) -> Installation:
        made.append(Installation.fresh(account, **settings))
        return made[-1]

    yield make
    for installation in made:
        installation.clear()


@pytest.fixture
def installation(fresh_installation: Callable[..., Installation]) -> Installation:
    """One installation whose home does not exist yet."""
    return fresh_installation()
