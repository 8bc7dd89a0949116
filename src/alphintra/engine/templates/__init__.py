"""Ready-made strategies as graphs, the same a person would draw."""

from __future__ import annotations

from alphintra.engine.templates.crossover import crossover
from alphintra.engine.templates.gallery import GALLERY, Template

__all__ = ["GALLERY", "Template", "crossover"]
