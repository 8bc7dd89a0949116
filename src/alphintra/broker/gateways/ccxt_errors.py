"""What ccxt's exceptions say about a request. They are told apart by the names of their classes: ccxt is an extra."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING

from alphintra.broker.gateways.venue import Duplicate, NotSent, Refused, Uncertain, VenueError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alphintra.broker.gateways.ccxt_profiles import Profile

__all__ = ["Said", "answer_of", "error_of", "said_by"]

_SHOWN = 200
_ADDRESS = re.compile(r"https?://\S+")


class Said(Enum):
    """What a failed call says."""

    REFUSED = auto()
    ABSENT = auto()
    DUPLICATE = auto()
    BUSY = auto()
    AUTH = auto()
    NOT_REACHED = auto()
    SILENT = auto()
    GARBLED = auto()


_DECISIONS = frozenset({"BadRequest", "InsufficientFunds", "InvalidOrder", "NotSupported", "OperationRejected"})
_DECISIONS |= {"ArgumentsRequired", "PermissionDenied", "AccountNotEnabled", "InvalidAddress"}
_BUSY = frozenset({"DDoSProtection", "RateLimitExceeded", "InvalidNonce", "OnMaintenance"})
_NOT_CONNECTED = frozenset({"ClientConnectorError", "gaierror"})


def said_by(error: Exception, profile: Profile) -> Said:
    """Return what an exception of a call says; what nobody knows says nothing certain."""
    names, text = {each.__name__ for each in type(error).__mro__}, str(error)
    causes = {each.__name__ for each in type(error.__cause__).__mro__}
    is_vague = type(error).__name__ == "ExchangeError"
    found = (
        ("BaseError" not in names, Said.GARBLED),  # the library stumbled over the answer
        ("DuplicateOrderId" in names or any(part in text for part in profile.duplicates), Said.DUPLICATE),
        (any(part in text for part in profile.unknown_keys), Said.AUTH),
        (bool(names & _BUSY) or any(part in text for part in profile.not_taken), Said.BUSY),
        ("OrderNotFound" in names, Said.ABSENT),
        (bool(names & _DECISIONS), Said.REFUSED),
        ("AuthenticationError" in names, Said.AUTH),
        ("BadResponse" in names, Said.GARBLED),
        (is_vague and any(f'"{start}' in text for start in profile.refusals), Said.REFUSED),
        (bool(causes & _NOT_CONNECTED), Said.NOT_REACHED),
    )
    return next((said for is_so, said in found if is_so), Said.SILENT)


def answer_of(
    error: Exception, profile: Profile, *, secrets: Iterable[str]
) -> Duplicate | NotSent | Refused | Uncertain:
    """Return what became of a request that ended in an exception."""
    match said_by(error, profile):
        case Said.DUPLICATE:
            return Duplicate()
        case Said.REFUSED | Said.ABSENT:
            return Refused("VENUE_REJECTED", _shown(error, secrets))
        case Said.BUSY | Said.AUTH | Said.NOT_REACHED:
            return NotSent(error_of(error, profile, secrets=secrets))
        case Said.SILENT | Said.GARBLED:
            return Uncertain(f"no answer that can be used ({type(error).__name__})")


def error_of(error: Exception, profile: Profile, *, secrets: Iterable[str]) -> VenueError:
    """Return the error of a question that ended in an exception."""
    match said_by(error, profile):
        case Said.AUTH:
            return VenueError("VENUE_AUTH", "the exchange refuses the credentials: add them again")
        case Said.BUSY:
            return VenueError("VENUE_BUSY", f"the exchange does not answer now ({type(error).__name__})")
        case Said.GARBLED:
            return VenueError("VENUE_PROTOCOL", f"the exchange's answer cannot be read ({type(error).__name__})")
        case Said.NOT_REACHED | Said.SILENT:
            return VenueError("VENUE_UNREACHABLE", f"the exchange cannot be reached ({type(error).__name__})")
        case Said.REFUSED | Said.ABSENT | Said.DUPLICATE:
            return VenueError("VENUE_REFUSED", f"the exchange refuses: {_shown(error, secrets)}")


def _shown(error: Exception, secrets: Iterable[str]) -> str:
    """Return an exchange's words without addresses, which may carry signatures, and without our credentials."""
    text = _ADDRESS.sub("", str(error))
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:_SHOWN]
