"""Signing keys, credentials and the small things every process stands on: nothing secret is shown."""

from __future__ import annotations

import base64

import pytest
import structlog

from alphintra.infrastructure.host import ServiceCredentials
from alphintra.infrastructure.nats_link import NatsCredentials
from alphintra.infrastructure.signing import SigningKey, VerifyKey
from alphintra.infrastructure.system import SystemClock, SystemIds
from alphintra.infrastructure.telemetry import bound_context, new_trace_id
from alphintra.kernel.clock import require_utc
from alphintra.kernel.messages import Actor, Context

SEED = base64.b64encode(bytes(range(32))).decode()


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    key, other = SigningKey(SEED), SigningKey(base64.b64encode(bytes(32)).decode())
    signature = key.sign(b"order")
    assert VerifyKey.from_text(key.public_text).is_signed(b"order", signature)
    assert not key.verify_key.is_signed(b"order!", signature)
    assert not key.verify_key.is_signed(b"order", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not key.verify_key.is_signed(b"order", b"")
    assert not other.verify_key.is_signed(b"order", signature)


@pytest.mark.parametrize("seed", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_seed_that_is_none_is_refused(seed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SigningKey(seed)


def test_credentials_and_keys_keep_their_secrets_out_of_what_is_printed() -> None:
    nats = NatsCredentials(url="nats://127.0.0.1:1", user="trading", seed="SUASECRET")
    url = "postgresql://trading:PASSWORD@127.0.0.1/trading"
    credentials = ServiceCredentials(service="trading", database_url=url, nats=nats, secrets={"seed": "APPROVAL"})
    shown = f"{credentials!r} {credentials} {SigningKey(SEED)!r} {nats}"
    for secret in ("SUASECRET", "PASSWORD", "APPROVAL", SEED):
        assert secret not in shown
    assert "user='trading'" in shown


def test_a_trace_and_its_actor_are_bound_to_log_lines_only_inside_the_block() -> None:
    context = Context(trace_id=new_trace_id(), actor=Actor(id="user:1"))
    assert len(context.trace_id) == 32
    with bound_context(context):
        assert structlog.contextvars.get_contextvars() == {"trace_id": context.trace_id, "actor": "user:1"}
    assert structlog.contextvars.get_contextvars() == {}


def test_clock_and_ids_of_the_machine_are_utc_and_time_ordered() -> None:
    assert require_utc(SystemClock().now()).tzinfo is not None
    drawn = [SystemIds().new() for _ in range(1000)]
    assert {each.version for each in drawn} == {7}
    assert len(set(drawn)) == 1000
    assert [each.int >> 80 for each in drawn] == sorted(each.int >> 80 for each in drawn)
