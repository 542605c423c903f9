"""What there is to fetch, what is here already, and how a download is paused and limited."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace

import pytest
from filelock import FileLock
from hub_server import Fault, HubServer
from small_hub import (
    ENCODER,
    ENCODER_ONLY,
    HURRIED,
    LARGEST,
    MODEL,
    SHARDS,
    Downloads,
    allow_network,
    files_in,
    repositories,
    wanted_files,
)

import engine.download.download
from engine.api import DescribeDownload
from engine.api.downloads import LOCK_FILE
from engine.checkpoint.model_json import MODEL_FILE
from engine.download.download import Download
from engine.download.hub import Hub
from engine.download.patience import WHILE_WATCHED
from engine.errors import Cancelled, DownloadError, InvalidRequest

WHOLE = wanted_files()
TOTAL = sum(map(len, WHOLE.values()))


@pytest.fixture
def server():
    with HubServer(repositories()) as server:
        yield server


@pytest.fixture
def downloads(server, tmp_path, monkeypatch):
    allow_network(monkeypatch, tmp_path / "cache")
    return Downloads(server.endpoint, tmp_path / "model")


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


# What is fetched


def test_the_files_of_the_model_are_fetched_and_nothing_else(server, downloads):
    done = downloads.run()
    assert files_in(downloads.folder) == WHOLE
    assert (done.fetched_bytes, done.copied_bytes, done.linked_bytes) == (TOTAL, 0, 0)
    assert not server.starts(SHARDS[2])


def test_what_is_described_is_what_is_fetched(server, downloads):
    described = downloads.describe()
    assert {file.name: file.size for file in described.files} == {
        name: len(data) for name, data in WHOLE.items()
    }
    assert (described.total_bytes, described.missing_bytes) == (TOTAL, TOTAL)
    assert described.peak_bytes == TOTAL + described.stays_bytes
    assert TOTAL < described.peak_bytes_deleting < described.peak_bytes
    assert not downloads.folder.exists()
    assert set(server.sent) <= {"model.safetensors.index.json"}


def test_the_encoder_comes_from_a_repository_of_its_own_where_that_is_asked_for(downloads):
    downloads.run(encoder_only=True)
    found = files_in(downloads.folder)
    weights = repositories()[ENCODER_ONLY]["model.safetensors"]
    assert found["text_encoder/model.safetensors"] == weights
    assert found["text_encoder/tokenizer.json"] == WHOLE["text_encoder/tokenizer.json"]
    assert "text_encoder/model.safetensors.index.json" not in found


@pytest.mark.parametrize(
    ("repository", "name"), [(MODEL, "movq.pt"), (ENCODER, SHARDS[1]), (ENCODER, "config.json")]
)
def test_a_repository_without_a_file_is_an_error_that_names_it(server, downloads, repository, name):
    del server.repositories[repository][name]
    with pytest.raises(DownloadError, match=name):
        downloads.describe()


def test_a_second_download_fetches_nothing(server, downloads):
    downloads.run()
    server.asked.clear()
    assert downloads.describe().missing_bytes == 0
    done = downloads.run()
    assert done.fetched_bytes == 0
    assert {asked.path for asked in server.asked} == {"model.safetensors.index.json"}


def test_a_file_that_was_damaged_since_is_fetched_again(downloads):
    downloads.run()
    (downloads.folder / LARGEST).write_bytes(bytes(len(WHOLE[LARGEST])))
    done = downloads.run()
    assert files_in(downloads.folder) == WHOLE
    assert done.fetched_bytes == len(WHOLE[LARGEST])


# Pausing, progress, speed


def test_a_paused_download_goes_on_where_it_was(server, downloads):
    def is_cancelled():
        return any(progress.done_bytes > TOTAL / 4 for progress in downloads.progress)

    server.will(LARGEST, Fault.BROKEN)  # so that there is time to be heard
    with pytest.raises(Cancelled):
        downloads.run(is_cancelled=is_cancelled, bytes_per_second=TOTAL)
    there = sum(map(len, files_in(downloads.folder).values()))
    assert TOTAL / 4 < there < TOTAL
    described = downloads.describe()
    assert described.missing_bytes == TOTAL - there
    downloads.progress.clear()
    done = downloads.run()
    assert done.fetched_bytes == TOTAL - there
    assert files_in(downloads.folder) == WHOLE


def test_progress_never_goes_back_and_ends_with_everything(downloads):
    downloads.run(bytes_per_second=TOTAL // 2)
    done = [progress.done_bytes for progress in downloads.progress]
    assert done == sorted(done)
    assert all(progress.total_bytes == TOTAL for progress in downloads.progress)
    late = downloads.progress[-1]
    assert late.bytes_per_second == pytest.approx(TOTAL / 2, rel=0.5)
    assert late.seconds_left is not None


def test_no_more_is_fetched_than_was_allowed(downloads):
    began = time.monotonic()
    downloads.run(bytes_per_second=TOTAL)
    assert time.monotonic() - began > 0.7


# What is here already


@pytest.mark.parametrize("below", ["", "disk/old files"])
def test_files_elsewhere_on_the_same_disk_are_linked(server, downloads, tmp_path, below):
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / below, WHOLE)
    described = downloads.describe(also_in=(str(elsewhere),))
    assert described.missing_bytes == 0
    assert described.files[-1].found_in.startswith(str(elsewhere))
    done = downloads.run(also_in=(str(elsewhere),))
    assert (done.fetched_bytes, done.linked_bytes) == (0, TOTAL)
    assert files_in(downloads.folder) == WHOLE
    assert (downloads.folder / LARGEST).samefile(elsewhere / below / LARGEST)
    assert {asked.path for asked in server.asked} == {"model.safetensors.index.json"}


def test_files_on_another_disk_are_copied(downloads, tmp_path, monkeypatch):
    write(tmp_path / "usb", WHOLE)
    monkeypatch.setattr("engine.download.download.can_be_linked", lambda *_: False)
    done = downloads.run(also_in=(str(tmp_path / "usb"),))
    assert (done.fetched_bytes, done.copied_bytes) == (0, TOTAL)
    assert files_in(downloads.folder) == WHOLE
    assert not (downloads.folder / LARGEST).samefile(tmp_path / "usb" / LARGEST)


def test_a_disk_that_has_no_links_gets_copies(downloads, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "not here")

    write(tmp_path / "other", WHOLE)
    monkeypatch.setattr("os.link", refuse)
    done = downloads.run(also_in=(str(tmp_path / "other"),))
    assert (done.copied_bytes, done.linked_bytes) == (TOTAL, 0)


def test_a_file_of_the_right_name_and_size_with_other_bytes_is_not_taken(downloads, tmp_path):
    write(tmp_path / "other", {**WHOLE, LARGEST: bytes(len(WHOLE[LARGEST]))})
    done = downloads.run(also_in=(str(tmp_path / "other"),))
    assert done.fetched_bytes == len(WHOLE[LARGEST])
    assert files_in(downloads.folder) == WHOLE
    assert (tmp_path / "other" / LARGEST).read_bytes() == bytes(len(WHOLE[LARGEST]))


def test_the_cache_of_the_hub_s_own_library_is_looked_into(downloads, tmp_path):
    """Its files are links to others that are called by their checksums."""
    cache = tmp_path / "cache" / "models--ai-forever--KandinskyVideo_1_1"
    write(cache / "blobs", {"abc": WHOLE[LARGEST]})
    snapshot = cache / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (snapshot / LARGEST).symlink_to("../../blobs/abc")
    done = downloads.run()
    assert done.linked_bytes == len(WHOLE[LARGEST])
    assert not (downloads.folder / LARGEST).is_symlink()
    assert files_in(downloads.folder) == WHOLE


def test_pipes_and_missing_folders_are_passed_over(downloads, tmp_path):
    (tmp_path / "odd").mkdir()
    os.mkfifo(tmp_path / "odd" / LARGEST)
    done = downloads.run(also_in=(str(tmp_path / "odd"), str(tmp_path / "missing")))
    assert done.fetched_bytes == TOTAL


# The folder


def test_two_downloads_do_not_write_into_one_folder(downloads):
    downloads.folder.mkdir()
    with FileLock(downloads.folder / LOCK_FILE), pytest.raises(DownloadError, match="another"):
        downloads.run()
    downloads.run()


def test_what_is_no_place_for_official_files_is_refused(downloads, tmp_path):
    write(tmp_path, {"file": b"", f"prepared/{MODEL_FILE}": b"{}"})
    for name, words in (("file", "is a file"), ("prepared", "holds a prepared model")):
        downloads.folder = tmp_path / name
        with pytest.raises(InvalidRequest, match=words):
            downloads.run()


def test_a_folder_that_cannot_be_written_to_is_an_error(downloads, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("engine.download.part_file.publish", refuse)
    with pytest.raises(DownloadError, match="cannot be written to: Permission denied"):
        downloads.run()


# The token


def test_a_token_goes_to_the_server_itself_and_nowhere_else(server, downloads, monkeypatch, caplog):
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    caplog.set_level(logging.DEBUG)
    server.will(LARGEST, Fault.WRONG_BYTES, Fault.WRONG_BYTES)
    with pytest.raises(DownloadError) as caught:
        downloads.run()
    assert set(server.tokens) == {("127.0.0.1", "Bearer hf_very_secret"), ("localhost", "")}
    said = "".join([*caplog.messages, caught.value.message, caught.value.detail])
    assert "hf_very_secret" not in said
    assert "secret=1" not in "".join([caught.value.message, caught.value.detail])
    written = b"".join(path.read_bytes() for path in downloads.folder.iterdir() if path.is_file())
    assert b"hf_very_secret" not in written


def test_a_token_that_the_hub_gave_is_not_shown_to_another_server(server, downloads, monkeypatch):
    monkeypatch.setattr("engine.download.hub.get_token", lambda: "hf_stored")
    downloads.describe()
    assert {token for _, token in server.tokens} == {""}


def test_the_hub_itself_is_shown_the_token_that_it_gave(monkeypatch):
    monkeypatch.setattr("engine.download.hub.get_token", lambda: "hf_stored")
    hub = Hub("https://huggingface.co", HURRIED)
    assert hub.headers("https://huggingface.co/a") == {"Authorization": "Bearer hf_stored"}
    for other in ("http://huggingface.co/a", "https://huggingface.co.evil.org/a"):
        assert hub.headers(other) == {}


def test_files_that_were_named_are_fetched_alone(downloads):
    shard = SHARDS[0].rpartition("/")[2]
    done = downloads.run(only=("t2v.pt", shard))
    names = {"t2v.pt", f"text_encoder/{shard}"}
    assert files_in(downloads.folder) == {name: WHOLE[name] for name in names}
    assert done.fetched_bytes == sum(len(WHOLE[name]) for name in names)
    with pytest.raises(InvalidRequest, match=r"no file 'x\.pt'.*t2v\.pt"):
        downloads.run(only=("x.pt",))


def test_a_person_who_asks_does_not_wait_long_for_a_server_that_is_not_there(tmp_path, monkeypatch):
    allow_network(monkeypatch, tmp_path / "cache")
    assert WHILE_WATCHED.connect_seconds + WHILE_WATCHED.give_up_seconds < 20
    hurried = replace(WHILE_WATCHED, give_up_seconds=0.1, first_pause=0.05)
    monkeypatch.setattr(engine.download.download, "WHILE_WATCHED", hurried)
    question = DescribeDownload(job=0, folder=str(tmp_path / "x"), endpoint="http://127.0.0.1:9")
    work = Download(question, on_progress=lambda _: None, is_cancelled=lambda: False)
    with pytest.raises(DownloadError, match="does not answer"):
        work.describe()
