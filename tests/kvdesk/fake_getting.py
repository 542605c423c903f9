"""How the fake worker gets the released model: files of a few bytes that stand for large ones."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fake_pictures import frame_rows, write_png

from engine.api import (
    RELEASED_MODEL,
    DescribeDownload,
    DownloadDescribed,
    Downloaded,
    DownloadFile,
    DownloadModel,
    DownloadProgress,
    FrameSize,
    ModelInfo,
    Prepare,
    Prepared,
    PrepareProgress,
    SelfTest,
    SelfTested,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    models_folder,
)

if TYPE_CHECKING:
    from fake_worker import FakeWorker, Script

GB = 10**9
FILES = {
    "configs.json": 1_700,
    "t5_projections.pt": 134_000_000,
    "movq.pt": 1_080_000_000,
    "video_movq.pt": 2_660_000_000,
    "interpolation.pt": 7_960_000_000,
    "t2v.pt": 8_300_000_000,
    "text_encoder/model-00001-of-00008.safetensors": 9_700_000_000,
    "text_encoder/model-00002-of-00008.safetensors": 9_900_000_000,
}
TOTAL = sum(FILES.values())
STAYS = 30_100_000_000
PARTS = ("movq", "video_movq", "interpolation", "t2v", "text_encoder")


def released_model(demo: ModelInfo) -> ModelInfo:
    folder = models_folder() / RELEASED_MODEL
    return replace(
        demo,
        name=RELEASED_MODEL,
        folder=str(folder),
        description="Kandinsky Video 1.1",
        is_ready=(folder / "model.json").is_file(),
    )


def describe(question: DescribeDownload, script: Script) -> DownloadDescribed:
    folder = Path(question.folder)
    files = []
    for name, size in FILES.items():
        found = [Path(place) / name for place in question.also_in if (Path(place) / name).exists()]
        have = size if (folder / name).exists() or found else 0
        files.append(
            DownloadFile(
                name=name, size=size, have_bytes=have, found_in=str(found[0]) if found else ""
            )
        )
    return DownloadDescribed(
        files=tuple(files),
        total_bytes=TOTAL,
        missing_bytes=TOTAL - sum(file.have_bytes for file in files),
        peak_bytes=TOTAL + STAYS,
        peak_bytes_deleting=TOTAL + 8_300_000_000,
        stays_bytes=STAYS,
        free_bytes=script.free_disk_bytes,
    )


def download(worker: FakeWorker, script: Script, command: DownloadModel) -> Downloaded:
    folder = Path(command.folder)
    (folder / "text_encoder").mkdir(parents=True, exist_ok=True)
    fetched = 0
    for step, (name, size) in enumerate(FILES.items(), 1):
        if (folder / name).exists():
            continue
        speed = command.bytes_per_second or 50_000_000
        done = sum(FILES[each] for each in FILES if (folder / each).exists())
        for part in range(script.download_parts):
            worker.send(
                command.job,
                DownloadProgress(
                    file=name,
                    done_bytes=done + size * part // script.download_parts,
                    total_bytes=TOTAL,
                    bytes_per_second=speed,
                    seconds_left=(TOTAL - done) / speed,
                    waiting=script.download_waiting,
                ),
            )
            time.sleep(script.step_seconds)
            worker.stop_if_cancelled(command.job)
        worker.misbehave(f"download:{step}")
        worker.refuse(f"download:{step}")
        (folder / name).write_text(name)
        fetched += size
    return Downloaded(folder=command.folder, fetched_bytes=fetched, copied_bytes=0, linked_bytes=0)


def prepare(worker: FakeWorker, script: Script, command: Prepare) -> Prepared:
    source, destination = Path(command.source), Path(command.destination)
    destination.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(PARTS, 1):
        file = destination / f"{part}.safetensors"
        if not file.exists():
            for _ in range(script.download_parts):
                time.sleep(script.step_seconds)
                worker.stop_if_cancelled(command.job)
            worker.misbehave(f"prepare:{number}")
            worker.refuse(f"prepare:{number}")
            file.write_text(part)
        if command.delete_originals:
            (source / f"{part}.pt").unlink(missing_ok=True)
        worker.send(
            command.job,
            PrepareProgress(
                file=file.name, done_bytes=STAYS * number // len(PARTS), total_bytes=STAYS
            ),
        )
    (destination / "model.json").write_text("{}")
    return Prepared(folder=command.destination)


def self_test(worker: FakeWorker, script: Script, command: SelfTest) -> SelfTested:
    size = FrameSize(width=64, height=64)
    for stage in (Stage.TEXT, Stage.KEY_FRAME, Stage.BASE_FRAMES, Stage.INTERPOLATION):
        worker.send(command.job, StageStarted(stage=stage, num_steps=2))
        for step in (1, 2):
            worker.step(command.job, stage, step)
            done = StepDone(stage=stage, step=step, num_steps=2, seconds_left=4.0)
            worker.send(command.job, done)
        worker.send(command.job, StageFinished(stage=stage, seconds=2.5))
    path = Path(command.folder) / "key_frame.png"
    path.parent.mkdir(parents=True)
    write_png(path, frame_rows(7, size, 0.0))
    return SelfTested(
        seconds=10.4,
        num_frames=45,
        width=size.width,
        height=size.height,
        device=command.device or script.device,
        key_frame=str(path),
    )
