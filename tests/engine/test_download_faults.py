"""Whatever the server does: the bytes arrive whole, or one error says why not."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import time

import pytest
from hub_server import HEALS, LARGE, Fault, HubServer
from small_hub import (
    LARGEST,
    MODEL,
    Downloads,
    allow_network,
    files_in,
    repositories,
    wanted_files,
)

from engine.api.downloads import JOURNAL_FILE
from engine.api.files import write_atomically
from engine.download.patience import Patience
from engine.errors import Cancelled, DiskFull, DownloadError

pytestmark = pytest.mark.fault(29)
WHOLE = wanted_files()
SIZE = len(WHOLE[LARGEST])


@pytest.fixture
def server():
    with HubServer(repositories()) as server:
        yield server


@pytest.fixture
def downloads(server, tmp_path, monkeypatch):
    allow_network(monkeypatch, tmp_path / "cache")
    return Downloads(server.endpoint, tmp_path / "model")


@pytest.fixture
def begun(server, downloads):
    """A download of which a part of the largest file is there."""
    server.cut_at = 100_000
    server.will(LARGEST, Fault.CUT)
    seen = 0

    def is_cancelled():
        nonlocal seen
        seen += any(asked.fault is Fault.CUT for asked in server.asked)
        return seen > 3

    with pytest.raises(Cancelled):
        downloads.run(is_cancelled=is_cancelled)
    part = downloads.folder / f"{LARGEST}.part"
    assert 0 < part.stat().st_size <= 100_000
    server.asked.clear()
    server.faults.clear()
    return downloads


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(HEALS, key=str))
def test_a_fault_in_the_beginning_does_not_keep_a_file_from_arriving(server, downloads, fault):
    server.will(LARGEST, fault)
    downloads.run()
    assert files_in(downloads.folder) == WHOLE
    assert len(server.starts(LARGEST)) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(HEALS, key=str))
def test_a_fault_in_the_middle_does_not_keep_a_file_from_arriving(server, begun, fault):
    server.will(LARGEST, fault)
    begun.run()
    assert files_in(begun.folder) == WHOLE


@pytest.mark.parametrize(
    "fault",
    [Fault.CUT, Fault.RESET, Fault.WRONG_RANGE, Fault.EXPIRED, Fault.BUSY, Fault.BROKEN],
)
def test_what_has_come_is_not_fetched_again(server, begun, fault):
    there = (begun.folder / f"{LARGEST}.part").stat().st_size
    server.will(LARGEST, fault)
    begun.run()
    assert min(server.starts(LARGEST)) == there
    assert server.starts(LARGEST) == sorted(server.starts(LARGEST))


@pytest.mark.parametrize("fault", [Fault.CHANGED, Fault.NOT_SATISFIABLE, Fault.SHORT_LENGTH])
def test_a_file_that_is_another_one_is_begun_anew_once(server, begun, fault):
    server.will(LARGEST, fault)
    begun.run()
    assert server.starts(LARGEST)[1:] == [0]


def test_a_server_that_cannot_begin_in_the_middle_is_listened_to_from_the_start(server, begun):
    there = (begun.folder / f"{LARGEST}.part").stat().st_size
    server.will(LARGEST, Fault.NO_RANGES)
    begun.run()
    assert server.starts(LARGEST) == [there]
    assert begun.progress[-1].done_bytes <= begun.progress[-1].total_bytes


def test_wrong_bytes_are_fetched_once_more(server, downloads):
    server.will(LARGEST, Fault.WRONG_BYTES)
    downloads.run()
    assert server.starts(LARGEST) == [0, 0]
    assert files_in(downloads.folder) == WHOLE


def test_bytes_that_are_wrong_twice_are_an_error_and_never_get_their_name(server, downloads):
    server.will(LARGEST, Fault.WRONG_BYTES, Fault.WRONG_BYTES)
    with pytest.raises(DownloadError, match=r"t2v\.pt cannot be fetched"):
        downloads.run()
    assert server.starts(LARGEST) == [0, 0]
    assert not (downloads.folder / LARGEST).exists()
    downloads.run()
    assert files_in(downloads.folder) == WHOLE


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.FORBIDDEN, "access token"),
        (Fault.GATED, "access token"),
        (Fault.MISSING, "moved or removed"),
    ],
)
def test_a_hub_that_refuses_is_believed_at_once(server, downloads, fault, words):
    server.will("configs.json", fault)
    with pytest.raises(DownloadError, match=words):
        downloads.run()
    assert len(server.starts("configs.json")) == 1


@pytest.mark.parametrize("fault", [Fault.LOOP, Fault.PACKED, Fault.EXPIRED, Fault.WRONG_RANGE])
def test_what_is_likely_to_stay_wrong_is_tried_a_few_times(server, downloads, fault):
    server.will(LARGEST, *[fault] * 40)
    with pytest.raises(DownloadError, match="tries"):
        downloads.run()
    assert 4 <= len(server.starts(LARGEST)) < 40  # going round in circles asks often


def test_a_server_that_never_answers_again_is_given_up(server, downloads):
    server.will(LARGEST, *[Fault.BROKEN] * 1000)
    hurried = Patience(first_pause=0.01, longest_pause=0.02, give_up_seconds=0.3)
    with pytest.raises(DownloadError, match="goes on"):
        downloads.run(patience=hurried)
    server.faults.clear()
    downloads.run()
    assert files_in(downloads.folder) == WHOLE


def test_a_server_is_left_alone_as_long_as_it_asks_for(server, downloads):
    server.retry_after = "1"
    server.will(LARGEST, Fault.BUSY)
    began = time.monotonic()
    downloads.run()
    assert time.monotonic() - began > 1
    assert any("next try in" in told.waiting for told in downloads.progress)


def test_a_connection_that_brings_a_byte_now_and_then_is_given_up(server, downloads):
    server.will(LARGEST, Fault.TRICKLE)
    began = time.monotonic()
    downloads.run()
    assert len(server.starts(LARGEST)) == 2
    assert server.starts(LARGEST)[1] > 0
    assert time.monotonic() - began < 0.05 * SIZE / 100


def test_a_listing_is_asked_for_again(server, downloads):
    server.busy_listings = 2
    assert downloads.describe().total_bytes == sum(map(len, WHOLE.values()))


def test_a_repository_that_is_not_for_everybody_says_how_to_get_in(server, downloads):
    server.is_gated = True
    with pytest.raises(DownloadError, match="HF_TOKEN"):
        downloads.describe()


def test_a_server_that_is_no_hub_is_said_to_be_none(tmp_path, downloads, server):
    server.repositories = {MODEL: {}}
    with pytest.raises(DownloadError, match="as the Hugging Face Hub does"):
        downloads.describe()
    nobody = Downloads("ftp://example", tmp_path / "model")
    with pytest.raises(DownloadError, match="not the address"):
        nobody.describe()


def test_a_file_that_changed_on_the_server_is_not_mixed_with_the_old_one(server, begun):
    new = repositories()
    new[MODEL][LARGEST] = bytes(SIZE)
    server.repositories = new
    begun.run()
    assert server.starts(LARGEST) == [0]
    assert (begun.folder / LARGEST).read_bytes() == bytes(SIZE)


def test_a_pause_is_heard_while_the_server_is_silent(server, downloads):
    server.will(LARGEST, Fault.SILENT)
    asked_at = []

    def is_cancelled():
        if any(asked.fault is Fault.SILENT for asked in server.asked):
            asked_at.append(time.monotonic())
        return bool(asked_at)

    with pytest.raises(Cancelled):
        downloads.run(is_cancelled=is_cancelled, patience=Patience())
    assert time.monotonic() - asked_at[0] < 2


def test_a_part_that_a_crash_damaged_is_found_out(begun):
    part = begun.folder / f"{LARGEST}.part"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    write_atomically(part, bytes(data))
    begun.run()
    assert files_in(begun.folder) == WHOLE


def test_what_lies_behind_the_last_sync_is_not_believed(server, begun):
    """After a power cut a file may be as long as it was, or longer, and hold zeros."""
    part = begun.folder / f"{LARGEST}.part"
    synced = part.stat().st_size
    with part.open("ab") as file:
        file.write(bytes(2 * SIZE))
    begun.run()
    assert server.starts(LARGEST) == [synced]
    assert files_in(begun.folder) == WHOLE


@pytest.mark.parametrize("contents", [b"", b"{", b"[]", b'{"format_version": 1, "files": [7]}'])
def test_a_damaged_journal_costs_time_and_nothing_else(begun, contents):
    (begun.folder / JOURNAL_FILE).write_bytes(contents)
    begun.run()
    assert files_in(begun.folder) == WHOLE


def test_a_newer_journal_is_left_alone(begun):
    journal = begun.folder / JOURNAL_FILE
    journal.write_text('{"format_version": 2, "files": {}}')
    with pytest.raises(DownloadError, match="newer kvdesk"):
        begun.run()
    assert journal.read_text() == '{"format_version": 2, "files": {}}'


def test_a_disk_without_room_is_told_before_with_numbers(downloads, monkeypatch):
    monkeypatch.setattr("engine.disk_space.free_bytes", lambda _: 1000)
    with pytest.raises(DiskFull, match=r"needs 0\.7 MB more"):
        downloads.run()
    assert files_in(downloads.folder) == {}


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, of 512 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this test needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_up_meanwhile_is_an_error_with_numbers(
    downloads, small_disk, monkeypatch
):
    monkeypatch.setattr("engine.download.download.check_space", lambda *_: None)
    downloads.folder = small_disk / "model"
    with pytest.raises(DiskFull, match="has too little room"):
        downloads.run()
    whole = {name: data for name, data in files_in(downloads.folder).items() if name in WHOLE}
    assert all(WHOLE[name] == data for name, data in whole.items())
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    downloads.run()
    assert files_in(downloads.folder) == WHOLE


def test_many_faults_in_one_download_do_not_keep_the_files_from_arriving(server, downloads):
    names = [name for name, data in repositories()[MODEL].items() if len(data) >= LARGE]
    server.cut_at = 10_000
    for name, fault in zip(itertools.cycle(names), sorted(HEALS, key=str), strict=False):
        server.will(name, Fault.CUT, fault)
    downloads.run()
    assert files_in(downloads.folder) == WHOLE
    met = {asked.fault for asked in server.asked} & HEALS
    assert len(met) > len(HEALS) / 2  # of some files the rest came before the second one
