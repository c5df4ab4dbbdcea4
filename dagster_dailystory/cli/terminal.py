"""What goes to stderr: log lines, the progress of a send, and the one line of an error. And how a command ends."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

import click

from dagster_dailystory.cli.exit_codes import ExitCode, code_of_error
from dagster_dailystory.cli.output import Output, as_json
from dagster_dailystory.errors import DailyStoryError
from dagster_dailystory.model.runs.adoption import AdoptionProgress

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar  # not exported

    from dagster_dailystory.model.runs.report import Progress

_CLEAR_LINE = "\r\033[K"


@dataclass(frozen=True)
class Manner:
    """How a command answers.

    Attributes:
        as_json: One JSON document on stdout in place of tables.
        verbose: Show what the engine logs, not only its warnings.
        debug: Show a traceback with an error.
    """

    as_json: bool = False
    verbose: bool = False
    debug: bool = False


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does."""


def answer(call: Callable[[], Output], manner: Manner = Manner()) -> ExitCode:  # frozen
    """Run a command, print what it answers or why it failed, and return its exit code."""
    try:
        with _logging(manner), _sigterm_raises():
            output = call()
            printed = as_json(output.document) if manner.as_json else output.text
    except KeyboardInterrupt as stopped:
        code = ExitCode.TERMINATED if isinstance(stopped, Terminated) else ExitCode.INTERRUPTED
        return _failed(stopped, code, "interrupted; the next run goes on where this one stopped", manner)
    except DailyStoryError as error:
        return _failed(error, code_of_error(error), str(error), manner)
    except Exception as error:  # its message may hold a row's values
        advice = "--debug shows where; please report it"
        return _failed(error, ExitCode.FAILED, f"unexpected {type(error).__name__}; {advice}", manner)
    click.echo(printed)
    return output.code


def _failed(error: BaseException, code: ExitCode, message: str, manner: Manner) -> ExitCode:
    if manner.debug:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.echo(f"error: {' '.join(message.split())}", err=True)
    if manner.as_json:
        print_error(error, code, message)
    return code


def print_error(error: BaseException, code: ExitCode, message: str) -> None:
    """Print an error as a JSON document."""
    described = {"kind": type(error).__name__, "message": message, "exit_code": int(code)}
    click.echo(as_json({"error": described}))


class _Lines(logging.Handler):
    """Log lines on stderr, which take the place of a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        start = _CLEAR_LINE if sys.stderr.isatty() else ""
        click.echo(f"{start}{record.levelname.lower()}: {record.getMessage()}", err=True)


@contextmanager
def _logging(manner: Manner) -> Iterator[None]:
    logger, handler = logging.getLogger("dagster_dailystory"), _Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if manner.verbose or manner.debug else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does: the engine holds a signal with a handler until no step is half done."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def progress_bar(label: str = "sending") -> Iterator[Callable[[Progress | AdoptionProgress], None]]:
    """A bar for the progress of a send or of an adoption; nothing where stderr is not a terminal."""
    with ExitStack() as stack:
        bars: list[ProgressBar[int]] = []

        def show(progress: Progress | AdoptionProgress) -> None:
            if not sys.stderr.isatty():
                return
            done = progress.rows_looked_up if isinstance(progress, AdoptionProgress) else progress.rows_sent
            if not bars:
                rows = done + progress.rows_remaining
                made = click.progressbar(length=rows, label=label, file=sys.stderr, show_pos=True)
                bars.append(stack.enter_context(made))
            bars[0].update(done - bars[0].pos)

        yield show
