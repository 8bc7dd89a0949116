"""One meaning per text, or a refusal that says where."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.edge.strict_json import DEPTH_MAX, parse_json
from alphintra.kernel.errors import AlphintraError


def refusal(body: bytes) -> AlphintraError:
    with pytest.raises(AlphintraError) as caught:
        parse_json(body)
    return caught.value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BODY_EMPTY"),
        (b" \n ", "BODY_EMPTY"),
        (b'{"qty": "1"', "JSON_SYNTAX"),
        (b"{'qty': 1}", "JSON_SYNTAX"),
        (b'{"qty": 1,}', "JSON_SYNTAX"),
        (b'{"qty": 01}', "JSON_SYNTAX"),
        (b'{"qty": 1} {}', "JSON_SYNTAX"),
        (b'{"a": "\n"}', "JSON_SYNTAX"),
        (b'\xef\xbb\xbf{"a": 1}', "JSON_SYNTAX"),
        (b'{"a": 1, "a": 1}', "JSON_DUPLICATE_KEY"),
        (b'{"x": [{"a": 1, "a": 2}]}', "JSON_DUPLICATE_KEY"),
        (b'{"a": "\xff"}', "ENCODING"),
        (b'{"a": "\xed\xa0\x80"}', "ENCODING"),
        (b'{"a": "\\ud800"}', "ENCODING"),
        (b'{"a": "\\udfff x"}', "ENCODING"),
        (b'{"\\uD800": 1}', "ENCODING"),
        (b'{"a": ["x\\u0000y"]}', "FIELD_CHARS"),
        (b"[" * 100_000, "JSON_TOO_DEEP"),
        (b'{"a":' * 100_000, "JSON_TOO_DEEP"),
        (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), "JSON_TOO_DEEP"),
    ],
)
def test_a_text_with_no_or_two_meanings_is_refused(body: bytes, code: str) -> None:
    assert refusal(body).code == code


def test_a_syntax_error_says_at_which_character() -> None:
    assert "at character 8 " in refusal(b'{"qty": }').detail


def test_a_forbidden_character_is_named_by_its_pointer() -> None:
    assert refusal(b'{"a": [1, "x\\u0000"]}').pointer == "/a/1"


def test_brackets_inside_texts_do_not_count_as_depth() -> None:
    text = '["' + "[" * 500 + '\\""]'
    assert parse_json(text.encode()) == json.loads(text)


def test_many_shallow_brackets_are_not_deep() -> None:
    text = "[" + ",".join(["[]"] * 500) + "]"
    assert parse_json(text.encode()) == json.loads(text)


def test_a_pair_of_surrogate_escapes_is_one_character() -> None:
    assert parse_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_a_number_keeps_every_digit_it_was_written_with() -> None:
    assert parse_json(b"[0.1000000000000000055511151231257827, 1e400]") == [
        Decimal("0.1000000000000000055511151231257827"),
        Decimal("1e400"),
    ]


def test_a_number_of_a_hundred_thousand_digits_is_read_without_converting_it() -> None:
    assert parse_json(b"9" * 100_000) == Decimal("9" * 100_000)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(TREES)
def test_whatever_json_can_say_once_is_read_as_said(tree: object) -> None:
    assert parse_json(json.dumps(tree).encode()) == tree
    assert parse_json(json.dumps(tree, ensure_ascii=False).encode()) == tree


CODES = {"BODY_EMPTY", "ENCODING", "JSON_SYNTAX", "JSON_DUPLICATE_KEY", "JSON_TOO_DEEP", "FIELD_CHARS"}


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0d8e-1.5 ', max_size=40).map(str.encode))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    assert outcome_of(body) in CODES | {"read"}


def outcome_of(body: bytes) -> str:
    try:
        parse_json(body)
    except AlphintraError as error:
        return error.code
    return "read"
