"""Every figure that may have no value says why, and no other one does."""

from __future__ import annotations

from typing import get_type_hints

from alphintra.engine.metrics.documents import metric_documents
from alphintra.engine.metrics.figures import Metrics


def test_every_figure_that_may_be_undefined_says_why() -> None:
    kinds = get_type_hints(Metrics)
    optional = {name for name, kind in kinds.items() if kind not in {float, int}}
    assert {document.name for document in metric_documents() if document.undefined} == optional
