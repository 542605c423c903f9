"""Clips whose frames tell their number: the colour of frame i has i as its red."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QImage

from engine.api import Stage
from kvdesk.player import Clip
from kvdesk.run_progress import Preview, RunProgress, StageProgress, StageState

if TYPE_CHECKING:
    from pathlib import Path


def draw(path: Path, red: int, *, width: int = 16, height: int = 16) -> Path:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(red, 40, 200))
    assert image.save(str(path))
    return path


def drawn_clip(
    folder: Path, num_frames: int, *, fps: float = 8.0, name: str = "clip", side: int = 16
) -> Clip:
    folder = folder / name
    folder.mkdir()
    frames = tuple(
        draw(folder / f"{index + 1:04d}.png", index, width=side, height=side)
        for index in range(num_frames)
    )
    return Clip(frames=frames, frames_per_second=fps, name=name, title=f"title of {name}")


def red_of(image: QImage | None) -> int | None:
    return None if image is None else image.pixelColor(image.width() // 2, 2).red()


def drawn_strip(path: Path, num_pictures: int = 12) -> Preview:
    """A preview with `num_pictures` of 8x8, the first one red 0."""
    image = QImage(8 * num_pictures, 8, QImage.Format.Format_RGB32)
    for place in range(num_pictures):
        for x in range(8):
            for y in range(8):
                image.setPixelColor(8 * place + x, y, QColor(place, 40, 200))
    assert image.save(str(path))
    return Preview(path=str(path), num_frames=num_pictures, stage=Stage.BASE_FRAMES, step=3)


SECONDS = {
    Stage.TEXT: 12.0,
    Stage.KEY_FRAME: 60.0,
    Stage.BASE_FRAMES: 150.0,
    Stage.INTERPOLATION: 40.0,
    Stage.DECODE: 60.0,
}
STEPS = {
    Stage.TEXT: 1,
    Stage.KEY_FRAME: 50,
    Stage.BASE_FRAMES: 50,
    Stage.INTERPOLATION: 10,
    Stage.DECODE: 45,
}


def progress_at(
    folder: Path,
    stage: Stage = Stage.BASE_FRAMES,
    step: int = 31,
    *,
    job_id: str = "job",
    seconds_left: float | None = 132.0,
    preview: Preview | None = None,
    key_frame: str | None = None,
    is_cancelling: bool = False,
) -> RunProgress:
    """A job of five stages of which `stage` runs and has done `step` steps."""
    order = list(SECONDS)
    stages = []
    for each in order:
        is_done = order.index(each) < order.index(stage)
        state = StageState.DONE if is_done else StageState.PENDING
        done = STEPS[each] if is_done else 0
        if each is stage:
            state, done = StageState.RUNNING, step
        stages.append(
            StageProgress(
                stage=each,
                expected_seconds=SECONDS[each],
                num_steps=STEPS[each],
                steps_done=done,
                state=state,
            )
        )
    return RunProgress(
        job_id=job_id,
        folder=folder,
        stages=tuple(stages),
        seconds_left=seconds_left,
        preview=preview,
        key_frame=key_frame,
        is_cancelling=is_cancelling,
    )
