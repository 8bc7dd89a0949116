"""How a paper account is traded: its costs, its share of the volume, its refusals and its delays."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from alphintra.broker.domain.connections import PAPER
from alphintra.broker.domain.paper import PaperSettings, preset_named
from alphintra.broker.service.connections import settings_view, visible_connection
from alphintra.contracts.broker import ConnectionChanged, PaperSettingsView, SetPaperSettings
from alphintra.engine.portfolio import FeeModel
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind

if TYPE_CHECKING:
    from decimal import Decimal

    from alphintra.broker.repository.records import Records
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context

__all__ = ["set_paper_settings"]


async def set_paper_settings(
    command: SetPaperSettings, context: Context, *, records: Records, ids: IdSource, at: datetime
) -> PaperSettingsView:
    """Change how a paper account is traded; orders that work already are traded so too, from their next step on.

    Raises CONNECTION_NOT_FOUND, PAPER_ONLY, FIELD_CHOICE, FIELD_RANGE, FEE_SIGN and NUMBER_*.
    """
    connection = await visible_connection(command.account_id, context, records)
    if connection.adapter != PAPER:
        message = "only a paper account can be set: a venue elsewhere has costs and refusals of its own"
        raise AlphintraError("PAPER_ONLY", message, kind=Kind.CONFLICT, pointer="/account_id")
    account_id = connection.account_id
    async with records.transaction() as tx:
        await tx.paper.lock_market(connection.feed_id, at=at)
        before = await tx.paper.settings(account_id)
        wanted = _wanted(command, before)
        if wanted != before:
            await tx.paper.set_up(account_id, wanted)
            view = settings_view(account_id, wanted)
            told = ConnectionChanged(
                account_id=account_id, status=connection.status, reason=f"the paper settings are {view.preset} now"
            )
            await append_event(tx.session, told, ids=ids, aggregate_id=account_id, context=context, at=at)
            detail: dict[str, object] = {"before": _facts(before), "after": _facts(wanted)}
            what = f"account:{account_id}"
            await append_audit(tx.session, "paper.set", what, detail, ids=ids, context=context, at=at)
        fault_point("broker.settings_stored")
    return settings_view(account_id, wanted)


def _wanted(command: SetPaperSettings, before: PaperSettings) -> PaperSettings:
    base = before if command.preset is None else preset_named(command.preset)
    fees = FeeModel(
        _or(command.commission_bps, base.fees.commission_bps),
        _or(command.fee_per_share, base.fees.per_share),
        _or(command.fee_minimum, base.fees.minimum),
    )
    return PaperSettings(
        slippage_bps=_or(command.slippage_bps, base.slippage_bps),
        fees=fees,
        participation=base.participation if command.participation is None else command.participation,
        reject_bps=_or(command.reject_bps, base.reject_bps),
        latency_bars=base.latency_bars if command.latency_bars is None else command.latency_bars,
    )


def _or(given: Decimal | None, kept: Decimal) -> Decimal:
    return kept if given is None else given


def _facts(settings: PaperSettings) -> dict[str, object]:
    return {
        "slippage_bps": settings.slippage_bps,
        "commission_bps": settings.fees.commission_bps,
        "fee_per_share": settings.fees.per_share,
        "fee_minimum": settings.fees.minimum,
        "participation": settings.participation,
        "reject_bps": settings.reject_bps,
        "latency_bars": settings.latency_bars,
    }
