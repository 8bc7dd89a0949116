"""Schemas as text: what counts as different, and under which name it is told."""

from __future__ import annotations

from alphintra.dataplane.layouts import LayoutChoice, LayoutName, choose_layout
from alphintra.dataplane.schema_text import Part, differences, objects_of, read_schema_file, schema_file

DECLARED = {
    "table orders": "CREATE TABLE orders (\n    order_id uuid NOT NULL,\n    qty numeric(28,9) NOT NULL\n);",
    "index orders.orders_idx": "CREATE INDEX orders_idx ON orders USING btree (qty);",
}


def part(kind: str, relation: str, name: str, text: str, *, schema: str = "trading_schema", position: int = 0) -> Part:
    return Part(kind=kind, schema=schema, relation=relation, name=name, position=position, text=text)


def test_equal_schemas_differ_in_nothing() -> None:
    assert differences(DECLARED, dict(reversed(DECLARED.items()))) == ()


def test_a_changed_line_is_quoted_with_what_is_declared() -> None:
    found = {**DECLARED, "table orders": DECLARED["table orders"].replace("numeric(28,9)", "integer")}
    note = "table orders has 'qty integer NOT NULL', declared is 'qty numeric(28,9) NOT NULL'"
    assert differences(DECLARED, found) == (note,)


def test_what_is_added_to_a_declared_table_differs_and_what_stands_beside_does_not() -> None:
    found = {
        **DECLARED,
        "index orders.by_hand": "x",
        "table notes": "x",
        "index notes.notes_idx": "x",
        "type mood": "x",
    }
    assert differences(DECLARED, found) == ("index orders.by_hand is not declared",)


def test_what_is_missing_is_named() -> None:
    assert differences(DECLARED, {}) == ("table orders is missing", "index orders.orders_idx is missing")


def test_columns_stand_in_their_order_and_constraints_after_them() -> None:
    placement = next(item for item in choose_layout(LayoutChoice()) if item.service == "trading")
    parts = [
        part("constraint", "orders", "orders_pkey", "CONSTRAINT orders_pkey PRIMARY KEY (order_id)"),
        part("column", "orders", "qty", "qty numeric(28,9)", position=3),
        part("column", "orders", "order_id", "order_id uuid", position=1),
        part("table", "orders", "orders", ""),
        part("index", "orders", "orders_idx", "CREATE INDEX orders_idx ON trading_schema.orders USING btree (qty);"),
    ]
    objects = objects_of(parts, placement)
    assert objects == {
        "table orders": "CREATE TABLE orders (\n    order_id uuid,\n    qty numeric(28,9),\n"
        "    CONSTRAINT orders_pkey PRIMARY KEY (order_id)\n);",
        "index orders.orders_idx": "CREATE INDEX orders_idx ON orders USING btree (qty);",
    }
    assert read_schema_file(schema_file("trading", objects)) == objects


def test_long_lines_are_broken_between_words_and_never_inside_quotes() -> None:
    placement = next(item for item in choose_layout(LayoutChoice()) if item.service == "trading")
    check = (
        "CONSTRAINT long_check CHECK ((state = ANY (ARRAY["
        + ", ".join(f"'in the state {n}'" for n in range(9))
        + "])))"
    )
    parts = [part("table", "orders", "orders", ""), part("constraint", "orders", "long_check", check)]
    text = objects_of(parts, placement)["table orders"]
    assert max(map(len, text.splitlines())) <= 116
    assert "'in the state 7'" in text
    assert " ".join(text.split()) == f"CREATE TABLE orders ( {check} );"


def test_merged_tables_read_as_the_service_knows_them_and_its_neighbours_do_not_count() -> None:
    layout = choose_layout(LayoutChoice(name=LayoutName.CONSOLIDATED, accepts_consolidated=True))
    placement = next(item for item in layout if item.service == "trading")
    merged = placement.merged_schema
    parts = [
        part("table", "trading_outbox", "trading_outbox", "", schema=merged),
        part("column", "trading_outbox", "event_id", "event_id uuid", schema=merged, position=1),
        part("table", "risk_outbox", "risk_outbox", "", schema=merged),
        part("view", "outbox", "outbox", "CREATE VIEW outbox AS select 1;"),
    ]
    assert objects_of(parts, placement) == {"table outbox": "CREATE TABLE outbox (\n    event_id uuid\n);"}


def test_only_the_service_s_own_search_path_is_left_open() -> None:
    placement = next(item for item in choose_layout(LayoutChoice()) if item.service == "trading")
    own = "CREATE FUNCTION f()\n SET search_path TO 'trading_schema', 'pg_temp'\nAS x;"
    other = "CREATE FUNCTION g()\n SET search_path TO 'trading_schema', 'public'\nAS x;"
    objects = objects_of([part("function", "", "f()", own), part("function", "", "g()", other)], placement)
    assert "SET search_path FROM CURRENT" in objects["function f()"]
    assert "'public'" in objects["function g()"]
