"""How answers are written: decimals and times as text, documents that travelled as text as JSON."""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from alphintra.contracts.algorithms import AlgorithmView
from alphintra.contracts.courses import BacktestTermsView
from alphintra.contracts.nocode import DraftView, NodeCatalogueView, TemplateView, WorkflowVersionView
from alphintra.contracts.strategy import BacktestView, DecisionView
from alphintra.contracts.sweeps import SweepView, VerdictView
from alphintra.contracts.workflows import WorkflowComparisonView, WorkflowDocumentView

__all__ = ["DOCUMENTS", "encode_reply", "unfold"]

# Which field of which view holds JSON text on the bus: outside it is the JSON itself, or null where it is empty.
DOCUMENTS: Final = MappingProxyType[type[msgspec.Struct], str](
    {
        AlgorithmView: "parameters",
        BacktestTermsView: "graph",
        BacktestView: "result",
        DecisionView: "values",
        DraftView: "graph",
        NodeCatalogueView: "document",
        SweepView: "result",
        TemplateView: "graph",
        VerdictView: "evidence",
        WorkflowComparisonView: "difference",
        WorkflowDocumentView: "document",
        WorkflowVersionView: "graph",
    }
)
_EXPONENT: Final = re.compile(rb'"-?[0-9](?:\.[0-9]+)?E-[0-9]+"')
_NULL: Final = msgspec.Raw(b"null")
_encode = msgspec.json.Encoder(decimal_format="string").encode


def encode_reply(view: msgspec.Struct) -> bytes:
    """Return a view as JSON; amounts are plain numbers in text, as they are accepted: never ``1E-7``."""
    reply = unfold(view)
    written = _encode(reply)
    # Python writes amounts below a millionth with an exponent. They are rare: only then is the reply gone through.
    return written if _EXPONENT.search(written) is None else _encode(_spelled_out(reply))


def unfold(view: msgspec.Struct) -> object:
    """Return a view, or what stands for it, with its own and its items' documents as JSON."""
    if type(view) in DOCUMENTS:
        return _unfolded(view)
    for name in view.__struct_fields__:
        items = getattr(view, name)
        if isinstance(items, tuple) and items and type(items[0]) in DOCUMENTS:
            return {**msgspec.structs.asdict(view), name: [_unfolded(item) for item in items]}
    return view


def _spelled_out(value: object) -> object:
    """Return the same with each Decimal as the text of a plain number."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, msgspec.Struct):
        return {name: _spelled_out(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: _spelled_out(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_spelled_out(item) for item in value]
    return value


def _unfolded(view: msgspec.Struct) -> dict[str, object]:
    name = DOCUMENTS[type(view)]
    text: str = getattr(view, name)
    return {**msgspec.structs.asdict(view), name: msgspec.Raw(text.encode()) if text else _NULL}
