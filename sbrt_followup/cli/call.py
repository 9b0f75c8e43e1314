"""One call of a command: the options it was given, what it writes and prints; rendered first, put out last.

Nothing is written before everything is rendered, so that a refusal leaves the disk as it was. Every path a call writes is
held against every path it was given: an output is never an input, nor two outputs one file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from ..problems import InputRefused, Problem, Source, clean, refuse

if TYPE_CHECKING:
    from ..report.files import Writing

Trace = Callable[[], Mapping[str, Any]]
# How an answer is shown, not what it says.
SHOWING = frozenset({"output", "force", "quiet", "format_", "figure", "plan_output", "errors"})
# What a manifest says elsewhere.
SAID = frozenset({"as_of", "cohort", "imaging"})
# What belongs to a patient, or is free text that may: never in a manifest.
PERSONAL = frozenset({"patient_id", "title", "sbrt_date", "level", "histology", "bilsky", "paraspinal", "sins", "lesion_type", "mri"})  # fmt: skip
RULES_FOLDER = frozenset({".yaml", ".yml"})
LARGEST = 1e9  # no month, share, size or count of ours is near it
LONGEST = 4096  # letters of an option; no path is longer


@dataclass
class Call:
    """What one call was asked and what it will put out."""

    command: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    private: bool = True
    flags: Mapping[str, str] = field(default_factory=dict)
    """How each option is typed."""
    claimed: list[Path] = field(default_factory=list)
    printed: list[Callable[[], None]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    keys: dict[Path, str] = field(default_factory=dict)
    """Key files used, with their fingerprints: each keeps a journal of what was exported under it."""
    begun: Writing | None = None

    @property
    def quiet(self) -> bool:
        """Whether notes are unwanted."""
        return bool(self.options.get("quiet"))

    @property
    def writing(self) -> Writing:
        """The files to come."""
        if self.begun is None:
            from ..report.files import Writing

            self.begun = Writing(self.private)
        return self.begun

    def claim(self, path: Path, force: bool) -> None:
        """Refuse a file that cannot be written, or that this call also reads or writes otherwise."""
        from ..report.files import check_free, manifest_path

        for name, other in self._paths():
            if other.is_dir() and path.exists() and path.suffix.lower() in RULES_FOLDER and _inside(path, other):
                raise refuse("output-is-input", f"the output is a document of {self.flags.get(name, name)}", Source(path.name), "Name another file.")  # fmt: skip
        named = [name for name, other in self._paths() if _same(other, path)]
        beside = [name for name, other in self._paths() if _same(other, manifest_path(path))]
        if len(named) > 1 or beside:
            both = " and ".join(self.flags.get(name, name) for name in [*named, *beside])
            raise refuse("output-is-input", f"{both} would be one file", Source(path.name), "Name another file.")
        check_free(path, force)
        self.claimed.append(path)

    def _paths(self) -> Iterator[tuple[str, Path]]:
        """Every option that names a file or folder, or may."""
        for name, value in self.options.items():
            for one in value if isinstance(value, list | tuple) else [value]:
                if isinstance(one, Path) or (isinstance(one, str) and one not in ("", "-") and _exists(one)):
                    yield name, Path(one)

    def file(self, path: Path, force: bool, trace: Trace | None, folder: bool = False) -> IO[bytes]:
        """Give a file to write one output into, for what is too large to hold."""
        return self.writing.open(path, force, trace, folder)

    def write(self, path: Path, data: bytes, force: bool, trace: Trace | None, said: str, folder: bool = False) -> None:
        """Take one file; it is written when the command has rendered all. `said` is told once it stands."""
        self.writing.add(path, data, force, trace, folder)
        if said:
            self.after.append(said)

    def show(self, put: Callable[[], None]) -> None:
        """Take what is printed on stdout, after the files are written."""
        self.printed.append(put)

    def tell(self, text: str) -> None:
        """Take a note for stderr, given after the results."""
        self.after.append(text)

    def finish(self) -> None:
        """Write the files, print the results, then say what there is to say."""
        if self.begun is not None:
            self.begun.publish()
        try:
            for put in self.printed:
                put()
            sys.stdout.flush()
        except (BrokenPipeError, SystemExit):  # rich makes the one of the other
            # The reader (head, less) has seen enough: no error, neither now nor when the interpreter ends.
            to_nowhere(sys.stdout)
        if self.keys:
            from ..report.files import hash_of
            from .journal import note_exports

            hashes = [f"sha256:{hash_of(path)}" for path in (self.begun.published if self.begun else ())]
            self.after += note_exports(self.keys, self.command, hashes or ["stdout"])
        for text in self.after:
            say(text, self.quiet)


_CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)
_LAST: list[Path] = []  # what the last call published, for the message that says how it ended


def written() -> tuple[Path, ...]:
    """Give the files that the last call put in place."""
    return tuple(_LAST)


def current() -> Call:
    """Give the call that is running."""
    call = _CURRENT.get()
    return Call() if call is None else call


@contextmanager
def opened(call: Call) -> Iterator[Call]:
    """Run a call: put out what it made, or nothing when it fails; a finding (exit 1) is no failure."""
    token = _CURRENT.set(call)
    _LAST.clear()
    try:
        try:
            yield call
        except typer.Exit:
            call.finish()
            raise
        call.finish()
    finally:
        if call.begun is not None:
            _LAST.extend(call.begun.published)
            call.begun.discard()
        _CURRENT.reset(token)


class Command(TyperCommand):
    """A command whose results are put out together, when all are made."""

    private = True

    def invoke(self, ctx: Any) -> Any:
        """Run the command as one call."""
        path = ctx.command_path.partition(" ")[2] or self.name or ""
        flags = {str(p.name): p.opts[0] if p.param_type_name == "option" else str(p.name).upper() for p in self.params}
        options = {str(p.name): _typed(p, ctx.params.get(p.name)) for p in self.params}
        check_sizes(options, flags)
        with opened(Call(path, options, self.private, flags)):
            return super().invoke(ctx)


def check_sizes(options: Mapping[str, Any], flags: Mapping[str, str]) -> None:
    """Refuse numbers that are none or beyond any use, and texts longer than any path, by the option's name."""
    found = []
    for name, value in options.items():
        flag = flags.get(name, name)
        if isinstance(value, int | float) and not (isfinite(value) and abs(value) <= LARGEST):
            found.append(Problem("not-allowed", f"{flag} takes a number of at most {LARGEST:.0e}"))
        elif isinstance(value, str) and len(value) > LONGEST:
            found.append(Problem("not-allowed", f"{flag} takes a text of at most {LONGEST} letters"))
    if found:
        raise InputRefused(found)


class PublicCommand(Command):
    """A command whose results hold nothing of patients: its files are as readable as any other new file."""

    private = False


class Commands(typer.Typer):
    """A group of such commands."""

    def command(self, name: str | None = None, *, public: bool = False, **settings: Any) -> Callable[[Any], Any]:
        """Add a command; `public`: its results hold nothing of patients."""
        return super().command(name, cls=PublicCommand if public else Command, **settings)


def say(text: str, quiet: bool = False) -> None:
    """Tell the user something, on stderr; `quiet` for a note that is unwanted."""
    if not quiet and sys.stderr is not None:
        print(clean(text, keep="\n"), file=sys.stderr)


def put_bytes(data: bytes) -> None:
    """Put bytes on stdout."""
    if getattr(sys.stdout, "closed", False):
        raise refuse("no-stdout", "stdout is closed", hint="Name a file with --output.")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def arguments() -> dict[str, Any]:
    """Give every option of this call that can change an answer, as its manifest says it.

    Files by the hash of their content, a key by its fingerprint, tables not at all: the manifest has their hashes anyway.
    """
    call = current()
    found = {}
    for name, value in call.options.items():
        paths = value if isinstance(value, list | tuple) else [value]
        if name in SHOWING | SAID or value in (None, False, (), []) or any(isinstance(p, Path) and p in call.claimed for p in paths):  # fmt: skip
            continue
        if name not in PERSONAL and (said := _argument(name, value)) is not None:
            found[name.rstrip("_").removesuffix("_file")] = said
    return found


def _argument(name: str, value: Any) -> Any:
    from ..report.manifest import content_hash, fingerprint

    if isinstance(value, Path):
        if not value.is_file():
            return None
        try:
            data = value.read_bytes()
        except OSError:
            return None
        return fingerprint(data.strip()) if name == "key_file" else content_hash(data)
    if isinstance(value, list | tuple):
        return [str(v) for v in value]
    return value


def _typed(parameter: Any, value: Any) -> Any:
    """Give the value as the command gets it: what is declared a path is one."""
    if value is None or getattr(parameter.type, "name", "") not in ("path", "file", "directory"):
        return value
    return [Path(v) for v in value] if isinstance(value, list | tuple) else Path(value)


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        if one.exists() and other.exists():
            return one.samefile(other)
        return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))
    except (OSError, ValueError):
        return False


def _inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def to_nowhere(stream: Any) -> None:
    """Let what is still written to a stream vanish."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - it lasts as long as the program
