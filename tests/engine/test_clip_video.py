"""A finished clip's folder has a video of it, for dragging it into other programs."""

from __future__ import annotations

from engine.api import (
    VIDEO_FILE,
    Fps,
    FrameSize,
    GenerateRequest,
    SamplingSettings,
    from_json,
)
from engine.clip import ClipFolder
from engine.jobs import JobRunner
from engine.video_frames import open_video
from engine.video_io import read_request


def make(folder, model, fps):
    request = GenerateRequest(
        prompt="a red circle",
        seed=5,
        size=FrameSize(width=32, height=32),
        fps=fps,
        sampling=SamplingSettings(steps=1, interpolation_steps=1),
    )
    JobRunner().make_clip(
        request,
        folder,
        model=str(model),
        device_name="cpu",
        until=None,
        on_event=lambda _: None,
        is_cancelled=lambda: False,
    )
    return request


def test_the_video_has_all_frames_and_follows_when_the_clip_gets_more(prepared_folder, tmp_path):
    for fps in (Fps.LOW, Fps.MEDIUM):
        request = make(tmp_path / "clip", prepared_folder, fps)
        video = tmp_path / "clip" / VIDEO_FILE
        assert from_json(GenerateRequest, read_request(video)) == request
        opened = open_video(video, tmp_path / str(fps), is_cancelled=lambda: False)
        assert opened.num_frames == fps.num_frames
        assert opened.frames_per_second == fps.frames_per_second


def test_a_clip_is_finished_also_where_its_video_cannot_be_written(prepared_folder, tmp_path):
    (tmp_path / "clip" / VIDEO_FILE).mkdir(parents=True)
    make(tmp_path / "clip", prepared_folder, Fps.LOW)
    assert ClipFolder.open(tmp_path / "clip").has_frames(12)
