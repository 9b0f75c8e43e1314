"""The progress bar: on stderr, for people only."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from sbrt_followup.cli.progress import progress


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "quiet", "shown"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_progress_is_for_people_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, terminal: bool, quiet: bool, shown: bool
) -> None:
    stderr = Stream(terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress(2, "scheduling", quiet) as advance:
        advance()
        advance(1)
    assert ("scheduling" in stderr.getvalue()) == shown
    assert capsys.readouterr().out == ""
