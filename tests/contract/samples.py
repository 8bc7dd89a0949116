"""Every message class that services exchange, and one fixed value of each with every field filled in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from msgspec import inspect

from alphintra.contracts import (
    algorithms,
    auth,
    broker,
    courses,
    datasets,
    drift,
    executions,
    explanations,
    feed_splits,
    inspector,
    nocode,
    notification,
    order_checks,
    order_reports,
    oversight,
    previews,
    prices,
    risk,
    samples,
    strategy,
    surveillance,
    sweeps,
    trading,
    unclaimed,
    upkeep,
    user,
)
from alphintra.kernel import health, holds
from alphintra.kernel.messages import Command, Event, tag_of

__all__ = ["COMMANDS", "EVENTS", "MESSAGES", "MODULES", "sample"]

M = TypeVar("M", bound=msgspec.Struct)

MODULES: Final = (
    algorithms,
    auth,
    broker,
    courses,
    feed_splits,
    order_reports,
    oversight,
    nocode,
    notification,
    risk,
    datasets,
    strategy,
    samples,
    executions,
    explanations,
    previews,
    surveillance,
    sweeps,
    drift,
    trading,
    unclaimed,
    order_checks,
    prices,
    user,
    inspector,
    upkeep,
    health,
    holds,
)
_MOMENT: Final = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
_NAMES: Final = frozenset(module.__name__ for module in MODULES)


def _below(base: type[M]) -> Iterator[type[M]]:
    for child in base.__subclasses__():
        if child.__module__ in _NAMES:
            yield child
        yield from _below(child)


COMMANDS: Final[tuple[type[Command[Any]], ...]] = tuple(sorted(_below(Command), key=tag_of))
EVENTS: Final[tuple[type[Event], ...]] = tuple(sorted(_below(Event), key=tag_of))
MESSAGES: Final[tuple[type[msgspec.Struct], ...]] = (*COMMANDS, *EVENTS)


def sample(message: type[M]) -> M:
    """Return the same value at every call; each field differs from its neighbours, as far as its type has room."""
    return message(**_fields(message, message.__name__))


def _fields(message: type[msgspec.Struct], path: str) -> dict[str, Any]:
    info = inspect.type_info(message)
    assert isinstance(info, inspect.StructType)
    return {field.name: _value(field.type, f"{path}.{field.name}") for field in info.fields}


def _value(info: inspect.Type, path: str) -> Any:  # noqa: ANN401 - a value of the type
    match info:
        case inspect.StructType():
            return info.cls(**_fields(info.cls, path))
        case inspect.UnionType():
            return _value(next(one for one in info.types if not isinstance(one, inspect.NoneType)), path)
        case inspect.VarTupleType():
            return tuple(_value(info.item_type, f"{path}.{place}") for place in ("first", "second"))
        case inspect.DictType():
            return {_value(info.key_type, f"{path}.key"): _value(info.value_type, f"{path}.value")}
        case inspect.EnumType():
            return list(info.cls)[-1]
        case _:
            return _scalar(info, path)


def _scalar(info: inspect.Type, path: str) -> Any:  # noqa: ANN401, PLR0911 - one line a kind of type
    key: UUID = uuid5(NAMESPACE_URL, path)
    number = key.int % 1000
    match info:
        case inspect.BoolType():
            return True
        case inspect.DateTimeType():
            return _MOMENT + timedelta(seconds=number, microseconds=number)
        case inspect.DecimalType():
            return Decimal(f"{number}.250")  # the trailing zero must travel: no float on the way
        case inspect.FloatType():
            return number + 0.5
        case inspect.IntType():
            return number
        case inspect.StrType():
            return path.rpartition(".")[2] + " é"
        case inspect.UUIDType():
            return key
        case inspect.BytesType():
            return b"\x00\xff" + key.bytes
        case _:
            message = f"{path}: no sample for {info}"
            raise AssertionError(message)
