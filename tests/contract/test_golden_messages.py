"""The wire form of every message and reply, held against a stored one.

One file per message class, ``tests/golden/messages/<tag>.json``; the reply to a command stands in
``tests/golden/replies/<tag>.json``. Where a difference is meant (an optional field was added, or a new version stands
beside the old one), write the files anew and look at what git shows::

    ALPHINTRA_REWRITE_GOLDEN=1 python -m pytest tests/contract/test_golden_messages.py
"""

from __future__ import annotations

import json
import os
import pkgutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from alphintra import contracts
from alphintra.infrastructure import bus
from alphintra.infrastructure.events import encode_event
from alphintra.kernel.messages import Actor, Command, Context, Event, EventEnvelope, reply_type, tag_of
from contract.samples import COMMANDS, EVENTS, MESSAGES, MODULES, sample

GOLDEN: Final = Path(__file__).parents[1] / "golden"
REWRITE: Final = "ALPHINTRA_REWRITE_GOLDEN"
IS_REWRITING: Final = bool(os.environ.get(REWRITE))
CHANGED: Final = f"the wire form changed: look at the difference; if it is meant, set {REWRITE}=1"


def message_file(message: type[msgspec.Struct]) -> Path:
    return GOLDEN / "messages" / f"{tag_of(message)}.json"


def reply_file(command: type[Command[Any]]) -> Path:
    return GOLDEN / "replies" / f"{tag_of(command)}.json"


def on_the_wire(message: msgspec.Struct) -> str:
    """Return what a message is sent as, indented; events through their envelope, as the outbox stores them."""
    if isinstance(message, Event):
        context = Context(trace_id="0" * 32, actor=Actor(id="operator"))
        at = datetime(2026, 3, 2, tzinfo=UTC)
        stored = encode_event(message, event_id=UUID(int=1), aggregate_id=UUID(int=2), context=context, at=at)
        raw = bytes(msgspec.json.decode(stored, type=EventEnvelope).event)
    else:
        raw = bus._encode(message)
    return msgspec.json.format(raw, indent=2).decode() + "\n"


def golden(path: Path, text: str) -> str:
    """Return what is stored in a file, after writing the text there if asked to."""
    if IS_REWRITING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def stray(folder: str, expected: set[str]) -> set[str]:
    """Return which files of a golden folder are missing or belong to no message; take the latter out if asked to."""
    present = {path.name for path in (GOLDEN / folder).iterdir()}
    if IS_REWRITING:
        for name in present - expected:
            (GOLDEN / folder / name).unlink()
        return expected - present
    return expected ^ present


@pytest.mark.parametrize("message", MESSAGES, ids=tag_of)
def test_a_message_is_sent_as_it_always_was(message: type[msgspec.Struct]) -> None:
    sent = on_the_wire(sample(message))
    assert sent == golden(message_file(message), sent), CHANGED


@pytest.mark.parametrize("command", COMMANDS, ids=tag_of)
def test_a_reply_is_sent_as_it_always_was(command: type[Command[Any]]) -> None:
    sent = on_the_wire(sample(reply_type(command)))
    assert sent == golden(reply_file(command), sent), CHANGED


@pytest.mark.parametrize("message", MESSAGES, ids=tag_of)
def test_a_stored_message_is_read_as_the_value_it_was_written_from(message: type[msgspec.Struct]) -> None:
    assert msgspec.json.decode(message_file(message).read_bytes(), type=message) == sample(message)


@pytest.mark.parametrize("command", COMMANDS, ids=tag_of)
def test_a_stored_reply_is_read_as_the_value_it_was_written_from(command: type[Command[Any]]) -> None:
    wanted = reply_type(command)
    assert msgspec.json.decode(reply_file(command).read_bytes(), type=wanted) == sample(wanted)


@pytest.mark.parametrize("command", COMMANDS, ids=tag_of)
def test_a_command_with_a_field_nobody_knows_is_refused(command: type[Command[Any]]) -> None:
    extended = json.loads(message_file(command).read_text()) | {"surprise": 1}
    with pytest.raises(msgspec.ValidationError, match="unknown field `surprise`"):
        msgspec.json.decode(json.dumps(extended), type=command)


@pytest.mark.parametrize("event", EVENTS, ids=tag_of)
def test_an_event_with_a_field_of_a_later_version_is_read(event: type[Event]) -> None:
    extended = json.loads(message_file(event).read_text()) | {"surprise": 1}
    assert msgspec.json.decode(json.dumps(extended), type=event) == sample(event)


@pytest.mark.parametrize("command", COMMANDS, ids=tag_of)
def test_a_reply_with_a_field_of_a_later_version_is_read(command: type[Command[Any]]) -> None:
    extended = json.loads(reply_file(command).read_text()) | {"surprise": 1}
    wanted = reply_type(command)
    assert msgspec.json.decode(json.dumps(extended), type=wanted) == sample(wanted)


@pytest.mark.parametrize("place", range(len(MESSAGES)), ids=lambda place: tag_of(MESSAGES[place]))
def test_a_message_is_never_read_as_another(place: int) -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid value"):
        msgspec.json.decode(message_file(MESSAGES[place - 1]).read_bytes(), type=MESSAGES[place])


def test_there_is_a_golden_file_for_every_message_and_no_other() -> None:
    assert stray("messages", {message_file(message).name for message in MESSAGES}) == set()
    assert stray("replies", {reply_file(command).name for command in COMMANDS}) == set()


def test_no_module_of_contracts_is_left_out() -> None:
    found = {f"alphintra.contracts.{module.name}" for module in pkgutil.iter_modules(contracts.__path__)}
    # approval holds what risk signs, orders and books what trading shows, venue_views what broker does, workflows what
    # nocode does, the others what risk sets and shows
    names = {"alerts", "approval", "assessments", "books", "controls", "measures", "orders", "venue_views", "workflows"}
    parts = {f"alphintra.contracts.{name}" for name in names} & found
    assert found - parts == {m.__name__ for m in MODULES} - {"alphintra.kernel.health", "alphintra.kernel.holds"}
    told = {each.__module__ for base in (Command, Event) for each in base.__subclasses__()}
    assert not told & parts, "a module with commands or events has to be among MODULES: its messages are golden too"


def test_money_in_a_sample_keeps_its_zeros_on_the_wire() -> None:
    texts = [path.read_text() for path in (GOLDEN / "messages").glob("trading.*.json")]
    assert any('.250"' in text for text in texts)
    assert not any(".25," in text or ".25\n" in text for text in texts)
