"""Rehearses the whole way of the model at its true size: official files, preparation, a clip.

    python tests/rehearsal/full_size.py FOLDER [--scale full|toy] [--steps 2] [--fps low medium]
        [--limit-gb 6] [--8bit] [--keep] [--only write|prepare|clip] [--json FILE]

All numbers are random, so the clip shows noise. Official files are deleted as they are prepared, so
that FOLDER needs about 50 GB; with `--keep` they stay, and it needs 70 GB. With `--only` one part
is done, of what the parts before it left. Prints a table and JSON. The clip must stay within
`--limit-gb` of memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from official_files import (
    ARCHIVES,
    Layout,
    full_layout,
    toy_layout,
    write_archive,
    write_small_files,
    write_text_encoder,
)
from watched_process import Figures, WatchedProcess

PROMPT = "the big river"


def main() -> int:
    options = arguments()
    layout = full_layout() if options.scale == "full" else toy_layout()
    folder: Path = options.folder
    official, prepared = folder / "official", folder / "prepared"
    folder.mkdir(parents=True, exist_ok=True)
    result: dict = {"scale": options.scale, "official_bytes": layout.official_bytes}
    if options.only in (None, "write"):
        result["write_seconds"] = write_official(official, layout)
    if options.only in (None, "prepare"):
        result["prepare"] = prepare(official, prepared, options)
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
    add("--keep", action="store_true")
    add("--only", choices=["write", "prepare", "clip"])
    add("--json", type=Path)
    return parser.parse_args()


def write_official(official: Path, layout: Layout) -> float:
    """Write the official files; the seconds that it took."""
    began = time.monotonic()
    official.mkdir(parents=True, exist_ok=True)
    write_small_files(official, layout)
    for name in ARCHIVES:
        write_archive(official / f"{name}.pt", layout.archives[name])
        print(f"{name}.pt written after {time.monotonic() - began:.0f} s", flush=True)
    write_text_encoder(official / "text_encoder", layout.text_encoder)
    print(f"text encoder written after {time.monotonic() - began:.0f} s", flush=True)
    return time.monotonic() - began


def prepare(official: Path, prepared: Path, options: argparse.Namespace) -> dict:
    command = ["prepare", str(official), str(prepared), "--json"]
    if options.eight_bit:
        command.append("--8bit")
    if not options.keep:
        command.append("--delete-originals")
    most_on_disk = 0

    def stage_of(event: dict) -> str | None:
        nonlocal most_on_disk
        most_on_disk = max(most_on_disk, bytes_on_disk(official) + bytes_on_disk(prepared))
        return event["file"] if event["event"] == "prepare_progress" else None

    figures = checked(WatchedProcess(command, stage_of=stage_of).run(), "preparing")
    print_table("prepare", figures)
    print(f"  at most {most_on_disk / 1e9:.1f} GB on the disk", flush=True)
    return asdict(figures) | {"most_on_disk": most_on_disk}


def bytes_on_disk(folder: Path) -> int:
    """What the files in `folder` take, as they come and go."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += 512 * path.stat().st_blocks
    return total


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


def checked(figures: Figures, what: str) -> Figures:
    if figures.over_limit:
        sys.exit(f"{what} took {figures.peak_rss / 1e9:.2f} GB of memory, more than it may.")
    if figures.exit_code:
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
