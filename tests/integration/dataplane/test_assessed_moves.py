"""Claims about moves are judged by services that really moved: under writers, compared, and taken back."""

from __future__ import annotations

import pytest

from alphintra.dataplane.assess.bench import Notes, build
from alphintra.dataplane.assess.figures import Findings, Verdict, Word
from alphintra.dataplane.assess.ledger import judge
from alphintra.dataplane.assess.moves import note_moves
from alphintra.runtime.scratch import scratch_lab

pytestmark = pytest.mark.timeout(900)


async def verdicts_of(layout: str) -> tuple[Notes, Verdict, Verdict]:
    """Return what was noted of a layout's moves, and claims 23 and 29."""
    notes = Notes()
    async with scratch_lab() as lab:
        bench = await build(lab, layout, orders=100, notes=notes)
        await note_moves(bench, notes, services=("user",))
    found = Findings(layout=layout, figures=notes.figures, facts=notes.facts, seconds={}, gaps={})
    rows = {row.number: row.verdicts[layout] for row in judge([found])}
    return notes, rows[23], rows[29]


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["separate", "central", "instances"])
async def test_services_move_online_and_back_in_layouts_of_services_of_their_own(layout: str) -> None:
    notes, migration, phases = await verdicts_of(layout)
    assert migration.word is Word.HOLDS, migration.evidence
    assert phases.word is (Word.HOLDS if layout == "central" else Word.CONDITION), phases.evidence
    for key in ("move_lost", "move_refused", "move_differences", "elsewhere_lost", "elsewhere_refused"):
        assert notes.figures[key].value == 0, key
    assert notes.figures["move_rows"].value > 0
    assert notes.figures["move_pause_ms"].rounds == 2


@pytest.mark.slow
async def test_services_of_one_schema_move_together_alone_and_the_claims_say_so() -> None:
    notes, migration, phases = await verdicts_of("consolidated")
    assert notes.facts["moves_refused"] == ("MIGRATE_LAYOUT",)
    assert migration.word is Word.FAILS
    assert "MIGRATE_LAYOUT" in migration.evidence
    assert phases.word is Word.CONDITION, phases.evidence
    assert [notes.figures[f"merge_{key}"].value for key in ("services", "lost", "refused")] == [8, 0, 0]
    assert notes.figures["merge_acknowledged"].value > 0
