"""The whole native API under generated requests, sensible and not: whatever comes, it is never answered with a 5xx."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    import schemathesis
    from schemathesis.core.result import Ok
    from schemathesis.generation import GenerationMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(1200)]

EXAMPLES = 12
BOUNDS = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def probe(operation: Any, mode: GenerationMode, *, call: Callable[[Any], Any]) -> list[str]:  # noqa: ANN401
    """Send generated requests of one operation; return what was answered with a failure of the server."""
    failed: list[str] = []

    @BOUNDS
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:  # noqa: ANN401 - of the library
        answer = call(case)
        if answer.status_code >= 500:
            failed.append(f"{operation.label} {answer.status_code}: {answer.text[:300]} for {case.body!r:.300}")

    send()
    return failed


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
def test_no_request_makes_the_server_fail(private_platform: Callable[..., Platform], mode: GenerationMode) -> None:
    platform = private_platform()
    owner = platform.person("owner")
    key = {
        "APCA-API-KEY-ID": owner.key["ALPHINTRA_API_KEY_ID"],
        "APCA-API-SECRET-KEY": owner.key["ALPHINTRA_API_SECRET"],
    }
    schema = schemathesis.openapi.from_url(f"{platform.base_url}/api/openapi.json")

    def call(case: Any) -> Any:  # noqa: ANN401 - of the library
        return case.call(base_url=platform.base_url, headers=key, timeout=30)

    failed: list[str] = []
    operations: list[Any] = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 40
    for operation in operations:
        failed += probe(operation, mode, call=call)
    assert failed == []
