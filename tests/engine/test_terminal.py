from __future__ import annotations

import contextlib
import os
import re
import sys
import time

import pytest

from engine.api import CheckProgress, PrepareProgress, Stage, StageFinished, StageStarted, StepDone
from engine.terminal import TerminalProgress


def written_to_terminal(events, monkeypatch, *, columns=100) -> str:
    pty = pytest.importorskip("pty", reason="this system has no terminals of that kind")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        patch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 30)))
        with TerminalProgress() as progress:
            for event in events:
                progress.show(event)
    written = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while part := os.read(ours, 1 << 16):
            written += part
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def lines_left_by(text: str) -> list[str]:
    """What is on the screen when `text` is written: after a return it covers what was there."""
    lines = []
    for written in text.split("\n"):
        line = ""
        for part in written.split("\r"):
            line = part + line[len(part) :]
        lines.append(line.rstrip())
    return lines


def stage_events(stage: Stage, seconds_left: list[float | None]) -> list:
    num_steps = len(seconds_left)
    steps = [
        StepDone(stage=stage, step=number, num_steps=num_steps, seconds_left=left)
        for number, left in enumerate(seconds_left, start=1)
    ]
    started = StageStarted(stage=stage, num_steps=num_steps)
    return [started, *steps, StageFinished(stage=stage, seconds=1.0)]


def test_a_terminal_shows_a_bar_for_each_stage_and_nothing_else(monkeypatch):
    events = stage_events(Stage.TEXT, [None]) + stage_events(Stage.BASE_FRAMES, [125, 5, 0])
    assert lines_left_by(written_to_terminal(events, monkeypatch)) == [
        f"Reading the prompt    100 % |{'█' * 20}| 1/1",
        f"Setting it in motion  100 % |{'█' * 20}| 3/3",
        "",
    ]


@pytest.mark.parametrize(("columns", "bar"), [(100, f"|{'█' * 10}{' ' * 10}| "), (60, "")])
def test_the_time_left_is_shown_once_and_kept_where_it_is_narrow(columns, bar, monkeypatch):
    def slowly():
        for event in stage_events(Stage.BASE_FRAMES, [125, 0])[:2]:
            time.sleep(0.2)  # what comes faster than anyone can read is not shown
            yield event

    shown = written_to_terminal(slowly(), monkeypatch, columns=columns).split("\r")
    assert f"Setting it in motion   50 % {bar}1/2, about 2 min 05 s left" in shown
    assert max(map(len, shown)) < columns


def test_preparing_shows_one_bar_with_the_file_in_work(monkeypatch):
    half, whole = 1 << 30, 2 << 30
    events = [
        PrepareProgress(file="t2v.pt", done_bytes=half, total_bytes=whole),
        PrepareProgress(file="text_encoder/model.safetensors", done_bytes=whole, total_bytes=whole),
    ]
    bar, empty = lines_left_by(written_to_terminal(events, monkeypatch))
    assert re.fullmatch(r"model\.safetensors +100 % \|█{20}\| 2\.15G/2\.15G, 00:00 left", bar)
    assert empty == ""


def test_a_model_that_is_checked_before_its_first_use_has_a_bar_of_its_own(monkeypatch):
    events = [
        CheckProgress(done_bytes=1 << 30, total_bytes=2 << 30),
        CheckProgress(done_bytes=2 << 30, total_bytes=2 << 30),
        *stage_events(Stage.TEXT, [None]),
    ]
    bar, stage, empty = lines_left_by(written_to_terminal(events, monkeypatch))
    assert re.fullmatch(r"Checking the model 100 % \|█{20}\| 2\.15G/2\.15G, 00:00 left", bar)
    assert stage.startswith("Reading the prompt")
    assert empty == ""


def test_what_starts_and_fails_leaves_no_line_behind(monkeypatch):
    assert lines_left_by(written_to_terminal([], monkeypatch)) == [""]
