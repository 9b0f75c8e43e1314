"""Files written whole or not at all, each together with its manifest.

All bytes are on the disk, synchronised and out of sight, before the first name appears. A new manifest is put in place
before its file; where both replace older ones it describes the old file too (`replaces`) until the new one stands, so
that at every moment the manifest there is describes the file there is. New files are readable by their owner alone
unless they are public; a file that is written over keeps its mode.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..problems import InputRefused, Source, refuse
from .tabular import json_text

PART = ".sbrt-part"  # ends the name of a file that is not whole yet
MANIFEST = ".manifest.json"
PRIVATE, PUBLIC = 0o600, 0o666
CHUNK = 1 << 20
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
# What a file system says that cannot hold a file without a name, or a second name for one.
_NOT_HERE = (errno.EOPNOTSUPP, errno.ENOTSUP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EPERM, errno.ENOSYS, errno.EXDEV)  # fmt: skip
_HINTS = {
    errno.ENOSPC: "Make room, or write to another disk.",
    errno.EDQUOT: "Make room, or write to another disk.",
    errno.EACCES: "Choose a folder you may write to, and close the file where another program has it open.",
    errno.EPERM: "Choose a folder you may write to, and close the file where another program has it open.",
    errno.EROFS: "Choose a folder you may write to.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def manifest_path(path: Path) -> Path:
    """Name the manifest that stands beside a file."""
    return path.with_name(path.name + MANIFEST)


def check_free(path: Path, force: bool) -> None:
    """Refuse what cannot be written: an existing file without force, a folder, a device, a place that is not there."""
    source = Source(str(path))
    if "\0" in str(path):
        raise cannot_write(path, ValueError())
    if _SCHEME.match(str(path)):
        raise refuse("no-network", "nothing is written to a network address", source, "Name a local file.")
    try:
        there = path.stat() if path.exists() else None
        parent = path.parent.is_dir()
    except (OSError, ValueError) as error:
        raise cannot_write(path, error) from None
    if there is not None and not stat.S_ISREG(there.st_mode):
        kind = "a folder" if stat.S_ISDIR(there.st_mode) else "not a file"
        raise refuse("not-a-file", f"this is {kind}, not a file to write", source)
    if there is not None and not force:
        raise refuse("file-exists", "this file exists already", source, "Add --force to write over it.")
    if not parent:
        raise refuse("no-folder", "the folder to write into does not exist", Source(str(path.parent)))


def cannot_write(path: Path, error: BaseException) -> InputRefused:
    """Say which file could not be written and why."""
    number = error.errno if isinstance(error, OSError) else None
    why = (error.strerror if isinstance(error, OSError) else None) or "the name cannot be used"
    return refuse("cannot-write", f"cannot be written: {why}", Source(path.name), _HINTS.get(number or 0, ""))


class Part:
    """Bytes on their way to a path: without a name where the system allows, else with one nobody can foretell.

    A part without a name leaves nothing behind, however the program ends.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.there: Path | None = None
        self.file: IO[bytes] = self._nameless() or self._named()

    def _nameless(self) -> IO[bytes] | None:
        flag = getattr(os, "O_TMPFILE", 0)
        if not flag or not Path("/proc/self/fd").is_dir():
            return None
        try:
            return os.fdopen(os.open(self.folder, flag | os.O_RDWR, PRIVATE), "w+b")
        except OSError as error:
            if error.errno in _NOT_HERE:
                return None
            raise

    def _named(self) -> IO[bytes]:
        handle, place = tempfile.mkstemp(PART, f".{self.name[:80]}.", self.folder)
        self.there = Path(place)
        return os.fdopen(handle, "w+b")

    def settle(self, mode: int | None) -> tuple[str, int]:
        """Have every byte on the disk; give the hash and the size. `mode` None: the mode of the part, private."""
        self.file.flush()
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(self.file.fileno(), mode)
        os.fsync(self.file.fileno())
        digest, size = hashlib.sha256(), 0
        self.file.seek(0)
        while data := self.file.read(CHUNK):
            digest.update(data)
            size += len(data)
        return digest.hexdigest(), size

    def place(self, path: Path, over: bool) -> None:
        """Give the bytes their name; FileExistsError when somebody was quicker and `over` is not set."""
        if over:
            if self.there is None:
                self.there = self.folder / f".{self.name[:80]}.{secrets.token_hex(8)}{PART}"
                self._link(self.there)
            self.file.close()
            os.replace(self.there, path)  # noqa: PTH105 - what the tests break
            self.there = None
        elif self.there is None:
            self._link(path)
            self.file.close()
        else:
            self.file.close()
            _move_new(self.there, path)
            self.there = None

    def _link(self, path: Path) -> None:
        root = os.open("/", os.O_RDONLY)  # with a folder given, os.link follows the link that /proc shows
        try:
            os.link(f"/proc/self/fd/{self.file.fileno()}", path, src_dir_fd=root, follow_symlinks=True)
        finally:
            with contextlib.suppress(OSError):
                os.close(root)

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self.file.close()
        if self.there is not None:
            with contextlib.suppress(OSError):
                self.there.unlink(missing_ok=True)


def _move_new(part: Path, path: Path) -> None:
    """Rename, never over another file."""
    if os.name == "nt":
        part.rename(path)  # refuses an existing name there
        return
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        # A file system without second names: an empty file holds the place until the whole one takes it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
        os.replace(part, path)  # noqa: PTH105
        return
    part.unlink()


@dataclass
class Output:
    """One file to come: where, its bytes, and the manifest that goes beside it (None: it holds its own)."""

    path: Path
    force: bool
    part: Part
    manifest: Callable[[], Mapping[str, Any]] | None
    beside: Part | None = None
    bridge: Part | None = None
    digest: str = ""
    over: bool = False


@dataclass
class Writing:
    """The files of one call: gathered first, then published one after the other; nothing is left of what is not."""

    private: bool = True
    outputs: list[Output] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    published: list[Path] = field(default_factory=list)

    def open(
        self, path: Path, force: bool, manifest: Callable[[], Mapping[str, Any]] | None, folder: bool = False
    ) -> IO[bytes]:
        """Give a file to write the bytes of one output into; it appears under its name when all are published.

        With `folder` the folder that holds it is made, should it not be there yet.
        """
        missing = [p for p in (path.parent, *path.parent.parents) if folder and not p.exists()]
        for parent in reversed(missing):
            try:
                parent.mkdir()
            except OSError as error:
                raise cannot_write(parent, error) from None
            self.folders.append(parent)
        check_free(path, force)
        real = Path(os.path.realpath(path))  # a link stays a link
        try:
            part = Part(real.parent, real.name)
        except (OSError, ValueError) as error:
            raise cannot_write(path, error) from None
        self.outputs.append(Output(real, force, part, manifest))
        return part.file

    def add(
        self,
        path: Path,
        data: bytes,
        force: bool,
        manifest: Callable[[], Mapping[str, Any]] | None,
        folder: bool = False,
    ) -> None:
        """Take the bytes of one output."""
        file = self.open(path, force, manifest, folder)
        try:
            file.write(data)
            file.flush()
        except OSError as error:
            raise cannot_write(path, error) from None

    def publish(self) -> None:
        """Put every file in its place; each is refused that somebody else has written meanwhile."""
        for output in self.outputs:
            try:
                self._settle(output)
            except OSError as error:
                raise cannot_write(output.path, error) from None
        with contextlib.ExitStack() as locks, uninterrupted():
            for folder in sorted({output.path.parent for output in self.outputs}):
                locks.enter_context(_locked(folder))
            for output in self.outputs:
                try:
                    self._bridge(output)
                except OSError as error:
                    raise cannot_write(output.path, error) from None
            for output in self.outputs:
                self._place(output)
        self.outputs, self.folders = [], []

    def _settle(self, output: Output) -> None:
        output.digest, size = output.part.settle(self._mode(output.path))
        if output.manifest is not None:
            body = {**output.manifest(), "output": {"content_hash": f"sha256:{output.digest}", "bytes": size}}
            beside = manifest_path(output.path)
            output.beside = self._written(beside, json_text(body).encode())

    def _mode(self, path: Path) -> int | None:
        if path.exists():
            return stat.S_IMODE(path.stat().st_mode)
        if self.private:
            return None
        mask = os.umask(0)
        os.umask(mask)
        return PUBLIC & ~mask

    def _written(self, path: Path, data: bytes) -> Part:
        part = Part(path.parent, path.name)
        try:
            part.file.write(data)
            part.settle(self._mode(path))
        except BaseException:
            part.discard()
            raise
        return part

    def _bridge(self, output: Output) -> None:
        """Where both files are replaced, make the manifest that describes the new one and the old."""
        output.over = output.path.exists()
        if output.over and not output.force:
            raise refuse("file-exists", "this file was written by another program meanwhile", Source(output.path.name), "Look at it, then add --force to write over it.")  # fmt: skip
        beside = manifest_path(output.path)
        if not (output.over and output.manifest is not None):
            return
        import json

        old: Any = None
        with contextlib.suppress(OSError, ValueError):
            old = json.loads(beside.read_bytes())
        before = {"content_hash": f"sha256:{hash_of(output.path)}", **({"manifest": old} if old else {})}
        assert output.beside is not None
        output.beside.file.seek(0)
        body = {**json.loads(output.beside.file.read()), "replaces": before}
        output.bridge = self._written(beside, json_text(body).encode())

    def _place(self, output: Output) -> None:
        beside = manifest_path(output.path)
        folder = output.path.parent
        first = output.bridge or output.beside
        try:
            if first is not None:
                first.place(beside, over=True)
                _sync(folder)
            try:
                output.part.place(output.path, output.over)
            except OSError as error:
                foreign = isinstance(error, FileExistsError) or not output.path.exists()
                if first is not None and not output.over and foreign:
                    beside.unlink(missing_ok=True)
                raise
            self.published.append(output.path)
            _sync(folder)
            if output.bridge is not None and output.beside is not None:
                output.beside.place(beside, over=True)
                _sync(folder)
        except FileExistsError:
            raise refuse("file-exists", "this file was written by another program meanwhile", Source(output.path.name), "Look at it, then add --force to write over it.") from None  # fmt: skip
        except OSError as error:
            raise cannot_write(output.path, error) from None

    def discard(self) -> None:
        """Leave nothing of what was not published."""
        for output in self.outputs:
            for part in (output.part, output.beside, output.bridge):
                if part is not None:
                    part.discard()
        for folder in reversed(self.folders):
            with contextlib.suppress(OSError):
                folder.rmdir()
        self.outputs, self.folders = [], []


def write_whole(path: Path, data: bytes) -> None:
    """Write one private file over whatever stood there, outside of what a call puts out together."""
    writing = Writing()
    try:
        writing.add(path, data, True, None)
        writing.publish()
    finally:
        writing.discard()


def hash_of(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Have a folder's names on the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one call at a time put files into a folder; where there are no locks, the last step alone decides."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle: int | None = None
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if handle is not None:
                os.close(handle)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off the signals that end a program, so that files and manifests are put in place together."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [n for n in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, n)]
    caught: list[int] = []
    before = {number: signal.getsignal(number) for number in (getattr(signal, n) for n in names)}
    for number in before:
        signal.signal(number, lambda n, _: caught.append(n))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])


def stale(folders: Sequence[Path]) -> list[Path]:
    """Find parts that an earlier call left in these folders: nobody writes them any more."""
    found = []
    for folder in sorted(set(folders)):
        with contextlib.suppress(OSError):
            found += [p for p in folder.glob(f".*{PART}") if _abandoned(p)]
    return sorted(found)


def _abandoned(path: Path) -> bool:
    """Whether a part is older than any call could take to put it in its place."""
    import time

    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > 60
    return False
