"""Each row of the catalogue of wrong requests, orders and venue messages has a test that names its code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).resolve().parents[1]
EDGE: Final = "integration/edge/test_bad_input.py"
ORDERS: Final = "integration/edge/test_orders.py"
REQUESTS: Final = "acceptance/test_bad_requests.py"
VALIDATION: Final = "unit/trading/test_validation.py"
PRETRADE: Final = "unit/engine/test_pretrade.py"
MACHINE: Final = "integration/trading/test_order_machine.py"
HOLDINGS: Final = "integration/trading/test_holdings.py"
GUARDS: Final = "integration/edge/test_guards.py"
GOVERNANCE: Final = "integration/risk/test_governance.py"
REPLACING: Final = "unit/trading/test_replacing.py"
REPORTS: Final = "integration/trading/test_reports.py"
KEYS: Final = "acceptance/test_keys_of_accounts.py"
CONNECTIONS: Final = "integration/broker/test_connections.py"
FAULTS: Final = "integration/broker/test_live_faults.py"
AMOUNTS: Final = "unit/trading/test_orders.py"
AT_THE_LIMIT: Final = f"{PRETRADE}::test_at_the_limit_passes_and_beyond_it_is_refused"
MEANT: Final = f"{EDGE}::test_an_order_that_cannot_be_meant_is_refused"
BODY: Final = f"{EDGE}::test_a_body_that_cannot_be_read_is_refused"
QUANTITY: Final = f"{EDGE}::test_a_quantity_that_is_no_positive_decimal_is_refused"
ODD: Final = f"{HOLDINGS}::test_what_is_odd_is_booked_kept_and_told"
# Through HTTP to every service, after which no table has changed.
WHOLE: Final = f"{REQUESTS}::test_each_wrong_request_is_refused_by_code_and_place_and_changes_nothing"
# Refused by the controls: denied and kept as such, with nothing reserved and nothing sent.
DENIED: Final = f"{REQUESTS}::test_what_the_controls_refuse_is_denied_by_code_and_place_and_reserves_and_sends_nothing"

# What is wrong, the code it is refused with, and the tests of it.
ROWS: Final[dict[int, tuple[str, str, tuple[str, ...]]]] = {
    1: ("empty body", "BODY_EMPTY", (BODY, WHOLE)),
    2: ("truncated JSON", "JSON_SYNTAX", (BODY, WHOLE)),
    3: ("duplicate key", "JSON_DUPLICATE_KEY", (BODY, WHOLE)),
    4: ("bytes that are not UTF-8", "ENCODING", (BODY, WHOLE)),
    5: ("lone surrogate", "ENCODING", (BODY, WHOLE)),
    6: ("nested 100,000 deep", "JSON_TOO_DEEP", (BODY, WHOLE)),
    7: (
        "body of 50 MB",
        "BODY_TOO_LARGE",
        (f"{EDGE}::test_a_body_of_fifty_megabytes_is_refused_as_it_arrives", WHOLE),
    ),
    8: ("JSON under another name", "CONTENT_TYPE", (f"{EDGE}::test_json_under_another_name_is_refused", WHOLE)),
    9: ("unknown field", "FIELD_UNKNOWN", (f"{EDGE}::test_a_misspelt_field_is_answered_with_the_one_meant", WHOLE)),
    10: ("wrong type", "FIELD_TYPE", (MEANT, WHOLE)),
    11: ("U+0000 in a name", "FIELD_CHARS", (BODY, WHOLE)),
    12: (
        "invisible characters in a name",
        "FIELD_CHARS",
        (f"{EDGE}::test_a_name_with_invisible_characters_is_refused", WHOLE),
    ),
    13: ("page of a billion", "PAGE_LIMIT", (f"{EDGE}::test_a_page_of_a_billion_is_refused", WHOLE)),
    14: ("forged cursor", "CURSOR_INVALID", (f"{MACHINE}::test_a_cursor_that_is_none_of_ours_is_refused", WHOLE)),
    15: (
        "stale If-Match",
        "VERSION_CONFLICT",
        (f"{EDGE}::test_a_stale_version_is_a_failed_precondition", WHOLE),
    ),
    16: (
        "X-User-Id from outside",
        "x-user-id",
        (f"{GUARDS}::test_identity_headers_from_outside_change_nothing_and_are_told_in_the_log",),
    ),
    17: (
        "no key on an order",
        "IDEMPOTENCY_REQUIRED",
        (MEANT, WHOLE),
    ),
    18: (
        "same key, other body",
        "IDEMPOTENCY_MISMATCH",
        (
            f"{ORDERS}::test_what_is_wrong_with_an_id_is_told_of_the_key_that_stands_for_it",
            f"{REQUESTS}::test_a_key_with_another_body_is_refused_and_the_first_order_stays",
        ),
    ),
    19: (
        "same key in flight",
        "IN_PROGRESS",
        (
            f"{ORDERS}::test_what_is_wrong_with_an_id_is_told_of_the_key_that_stands_for_it",
            f"{REQUESTS}::test_a_key_in_flight_makes_one_order_whoever_comes_first",
        ),
    ),
    20: ("key of 10 kB", "IDEMPOTENCY_FORMAT", (f"{ORDERS}::test_a_key_that_is_none_is_refused", WHOLE)),
    29: ("NaN", "NUMBER_NOT_FINITE", (QUANTITY, WHOLE)),
    30: ("1e999999", "NUMBER_RANGE", (f"{EDGE}::test_a_number_beyond_all_amounts_is_refused", WHOLE)),
    31: ("below zero", "QTY_NOT_POSITIVE", (QUANTITY, WHOLE)),
    32: ("zero and minus zero", "QTY_NOT_POSITIVE", (QUANTITY, WHOLE)),
    33: ("noise of floats", "NUMBER_SCALE", (QUANTITY, WHOLE)),
    34: ("1_000, other digits, blanks, comma", "NUMBER_FORMAT", (QUANTITY, WHOLE)),
    35: (
        "price off tick",
        "ORDER_TICK",
        (
            AT_THE_LIMIT,
            f"{GOVERNANCE}::test_instruments_restrictions_and_the_fleet_are_read_at_the_next_order",
            DENIED,
        ),
    ),
    36: ("quantity off lot", "ORDER_LOT", (AT_THE_LIMIT, DENIED)),
    37: (
        "more money than can be booked",
        "NUMBER_RANGE",
        (f"{AMOUNTS}::test_an_order_worth_more_than_any_amount_is_refused", WHOLE),
    ),
    38: (
        "limit without price",
        "ORDER_FIELD_REQUIRED",
        (f"{VALIDATION}::test_each_price_is_required_by_its_types_and_forbidden_to_the_others", WHOLE),
    ),
    39: (
        "market with price",
        "ORDER_FIELD_FORBIDDEN",
        (f"{VALIDATION}::test_each_price_is_required_by_its_types_and_forbidden_to_the_others", WHOLE),
    ),
    40: (
        "stop on the wrong side",
        "ORDER_STOP_SIDE",
        (f"{VALIDATION}::test_a_group_that_cannot_work_is_refused", AT_THE_LIMIT, DENIED),
    ),
    41: (
        "end in the past, or without a zone",
        "EXPIRY_PAST",
        (f"{VALIDATION}::test_an_order_that_ends_before_it_begins_is_refused", WHOLE),
    ),
    42: (
        "time in force that is none",
        "ORDER_UNSUPPORTED",
        (f"{VALIDATION}::test_every_type_and_time_in_force_is_taken_or_refused_by_rule", WHOLE),
    ),
    43: (
        "unknown symbol",
        "ORDER_UNKNOWN_SYMBOL",
        (
            f"{REQUESTS}::test_order_in_an_unknown_symbol_is_refused",
            "integration/risk/test_assess.py::test_an_unknown_symbol_is_answered_with_those_the_feed_has",
        ),
    ),
    44: (
        "change after the fill",
        "ORDER_TERMINAL",
        (
            f"{REPLACING}::test_a_closed_order_is_not_replaced",
            f"{REQUESTS}::test_a_closed_order_is_not_changed_and_stays_as_it_is",
            f"{MACHINE}::test_a_fill_between_risk_s_word_and_the_swap_is_seen",
        ),
    ),
    45: ("cancel of an unknown order", "ORDER_NOT_FOUND", (WHOLE,)),
    46: (
        "quantity below what is filled",
        "AMEND_BELOW_FILLED",
        (
            f"{REPLACING}::test_the_new_quantity_leaves_something_to_trade_beyond_all_that_is_filled",
            f"{MACHINE}::test_a_replacement_that_cannot_be_changes_nothing",
        ),
    ),
    47: (
        "other people's order",
        "ORDER_NOT_FOUND",
        (
            f"{REPORTS}::test_other_peoples_orders_and_books_look_as_if_they_were_not_there",
            f"{MACHINE}::test_nobody_replaces_other_people_s_orders",
        ),
    ),
    48: (
        "paper key on a live account",
        "AUTH_SCOPE",
        (f"{KEYS}::test_a_key_of_the_other_mode_or_of_another_account_is_refused_everywhere",),
    ),
    49: (
        "id with a line break, or too long",
        "ORDER_ID_FORMAT",
        (MEANT, WHOLE),
    ),
    50: (
        "execution of nobody's order",
        "EXTERNAL_ORDER",
        (
            f"{HOLDINGS}::test_an_execution_of_nobodys_order_is_kept_after_ten_seconds_and_changes_nothing",
            f"{CONNECTIONS}::test_what_is_at_the_venue_and_not_ours_is_found_once_and_resolved_by_a_person",
        ),
    ),
    51: (
        "same execution, other price",
        "EXEC_CONFLICT",
        (
            f"{HOLDINGS}::test_a_batch_books_what_it_can_and_keeps_what_it_cannot",
            f"{FAULTS}::test_what_does_not_fit_is_a_break_and_the_account_may_only_reduce",
        ),
    ),
    52: (
        "more executed than ordered",
        "OVERFILL",
        (ODD, f"{GOVERNANCE}::test_an_overfill_blocks_the_symbol_for_the_account_once"),
    ),
    53: ("execution in the future", "TIME_SKEW", (ODD,)),
    54: ("fee below zero", "FEE_SIGN", (ODD,)),
    55: (
        "status nobody knows",
        "VENUE_ENUM_UNKNOWN",
        ("unit/broker/test_reports.py::test_a_word_nobody_knows_leaves_the_order_as_it_is",),
    ),
    56: (
        "page of HTML with 200",
        "VENUE_PROTOCOL",
        ("unit/broker/test_alpaca_wire.py::test_what_is_not_json_is_refused",),
    ),
}


def test_the_rows_of_interfaces_orders_and_venues_are_all_here() -> None:
    assert set(ROWS) == {*range(1, 21), *range(29, 57)}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_tests_that_are_there_and_name_its_code(row: int) -> None:
    _, code, tests = ROWS[row]
    assert tests
    for named in tests:
        name, _, function = named.partition("::")
        source = (TESTS / name).read_text(encoding="utf-8")
        functions = {
            node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert function in functions, f"{named} is not there"
        assert code in source, f"{name} does not name {code}"
