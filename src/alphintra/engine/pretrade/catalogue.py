"""The page of all controls, written from the controls themselves."""

from __future__ import annotations

import msgspec

from alphintra.engine.pretrade.assessment import CONTROLS, RENEWED, SOFT_CODES
from alphintra.engine.pretrade.limits import LIMIT_DOCS
from alphintra.kernel.limits import LimitControls

__all__ = ["controls_page"]

_HEAD = """# Risk controls

Every order passes every control before it is approved, and is refused with all the codes found; the first is the one
named first. A replacement is an order like any other. What cannot be judged is refused. The decision is stored with all
it was made from, the version of the limit set and a hash over both. Written from `engine.pretrade`; a test holds it so.

## Controls, in the order they run

"Again" marks what is asked once more when an approval expired before its order was sent. "Soft" codes may be let pass
for one order by a second person (`risk.request_override`, `risk.approve_override`); all others are hard.

| Rule | Control | Codes | Looks at | By default | Again | Soft |
|---|---|---|---|---|---|---|
"""
_LIMITS = """
## Limits

`alphintra risk limits set` and `PUT /api/v1/accounts/{id}/limits` store a new version of an account's limit set; it
holds from the next order on, orders under way keep the version they were approved by. What is not set is not limited.

| Limit | Rule | Meaning | Default |
|---|---|---|---|
"""


def controls_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD.rstrip("\n")]
    for control in CONTROLS:
        codes = ", ".join(f"`{code}`" for code in control.codes)
        again = "yes" if control in RENEWED else ""
        soft = "yes" if set(control.codes) & SOFT_CODES else ""
        lines.append(
            f"| {control.rule} | {control.name} | {codes} | {control.inputs} | {control.default} | {again} | {soft} |"
        )
    lines.append(_LIMITS.rstrip("\n"))
    defaults = msgspec.structs.asdict(LimitControls())
    firsts = {
        "order_qty_max": 100_000,
        "order_notional_max": 1_000_000,
        "position_qty_max": 100_000,
        "may_short": False,
    }
    for name, (rule, meaning) in LIMIT_DOCS.items():
        value = {**firsts, **defaults}[name]
        lines.append(f"| `{name}` | {rule} | {meaning} | {'not set' if value is None else str(value).lower()} |")
    return "\n".join(lines) + "\n"
