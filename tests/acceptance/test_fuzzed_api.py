"""The whole API under generated requests, sensible and not: never a 5xx, and each refusal a problem with a code.

The requests are drawn from the description of the native API, and for /alpaca, which has none, from words and values
that such fields are given. They are the same in every run.
"""

from __future__ import annotations

import re
import warnings
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from alphintra.edge.alpaca.app import ENDPOINTS, AlpacaRoute
from fixtures.paper import open_paper_account

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library's own imports
    import schemathesis
    from schemathesis.core.result import Ok
    from schemathesis.generation import GenerationMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.platform import Person, Platform

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(1200)]

EXAMPLES: Final = 12
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
SOME_ID: Final = "0190aaaa-0000-7000-8000-0000000000aa"
CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{2,60}")


def bounds(examples: int) -> settings:
    """Return what makes a run bounded, and the same each time."""
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


def credentials(person: Person) -> dict[str, str]:
    """Return the headers of a person's key."""
    return {
        "APCA-API-KEY-ID": person.key["ALPHINTRA_API_KEY_ID"],
        "APCA-API-SECRET-KEY": person.key["ALPHINTRA_API_SECRET"],
    }


def told_badly(status: int, kind: str, problem: Any) -> str:  # noqa: ANN401 - JSON
    """Return what is wrong with an answer of the native API, empty if nothing is."""
    if status >= 500:
        return "failed"
    if status < 400:
        return ""
    is_whole = (
        isinstance(problem, dict)
        and kind == "application/problem+json"
        and problem.get("status") == status
        and CODE.fullmatch(str(problem.get("code", ""))) is not None
        and len(str(problem.get("detail", ""))) > 5
        and isinstance(problem.get("pointer"), str)
    )
    return "" if is_whole else "is no problem document"


def probe(operation: Any, mode: GenerationMode, *, call: Callable[[Any], Any], examples: int) -> list[str]:  # noqa: ANN401
    """Send generated requests of one operation; return the answers that must not be."""
    wrong: list[str] = []

    @bounds(examples)
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:  # noqa: ANN401 - of the library
        answer = call(case)
        kind = str((answer.headers.get("content-type") or [""])[0])
        problem = answer.json() if answer.content and "json" in kind and answer.status_code >= 400 else None
        what = told_badly(answer.status_code, kind, problem)
        if what:
            wrong.append(f"{operation.label} {what}: {answer.status_code} {answer.text[:300]} for {case.body!r:.300}")

    with suppress(Unsatisfiable):  # the library could draw nothing of the kind within the bounds
        send()
    return wrong


def fuzzed(platform: Platform, person: Person, *, modes: tuple[GenerationMode, ...], examples: int) -> list[str]:
    """Send requests of every operation of the native API, modes taking turns; return the answers that must not be."""
    schema = schemathesis.openapi.from_url(f"{platform.base_url}/api/openapi.json")
    headers = credentials(person)

    def call(case: Any) -> Any:  # noqa: ANN401 - of the library
        return case.call(base_url=platform.base_url, headers=headers, timeout=60)

    operations: list[Any] = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 40
    taking_turns = zip(operations, cycle(modes), strict=False)
    return [one for item, mode in taking_turns for one in probe(item, mode, call=call, examples=examples)]


_VALUES: Final[list[Any]] = [
    *("", "0", "-1", "NaN", "1e999", "1_000", "9" * 40, "9999-12-31", "0001-01-01", "2024-01-02T00:00:00", "true"),
    *(
        "AAPL",
        "BTC/USD",
        "a b",
        "\u202e",
        "\ud7ff",
        "x" * 5000,
        "1Day",
        "buy",
        "limit",
        "gtc",
        "bracket",
        "all",
        SOME_ID,
    ),
]
_FIELDS: Final = (
    *("symbol", "symbols", "side", "type", "time_in_force", "qty", "notional", "limit_price", "stop_price", "trail"),
    *("trail_price", "trail_percent", "extended_hours", "client_order_id", "order_class", "take_profit", "stop_loss"),
    *("position_intent", "name", "legs", "percentage", "max_margin_multiplier", "no_shorting"),
)
_QUERIES: Final = (
    *("status", "limit", "after", "until", "direction", "nested", "side", "symbols", "symbol", "qty", "percentage"),
    *("cancel_orders", "client_order_id", "name", "start", "end", "date", "period", "timeframe", "date_end"),
    *("pnl_reset", "intraday_reporting", "page_token", "page_size", "activity_types", "category", "ca_types", "since"),
    *("date_type", "sort", "adjustment", "asset_class", "exchange", "extended_hours"),
)
_JSON: Final = st.recursive(
    st.one_of(st.sampled_from(_VALUES), st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=3)),
    max_leaves=6,
)
_BODIES: Final = st.one_of(st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=8), _JSON)
_QUERY: Final = st.dictionaries(st.sampled_from(_QUERIES), st.sampled_from(_VALUES), max_size=5)
_SEGMENT: Final = st.sampled_from([SOME_ID, "AAPL", "FILL", "BTC%2FUSD", "%00", "%FF", "-", "x" * 300])


def alpaca_probe(route: AlpacaRoute, client: httpx.Client, *, examples: int) -> list[str]:
    """Send generated requests of one route below /alpaca; return the answers that must not be."""
    wrong: list[str] = []

    @bounds(examples)
    @given(query=_QUERY, body=_BODIES, segment=_SEGMENT)
    def send(query: dict[str, str], body: Any, segment: str) -> None:  # noqa: ANN401 - JSON
        path = "/alpaca" + re.sub(r"\{[a-z_]+(:path)?\}", segment, route.path)
        content = httpx.Request("POST", "http://x", json=body).content if _is_json(body) else b"{"
        headers = {"Content-Type": "application/json"}
        sent: dict[str, Any] = {} if route.method in {"GET", "DELETE"} else {"content": content, "headers": headers}
        answer = client.request(route.method, path, params=query, **sent)
        if answer.status_code < 400:
            return
        told = answer.json() if answer.headers.get("content-type") == "application/json" else {}
        is_whole = isinstance(told.get("code"), int) and told.get("message") and CODE.fullmatch(told["reason_code"])
        if answer.status_code >= 500 or not is_whole:
            wrong.append(f"{route.method} {path} {query} {body!r:.300}: {answer.status_code} {answer.text[:300]}")

    send()
    return wrong


def _is_json(body: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether JSON can say it: it has neither NaN nor infinity."""
    return not re.search(r"\b(nan|inf)\b", repr(body))


def alpaca_fuzzed(platform: Platform, *, examples: int) -> list[str]:
    """Send requests of every route below /alpaca for a trader with an account; return the answers that must not be."""
    person = platform.person("trader")
    open_paper_account(person, symbol="FUZZ")
    with httpx.Client(base_url=platform.base_url, headers=credentials(person), timeout=60) as client:
        return [one for route in ENDPOINTS for one in alpaca_probe(route, client, examples=examples)]


def test_a_few_requests_of_each_operation_are_answered_or_refused_as_they_should(platform: Platform) -> None:
    assert fuzzed(platform, platform.person("trader"), modes=MODES, examples=1) == []


def test_a_few_requests_of_each_alpaca_route_are_answered_or_refused_as_they_should(platform: Platform) -> None:
    assert alpaca_fuzzed(platform, examples=2) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_no_request_of_an_owner_makes_the_server_fail(
    private_platform: Callable[..., Platform], mode: GenerationMode
) -> None:
    platform = private_platform()
    assert fuzzed(platform, platform.person("owner"), modes=(mode,), examples=EXAMPLES) == []


@pytest.mark.slow
def test_no_request_below_alpaca_makes_the_server_fail(platform: Platform) -> None:
    assert alpaca_fuzzed(platform, examples=40) == []
