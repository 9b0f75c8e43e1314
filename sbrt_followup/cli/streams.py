"""Standard streams as a terminal, a service or a pipe gives them: closed, in another encoding, or ended by a signal."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

# What stands for a sign where a console (Windows: cp1252) has none.
PLAIN = {
    "✓": "+", "✗": "x", "●": "*", "◆": "#", "○": "o", "■": "=", "…": "...", "≥": ">=", "≤": "<=", "–": "-", "—": "-", "−": "-",
    "×": "x", "→": "->", "─": "-", "│": "|", "•": "*", "\ufffd": "?", "\u00a0": " ",
}  # fmt: skip
ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
WORDS = {"SIGINT": "stopped (Ctrl-C)", "SIGTERM": "stopped (asked to end)", "SIGHUP": "stopped (terminal closed)"}


class Stopped(BaseException):
    """The user or the system asked the program to end."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)

    @property
    def words(self) -> str:
        """What happened."""
        name = signal.Signals(self.number).name
        return WORDS.get(name, f"stopped ({name})")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter, "?") for letter in text), error.end


def prepare() -> None:
    """Make the standard streams usable: none is missing, none fails on a letter it has not.

    A closed stream is opened on nothing, so that no file of ours takes its number; one that data would go to says so
    (`closed_stdout`, and reading an ended stdin).
    """
    codecs.register_error("sbrt-plain", _plain)
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
    if sys.stderr is None:
        sys.stderr = _nothing("w")
    if sys.stdout is None:
        sys.stdout = _Closed(os.devnull)
    if sys.stdin is None:
        sys.stdin = _nothing("r")
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="sbrt-plain")  # type: ignore[union-attr]


def _nothing(mode: str) -> Any:
    return open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123 - it lasts as long as the program


class _Closed:
    """A stdout that was closed before the program began: any result for it is refused."""

    encoding = "utf-8"
    closed = True

    def __init__(self, path: str) -> None:
        self.path = path

    def isatty(self) -> bool:
        """No terminal."""
        return False

    def flush(self) -> None:
        """Nothing waits."""

    def write(self, text: str) -> int:
        """Refuse what would be lost."""
        from ..problems import refuse

        if not text.strip():
            return len(text)
        raise refuse("no-stdout", "stdout is closed", hint="Name a file with --output.")


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn the signals that end a program into `Stopped`, so that nothing half done is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: Any) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # one ending is enough
        raise Stopped(number)

    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before = {n: signal.getsignal(n) for n in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
