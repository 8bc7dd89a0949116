"""Controls of the whole: money at stake, gross and net exposure, concentration, losses."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from alphintra.engine.pretrade.cases import Case, Control, Findings, finding
from alphintra.engine.pretrade.values import EXACT, Book, Exposure, plain
from alphintra.kernel.vocabulary import Side

__all__ = ["CREDITED", "EXPOSED", "LOSING", "LOSS_CODE", "Stakes", "is_about_the_whole", "stakes_of"]

LOSS_CODE = "RISK_LOSS_LIMIT"
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stakes:
    """Money at stake in the worst case of all open orders: in all, long, short, and by class of instruments."""

    gross: Decimal
    long: Decimal
    short: Decimal
    buckets: dict[str, Decimal]


def is_about_the_whole(book: Book) -> bool:
    """Tell whether a limit of the account asks for every symbol it holds."""
    controls = book.controls
    limits = (
        controls.credit_max,
        controls.gross_exposure_max,
        controls.net_exposure_max,
        controls.bucket_exposure_max,
    )
    return any(limit is not None for limit in limits)


def stakes_of(book: Book) -> Stakes:
    """Return what is at stake; an instrument without a class counts in every class."""
    gross = long = short = unclassified = _ZERO
    buckets: dict[str, Decimal] = {}
    for symbol, exposure in book.exposures.items():
        price = exposure.last_price
        if price is None:
            continue
        most, least = _ends(exposure)
        worth = EXACT.multiply(max(abs(most), abs(least)), price)
        gross = EXACT.add(gross, worth)
        long = EXACT.add(long, EXACT.multiply(most, price))
        short = EXACT.add(short, EXACT.multiply(least, price))
        instrument = book.market(symbol).instrument
        names = frozenset[str]() if instrument is None else instrument.buckets
        if not names:
            unclassified = EXACT.add(unclassified, worth)
        for name in names:
            buckets[name] = EXACT.add(buckets.get(name, _ZERO), worth)
    whole = {name: EXACT.add(worth, unclassified) for name, worth in buckets.items()}
    if unclassified:
        whole["unclassified"] = unclassified
    return Stakes(gross, long, short, whole)


def _ends(exposure: Exposure) -> tuple[Decimal, Decimal]:
    """Return the highest and the lowest position open orders may lead to."""
    held = exposure.position_qty
    return EXACT.add(held, exposure.open_buy_qty), EXACT.subtract(held, exposure.open_sell_qty)


def _before_and_after(case: Case) -> tuple[Stakes, Stakes] | None:
    if case.claim is None or case.order.is_reducing or case.exposure.last_price is None:
        return None
    return stakes_of(case.book), stakes_of(case.book.reserve(case.order, case.claim))


def _exposed(case: Case) -> Findings:
    controls = case.book.controls
    limits = (controls.gross_exposure_max, controls.net_exposure_max, controls.bucket_exposure_max)
    both = None if all(limit is None for limit in limits) else _before_and_after(case)
    if both is None:
        return ()
    before, after = both
    net = (max(before.long, -before.short), max(after.long, -after.short))
    asked = [("gross exposure", controls.gross_exposure_max, before.gross, after.gross)]
    asked.append(("net exposure", controls.net_exposure_max, *net))
    asked += [
        (f"exposure in {name}", controls.bucket_exposure_max, before.buckets.get(name, _ZERO), worth)
        for name, worth in sorted(after.buckets.items())
    ]
    field = case.order.size_field
    return tuple(
        finding(
            "R14",
            "RISK_EXPOSURE",
            f"{what} would be {plain(worth)}, the limit is {plain(most)}",
            field=field,
            limit=most,
            observed=worth,
        )
        for what, most, held, worth in asked
        if most is not None and worth > most and worth > held
    )


def _credited(case: Case) -> Findings:
    book, order = case.book, case.order
    if case.claim is None or order.is_reducing:
        return ()
    found = []
    most = book.controls.credit_max
    both = None if most is None else _before_and_after(case)
    if most is not None and both is not None and most < both[1].gross > both[0].gross:
        detail = f"{plain(both[1].gross)} would be at stake in the account, the limit is {plain(most)}"
        found.append(finding("R10", "RISK_CREDIT", detail, field=order.size_field, limit=most, observed=both[1].gross))
    price = case.exposure.last_price
    opening = _ZERO if price is None else EXACT.multiply(_opening(case), price)
    for credit in book.credits:
        used = EXACT.add(credit.used, opening)
        if opening and used > credit.most:
            detail = f"{plain(used)} would be at stake over the {credit.scope}, the limit is {plain(credit.most)}"
            found.append(
                finding("R10", "RISK_CREDIT", detail, field=order.size_field, limit=credit.most, observed=used)
            )
    return tuple(found)


def _opening(case: Case) -> Decimal:
    """Return what an order adds beyond closing what is held."""
    if case.claim is None:
        return _ZERO
    return max(EXACT.subtract(case.claim.added_qty, case.exposure.room(case.order.side)), _ZERO)


def _losing(case: Case) -> Findings:
    if not case.book.kill_reason.startswith(LOSS_CODE) or case.order.is_reducing:
        return ()
    side = case.order.side
    qty = _ZERO if case.claim is None else case.claim.added_qty
    is_closing = case.book.account_kill.severity <= 1 and _ZERO < qty <= case.exposure.room(Side(side))
    if is_closing:
        return ()
    reason = case.book.kill_reason.removeprefix(f"{LOSS_CODE}: ")
    detail = f"{reason}: only orders that reduce a position are taken until a named person releases the account"
    return (finding("R15", LOSS_CODE, detail, limit=case.book.account_kill, observed=side),)


EXPOSED = Control(
    rule="R14",
    name="Exposure and concentration",
    codes=("RISK_EXPOSURE",),
    inputs="every position and open order at the last price, classes of the instruments",
    default="none; an instrument without a class counts in every class",
    check=_exposed,
)
CREDITED = Control(
    rule="R10",
    name="Credit of account, owner and firm",
    codes=("RISK_CREDIT",),
    inputs="money at stake in positions and open orders of the account, of all of its owner, of all of the firm",
    default="none",
    check=_credited,
)
LOSING = Control(
    rule="R15",
    name="Daily loss and drawdown",
    codes=(LOSS_CODE,),
    inputs="equity at each mark against the day's opening and the highest; a stale mark changes nothing",
    default="none",
    check=_losing,
)
