"""What the gateway is told at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["EdgeSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Settings of the gateway; the operator's token itself never gets here.

    Attributes:
        version: version of the platform, shown by health and in the API description.
        operator_token_sha256: hexadecimal SHA-256 of the operator token; empty where there is none.
        rate_limit: requests a second one caller may make over a while; see `limits`.
        allowed_hosts: names accepted in the Host header beside the loopback ones, without port.
        web_folder: where the bundle of the web interface is or will be; None for no interface.
        inspector_bell: file that is touched to have the inspector started; None where nobody would.
    """

    version: str
    operator_token_sha256: str = field(default="", repr=False)
    rate_limit: int = 200
    allowed_hosts: tuple[str, ...] = ()
    web_folder: Path | None = None
    inspector_bell: Path | None = None
