"""Rehearses the whole way of the model at its true size: official files, preparation, a clip.

    python tests/rehearsal/full_size.py FOLDER [--scale full|toy] [--steps 2] [--fps low medium]
        [--limit-gb 6] [--8bit] [--slim] [--keep] [--only write|prepare|clip] [--json FILE]

All numbers are random, so the clip shows noise. FOLDER needs about 69 GB, or 51 GB with `--slim`,
which is chosen where there is less room: then the text encoder is written when all else is
prepared and has given its room back, and the preparation is interrupted and goes on. With `--only`
one part is done, of what the parts before it left; without, only the prepared model and the clips
stay, or with `--keep` everything. Prints a table and JSON. The clip must stay within `--limit-gb`
of memory.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from official_files import (
    ARCHIVES,
    Layout,
    full_layout,
    hollow_out,
    toy_layout,
    write_archive,
    write_small_files,
    write_text_encoder,
)
from watched_process import Figures, WatchedProcess

PROMPT = "the big river"
SLIM_BELOW = 1.85
"""The model takes so much of its official bytes in both forms; with less room, `--slim`."""

INTERRUPTED = 130
HOLLOWED = ("t2v", "interpolation", "video_movq")  # `movq` is read again for the previews


def main() -> int:
    options = arguments()
    layout = full_layout() if options.scale == "full" else toy_layout()
    folder: Path = options.folder
    official, prepared = folder / "official", folder / "prepared"
    folder.mkdir(parents=True, exist_ok=True)
    result: dict = {"scale": options.scale, "official_bytes": layout.official_bytes}
    if options.only in (None, "write", "prepare"):
        has_room = shutil.disk_usage(folder).free > SLIM_BELOW * layout.official_bytes
        slim = options.slim or (options.only is None and not has_room)
        if options.only != "prepare":
            with_holes = slim and options.only is None
            result["write_seconds"] = write_official(official, layout, with_holes=with_holes)
        if options.only != "write":
            result["prepare"] = prepare(official, prepared, layout, options, slim=slim)
        if not options.keep and options.only is None:
            shutil.rmtree(official)
    if options.only in (None, "clip"):
        result["clips"] = {fps: make_clip(folder, prepared, fps, options) for fps in options.fps}
    report = json.dumps(result, indent=1)
    print(report)
    if options.json is not None:
        options.json.write_text(report + "\n")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("folder", type=Path)
    add("--scale", choices=["full", "toy"], default="full")
    add("--steps", type=int, default=2)
    add("--fps", nargs="+", choices=["low", "medium", "high"], default=["low", "medium"])
    add("--limit-gb", type=float, default=6.0)
    add("--8bit", dest="eight_bit", action="store_true")
    add("--slim", action="store_true")
    add("--keep", action="store_true")
    add("--only", choices=["write", "prepare", "clip"])
    add("--json", type=Path)
    return parser.parse_args()


def write_official(official: Path, layout: Layout, *, with_holes: bool) -> float:
    """Write the official files; `with_holes` leaves out the numbers of the text encoder.

    Returns:
        The seconds that it took.
    """
    began = time.monotonic()
    official.mkdir(parents=True, exist_ok=True)
    write_small_files(official, layout)
    for name in ARCHIVES:
        write_archive(official / f"{name}.pt", layout.archives[name])
        print(f"{name}.pt written after {time.monotonic() - began:.0f} s", flush=True)
    write_text_encoder(official / "text_encoder", layout.text_encoder, with_holes=with_holes)
    print(f"text encoder written after {time.monotonic() - began:.0f} s", flush=True)
    return time.monotonic() - began


def prepare(
    official: Path, prepared: Path, layout: Layout, options: argparse.Namespace, *, slim: bool
) -> list[dict]:
    command = ["prepare", str(official), str(prepared), "--json"]
    if options.eight_bit:
        command.append("--8bit")

    def stage_of(event: dict) -> str | None:
        return event["file"] if event["event"] == "prepare_progress" else None

    def interrupt(process, name: str) -> None:
        if name.startswith("text_encoder/model"):
            process.send_signal(signal.SIGINT)

    runs: list[Figures] = []
    if slim:
        first = WatchedProcess(command, stage_of=stage_of)
        runs.append(checked(first.run(interrupt), "preparing", exit_code=INTERRUPTED))
        for name in HOLLOWED:
            hollow_out(official / f"{name}.pt", layout.archives[name])
        write_text_encoder(official / "text_encoder", layout.text_encoder)
    runs.append(checked(WatchedProcess(command, stage_of=stage_of).run(), "preparing"))
    for run in runs:
        print_table("prepare", run)
    return [asdict(run) for run in runs]


def make_clip(folder: Path, prepared: Path, fps: str, options: argparse.Namespace) -> dict:
    command = [
        "generate", PROMPT, "--model", str(prepared), "--output", str(folder / f"{fps}.mp4"),
        "--memory", str(options.limit_gb),
        "--width", "64", "--height", "64", "--steps", str(options.steps),
        "--interpolation-steps", str(options.steps), "--fps", fps, "--seed", "7",
        "--device", "cpu", "--overwrite", "--json",
    ]  # fmt: skip

    def stage_of(event: dict) -> str | None:
        return event["stage"] if event["event"] == "stage_started" else None

    process = WatchedProcess(command, stage_of=stage_of, limit_bytes=int(options.limit_gb * 1e9))
    figures = process.run()
    print_table(f"clip, {fps}", figures)
    return asdict(checked(figures, f"the clip of {fps} smoothness"))


def checked(figures: Figures, what: str, *, exit_code: int = 0) -> Figures:
    if figures.over_limit:
        sys.exit(f"{what} took {figures.peak_rss / 1e9:.2f} GB of memory, more than it may.")
    if figures.exit_code != exit_code:
        sys.exit(f"{what} ended with code {figures.exit_code}:\n{figures.complaint}")
    return figures


def print_table(title: str, figures: Figures) -> None:
    print(f"{title}: {figures.seconds:.1f} s, at most {figures.peak_rss / 1e9:.2f} GB of memory")
    print(f"  {'':42}{'seconds':>9}{'peak GB':>9}{'read GB':>9}{'asked GB':>9}")
    for stage in figures.stages:
        sizes = (stage.peak_rss, stage.read_bytes, stage.asked_bytes)
        columns = "".join(f"{size / 1e9:9.2f}" for size in sizes)
        print(f"  {stage.name:42}{stage.seconds:9.1f}{columns}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
