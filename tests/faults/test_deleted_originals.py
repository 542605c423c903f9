"""Preparations that delete the official files: nothing that is needed is ever lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys

import pytest
from failing_writers import WRITING_CALLS, why_untraceable
from killed_preparations import KILLED, REFUSED, TESTS, WHOLE, KilledPreparations, index_here
from lost_power import LostPower
from small_official import DEMO, SHARDS, write_small_official

from engine import cli
from engine.checkpoint import room
from engine.checkpoint.folder import ModelFolder
from engine.checkpoint.model_json import read_model_file, read_preparation
from engine.checkpoint.originals import estimate_peak
from engine.checkpoint.prepare import prepare_model
from engine.checkpoint.room import Write, most_added, peak_bytes_deleting, prepared_bytes
from engine.errors import Cancelled, DiskFull, InvalidRequest, ModelFileError, ModelNotFound

pytestmark = [
    pytest.mark.fault(6, 9),
    pytest.mark.skipif(sys.platform == "win32", reason="these tests fork processes"),
]

OWN = {"notes.txt": b"mine", "other.pt": b"mine too", "text_encoder/decoder.bin": b"and this"}
INDEX = "text_encoder/model.safetensors.index.json"
MADE_OF = {
    "configs.json": ["configs.json"],
    "t2v.pt": ["t2v.safetensors", "eight_bit.json"],
    "interpolation.pt": ["interpolation.safetensors", "eight_bit.json"],
    "movq.pt": ["movq.safetensors"],
    "video_movq.pt": ["video_movq.safetensors"],
    "t5_projections.pt": ["t5_projections.safetensors"],
    "text_encoder/config.json": ["text_encoder_config.json"],
    "text_encoder/tokenizer.json": ["tokenizer/tokenizer.json"],
    "text_encoder/tokenizer_config.json": ["tokenizer/tokenizer_config.json"],
    **{f"text_encoder/{shard}": ["text_encoder.safetensors"] for shard in SHARDS},
}
MOST_POINTS = 200


@pytest.fixture(scope="module")
def preparations():
    preparations = KilledPreparations()
    yield preparations
    preparations.close()


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "official"
    write_small_official(folder)
    return folder


@pytest.fixture(scope="module")
def whole(official, preparations, tmp_path_factory):
    """The model that comes of it: its files by name."""
    folder = tmp_path_factory.mktemp("small")
    source = shutil.copytree(official, folder / "official")
    end = preparations.run(source, folder / "model")
    assert end["end"] == WHOLE
    assert end["points"] < MOST_POINTS
    assert not contents(source)
    assert [path.name for path in source.iterdir()] == []
    return contents(folder / "model")


@pytest.fixture
def source(official, tmp_path):
    """The official files among a person's own."""
    folder = shutil.copytree(official, tmp_path / "official")
    for name, data in OWN.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def model(tmp_path):
    return tmp_path / "model"


@pytest.fixture(autouse=True)
def _index_in_this_process(monkeypatch):
    monkeypatch.setattr("engine.checkpoint.official.index_archives", index_here)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def prepare(source, destination, **options):
    usual = {
        "expected": None,
        "on_progress": lambda _: None,
        "is_cancelled": lambda: False,
        "name": "small",
        "preview_map": ModelFolder.open(DEMO).preview_map(),
        "delete_originals": True,
    }
    return prepare_model(source, destination, **{**usual, **options})


def stop_without_t2v(source, model):
    """Begin to prepare, and stop when the first U-Net is prepared and other parts are not."""
    with pytest.raises(Cancelled):
        prepare(source, model, is_cancelled=lambda: not (source / "t2v.pt").exists())
    assert (source / "movq.pt").exists()


def finished_in(destination):
    """The files that the folder says are finished."""
    if (state := read_preparation(destination)) is not None:
        return {file.entry.name for file in state.finished}
    has_model = (destination / "model.json").is_file()
    return {entry.name for entry in read_model_file(destination).files} if has_model else set()


def check_nothing_is_lost(source, destination, official, whole):
    """Of an official file that is gone, all that is made is finished, and is what it should be."""
    left, finished = contents(source), finished_in(destination)
    assert {name: left.get(name) for name in OWN} == OWN
    for name, data in contents(official).items():
        if name in left:
            assert left[name] == data
            continue
        for file in MADE_OF.get(name, ["model.json"]):
            assert file in finished | {"model.json"}, f"{name} is gone, {file} is not finished"
            assert (destination / file).read_bytes() == whole[file]


# Killed, and gone on with


def go_through(seed, preparations, official, whole, folder):
    chance = random.Random(seed)
    source, model = folder / "official", folder / "model"
    shutil.copytree(official, source)
    for name, data in OWN.items():
        (source / name).write_bytes(data)
    for kill_at in [chance.randrange(1, MOST_POINTS) for _ in range(chance.randrange(1, 5))]:
        end = preparations.run(source, model, kill_at)["end"]
        assert end in {KILLED, WHOLE}, f"seed {seed}"
        check_nothing_is_lost(source, model, official, whole)
    assert preparations.run(source, model)["end"] == WHOLE, f"seed {seed}"
    assert contents(model) == whole, f"seed {seed}"
    assert contents(source) == OWN, f"seed {seed}"


@pytest.mark.fault(10)
def test_of_a_killed_preparation_nothing_that_is_needed_is_lost(
    preparations, official, whole, tmp_path, rounds
):
    for seed in range(rounds.wanted(small=3, large=300)):
        go_through(seed, preparations, official, whole, tmp_path / str(seed))
        shutil.rmtree(tmp_path / str(seed))
        rounds.done()


@pytest.mark.slow
@pytest.mark.fault(10)
def test_a_preparation_can_be_killed_before_every_change_on_the_disk(
    preparations, official, whole, source, model, rounds
):
    for kill_at in range(1, MOST_POINTS):
        end = preparations.run(source, model, kill_at)["end"]
        check_nothing_is_lost(source, model, official, whole)
        assert preparations.run(source, model)["end"] == WHOLE
        assert (contents(model), contents(source)) == (whole, OWN), kill_at
        rounds.done()
        if end == WHOLE:
            break
        shutil.rmtree(model)
        shutil.copytree(official, source, dirs_exist_ok=True)
    assert end == WHOLE


PREPARES = """
import sys
from pathlib import Path
from killed_preparations import index_here
from small_official import DEMO
from engine.checkpoint import official
from engine.checkpoint.folder import ModelFolder
from engine.checkpoint.prepare import prepare_model
official.index_archives = index_here
prepare_model(
    Path(sys.argv[1], "official"), Path(sys.argv[1], "model"), expected=None, name="small",
    on_progress=lambda _: None, is_cancelled=lambda: False, delete_originals=True,
    preview_map=ModelFolder.open(DEMO).preview_map(),
)
"""


@pytest.mark.slow
@pytest.mark.fault(9)
def test_when_the_power_fails_nothing_that_is_needed_is_lost(official, whole, tmp_path, rounds):
    if reason := why_untraceable(tmp_path):
        pytest.skip(reason)
    root = tmp_path / "root"
    shutil.copytree(official, root / "official")
    power = LostPower(root)
    calls = ",".join((*WRITING_CALLS, "ftruncate"))
    paths = os.pathsep.join(map(str, (TESTS.parent, TESTS, TESTS / "faults")))
    subprocess.run(
        ["strace", "-f", "-y", "--seccomp-bpf", "-s", "4096", "-o", str(tmp_path / "calls"),
         "-e", f"trace={calls}", sys.executable, "-c", PREPARES, str(root)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}, check=True,
    )  # fmt: skip
    power.replay((tmp_path / "calls").read_text(errors="surrogateescape").splitlines())
    finished = power.finished()
    assert contents(root / "model") == whole
    for crash in power.crashes():
        gone = {name for name in MADE_OF if f"official/{name}" not in crash}
        assert not gone or crash.get("model/preparation.json") or crash.get("model/model.json")
        for name in {f"model/{made}" for source in gone for made in MADE_OF[source]}:
            assert crash.get(name) is not None, f"{name} may be lost with the power"
            assert crash[name] is finished[name]
        rounds.done()
    assert not any(name.startswith("official/") for name in power.after_the_end())


# What is deleted, and what is not


@pytest.mark.fault(6)
def test_a_damaged_file_whose_original_is_gone_is_an_error_that_names_what_to_fetch(
    preparations, official, whole, source, model
):
    stop_without_t2v(source, model)
    damaged = model / "t2v.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    end = preparations.run(source, model)
    assert end["end"] == REFUSED
    assert f"Fetch t2v.pt of the official files again into {source}" in end["message"]
    shutil.copyfile(official / "t2v.pt", source / "t2v.pt")
    assert preparations.run(source, model)["end"] == WHOLE
    assert (contents(model), contents(source)) == (whole, OWN)


@pytest.mark.fault(6)
def test_a_damaged_file_of_a_whole_model_is_made_anew_from_the_one_file_it_needs(
    preparations, official, whole, source, model
):
    assert preparations.run(source, model)["end"] == WHOLE
    (model / "movq.safetensors").write_bytes(b"")
    end = preparations.run(source, model)
    assert (end["end"], "movq.pt" in end["message"]) == (REFUSED, True)
    shutil.copyfile(official / "movq.pt", source / "movq.pt")
    assert preparations.run(source, model)["end"] == WHOLE
    assert (contents(model), contents(source)) == (whole, OWN)


def test_of_a_whole_model_the_originals_are_deleted_where_that_is_asked_for_later(
    preparations, official, whole, source, model
):
    prepare(source, model, delete_originals=False)
    assert contents(source).keys() == {*contents(official), *OWN}
    (source / "movq.pt").write_bytes((source / "movq.pt").read_bytes()[:-1] + b"?")
    with pytest.raises((InvalidRequest, ModelFileError), match=r"movq\.pt"):
        prepare(source, model)
    assert contents(source).keys() == {*contents(official), *OWN}
    shutil.copyfile(official / "movq.pt", source / "movq.pt")
    assert preparations.run(source, model)["end"] == WHOLE
    assert (contents(model), contents(source)) == (whole, OWN)


def test_a_preparation_whose_originals_are_all_gone_is_done(preparations, whole, source, model):
    preparations.run(source, model)
    shutil.rmtree(source)
    assert preparations.run(source, model)["end"] == WHOLE
    assert contents(model) == whole
    with pytest.raises(ModelNotFound):
        prepare(source, model, delete_originals=False)


def test_nothing_of_a_prepared_model_is_taken_for_an_original(preparations, source, model):
    preparations.run(source, model)
    other = shutil.copytree(model, model.with_name("other"))
    before = contents(other)
    for folder in (other, model):
        with pytest.raises(InvalidRequest, match="prepared already"):
            prepare(folder, model)
    assert contents(other) == contents(model) == before


@pytest.mark.fault(25)
def test_links_are_deleted_and_what_they_lead_to_is_not(
    preparations, official, whole, source, model, tmp_path
):
    cache = shutil.copytree(official, tmp_path / "cache")
    for name in ("t2v.pt", "configs.json", f"text_encoder/{SHARDS[0]}"):
        (source / name).unlink()
        (source / name).symlink_to(cache / name)
    assert preparations.run(source, model)["end"] == WHOLE
    assert contents(model) == whole
    assert contents(source) == OWN
    assert not (source / "t2v.pt").is_symlink()
    assert contents(cache) == contents(official)


@pytest.mark.fault(25)
def test_an_encoder_in_another_folder_is_left_there(preparations, official, whole, tmp_path, model):
    elsewhere = shutil.copytree(official / "text_encoder", tmp_path / "flan")
    source = shutil.copytree(official, tmp_path / "official")
    shutil.rmtree(source / "text_encoder")
    (source / "text_encoder").symlink_to(elsewhere)
    assert preparations.run(source, model)["end"] == WHOLE
    assert contents(model) == whole
    assert list(source.iterdir()) == []
    assert contents(elsewhere) == contents(official / "text_encoder")


@pytest.mark.fault(26)
def test_what_an_older_program_finished_is_kept_where_it_cannot_be_made_again(
    preparations, whole, source, model
):
    stop_without_t2v(source, model)
    state = model / "preparation.json"
    text = state.read_text().replace('"kvdesk_version": "', '"kvdesk_version": "0.0.')
    state.write_text(text)
    assert preparations.run(source, model)["end"] == WHOLE
    assert contents(model) == whole


@pytest.mark.slow
def test_the_jailed_process_deletes_and_its_parent_removes_the_empty_folder(
    official, model, tmp_path, capsys
):
    source = shutil.copytree(official, tmp_path / "bare")
    (source / "kvdesk-download.json").write_text("{}")
    assert cli.main(["prepare", "--delete-originals", str(source), str(model)]) == 0
    output = capsys.readouterr().out
    assert "up to about 0.01 GB in all" in output or "up to about 0.02 GB in all" in output
    assert f"kvdesk self-test --model {model}" in output
    assert not source.exists()
    assert ModelFolder.open(model).is_prepared


# Room


def test_the_text_encoder_is_first_and_makes_room_for_the_others(source, model):
    order = []
    prepare(source, model, on_progress=lambda step: order.append(step.file))
    weights = [name for name in dict.fromkeys(order) if name.endswith(".safetensors")]
    assert "text_encoder.safetensors" in weights[: len(SHARDS) + 1]
    listed = [entry.name for entry in read_model_file(model).files]
    assert listed.index("t2v.safetensors") < listed.index("text_encoder.safetensors")


def test_no_more_is_on_the_disk_than_was_said(official, source, model, tmp_path):
    source = shutil.copytree(official, tmp_path / "bare")
    said = estimate_peak(source, model)
    most = 0

    def measure(_):
        nonlocal most
        files = [path for folder in (source, model) for path in folder.rglob("*")]
        sizes = [path.lstat().st_size for path in files if path.is_file()]
        most = max(most, sum(sizes))

    prepare(source, model, on_progress=measure)
    before = sum(map(len, contents(official).values()))
    after = sum(map(len, contents(model).values()))
    assert most <= said * 1.01
    assert most < (before + after) * 0.85


@pytest.mark.fault(8)
def test_a_disk_with_room_for_the_way_with_deleting_only_is_enough_for_that_way(
    official, source, model, monkeypatch
):
    before = sum(map(len, contents(official).values()))
    free = int(before * 0.8)
    monkeypatch.setattr(
        "engine.disk_space.shutil.disk_usage",
        lambda _: shutil._ntuple_diskusage(10 * before, 0, free),
    )
    with pytest.raises(DiskFull, match="needs"):
        prepare(source, model, delete_originals=False)
    assert not (model / "t2v.safetensors").exists()
    prepare(source, model)
    assert contents(source) == OWN


def test_of_the_released_model_the_most_at_once_is_ten_gigabytes_above_its_files():
    sizes = {"t2v.pt": 8.30, "interpolation.pt": 7.96, "video_movq.pt": 2.66, "movq.pt": 1.08}
    sizes |= {"t5_projections.pt": 0.13, "text_encoder/model.safetensors": 19.6}
    official = {name: int(size * 1e9) for name, size in sizes.items()}
    total = sum(official.values())
    assert prepared_bytes(official) == pytest.approx(30.1e9, rel=0.01)
    assert peak_bytes_deleting(official) == total + 9_940_000_000


def test_what_goes_makes_room_only_when_the_last_thing_is_made_of_it():
    writes = [
        Write(num_bytes=5, sources=frozenset("a")),
        Write(num_bytes=4, sources=frozenset("ab")),
        Write(num_bytes=8, sources=frozenset("c")),
    ]
    assert most_added(writes, {}) == 17
    assert most_added(writes, {"a": 5, "b": 4}) == 9
    assert most_added(writes, {"a": 3, "b": 3}) == 11


def test_a_link_frees_nothing(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(bytes(1000))
    assert room._freed_by(file, tmp_path / "model") == 1000
    os.link(file, tmp_path / "second")
    assert room._freed_by(file, tmp_path / "model") == 0
    (tmp_path / "link").symlink_to(file)
    assert room._freed_by(tmp_path / "link", tmp_path) == 0
