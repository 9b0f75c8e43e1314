"""Files whole or not at all: a writer killed, or failed, at every system call it makes leaves the old pair or the new pair."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sbrt_followup.problems import InputRefused
from sbrt_followup.report import files
from sbrt_followup.report.files import PART, Writing, check_free, manifest_path, stale, write_whole
from sbrt_followup.report.verification import manifest_of

OLD, NEW = b"old,rows\n1,2\n", b"new,rows\n3,4\n5,6\n"
CALLS = ("link", "replace", "fsync", "fchmod", "open", "close")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="a process that kills itself is a fork")


def put(path: Path, data: bytes, force: bool = False) -> None:
    writing = Writing()
    try:
        writing.add(path, data, force, lambda: {"command": "test", "of": data.decode()})
        writing.publish()
    finally:
        writing.discard()


def forked(work: Callable[[], None]) -> int:
    """Run some work in a process of its own; give how it ended (minus the signal that killed it)."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def breaking(at: int, how: Callable[[], Any]) -> None:
    """From here on, have the nth of the system calls that matter break."""
    count = 0

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == at:
                how()
            return real(*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(getattr(os, name)))


def state(path: Path) -> str:
    """Say which pair stands there; anything else is an error of this program."""
    if not path.exists():
        return "nothing"
    content = path.read_bytes()
    assert content in (OLD, NEW), "half a file"
    manifest, check = manifest_of(path)
    assert check.result in ("fits", "before"), "a manifest that does not describe the file beside it"
    assert manifest["of"] == content.decode()
    return "old" if content == OLD else "new"


@pytest.fixture(params=["nameless", "named"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both ways to keep bytes out of sight."""
    if request.param == "named":
        monkeypatch.setattr(os, "O_TMPFILE", 0, raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without a name")
    yield request.param


@needs_fork
@pytest.mark.parametrize("over", [False, True], ids=["new", "over an old pair"])
def test_killed_at_any_call_a_writer_leaves_the_old_pair_or_the_new(tmp_path: Path, parts: str, over: bool) -> None:
    seen, kills = set(), 0
    for at in range(1, 200):
        path = tmp_path / f"{at}" / "rows.csv"
        path.parent.mkdir()
        if over:
            put(path, OLD)

        def work(path: Path = path, at: int = at) -> None:
            breaking(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
            put(path, NEW, force=over)

        ended = forked(work)
        seen.add(state(path))
        left = [p.name for p in path.parent.iterdir() if p.name.endswith(PART)]
        assert len(left) <= (1 if parts == "nameless" else 3)
        assert all(stat.S_IMODE((path.parent / name).stat().st_mode) == 0o600 for name in left)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        kills += 1
    assert kills > 8
    assert seen == ({"old", "new"} if over else {"nothing", "new"})


@needs_fork
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("over", [False, True], ids=["new", "over an old pair"])
def test_whatever_call_fails_a_sentence_names_file_and_cause_and_nothing_is_half(
    tmp_path: Path, parts: str, over: bool, number: int
) -> None:
    for at in range(1, 200):
        path = tmp_path / f"{at}" / "rows.csv"
        path.parent.mkdir()
        if over:
            put(path, OLD)
        said = path.parent.parent / f"{at}.txt"

        def work(path: Path = path, at: int = at, said: Path = said) -> None:
            def fail() -> None:
                raise OSError(number, os.strerror(number))

            keep = {name: getattr(os, name) for name in CALLS}
            breaking(at, fail)
            try:
                put(path, NEW, force=over)
            except InputRefused as refused:
                for name, real in keep.items():
                    setattr(os, name, real)
                said.write_text(str(refused.problems[0]))
                os._exit(2)

        ended = forked(work)
        assert state(path) in (("old", "new") if over else ("nothing", "new"))
        assert not list(path.parent.glob(f".*{PART}")), "a part was left behind"
        if ended == 2:
            assert os.strerror(number) in said.read_text()
            assert "cannot-write" in said.read_text()
        elif at > 30:
            break
        assert ended in (0, 2)


@needs_fork
def test_of_many_writers_one_succeeds_and_its_manifest_stands_beside_it(tmp_path: Path) -> None:
    for turn in range(5):
        path = tmp_path / f"{turn}.csv"
        children = []
        for writer in range(6):
            child = os.fork()
            if child == 0:
                try:
                    put(path, f"writer {writer}\n".encode() * 1000)
                except BaseException:
                    os._exit(2)
                os._exit(0)
            children.append(child)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert sorted(ended) == [0, 2, 2, 2, 2, 2]
        manifest, check = manifest_of(path)
        assert check.result == "fits"
        assert manifest["of"].encode() == path.read_bytes()


def test_a_manifest_left_alone_does_not_stand_in_the_way(tmp_path: Path) -> None:
    manifest_path(tmp_path / "rows.csv").write_text("{}")
    put(tmp_path / "rows.csv", NEW)
    assert state(tmp_path / "rows.csv") == "new"


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_new_files_are_private_old_ones_keep_their_mode_and_links_stay_links(tmp_path: Path, parts: str) -> None:
    path, link = tmp_path / "rows.csv", tmp_path / "link.csv"
    put(path, OLD)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, manifest_path(path))] == [0o600, 0o600]
    path.chmod(0o640)
    link.symlink_to(path)
    put(link, NEW, force=True)
    assert link.is_symlink()
    assert path.read_bytes() == NEW
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    public = Writing(private=False)
    public.add(tmp_path / "page.md", b"#", False, None)
    public.publish()
    assert stat.S_IMODE((tmp_path / "page.md").stat().st_mode) == 0o666 & ~_mask()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_nothing_appears_before_all_of_it_is_there(tmp_path: Path) -> None:
    writing = Writing()
    writing.add(tmp_path / "one.csv", OLD, False, None)
    with pytest.raises(InputRefused):
        writing.add(tmp_path / "nowhere" / "two.csv", NEW, False, None)
    writing.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_made_for_a_file_goes_with_it(tmp_path: Path) -> None:
    writing = Writing()
    writing.add(tmp_path / "new" / "deep" / "a.yaml", NEW, False, None, folder=True)
    writing.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("there.csv", "file-exists"), ("folder", "not-a-file"), ("no/x.csv", "no-folder"), ("http://x/y.csv", "no-network"),
     ("x" * 300 + ".csv", "cannot-write"), ("a\0b.csv", "cannot-write")],
)  # fmt: skip
def test_what_cannot_be_written_is_said_before_any_work(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "there.csv").write_bytes(OLD)
    (tmp_path / "folder").mkdir()
    path = Path(name) if "://" in name else tmp_path / name
    with pytest.raises(InputRefused) as refused:
        check_free(path, False)
        put(path, NEW)
    assert refused.value.problems[0].code == code


def test_a_part_left_by_an_earlier_call_is_found(tmp_path: Path) -> None:
    part = tmp_path / f".rows.csv.abcd{PART}"
    part.write_bytes(OLD)
    assert stale([tmp_path]) == [], "it may be somebody's at this moment"
    os.utime(part, (0, 0))
    assert stale([tmp_path]) == [part]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_signal_waits_until_file_and_manifest_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(BaseException):
        pass

    def end(*_: Any) -> None:
        raise Ended

    real = files.Part.place

    def place(self: files.Part, path: Path, over: bool) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        real(self, path, over)

    monkeypatch.setattr(files.Part, "place", place)
    before = signal.signal(signal.SIGTERM, end)
    try:
        with pytest.raises(Ended):
            put(tmp_path / "rows.csv", NEW)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert state(tmp_path / "rows.csv") == "new"


def test_one_file_outside_of_a_call_is_whole_too(tmp_path: Path) -> None:
    write_whole(tmp_path / "rows.csv", OLD)
    write_whole(tmp_path / "rows.csv", NEW)
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]
    assert json.dumps((tmp_path / "rows.csv").read_text()) == json.dumps(NEW.decode())
