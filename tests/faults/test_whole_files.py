from __future__ import annotations

import json
import random
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from failing_writers import WRITING_CALLS, Fault, Writers, why_untraceable
from lost_power import LostPower
from ways_of_writing import ways_of_writing

from engine.api.files import TEMPORARY_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fault_rounds import Rounds
    from lost_power import Node

ROOT = Path(__file__).parents[2]
OLD, NEW = 1, 2  # as in writers.py, which is not imported here: it takes seconds
SAVED, REFUSED, KILLED = 0, 3, -9
WRITERS = (
    "settings", "prompts", "queue", "notes", "clip_json", "key_frame", "checkpoint",
    "finished_clip", "export", "replaced_export", "copied_picture", "speeds", "cached",
    "model_file",
)  # fmt: skip
IN_THE_SUITE = ("settings", "clip_json", "finished_clip", "export")
SIDECARS = (".png.json", ".gif.json")
CLIP = "clip/clip.json"
ERRORS = ("KILL", "ENOSPC", "EIO", "EACCES")
# Not under their own names yet: frames that are being decoded, and a model that is being written.
UNFINISHED = ("clip/checkpoints/frames_", "unet.safetensors.partial")


# Everywhere else, the functions of engine.api.files write. Here names are lent by them, or:
WRITES_BY_ITSELF = {
    "engine/api/files.py": "is the helper",
    "engine/checkpoint/resumable_file.py": "goes on with a .partial file, and publishes it",
    "engine/cli.py": "puts nothing in the place of a closed output",
    "engine/clip.py": "writes to lent names, and frames to a folder that is published",
    "engine/clip_checkpoints.py": "writes to a lent name, and publishes it",
    "engine/clip_job.py": "writes a preview to a lent name; after a crash it is worth nothing",
    "engine/doctor/file_drills.py": "damages files in a folder that is removed",
    "engine/doctor/model_drills.py": "damages a copy of the demo in a folder that is removed",
    "engine/download/already_here.py": "writes to a lent name, and gives it its own",
    "engine/download/part_file.py": "goes on with a part of a download, and publishes it",
    "engine/questions.py": "writes to a lent name, and publishes it",
    "engine/video_encoding.py": "writes into a lent folder, whose files are published",
    "engine/video_frames.py": "writes into a lent folder, which is given its name",
    "engine/video_io.py": "tries names and writes sidecars in a lent folder",
    "engine/torch_command.py": "moves a whole folder of packages into place, and the old one back",
    "kvdesk/app.py": "has a log, to which lines are added",
    "kvdesk/json_files.py": "sets damaged files aside",
    "kvdesk/library_index.py": "has SQLite write the index, which is a cache",
}


@pytest.mark.fault(8, 9)
def test_nothing_writes_but_by_the_one_helper_or_with_a_reason():
    files = [file for part in ("engine", "kvdesk") for file in sorted((ROOT / part).rglob("*.py"))]
    writing = {
        file.relative_to(ROOT).as_posix(): set(ways_of_writing(file.read_text(encoding="utf-8")))
        for file in files
    }
    found = {name: ways for name, ways in writing.items() if ways}
    unexplained = {name: ways for name, ways in found.items() if name not in WRITES_BY_ITSELF}
    assert unexplained == {}
    assert WRITES_BY_ITSELF.keys() <= found.keys()  # or the reason is none any more


@pytest.mark.fault(8, 9)
@pytest.mark.parametrize(
    "source",
    [
        "path.write_text(x)", "Path(p).write_bytes(x)", 'open(p, "w")', 'p.open("r+b")',
        "os.open(p, os.O_WRONLY)", "a.replace(b)", "os.rename(a, b)", "QSaveFile(p)",
        'picture.save(path, "PNG")', "picture.save(str(path))", "sqlite3.connect(p)",
        "shutil.copyfile(a, b)", 'p.open(mode="a")',
    ],
)  # fmt: skip
def test_each_way_of_writing_is_found(source: str):
    assert list(ways_of_writing(source))
    assert not list(ways_of_writing('p.open("rb"); open(p); text.replace("a", "b"); clip.save(i)'))


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    scratch = tmp_path_factory.mktemp("writers")
    if reason := why_untraceable(scratch):
        pytest.skip(reason)
    process = Writers(scratch)
    yield process
    process.close()


def contents(folder: Path) -> dict[str, bytes]:
    """The files under their own names, by their paths in `folder`."""
    names = ((path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")))
    return {
        name: path.read_bytes()
        for name, path in names
        if path.is_file() and ".kvdesk-" not in name and not name.startswith(UNFINISHED)
    }


def leftovers(folder: Path) -> list[Path]:
    return [*folder.rglob(TEMPORARY_NAMES), *folder.rglob("*.partial")]


class Versions:
    """What a writer leaves behind before and after, when nothing goes wrong."""

    def __init__(self, writers: Writers, writer: str, scratch: Path) -> None:
        self.writers, self.writer, self.scratch = writers, writer, scratch
        self.before = scratch / f"{writer}-before"
        self.before.mkdir()
        assert writers.write(writer, self.before, OLD) == SAVED
        after = self.fresh("after")
        assert writers.write(writer, after, NEW) == SAVED
        self.old, self.new = contents(self.before), contents(after)
        assert self.old != self.new

    def fresh(self, name: str) -> Path:
        return shutil.copytree(self.before, self.scratch / f"{self.writer}-{name}")

    def check(self, found: dict[str, bytes], *, is_saved: bool) -> None:
        """Every file is the old or the new one, and the new one where that was promised."""
        for sidecar in [name for name in found if name.endswith(SIDECARS)]:
            json.loads(found.pop(sidecar))  # where reading the request back was what failed
        for aside in [name for name in found if name.endswith(".damaged")]:
            name = aside.removesuffix(".damaged")  # what was there could not be read
            assert found.pop(aside) == self.old[name]
            if name in found:
                json.loads(found[name])  # the new file, without what could not be read
            found[name] = self.new.get(name, b"")
        if self.writer == "speeds" and found.keys() == self.new.keys():
            json.loads(found["cache/speeds.json"])  # can be lost: it begins anew when unreadable
            return
        for name in self.old.keys() | self.new.keys() | found.keys():
            allowed = {self.old.get(name), self.new.get(name)}
            assert found.get(name) in allowed, f"{name} is neither the old file nor the new one"
        if is_saved:
            assert found == self.new
        if found.get(CLIP) == self.new.get(CLIP, b""):
            assert found.keys() >= self.new.keys()  # it says that the frames are there

    def survive(self, fault: Fault) -> None:
        """Let the fault happen, and then the writer try again."""
        folder = self.fresh("faulty")
        outcome = self.writers.write_traced(self.writer, folder, NEW, fault)
        is_elsewhere = str(folder) not in (outcome.injected() or str(folder))
        if not is_elsewhere:  # what a library reads of the system is not what is tested
            assert outcome.code in (SAVED, REFUSED, KILLED), f"{fault} ends with {outcome.code}"
        self.check(contents(folder), is_saved=outcome.code == SAVED)
        could_clean_up = fault.call not in ("openat", "unlink", "unlinkat", "rmdir")
        if outcome.code in (SAVED, REFUSED) and self.writer != "model_file" and could_clean_up:
            assert not leftovers(folder)
        if self.writer == "export":  # it does not replace
            for name in contents(folder):
                (folder / name).unlink()
        assert self.writers.write(self.writer, folder, NEW) == SAVED
        self.check(contents(folder), is_saved=True)
        if self.writer != "cached":  # where leftovers age like the rest
            assert not leftovers(folder)
        shutil.rmtree(folder)


def possible_faults(versions: Versions) -> list[Fault]:
    """One for each call that writes, in a run to which nothing happens, and each way to fail."""
    folder = versions.fresh("counted")
    calls = versions.writers.write_traced(versions.writer, folder, NEW).calls
    shutil.rmtree(folder)
    counts = Counter(match[1] for call in calls if (match := re.match(r"\d+\s+(\w+)\(", call)))
    return [
        Fault(call=call, when=when, error=error)
        for call in WRITING_CALLS
        for when in range(1, counts[call] + 1)
        for error in ERRORS
    ]


@pytest.mark.fault(8, 9, 10)
@pytest.mark.timeout(0)
def test_a_file_is_the_old_or_the_new_one_whichever_call_fails_or_is_the_last(
    writers: Writers, tmp_path: Path, rounds: Rounds
):
    is_large = rounds.wanted(0, 1) == 1
    faults = [
        (versions, fault)
        for versions in (
            Versions(writers, writer, tmp_path)
            for writer in (WRITERS if is_large else IN_THE_SUITE)
        )
        for fault in possible_faults(versions)
    ]
    if not is_large:
        faults = random.Random(8).sample(faults, 18)
    for versions, fault in faults:
        versions.survive(fault)
        rounds.done()


@pytest.mark.fault(9)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_saved_outlives_a_power_cut_and_nothing_is_half(
    writers: Writers, writer: str, tmp_path: Path, rounds: Rounds
):
    for version in (OLD, NEW):  # the first makes its folders, the second replaces
        power = LostPower(tmp_path)
        outcome = writers.write_traced(writer, tmp_path, version)
        assert outcome.code == SAVED
        if not contents(tmp_path):
            continue  # nothing is exported yet
        power.replay(outcome.calls)
        before, finished = visible(power.before()), visible(power.finished())
        for crash in power.crashes():
            check_crash(visible(crash), before, finished)
            rounds.done()
        sure = visible(power.after_the_end())
        assert {name: sure.get(name) for name in finished} == finished


def visible(files: Mapping[str, Node | None]) -> dict[str, Node | None]:
    return {
        name: node
        for name, node in files.items()
        if ".kvdesk-" not in name and not name.startswith(UNFINISHED)
    }


def check_crash(
    crash: Mapping[str, Node | None],
    before: Mapping[str, Node | None],
    finished: Mapping[str, Node | None],
) -> None:
    for name, node in crash.items():
        assert node is not None, f"{name} is there, and what was written to it is not"
    for name in before.keys() & finished.keys():
        assert name in crash, f"{name} is gone, the old one and the new one"
    if CLIP in finished and crash.get(CLIP) is finished[CLIP]:
        assert crash.keys() >= finished.keys()  # it says that the frames are there


WRITTEN = [
    '1 openat(AT_FDCWD</x>, "{root}/.kvdesk-1.tmp", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3<{root}/t>',
    '1 write(3<{root}/.kvdesk-1.tmp>, ""..., 9) = 9',
    "1 fsync(3<{root}/.kvdesk-1.tmp>) = 0",
    '1 rename("{root}/.kvdesk-1.tmp", "{root}/file") = 0',
    "1 fsync(4<{root}>) = 0",
]


@pytest.mark.fault(9)
@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        ((0, 1, 2, 3, 4), ""),
        ((0, 1, 3, 4), "half"),
        ((0, 1, 3, 2, 4), "half"),
        ((0, 2, 1, 3, 4), "half"),
        ((0, 1, 2, 3), "lost"),
        ((0, 1, 4, 2, 3), "lost"),
    ],
    ids=["right", "no sync", "sync too late", "written after", "no folder sync", "swapped"],
)
def test_the_simulated_power_cut_finds_what_a_writer_forgets(
    tmp_path: Path, order: tuple[int, ...], complaint: str
):
    (tmp_path / "file").write_text("old")
    power = LostPower(tmp_path)
    power.replay([WRITTEN[number].replace("{root}", str(tmp_path)) for number in order])
    finished = visible(power.finished())
    is_half = any(None in visible(crash).values() for crash in power.crashes())
    is_lost = visible(power.after_the_end()) != finished
    assert (is_half or is_lost) == bool(complaint)
    assert {"half": is_half, "lost": is_lost}.get(complaint, True)
