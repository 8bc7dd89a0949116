"""docs/nodes.md says what the nodes are, and each says it in words a trader knows."""

from __future__ import annotations

import os
from pathlib import Path

from alphintra.engine.graph.catalogue import CATALOGUE, nodes_page

PAGE = Path(__file__).parents[3] / "docs" / "nodes.md"


def test_the_page_is_what_the_nodes_write_today() -> None:
    if os.environ.get("ALPHINTRA_REWRITE_GOLDEN"):
        PAGE.write_text(nodes_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == nodes_page()


def test_every_node_and_parameter_says_in_one_line_what_it_is() -> None:
    for entry in CATALOGUE.values():
        texts = [entry.summary, *(spec.summary for spec in entry.params)]
        assert all(text.endswith(".") and "\n" not in text and "|" not in text for text in texts), entry.type
        assert len({port.name for port in entry.outputs}) == len(entry.outputs), entry.type
        assert len({port.name for port in entry.inputs}) == len(entry.inputs), entry.type
