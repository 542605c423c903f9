"""Downloads that are killed again and again, by servers that misbehave."""

from __future__ import annotations

import random
import sys

import pytest
from hub_server import HEALS, Fault, HubServer
from killed_downloads import KILLED, REFUSED, WHOLE, KilledDownloads
from small_hub import HURRIED, LARGEST, SHARDS, files_in, repositories, wanted_files

pytestmark = [
    pytest.mark.fault(29),
    pytest.mark.skipif(sys.platform == "win32", reason="these tests fork processes"),
]
FILES = wanted_files()
MOST_POINTS = 130
LARGE_FILES = [LARGEST, "interpolation.pt", "movq.pt", SHARDS[0]]
AT_RISK = HURRIED.block_bytes + 64 * 1024  # and the piece that made it a block
# After these a file is begun anew, or sent from its beginning.
SENT_AGAIN = {Fault.NO_RANGES, Fault.CHANGED, Fault.NOT_SATISFIABLE, Fault.SHORT_LENGTH}
SENT_AGAIN |= {Fault.WRONG_BYTES}
SLOW = {Fault.SILENT, Fault.TRICKLE, Fault.BUSY}


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    processes = KilledDownloads(tmp_path_factory.mktemp("cache"))
    yield processes
    processes.close()


def go_through(seed, processes, folder):
    """A download with up to four kills and as many faults; how it was refused, where it was."""
    chance = random.Random(seed)
    faults = [*sorted(HEALS - SLOW, key=str), Fault.WRONG_BYTES]
    refusals = []
    with HubServer(repositories()) as server:
        server.cut_at = chance.randrange(1, 100_000)
        for _ in range(chance.randrange(5)):
            server.will(chance.choice(LARGE_FILES), chance.choice(faults))
        kills = [chance.randrange(1, MOST_POINTS) for _ in range(chance.randrange(1, 5))]
        for kill_at in [*kills, None, None]:
            num_asked, there = len(server.asked), parts_in(folder)
            end = processes.run(server.endpoint, folder, kill_at)
            again = {asked.path for asked in server.asked if asked.fault in SENT_AGAIN}
            check_begins_where_it_was(server.asked[num_asked:], there, again)
            check_has_what_came(end, parts_in(folder), again)
            refusals += [end] if end["end"] == REFUSED else []
            if end["end"] == WHOLE:
                break
    assert files_in(folder) == FILES, f"seed {seed}"
    return refusals


def parts_in(folder):
    """How many bytes there are of the files that are not whole."""
    return {path.name.removesuffix(".part"): path.stat().st_size for path in folder.rglob("*.part")}


def check_begins_where_it_was(asked, there, again):
    """A file is gone on with where its part ends, but for a block; and never goes back."""
    for name in {request.path for request in asked} - again:
        starts = [request.start for request in asked if request.path == name]
        assert starts == sorted(starts), name
        assert starts[0] >= there.get(name, 0) - AT_RISK, name


def check_has_what_came(end, parts, again):
    """All that came in before a kill is on the disk."""
    if end["end"] == KILLED:
        for path, size in end["sizes"].items():
            name = path.rpartition("/")[2]
            if size < len(FILES[path]) and name not in again:
                assert parts[name] >= size, name


def test_downloads_can_be_killed_at_many_points(processes, tmp_path):
    with HubServer(repositories()) as server:
        end = processes.run(server.endpoint, tmp_path / "model", None)
    assert end["end"] == WHOLE
    assert MOST_POINTS * 0.7 < end["points"] < MOST_POINTS * 1.5


def test_a_download_that_is_killed_again_and_again_arrives_whole(processes, tmp_path, rounds):
    for seed in range(rounds.wanted(small=8, large=300)):
        refusals = go_through(seed, processes, tmp_path / str(seed))
        assert all(end["code"] == "download" and end["message"] for end in refusals)
        rounds.done()
