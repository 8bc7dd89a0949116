"""The command line: one entry, one place where failures become a line and an exit status."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from alphintra.cli import (
    audit,
    backtest_evidence,
    backtests,
    backups,
    books,
    connections,
    database,
    deploy,
    maintenance,
    market_data,
    notifications,
    orders,
    people,
    platform,
    portfolio,
    retention,
    risk,
    strategies,
    surveillance,
    sweeps,
    trading,
)
from alphintra.cli.chaos import command as chaos
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["cli", "main"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE

_NOT_THE_INPUT = frozenset({Kind.UNAVAILABLE, Kind.LIMITED, Kind.BUG})
_NEGATIVE = re.compile(r"-[0-9.]")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _ClosedPipeError(Exception):
    """Whoever read our output went away."""


class _Root(click.Group):
    """Tells a closed pipe from other failures, which click would not."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own signature
    ) -> click.Context:
        with _closed_pipe_told():  # --help is answered here
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        with _closed_pipe_told():
            return super().invoke(ctx)


@contextmanager
def _closed_pipe_told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ClosedPipeError from error


@click.group(cls=_Root, context_settings=_CONTEXT)
@click.version_option(package_name="alphintra", message="%(prog)s %(version)s")
def cli() -> None:
    """Alphintra: a self-hosted trading platform whose data isolation can be proven."""


for _module in (
    platform,
    people,
    market_data,
    strategies,
    backtest_evidence,
    backtests,
    trading,
    orders,
    connections,
    notifications,
    portfolio,
    books,
    retention,
    risk,
    surveillance,
    sweeps,
    database,
    backups,
    audit,
    deploy,
    maintenance,
    chaos,
):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 ok, 1 failed, 2 wrong input, 130 interrupted, 141 closed pipe."""
    try:
        status = cli.main(args=arguments, prog_name="alphintra", standalone_mode=False)
        sys.stdout.flush()
    except (_ClosedPipeError, BrokenPipeError):
        # The reader went away: say nothing more, also not when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        return _told_usage(error)
    except AlphintraError as error:
        has_failed = error.kind in _NOT_THE_INPUT or error.code == "NOT_RUNNING"
        return _told(error.code, error.detail, EXIT_FAILED if has_failed else EXIT_USAGE)
    except Exception as error:  # the last boundary: nobody reads a stack trace on a terminal
        if sys.flags.dev_mode:
            raise
        detail = f"{type(error).__name__}: {error}; this is a fault of Alphintra, `python -X dev -m alphintra` shows it"
        return _told("INTERNAL", detail, EXIT_FAILED)
    return status if isinstance(status, int) else 0


def _told_usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    if isinstance(error, click.NoSuchOption) and _NEGATIVE.match(error.option_name):
        detail = f"no number is negative here ({error.option_name}): buy or sell says the direction"
        return _told("QTY_NOT_POSITIVE", detail, EXIT_USAGE)
    return _told("USAGE", f"{error.format_message()}{_how_to_ask(error)}", EXIT_USAGE)


def _told(code: str, detail: str, status: int) -> int:
    line = " ".join(detail.split())
    click.echo(f"error {code}: {line}", err=True)
    return status


def _how_to_ask(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f" (see `{context.command_path} --help`)" if isinstance(context, click.Context) else ""
