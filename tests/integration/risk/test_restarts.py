"""Every control on a database: what it was set to, and what it has seen, holds for a service that starts anew.

Each row makes an order that its code refuses; a process that knows nothing but the database refuses it, and refuses an
amendment of an order that works, which goes on working. A control without a row fails here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from alphintra.contracts import risk as messages
from alphintra.contracts.broker import BreakFound, ConnectionOpened
from alphintra.engine.pretrade.assessment import CONTROLS
from alphintra.kernel.limits import LimitControls
from alphintra.kernel.vocabulary import Side, TimeInForce
from alphintra.risk.endpoints import ControlEndpoints
from alphintra.risk.repository import RiskRecords
from fixtures.single_service import NOON, delivery_of
from integration.risk.desk import Desk, codes_of, operator, report

if TYPE_CHECKING:
    from alphintra.contracts.approval import OrderTerms

BUY, SELL = Side.BUY, Side.SELL
BOOK = UUID(int=70)
DAY = 86_400
# Nothing but the order itself and the code decides: there is nothing a restart could lose.
OF_THE_ORDER_ALONE = {"ORDER_STOP_SIDE"}


@dataclass(frozen=True, slots=True)
class Scene:
    """An account that holds 10 AAPL at 100."""

    desk: Desk
    account: UUID
    people: ControlEndpoints

    async def limit(self, **controls: Any) -> None:  # noqa: ANN401 - any further limit
        """Set further limits."""
        await self.desk.limit(self.account, may_short=True, controls=LimitControls(**controls))

    async def instrument(self, **terms: Any) -> None:  # noqa: ANN401 - any term of the specification
        """Set the specification of AAPL."""
        await self.people.set_instrument(messages.SetInstrument(symbol="AAPL", **terms), operator())

    async def pass_one(self, **wishes: Any) -> OrderTerms:  # noqa: ANN401 - any field of the terms
        """Have an order approved."""
        terms = self.desk.order(self.account, BUY, wishes.pop("qty", "1"), wishes.pop("limit", "90"), **wishes)
        await self.desk.confirm(terms, await self.desk.approved(terms))
        return terms

    async def filled(self, count: int) -> None:
        """Have an order executed so often."""
        terms = await self.pass_one(qty=str(count), limit=None)
        for _ in range(count):
            await self.desk.fill(terms, "1", "100")


Setting = Callable[[Scene], Awaitable[Any]]


def controls(**wanted: Any) -> Setting:  # noqa: ANN401 - any further limit
    """Return what sets further limits."""
    return lambda scene: scene.limit(**wanted)


def whole(**wanted: Any) -> Setting:  # noqa: ANN401 - any limit
    """Return what sets limits every account has."""
    return lambda scene: scene.desk.limit(scene.account, **wanted)


def specified(**terms: Any) -> Setting:  # noqa: ANN401 - any term
    """Return what sets a specification."""
    return lambda scene: scene.instrument(**terms)


async def halted(scene: Scene) -> None:
    await scene.desk.kill("halted", scene.account)


async def reducing(scene: Scene) -> None:
    await scene.desk.kill("reduce_only", scene.account)


async def lost(scene: Scene) -> None:
    await scene.limit(daily_loss_max=Decimal(50))
    await scene.desk.mark(2, AAPL="100", MSFT="100")
    await scene.desk.mark(3, AAPL="90", MSFT="100")


async def latched(scene: Scene) -> None:
    await scene.limit(repeat_max=2, repeat_window_s=DAY)
    await scene.filled(3)


async def overfilled(scene: Scene) -> None:
    found = BreakFound(
        break_id=scene.desk.ids.new(),
        account_id=scene.account,
        code="OVERFILL",
        symbol="AAPL",
        order_id=None,
        detail="11 of 10",
    )
    await scene.people.on_break_found(delivery_of(found, aggregate_id=scene.account))


async def doubled(scene: Scene) -> None:
    await report(scene.desk, "one", BOOK)
    scene.desk.clock.pass_time(seconds=1)
    await report(scene.desk, "two", BOOK)
    scene.desk.clock.pass_time(seconds=1)
    for instance in ("one", "two"):
        await report(scene.desk, instance, BOOK)


async def restricted(scene: Scene) -> None:
    command = messages.RestrictSymbol(symbol="AAPL", reason="list 7", account_id=scene.account)
    await scene.people.restrict_symbol(command, operator())


async def unknown(scene: Scene) -> None:
    terms = await scene.pass_one()
    async with scene.desk.database._acquired() as connection:
        await connection.execute("update reservations set is_unknown = true where order_id = $1", terms.order_id)


async def aged(scene: Scene) -> None:
    await scene.limit(price_age_max_s=60)
    scene.desk.clock.pass_time(seconds=120)
    await scene.desk.mark(2, MSFT="100")


async def elsewhere(scene: Scene) -> None:
    event = ConnectionOpened(account_id=scene.account, adapter="ccxt")
    await scene.people.on_connection_opened(delivery_of(event, aggregate_id=scene.account))


async def spent(scene: Scene) -> None:
    await scene.limit(message_burst=1, messages_per_s=Decimal("0.000000001"))
    await scene.pass_one()


async def crossed(scene: Scene) -> None:
    await scene.limit(is_self_match_refused=True)
    terms = scene.desk.order(scene.account, SELL, "1", "110")
    await scene.desk.confirm(terms, await scene.desk.approved(terms))


async def repeated(scene: Scene) -> None:
    await scene.limit(duplicate_window_s=DAY)
    await scene.pass_one(limit="95")


async def cornered(scene: Scene) -> None:
    await scene.desk.limit(scene.account, may_short=True)
    await scene.instrument(is_shortable=False)


async def nothing(scene: Scene) -> None:
    del scene


# code, what sets or brings it about, how the order differs from one for 1 AAPL at 95
ROWS: list[tuple[str, Setting, dict[str, Any]]] = [
    ("KILL_ACTIVE", halted, {}),
    ("RISK_LOSS_LIMIT", lost, {}),
    ("RISK_REDUCE_ONLY", reducing, {}),
    ("RISK_REPEAT_LATCHED", latched, {}),
    ("OVERFILL", overfilled, {}),
    ("RISK_LIMITS_MISSING", nothing, {"account_id": UUID(int=71)}),  # an account risk has not heard of
    ("FLEET_MISMATCH", doubled, {"book_id": BOOK}),
    ("STRATEGY_NOT_APPROVED", controls(strategies_allowed={}), {"book_id": BOOK}),
    ("RISK_NO_PERMISSION", controls(symbols_allowed=("MSFT",)), {}),
    ("RISK_RESTRICTED", restricted, {}),
    ("ORDER_UNKNOWN_OUTSTANDING", unknown, {}),
    ("ORDER_UNKNOWN_SYMBOL", nothing, {"symbol": "NEW"}),
    ("RISK_REF_STALE", aged, {}),
    ("VENUE_CLOSED", specified(is_halted=True), {}),
    ("EXPIRY_PAST", nothing, {"time_in_force": TimeInForce.GTD, "expire_at": NOON - timedelta(days=1)}),
    ("ORDER_UNSUPPORTED", elsewhere, {"extended_hours": True}),
    ("ORDER_TICK", specified(tick=Decimal("0.5")), {"limit_price": Decimal("95.3")}),
    ("ORDER_LOT", specified(lot=Decimal(5)), {}),
    ("ORDER_QTY_RANGE", specified(qty_min=Decimal(2)), {}),
    ("RISK_PRICE_COLLAR", controls(price_collar_pct=Decimal(1)), {}),
    ("RISK_PRICE_DRIFT", controls(price_drift_pct=Decimal(1), price_drift_window_s=DAY), {}),
    ("RISK_QTY_MAX", whole(order_qty_max=Decimal("0.5")), {}),
    ("RISK_NOTIONAL_MAX", whole(order_notional_max=Decimal(94)), {}),
    ("RISK_MSG_RATE", spent, {}),
    ("RISK_OPEN_ORDERS_MAX", controls(open_orders_max=1), {}),
    ("RISK_DUPLICATE", repeated, {}),
    ("RISK_SELF_MATCH", crossed, {"limit_price": Decimal(111)}),
    ("RISK_CREDIT", controls(credit_max=Decimal(1050)), {}),
    ("RISK_BUYING_POWER", nothing, {"qty": Decimal(100_000)}),
    ("RISK_POSITION_MAX", whole(position_qty_max=Decimal("10.5")), {}),
    ("RISK_EXPOSURE", controls(gross_exposure_max=Decimal(1050)), {}),
    ("RISK_SHORT_LOCATE", cornered, {"side": SELL, "qty": Decimal(11), "limit_price": Decimal(110)}),
]
# Where an amendment may do what a new order may not: it takes the place of one that is open.
AMENDED_FREELY = {"RISK_OPEN_ORDERS_MAX"}


def test_no_control_is_without_a_row() -> None:
    told = {code for control in CONTROLS for code in control.codes}
    assert told == {row[0] for row in ROWS} | OF_THE_ORDER_ALONE


@pytest.fixture
async def scene(desk: Desk) -> Scene:
    account = await desk.open_account(cash="100000")
    await desk.mark(1, AAPL="100", MSFT="100")
    made = Scene(desk, account, ControlEndpoints(records=RiskRecords(desk.database), clock=desk.clock, ids=desk.ids))
    held = await made.pass_one(qty="10", limit=None)
    await desk.fill(held, "10", "100")
    await desk.close(held, filled="10")
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("code", "setting", "wishes"), ROWS, ids=[row[0] for row in ROWS])
async def test_what_was_set_and_seen_refuses_after_a_restart_new_orders_and_amendments(
    scene: Scene, code: str, setting: Setting, wishes: dict[str, Any]
) -> None:
    wishes = dict(wishes)
    book_id = wishes.pop("book_id", None)
    drafted = scene.desk.order(scene.account, BUY, "1", "95")
    bad = msgspec.structs.replace(drafted, **wishes)
    resting = {"symbol": bad.symbol, "limit": str(bad.limit_price)} if bad.side is BUY else {}
    is_placeable = bad.symbol != "NEW" and bad.account_id == scene.account
    working = None if not is_placeable else await scene.pass_one(**{"qty": "0.1", **resting, "limit": "60"})
    await setting(scene)
    reborn = scene.desk.restarted()
    amended = msgspec.structs.replace(
        bad,
        order_id=scene.desk.ids.new(),
        client_order_id="amended",
        replaces=None if working is None else working.order_id,
    )
    asked = [messages.AssessOrder(terms=terms, book_id=book_id) for terms in (bad, amended)]
    first = await reborn.endpoints.assess_orders([(asked[0], reborn.owner)])
    second = await reborn.restarted().endpoints.assess_orders([(asked[1], reborn.owner)])
    assert code in codes_of(first[0])
    assert (code in codes_of(second[0])) is (code not in AMENDED_FREELY or working is None)
    if working is not None:  # the order that was to be amended goes on
        (row,) = await scene.desk.stored("reservations", "open_qty, state", f"order_id = '{working.order_id}'")
        assert (row["open_qty"] > 0, row["state"]) == (True, "confirmed")
