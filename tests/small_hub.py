"""A model of a few hundred kilobytes, as a hub has it, and downloads of it in this process."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING

from huggingface_hub import constants

from engine.api import DescribeDownload, DownloadModel
from engine.download.download import Download
from engine.download.patience import Patience

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MODEL, ENCODER = "ai-forever/KandinskyVideo_1_1", "google/flan-ul2"
ENCODER_ONLY = "mrsteyk/flan-ul2-encoder"
LARGEST = "t2v.pt"
SHARDS = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
HURRIED = Patience(
    block_bytes=32 * 1024,
    connect_seconds=0.5,
    stall_seconds=0.4,
    stall_bytes=256,
    first_pause=0.01,
    longest_pause=0.05,
    give_up_seconds=3.0,
)


def random_bytes(seed: str, count: int) -> bytes:
    return random.Random(seed).randbytes(count)


def repositories() -> dict[str, dict[str, bytes]]:
    """Three repositories; the third shard of the encoder's has nothing but a decoder."""
    sizes = {"t2v": 300, "interpolation": 150, "movq": 60, "video_movq": 80, "t5_projections": 20}
    model = {f"{name}.pt": random_bytes(name, size * 1000) for name, size in sizes.items()}
    weights = {
        "shared.weight": SHARDS[0],
        "encoder.block.0.layer.0.SelfAttention.q.weight": SHARDS[0],
        "encoder.block.1.layer.0.SelfAttention.q.weight": SHARDS[1],
        "decoder.block.0.layer.0.SelfAttention.q.weight": SHARDS[1],
        "decoder.block.1.layer.0.SelfAttention.q.weight": SHARDS[2],
    }
    tokenizer = {"config.json": b'{"d_model": 8}', "tokenizer.json": b"{}", "spiece.model": b"abc"}
    return {
        MODEL: {**model, "configs.json": b'{"t2v": {}}', "README.md": b"# A model"},
        ENCODER: {
            **tokenizer,
            "model.safetensors.index.json": json.dumps({"weight_map": weights}).encode(),
            **{name: random_bytes(name, 50_000) for name in SHARDS},
            "flax_model.msgpack": bytes(5000),
        },
        ENCODER_ONLY: {"model.safetensors": random_bytes("alone", 70_000)},
    }


def wanted_files() -> dict[str, bytes]:
    """What belongs in the folder in the end."""
    all_files = repositories()
    encoder = {
        f"text_encoder/{name}": data
        for name, data in all_files[ENCODER].items()
        if name not in {SHARDS[2], "flax_model.msgpack"}
    }
    del all_files[MODEL]["README.md"]
    return {**all_files[MODEL], **encoder}


def files_in(folder: Path) -> dict[str, bytes]:
    """The files in `folder` and below by their names, without those of the download itself."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith((".kvdesk-", "kvdesk-"))
    }


def allow_network(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """As in the process that downloads; other tests have told the library to stay offline.

    Nothing is synced: no power is lost here, and the disk is shared with other tests.
    """
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.delenv("HF_TOKEN", raising=False)


class Downloads:
    """Downloads from one server into one folder."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder
        self.progress: list = []

    def describe(self, **options):
        return self._download(DescribeDownload, options, lambda: False, HURRIED).describe()

    def run(self, *, is_cancelled=lambda: False, patience=HURRIED, **options):
        return self._download(DownloadModel, options, is_cancelled, patience).run()

    def _download(self, kind, options, is_cancelled, patience) -> Download:
        return Download(
            kind(job=0, folder=str(self.folder), endpoint=self.endpoint, **options),
            on_progress=self.progress.append,
            is_cancelled=is_cancelled,
            patience=patience,
        )
