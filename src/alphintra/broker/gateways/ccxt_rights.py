"""What exchanges tell of a key: which of them are asked, and how their answers are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from alphintra.broker.domain.links import KeyRights

__all__ = ["RightsQuestion", "question_of"]


@dataclass(frozen=True, slots=True)
class RightsQuestion:
    """How an exchange is asked: the library's method, and what its answer says."""

    method: str
    read: Callable[[Mapping[str, Any]], KeyRights]


def _told(answer: Mapping[str, Any], name: str) -> bool | None:
    """Return a right by its name; None where the answer does not say it plainly."""
    said = answer.get(name)
    return said if isinstance(said, bool) else None


def _of_binance(answer: Mapping[str, Any]) -> KeyRights:
    """Binance names rights one by one (wallet, API key permission)."""
    return KeyRights(
        may_trade=_told(answer, "enableSpotAndMarginTrading"), may_withdraw=_told(answer, "enableWithdrawals")
    )


def _of_coinbase(answer: Mapping[str, Any]) -> KeyRights:
    """At Coinbase a transfer leads also out of the exchange (advanced trade, API key permissions)."""
    return KeyRights(may_trade=_told(answer, "can_trade"), may_withdraw=_told(answer, "can_transfer"))


def _of_kraken(answer: Mapping[str, Any]) -> KeyRights:
    """Kraken lists what is allowed (account data, API key info); of trading it has several rights."""
    result = answer.get("result")
    listed = result.get("permissions") if isinstance(result, Mapping) else None
    if not isinstance(listed, list) or not listed:
        return KeyRights()
    return KeyRights(may_withdraw=any("withdraw" in str(one).lower() for one in listed))


_QUESTIONS: Final = {
    "binance": RightsQuestion("sapi_get_account_apirestrictions", _of_binance),
    "coinbase": RightsQuestion("v3_private_get_brokerage_key_permissions", _of_coinbase),
    "kraken": RightsQuestion("private_post_getapikeyinfo", _of_kraken),
}


def question_of(exchange: str) -> RightsQuestion | None:
    """Return how an exchange is asked for the rights of a key, None where it is not known to tell them."""
    return _QUESTIONS.get(exchange)
