"""Where mail is handed in, and what webhooks reach."""

from __future__ import annotations

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.notification.domain.outgoing import (
    Security,
    parse_mail_server,
    parse_networks,
    parse_sender,
    parse_target,
    require_email,
    require_reachable,
)

PUBLIC = parse_target("https://hooks.example.org/", ())


@pytest.mark.parametrize(
    ("text", "security", "port"),
    [
        ("smtps://mail.example.org", Security.TLS, 465),
        ("smtp://mail.example.org", Security.STARTTLS, 587),
        ("smtp://mail.example.org:2525", Security.STARTTLS, 2525),
        ("smtp+plain://localhost", Security.PLAIN, 25),
        ("smtp+plain://[::1]:1025", Security.PLAIN, 1025),
    ],
)
def test_a_mail_server_is_read_with_its_security(text: str, security: Security, port: int) -> None:
    server = parse_mail_server(text)
    assert server is not None
    assert (server.security, server.port) == (security, port)


@pytest.mark.parametrize(
    "text",
    [
        "smtp+plain://mail.example.org",
        "smtp+plain://10.0.0.1",
        "smtp+plain://127.0.0.1.example.org",
        "http://mail.example.org",
        "mail.example.org",
        "smtp://",
        "smtp://user:canary-secret@/x",
        "smtp://mail.example.org/?security=none",
        "smtp://mail.example.org:99999",
    ],
)
def test_a_mail_server_that_is_unsafe_or_none_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(AlphintraError) as refused:
        parse_mail_server(text)
    assert refused.value.code == "MAIL_SERVER"
    assert "canary" not in str(refused.value)


def test_user_and_password_are_read_as_written_and_not_shown() -> None:
    server = parse_mail_server("smtps://ada%40example.org:p%2Fw@mail.example.org")
    assert server is not None
    assert (server.user, server.password) == ("ada@example.org", "p/w")
    assert "p/w" not in repr(server)
    assert parse_mail_server("") is None


@pytest.mark.parametrize("text", ["alerts", "A <a@b>\nBcc: x@example.org", "<>"])
def test_a_sender_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError, match="MAIL_SENDER"):
        parse_sender(text)


@pytest.mark.parametrize(
    "text", ["ada", "ada@", "@example.org", "a@b..c", "a b@example.org", "a@b\nc", "a" * 300 + "@b.c"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(AlphintraError, match="FIELD_VALUE"):
        require_email(text)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254"),
        "0.0.0.0",  # noqa: S104 - refused
        *("100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "fc00::1", "fd00::1", "fe80::1", "fe80::1%1"),
        *("fec0::1", "ff02::1"),
    ],
)
def test_no_address_inside_is_reached_however_it_is_written_and_whatever_stands_beside_it(address: str) -> None:
    for addresses in ([address], ["8.8.8.8", address], [address, "2606:4700::1"]):
        with pytest.raises(AlphintraError) as refused:
            require_reachable(PUBLIC, addresses, ())
        assert refused.value.code == "URL_FORBIDDEN"


def test_addresses_of_the_internet_are_reached_and_the_first_is_called() -> None:
    assert str(require_reachable(PUBLIC, ["8.8.8.8", "2606:4700::1"], ())) == "8.8.8.8"
    with pytest.raises(AlphintraError, match="URL_FORBIDDEN"):
        require_reachable(PUBLIC, [], ())


def test_a_network_the_operator_opened_is_reached_and_nothing_beside_it() -> None:
    networks = parse_networks("10.1.0.0/16, ::1/128")
    inside = parse_target("http://hook.internal:9000/x", networks)
    assert str(require_reachable(inside, ["10.1.2.3"], networks)) == "10.1.2.3"
    for addresses in (["10.2.0.1"], ["10.1.2.3", "10.2.0.1"], ["8.8.8.8"]):  # the last: neither https nor its port
        with pytest.raises(AlphintraError, match="URL_FORBIDDEN"):
            require_reachable(inside, addresses, networks)
    with pytest.raises(AlphintraError, match="WEBHOOK_NETWORKS"):
        parse_networks("10.1.0.1/16")
