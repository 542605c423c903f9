"""Languages, encodings, time zones and homes that others have: nothing becomes something else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from engine.api import FrameSize, GenerateRequest, to_json
from engine.checkpoint.checked_files import CheckableFile, CheckedFiles
from engine.video_io import SaveSettings, save_video

if TYPE_CHECKING:
    from fault_rounds import Rounds

ROOT = Path(__file__).parents[2]
PROMPT = "Ein Kreis, 3,5 Grad – 漢字 ıİ"
REQUEST = GenerateRequest(
    prompt=PROMPT, seed=7, size=FrameSize(width=64, height=64), noise_augmentation=20
)
NOWHERE = "/proc/nowhere"  # no folder can be made there, not even by root

pytestmark = pytest.mark.fault(30)

SURROUNDINGS = {
    "plain C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "numbers with a comma": {"LC_ALL": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"},
    "letters that fold otherwise": {"LC_ALL": "tr_TR.UTF-8"},
    "a day ahead": {"TZ": "Pacific/Kiritimati"},
    "a home that cannot be written": {"HOME": NOWHERE},
}

IN_SUITE = {"plain C", "a home that cannot be written"}


def kvdesk(surroundings: str, *arguments: str) -> str:
    gone = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    environment |= {"PYTHONPATH": str(ROOT), **SURROUNDINGS[surroundings]}
    done = subprocess.run(
        [sys.executable, "-m", "kvdesk", *arguments],
        env=environment, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode("ascii" if surroundings == "plain C" else "utf-8")


@pytest.mark.parametrize(
    "surroundings",
    [
        name if name in IN_SUITE else pytest.param(name, marks=pytest.mark.slow)
        for name in SURROUNDINGS
    ],
)
def test_a_request_is_read_from_a_file_as_it_was_written(surroundings, tmp_path):
    frames = [Image.new("RGB", (16, 16), (shade, 0, 0)) for shade in (0, 90)]
    path = tmp_path / "Kreis – 漢字.gif"
    save_video(frames, path, SaveSettings(frames_per_second=2.5), request=to_json(REQUEST))
    assert json.loads(kvdesk(surroundings, "inspect", str(path))) == to_json(REQUEST)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_clip_is_the_same_in_all_of_them(rounds: Rounds, tmp_path):
    digests = set()
    small = ("--width", "64", "--height", "64", "--steps", "1", "--seed", "7")
    for number, surroundings in enumerate(SURROUNDINGS):
        folder = tmp_path / f"{number}"
        kvdesk(surroundings, "generate", PROMPT, "-o", str(folder / "frame.png"), *small)
        frames = sorted(folder.glob("*.png"))
        assert len(frames) == 12
        pixels = b"".join(Image.open(frame).tobytes() for frame in frames)
        digests.add(hashlib.sha256(pixels).hexdigest())
        rounds.done()
    assert len(digests) == 1


def test_a_file_that_changes_while_the_clock_goes_back_is_read_again(tmp_path):
    file = tmp_path / "weights"

    def write(content: bytes, *, hours: float) -> CheckableFile:
        file.write_bytes(content)
        moment = time.time() + 3600 * hours
        os.utime(file, (moment, moment))
        digest = hashlib.sha256(content).hexdigest()
        return CheckableFile(
            name="weights", path=file, size=len(content), sha256=digest, check=lambda _: digest
        )

    checked = CheckedFiles(tmp_path / "checked.json")
    for hours in (0, -5, 24, -1000):
        entry = write(f"content {hours:6}".encode(), hours=hours)
        assert checked.unchecked([entry]) == [entry]
        checked.check([entry], lambda _: None)
