"""Documents that travel as text inside are JSON outside."""

from __future__ import annotations

import msgspec

from alphintra.contracts.nocode import TemplatesView, TemplateView, WorkflowVersionView
from alphintra.edge.replies import DOCUMENTS, encode_reply
from fixtures.edge import sample


def test_every_declared_document_is_a_text_of_its_view() -> None:
    for view, name in DOCUMENTS.items():
        assert name in view.__struct_fields__


def test_a_graph_is_answered_as_an_object() -> None:
    answered = msgspec.json.decode(encode_reply(sample(WorkflowVersionView)))
    assert answered["graph"] == {"sample": 1}
    assert answered["name"] == "text"


def test_graphs_inside_a_list_are_objects_too() -> None:
    answered = msgspec.json.decode(encode_reply(sample(TemplatesView)))
    assert answered["templates"][0]["graph"] == {"sample": 1}


def test_a_document_that_is_not_there_yet_is_null() -> None:
    view = TemplateView(name="a", title="b", description="c", graph="")
    assert msgspec.json.decode(encode_reply(view))["graph"] is None
