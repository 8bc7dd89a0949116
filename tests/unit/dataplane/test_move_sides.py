"""What moves are called in PostgreSQL, and how one server is told to reach the other."""

from __future__ import annotations

import pytest

from alphintra.dataplane.layouts import Placement
from alphintra.dataplane.move.sides import Move, Side, connection_words
from alphintra.dataplane.server import Server


def server(url: str) -> Server:
    return Server(admin_url=url, host="127.0.0.1", port=5432)


@pytest.mark.parametrize(
    ("url", "host", "words"),
    [
        (
            "postgresql://postgres@/postgres?host=/run/pg&port=5433",
            "",
            "host='/run/pg' port='5433' user='postgres' dbname='shop' connect_timeout='5'",
        ),
        (
            "postgresql://postgres@/postgres?host=/run/pg&port=5433",
            "/proc/self/cwd/../socket",
            "host='/proc/self/cwd/../socket' port='5433' user='postgres' dbname='shop' connect_timeout='5'",
        ),
        (
            "postgresql://admin:it%27s%5C@db.example/postgres?sslmode=require",
            "",
            (
                "host='db.example' port='5432' user='admin' password='it\\'s\\\\' dbname='shop' connect_timeout='5' "
                "sslmode='require'"
            ),
        ),
    ],
)
def test_a_subscription_is_told_where_to_log_in_and_nothing_of_it_can_be_read_as_more(
    url: str, host: str, words: str
) -> None:
    assert connection_words(server(url), "shop", host=host) == words


def test_the_names_of_both_ways_are_apart_and_fit_into_postgresql() -> None:
    place = Placement(service="notification", database="alphintra_notification")
    side = Side(server=server("postgresql://postgres@/postgres"), placement=place)
    move = Move(ident="a1b2c3", source=side, target=side)
    assert (move.forward, move.back) == ("am_notification_a1b2c3", "am_notification_a1b2c3_back")
