"""The bars at which something is asked for, found in the same memory again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alphintra.engine.account.stretches import Signals, signals

Portion = np.ndarray[Any, np.dtype[np.float64]]
columns: st.SearchStrategy[Portion] = st.lists(
    st.tuples(*[st.sampled_from([0.0, 0.0, 0.0, 1.0, -1.0, float("nan")])] * 2), min_size=1, max_size=40
).map(np.array)


@given(st.lists(columns, min_size=1, max_size=4))
def test_kernel_and_numpy_find_the_same_bars_whatever_was_asked_before(portions: list[Portion]) -> None:
    found, told = Signals(is_compiled=True), Signals(is_compiled=False)
    for portion in portions:
        entries, leaves = np.ascontiguousarray(portion[:, 0]), np.ascontiguousarray(portion[:, 1])
        room = found.room(entries, leaves)
        count = signals(entries, leaves, room)
        wanted = [i for i in range(entries.size) if entries[i] > 0 or entries[i] < 0 or leaves[i] > 0]
        assert room[2][:count].tolist() == wanted
        assert told.room(entries, leaves)[2].tolist() == wanted
