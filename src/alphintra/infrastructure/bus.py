"""Requests between services: a direct call inside one process, NATS request/reply between processes.

Both ways carry the same contracts; a caller cannot tell them apart, and may ask only what the manifest declares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Union

import msgspec
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError

from alphintra.infrastructure.nats_link import flushed
from alphintra.infrastructure.telemetry import bound_context, get_logger
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.messages import Command, Context, reply_type, subject_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

__all__ = ["Bus", "LocalDirectory", "Outcome"]

R = TypeVar("R")
C = TypeVar("C", bound=Command[Any])
Outcome: TypeAlias = Union[R, AlphintraError]  # noqa: UP007 - a type variable needs the old form
Request = tuple[Command[R], Context]
Handler = Callable[[C, Context], Awaitable[Any]]
BatchHandler = Callable[[Sequence[tuple[C, Context]]], Awaitable[Sequence[Any]]]

BATCH_MAX = 64
REQUEST_TIMEOUT_S = 5.0
IN_FLIGHT_MAX = 512


class _Problem(msgspec.Struct, frozen=True):
    code: str
    detail: str
    kind: Kind
    pointer: str = ""


_ABSENT = msgspec.Raw()


class _Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    ok: msgspec.Raw = _ABSENT  # no union with None: msgspec would then decode None alone
    problem: _Problem | None = None


class _WireRequest(msgspec.Struct, frozen=True):
    context: Context
    message: msgspec.Raw


_encode = msgspec.json.Encoder(decimal_format="string").encode
_decode_requests = msgspec.json.Decoder(list[_WireRequest]).decode
_decode_replies = msgspec.json.Decoder(list[_Reply]).decode


class _Responder:
    """Answers one command: bounded, one failure never taking another message of its batch with it."""

    def __init__(self, command: type[Command[Any]], handler: BatchHandler[Any]) -> None:
        self.command = command
        self._handler = handler
        self._decoder = msgspec.json.Decoder(command)
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def wait_idle(self) -> None:
        """Return once nothing is in flight."""
        await self._idle.wait()

    async def answer(self, requests: Sequence[tuple[Command[Any], Context]]) -> Sequence[Any]:
        if self._in_flight + len(requests) > IN_FLIGHT_MAX:
            busy = AlphintraError("BUSY", "too many requests are in flight: try again", kind=Kind.LIMITED)
            return [busy] * len(requests)
        self._in_flight += len(requests)
        self._idle.clear()
        try:
            outcomes = await self._handler(requests)
            if len(outcomes) != len(requests):
                message = f"{len(requests)} messages got {len(outcomes)} answers"
                raise RuntimeError(message)  # noqa: TRY301 - a bug like any other of the handler
        except AlphintraError as error:
            return [error] * len(requests)
        except Exception:  # noqa: BLE001 - logged; the caller gets a trace id, the other messages their answers
            get_logger().exception("bus.handler_failed", command=self.command.__name__)
            bug = AlphintraError("INTERNAL", "the service failed; the trace id names the log entry", kind=Kind.BUG)
            return [bug] * len(requests)
        else:
            return outcomes
        finally:
            self._in_flight -= len(requests)
            if not self._in_flight:
                self._idle.set()

    async def answer_wire(self, body: bytes) -> Sequence[Any]:
        """Answer what came over NATS; a message that cannot be read is refused, the others are answered."""
        try:
            wires = _decode_requests(body)
        except msgspec.DecodeError as error:
            return [AlphintraError("MESSAGE_INVALID", str(error))]
        read = [self._read(wire) for wire in wires]
        sound = [item for item in read if not isinstance(item, AlphintraError)]
        answers = iter(await self.answer(sound) if sound else ())
        return [item if isinstance(item, AlphintraError) else next(answers) for item in read]

    def _read(self, wire: _WireRequest) -> tuple[Command[Any], Context] | AlphintraError:
        try:
            return self._decoder.decode(wire.message), wire.context
        except msgspec.DecodeError as error:
            return AlphintraError("MESSAGE_INVALID", str(error))


class LocalDirectory:
    """The responders that live in this process, by subject."""

    def __init__(self) -> None:
        self._responders: dict[str, _Responder] = {}

    def find(self, subject: str) -> _Responder | None:
        """Return the responder of a subject, None if it lives elsewhere."""
        return self._responders.get(subject)

    def add(self, subject: str, responder: _Responder) -> None:
        """Enter a responder. Raises a bug if the subject is answered twice."""
        if subject in self._responders:
            raise AlphintraError("SUBJECT_TAKEN", f"{subject} is answered twice", kind=Kind.BUG)
        self._responders[subject] = responder

    def remove(self, subject: str) -> None:
        """Take a responder out, so that callers see the service as gone."""
        self._responders.pop(subject, None)


class Bus:
    """One service's way to ask others and to be asked.

    Args:
        name: who we are: a service, or ``edge``.
        asks: subjects this caller may send commands to, from the manifest.
        local: responders of this process.
        nats: connection under this caller's own key; None in a test of one process.
    """

    def __init__(self, *, name: str, asks: frozenset[str], local: LocalDirectory, nats: Client | None) -> None:
        self.name = name
        self._asks = asks
        self._local = local
        self._nats = nats
        self._responders: dict[str, _Responder] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._subscriptions: list[Subscription] = []

    async def ask(self, command: Command[R], context: Context, *, timeout_s: float = REQUEST_TIMEOUT_S) -> R:
        """Send one command and return its reply.

        Raises the responder's AlphintraError, or ``<SERVICE>_UNAVAILABLE`` if it does not answer in time.
        """
        (outcome,) = await self.ask_many([(command, context)], timeout_s=timeout_s)
        if isinstance(outcome, AlphintraError):
            raise outcome
        return outcome

    async def ask_many(
        self, requests: Sequence[Request[R]], *, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> Sequence[Outcome[R]]:
        """Send up to 64 commands of one type at once; the outcomes come in the same order."""
        command = type(requests[0][0])
        subject = subject_of(command)
        if subject not in self._asks:
            raise AlphintraError("SUBJECT_DENIED", f"{self.name} may not ask {subject}", kind=Kind.FORBIDDEN)
        if len(requests) > BATCH_MAX:
            raise AlphintraError("BATCH_TOO_LARGE", f"at most {BATCH_MAX} commands at once", kind=Kind.BUG)
        responder = self._local.find(subject)
        if responder is not None:
            return await _within(responder.answer(requests), subject, timeout_s)
        return await self._ask_remote(command, subject, requests, timeout_s)

    async def _ask_remote(
        self, command: type[Command[R]], subject: str, requests: Sequence[Request[R]], timeout_s: float
    ) -> Sequence[Outcome[R]]:
        if self._nats is None or not self._nats.is_connected:
            raise _unavailable(subject)
        body = _encode([{"context": context, "message": message} for message, context in requests])
        try:
            answer = await self._nats.request(subject, body, timeout=timeout_s)
        except MaxPayloadError as error:
            raise AlphintraError("MESSAGE_TOO_LARGE", "the request does not fit into one message") from error
        except (NatsError, TimeoutError, OSError) as error:
            raise _unavailable(subject) from error
        return _outcomes(answer.data, len(requests), reply_type(command))

    def answer(self, command: type[C], handler: Handler[C]) -> None:
        """Answer a command one by one; messages of a batch run side by side."""

        async def one(message: C, context: Context) -> object:
            with bound_context(context):
                try:
                    return await handler(message, context)
                except AlphintraError as error:
                    return error
                except Exception:  # noqa: BLE001 - as in _Responder.answer
                    get_logger().exception("bus.handler_failed", command=command.__name__)
                    text = "the service failed; the trace id names the log entry"
                    return AlphintraError("INTERNAL", text, kind=Kind.BUG)

        async def each(requests: Sequence[tuple[C, Context]]) -> Sequence[object]:
            return await asyncio.gather(*(one(message, context) for message, context in requests))

        self.answer_many(command, each)

    def answer_many(self, command: type[C], handler: BatchHandler[C]) -> None:
        """Answer a command in batches; the handler returns a reply or an AlphintraError for each message."""
        self._responders[subject_of(command)] = _Responder(command, handler)

    async def start(self) -> None:
        """Begin to answer, in this process and others; call once every responder is entered."""
        for subject, responder in self._responders.items():
            self._local.add(subject, responder)
        if self._nats is None:
            return
        for subject, responder in self._responders.items():
            receive = self._receiver(responder)
            self._subscriptions.append(await self._nats.subscribe(subject, queue=self.name, cb=receive))
        await flushed(self._nats)

    async def stop(self) -> None:
        """Take no more requests and answer what is in flight, for as long as a caller would wait for it."""
        for subject in self._responders:
            self._local.remove(subject)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                if self._nats is not None and self._nats.is_connected:
                    await self._unsubscribe(self._nats)
                await asyncio.gather(*self._running, *(each.wait_idle() for each in self._responders.values()))
        except (NatsError, TimeoutError) as error:
            get_logger().warning("bus.stopped_in_flight", name=self.name, error=type(error).__name__)
        self._subscriptions.clear()

    async def _unsubscribe(self, nats: Client) -> None:
        """End the subscriptions and hand on every message that arrived before the server knew."""
        for each in self._subscriptions:
            await nats._send_unsubscribe(each._id)  # noqa: SLF001 - drain alone loses what comes until it is heard
        await flushed(nats)
        await asyncio.gather(*(each.drain() for each in self._subscriptions))  # type: ignore[no-untyped-call] # of nats

    async def close(self) -> None:
        """Stop answering, finish what is in flight, leave NATS."""
        await self.stop()
        if self._nats is not None and not self._nats.is_closed:
            await self._nats.close()

    def _receiver(self, responder: _Responder) -> Callable[[Msg], Awaitable[None]]:
        async def receive(message: Msg) -> None:
            # Answered in a task of its own: the client would otherwise wait for one answer before the next.
            task = asyncio.create_task(_respond(responder, message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

        return receive


async def _respond(responder: _Responder, message: Msg) -> None:
    outcomes = await responder.answer_wire(message.data)
    try:
        try:
            await message.respond(_encode([_wire(outcome) for outcome in outcomes]))
        except MaxPayloadError:
            text = "the answer does not fit into one message: ask for fewer at once"
            await message.respond(_encode([_wire(AlphintraError("REPLY_TOO_LARGE", text))]))
    except NatsError:
        get_logger().exception("bus.respond_failed", subject=message.subject)


def _wire(outcome: object) -> dict[str, object]:
    if isinstance(outcome, AlphintraError):
        return {"problem": _Problem(outcome.code, outcome.detail, outcome.kind, outcome.pointer)}
    return {"ok": outcome}


def _outcomes(body: bytes, count: int, wanted: type[R]) -> Sequence[Outcome[R]]:
    """Read the replies to so many messages. Raises REPLY_INVALID for what is no reply to them."""
    try:
        outcomes = [_outcome(reply, wanted) for reply in _decode_replies(body)]
    except msgspec.DecodeError as error:
        raise AlphintraError("REPLY_INVALID", str(error), kind=Kind.BUG) from error
    if len(outcomes) == count:
        return outcomes
    if len(outcomes) == 1 and isinstance(outcomes[0], AlphintraError):
        return outcomes * count  # the batch as a whole was refused
    raise AlphintraError("REPLY_INVALID", f"{count} messages got {len(outcomes)} replies", kind=Kind.BUG)


def _outcome(reply: _Reply, wanted: type[R]) -> Outcome[R]:
    if reply.problem is not None:
        problem = reply.problem
        return AlphintraError(problem.code, problem.detail, kind=problem.kind, pointer=problem.pointer)
    if reply.ok == _ABSENT:
        raise AlphintraError("REPLY_INVALID", "a reply carries neither result nor problem", kind=Kind.BUG)
    return msgspec.json.decode(reply.ok, type=wanted)


async def _within(answer: Awaitable[Sequence[Any]], subject: str, timeout_s: float) -> Sequence[Any]:
    try:
        async with asyncio.timeout(timeout_s):
            return await answer
    except TimeoutError as error:
        raise _unavailable(subject) from error


def _unavailable(subject: str) -> AlphintraError:
    service = subject.split(".", 1)[0]
    message = f"the {service} service did not answer: it may have acted all the same, so look before you repeat it"
    return AlphintraError(f"{service.upper()}_UNAVAILABLE", message, kind=Kind.UNAVAILABLE)
