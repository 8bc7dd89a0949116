"""Drafts and two people at one workflow, on a real database."""

from __future__ import annotations

from typing import Any

import pytest

from alphintra.contracts.nocode import DiscardDraft, DraftView, GetDraft, SaveDraft, SaveWorkflow, ShareWorkflow
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.nocode.service import drafts
from fixtures.single_service import stop_at
from integration.nocode.studio import ADA, BOB, EMA, Studio, edited, saving
from integration.nocode.test_access import register


def keeping(workflow: Any, graph: str, *, revision: int = 0, base_version: int = 1) -> SaveDraft:  # noqa: ANN401 - a view
    return SaveDraft(workflow_id=workflow.workflow_id, base_version=base_version, revision=revision, graph=graph)


async def test_a_graph_with_problems_is_kept_as_a_draft_and_makes_no_version(studio: Studio) -> None:
    workflow = await studio.create()
    command = keeping(workflow, edited(period=0))
    kept = await studio.ask(command)
    assert (kept.revision, kept.base_version, kept.newest_version) == (1, 1, 1)
    assert [(each.code, each.node, each.port) for each in kept.problems] == [("FIELD_RANGE", "fast", "period")]
    assert await studio.ask(GetDraft(workflow_id=workflow.workflow_id)) == kept
    assert kept.graph == edited(period=0)
    assert await studio.counts() == (1, 1, 1, 1)
    assert await studio.ask(command) == kept  # sent again, its answer lost


async def test_of_two_windows_the_later_is_told_what_it_missed(studio: Studio) -> None:
    workflow = await studio.create()
    command = keeping(workflow, edited(period=5))
    await studio.ask(command)
    other = keeping(workflow, edited(period=6))
    with pytest.raises(AlphintraError) as caught:
        await studio.ask(other)
    assert (caught.value.code, caught.value.kind, caught.value.pointer) == (
        "DRAFT_CONFLICT",
        Kind.CONFLICT,
        "/revision",
    )
    assert "revision 1 of 2026-03-02 12:00:00 UTC" in caught.value.detail
    following = keeping(workflow, edited(period=6), revision=1)
    assert (await studio.ask(following)).revision == 2
    with pytest.raises(AlphintraError, match="DRAFT_CONFLICT"):
        await studio.ask(command)


async def test_a_draft_is_its_authors_alone_and_goes_with_the_save(studio: Studio) -> None:
    await register(studio, "bob", BOB)
    workflow = await studio.create()
    await studio.ask(ShareWorkflow(workflow_id=workflow.workflow_id, permission="edit", user=str(BOB)))
    asked = GetDraft(workflow_id=workflow.workflow_id)
    command = keeping(workflow, edited(period=5))
    await studio.ask(command)
    assert (await studio.ask(asked, user=BOB)).revision == 0
    theirs = keeping(workflow, edited(period=6))
    await studio.ask(theirs, user=BOB)
    save = saving(workflow, edited(period=5))
    await studio.ask(save)
    assert (await studio.ask(asked)).revision == 0
    left = await studio.ask(asked, user=BOB)
    assert (left.revision, left.base_version, left.newest_version) == (1, 1, 2)


async def test_who_saves_on_an_old_version_is_told_who_saved_since(studio: Studio) -> None:
    await register(studio, "ada", ADA)
    workflow = await studio.create()
    faster = SaveWorkflow(workflow_id=workflow.workflow_id, base_version=1, graph=edited(period=10), note="faster")
    await studio.ask(faster)
    late = saving(workflow, edited(period=15))
    with pytest.raises(AlphintraError) as caught:
        await studio.ask(late)
    assert caught.value.code == "VERSION_CONFLICT"
    assert caught.value.detail.endswith("newer: version 2 by ada@example.org at 2026-03-02 12:00:00 UTC: faster")


async def test_a_discarded_draft_is_gone_and_may_be_discarded_again(studio: Studio) -> None:
    workflow = await studio.create()
    command = keeping(workflow, EMA)
    await studio.ask(command)
    empty: DraftView | None = None
    for _ in range(2):
        empty = await studio.ask(DiscardDraft(workflow_id=workflow.workflow_id))
    assert empty == await studio.ask(GetDraft(workflow_id=workflow.workflow_id))
    assert empty.revision == 0


@pytest.mark.parametrize(
    ("graph", "base_version", "code", "pointer"),
    [
        ("{", 1, "JSON_SYNTAX", "/graph"),
        ('{"nodes": []}', 1, "FIELD_REQUIRED", "/graph/name"),
        (EMA, 0, "VERSION_NOT_FOUND", "/base_version"),
        (EMA, 2, "VERSION_NOT_FOUND", "/base_version"),
    ],
)
async def test_what_is_no_draft_is_refused(
    studio: Studio, graph: str, base_version: int, code: str, pointer: str
) -> None:
    workflow = await studio.create()
    command = keeping(workflow, graph, base_version=base_version)
    with pytest.raises(AlphintraError) as caught:
        await studio.ask(command)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert (await studio.ask(GetDraft(workflow_id=workflow.workflow_id))).revision == 0


async def test_a_draft_cut_short_is_absent(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = await studio.create()
    command = keeping(workflow, EMA)
    with monkeypatch.context() as cut:
        stop_at(cut, drafts, "nocode.draft_stored")
        with pytest.raises(AlphintraError, match="INTERNAL"):
            await studio.ask(command)
    assert (await studio.ask(command)).revision == 1
