"""Whole numbers beyond what one float holds are reckoned exactly and rounded once, half to even."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from alphintra.engine.kernels.exact import is_within, over

whole = st.integers(-(2**50), 2**50)
small = st.integers(0, 2**40)


@settings(max_examples=150, deadline=None)
@example(first=5, second=1, third=0, fourth=0, by=2)
@example(first=7, second=1, third=0, fourth=0, by=2)
@example(first=-7, second=1, third=0, fourth=0, by=2)
@example(first=2**50 + 1, second=2**39 + 1, third=1, fourth=1, by=2)
@given(first=whole, second=small, third=small, fourth=small, by=st.sampled_from([2, 10**9, 10**11, 10**13, 3, 7]))
def test_a_sum_of_products_is_divided_exactly(first: int, second: int, third: int, fourth: int, by: int) -> None:
    exact = Fraction(first * second + third * fourth, by)
    if abs(exact) < 2**52:
        assert over(float(first), float(second), float(third), float(fourth), float(by)) == round(exact)


@settings(max_examples=100, deadline=None)
@given(small, small, small, st.integers(-2, 2))
def test_products_are_compared_exactly(first: int, second: int, third: int, change: int) -> None:
    fourth = first * second // max(third, 1) + change
    if abs(fourth) < 2**53:
        told = is_within(float(first), float(second), float(third), float(fourth))
        assert told == (first * second <= third * fourth)
