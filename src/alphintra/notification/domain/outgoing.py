"""Where notification may send: mail servers that keep what they are told, webhooks that reach nothing inside."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import unquote, urlsplit

from alphintra.kernel.errors import AlphintraError

__all__ = [
    "MailServer",
    "Network",
    "Security",
    "Target",
    "parse_mail_server",
    "parse_networks",
    "parse_sender",
    "parse_target",
    "require_email",
    "require_reachable",
]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

EMAIL_MAX: Final = 254
URL_MAX: Final = 1000
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_PUBLIC_PORTS: Final = frozenset({443, 8443})
_PORTS: Final = {"http": 80, "https": 443}
# What the standard library takes for global and is not: other networks are written inside these addresses, or nobody
# in particular.
_DISGUISES: Final = tuple(
    IPv6Network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "fec0::/10", "::/96", "::ffff:0:0/96")
)


class Security(StrEnum):
    """How what is said to a mail server is kept from others."""

    TLS = "tls"  # from the start
    STARTTLS = "starttls"  # before anything is said
    PLAIN = "plain"  # not at all, on this machine alone


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The operator's mail server."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a webhook leads."""

    url: str
    scheme: str
    host: str
    port: int


_MAIL_SCHEMES: Final = {
    "smtps": (Security.TLS, 465),
    "smtp": (Security.STARTTLS, 587),
    "smtp+plain": (Security.PLAIN, 25),
}


def parse_mail_server(text: str) -> MailServer | None:
    """Read where mail is handed in; None for nothing.

    Raises:
        AlphintraError: MAIL_SERVER where it is none, or would send unencrypted to another machine. The text, which may
            hold a password, is not shown.
    """
    if not text:
        return None
    try:
        parts = urlsplit(text)
        security, usual_port = _MAIL_SCHEMES[parts.scheme]
        host, port = parts.hostname or "", parts.port or usual_port
    except (ValueError, KeyError):
        host, port, security = "", 0, Security.TLS
    if not _HOST.fullmatch(host) or parts.path not in {"", "/"} or parts.query:
        message = "a mail server is written smtps://user:password@host:465, or smtp:// for STARTTLS: correct it"
        raise AlphintraError("MAIL_SERVER", message)
    if security is Security.PLAIN and not _is_this_machine(host):
        message = "mail to another machine is encrypted: write smtp:// for STARTTLS or smtps:// for TLS"
        raise AlphintraError("MAIL_SERVER", message)
    return MailServer(
        host=host,
        port=port,
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def parse_sender(text: str) -> str:
    """Check whom mail comes from, e.g. ``Alphintra <alerts@example.org>``; empty for nothing. Raises MAIL_SENDER."""
    _, address = parseaddr(text)
    if text and (not _EMAIL.fullmatch(address) or any(ord(each) < ord(" ") for each in text)):
        raise AlphintraError("MAIL_SENDER", "a sender is written Alphintra <alerts@example.org>: correct it")
    return text


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks divided by commas, e.g. ``10.1.0.0/16, ::1/128``. Raises WEBHOOK_NETWORKS."""
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        message = "networks are written 10.1.0.0/16, divided by commas: correct them"
        raise AlphintraError("WEBHOOK_NETWORKS", message) from error


def require_email(text: str) -> str:
    """Return an e-mail address. Raises FIELD_VALUE."""
    if len(text) > EMAIL_MAX or not _EMAIL.fullmatch(text) or ".." in text:
        message = "this is no e-mail address: write e.g. ada@example.org"
        raise AlphintraError("FIELD_VALUE", message, pointer="/address")
    return text


def parse_target(url: str, networks: Sequence[Network]) -> Target:
    """Read where a webhook leads, by what is written alone: its addresses are held against `require_reachable`.

    Plain http, and other ports than 443 and 8443, lead into the operator's own networks or nowhere.

    Raises:
        AlphintraError: URL_FORBIDDEN.
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
        port = parts.port or _PORTS[scheme]
    except (ValueError, KeyError):
        scheme, host, port = "", "", 0
    if not _HOST.fullmatch(host) or len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _forbidden("a webhook is written https://host/path")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _forbidden("the address of a webhook holds no user, password or fragment")
    if not networks and scheme != "https":
        raise _forbidden("a webhook begins with https://")
    if not networks and port not in _PUBLIC_PORTS:
        raise _forbidden("a webhook is on port 443 or 8443")
    return Target(url=url, scheme=scheme, host=host, port=port)


def require_reachable(target: Target, addresses: Iterable[str], networks: Sequence[Network]) -> Address:
    """Return the address to connect to: the first, where every one may be reached.

    Args:
        target: what the addresses are of.
        addresses: all that its host name stands for.
        networks: the operator's own that webhooks may reach.

    Raises:
        AlphintraError: URL_FORBIDDEN.
    """
    found = [ipaddress.ip_address(each) for each in addresses]
    if not found:
        raise _forbidden("the host of the webhook has no address")
    for each in found:
        if any(each in network for network in networks):
            continue
        if not _is_public(each):
            raise _forbidden(
                "the webhook leads into a network of this machine or site, which its operator has not opened"
            )
        if target.scheme != "https" or target.port not in _PUBLIC_PORTS:
            raise _forbidden("a webhook on the internet begins with https:// and is on port 443 or 8443")
    return found[0]


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and any(address in network for network in _DISGUISES):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _forbidden(reason: str) -> AlphintraError:
    return AlphintraError("URL_FORBIDDEN", reason, pointer="/address")
