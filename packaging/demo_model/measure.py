"""Measures the demo model on held-out prompts, through the engine, and prints the figures.

python packaging/demo_model/measure.py [--model FOLDER] [--count 100] [--sheet FILE.png]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """See the module."""
    import measurement as m

    from engine import get_T2V_pipeline
    from engine.checkpoint.folder import ModelFolder
    from engine.checkpoint.networks import NetworkLoader
    from engine.memory.device import Device
    from engine.pipeline import Pipeline

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "resources" / "demo_model")
    parser.add_argument("--count", type=int, default=100, help="prompts; the rest goes with it")
    parser.add_argument("--sheet", type=Path, help="where to write a sheet of 48 clips")
    options = parser.parse_args()

    model = get_T2V_pipeline("cpu", options.model)
    kinds = m.held_out_kinds(options.count)
    some = kinds[: max(2, options.count // 5)]
    began = time.monotonic()
    clips = m.draw_clips(model, kinds, motion="high")
    seconds = (time.monotonic() - began) / len(clips)
    if options.sheet:
        m.contact_sheet(clips[:48]).save(options.sheet)
    stages = Pipeline(NetworkLoader(ModelFolder.open(options.model)), Device.named("cpu"))
    figures = [
        *m.prompt_figures(clips),
        m.picture_figure(model, some),
        m.drift_figure(clips),
        m.distance_figure(model, len(some)),
        m.smoothness_figure(model, some[: max(2, len(some) // 2)]),
        m.decoder_figure(stages, some),
    ]
    for figure in figures:
        bound = "below" if figure.is_limit else "at least"
        verdict = "reached" if figure.is_reached else "NOT REACHED"
        print(
            f"{figure.name:32} {figure.value:8.2f} {figure.unit:7}"
            f" {bound} {figure.target:g}: {verdict}"
        )
    print(f"{seconds:.1f} seconds a clip of 12 frames")


if __name__ == "__main__":
    main()
