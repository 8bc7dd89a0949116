"""The bytes an audit row is sealed by."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from alphintra.dataplane.chain.leaves import AuditRow, canonical, hashes_of
from alphintra.kernel.merkle import leaf_hash

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
times = st.datetimes(timezones=st.just(UTC))
rows = st.builds(
    AuditRow,
    audit_id=texts,
    actor=texts,
    action=texts,
    object=texts,
    detail=texts,
    trace_id=texts,
    occurred_at=times,
    recorded_at=times,
)


@given(rows)
def test_the_bytes_are_those_of_rfc_8785(row: AuditRow) -> None:
    """Names in order, no white space, characters as they are; control characters by their short escapes."""
    fields = {name: getattr(row, name) for name in AuditRow.__struct_fields__}
    fields |= {name: written(fields[name]) for name in ("occurred_at", "recorded_at")}
    assert canonical(row) == json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@given(rows, rows)
def test_other_rows_have_other_bytes(one: AuditRow, other: AuditRow) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)
    assert hashes_of([one, other]) == [leaf_hash(canonical(one)), leaf_hash(canonical(other))]


def written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds").replace("+00:00", "Z")
