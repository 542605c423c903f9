"""The folders of a person: can they be written, and have they room? And the models in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from engine.api import RELEASED_MODEL, models_folder
from engine.api.downloads import JOURNAL_FILE
from engine.api.files import temporary_beside, write_text_atomically
from engine.cache_folder import user_cache
from engine.checkpoint.folder import ModelFolder, demo_folder
from engine.disk_space import free_bytes
from engine.doctor.finding import Finding, Health
from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.api import PrepareProgress

_GB = 10**9
_LITTLE_BYTES = 2 * _GB
_NO_ROOM_BYTES = 200_000_000
_APPLICATION = "kvdesk"


def clips_folder() -> Path:
    """Where the window keeps clips: what its settings say, else the usual folder."""
    settings = platformdirs.user_config_path(_APPLICATION, appauthor=False) / "settings.json"
    try:
        data: object = json.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        data = None
    chosen = data.get("clips_folder") if isinstance(data, dict) else None
    if isinstance(chosen, str) and chosen:
        return Path(chosen)
    return platformdirs.user_videos_path() / _APPLICATION


def own_folders() -> dict[str, Path]:
    """Everywhere that this program keeps something, by what it is."""
    return {
        "clips": clips_folder(),
        "models": models_folder(),
        "data": platformdirs.user_data_path(_APPLICATION, appauthor=False),
        "settings": platformdirs.user_config_path(_APPLICATION, appauthor=False),
        "cache": user_cache(),
    }


def check_folders() -> Iterator[Finding]:
    """Whether a file can be written, synced and renamed in each folder, and how much room is."""
    for name, folder in own_folders().items():
        yield folder_finding(name, folder)


def folder_finding(name: str, folder: Path) -> Finding:
    """How it is with one folder. One that is not there yet is not made."""
    topic = f"folder of {name}"
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    # Where it is not there yet, its surroundings are not ours to write to.
    problem = _writing_problem(folder) if existing == folder else _right_problem(existing)
    if problem:
        return Finding(
            topic=topic,
            health=Health.WRONG,
            words=f"{existing} cannot be written: {problem}",
            advice="Choose another folder in the settings, or give yourself the right to write.",
        )
    free = free_bytes(existing)
    where = str(folder) if existing == folder else f"{folder} (made when it is needed)"
    if free is None:
        return Finding(topic=topic, words=where)
    words = f"{where}, {free / _GB:.1f} GB free"
    if free >= _LITTLE_BYTES:
        return Finding(topic=topic, words=words)
    health = Health.WRONG if free < _NO_ROOM_BYTES else Health.CAREFUL
    return Finding(topic=topic, health=health, words=words, advice="Free some space on its disk.")


def _right_problem(folder: Path) -> str:
    """Why nothing can be made in a folder, as far as its rights tell; empty where it can."""
    if not folder.is_dir():
        return "it is not a folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "it is not yours to write to"


def _writing_problem(folder: Path) -> str:
    """Why a file cannot be written there for good; empty where it can."""
    if not folder.is_dir():
        return "it is not a folder"
    try:
        with temporary_beside(folder / "file") as path:
            write_text_atomically(path, "written by the doctor\n")
            if path.read_text(encoding="utf-8") != "written by the doctor\n":
                return "what was written is not what is read"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def check_models(
    *, is_full: bool, on_progress: Callable[[PrepareProgress], None]
) -> Iterator[Finding]:
    """Every model: is it whole? With `is_full` all is read and compared with its checksums."""
    folders = [demo_folder()]
    if models_folder().is_dir():
        folders += sorted(folder for folder in models_folder().iterdir() if folder.is_dir())
    for folder in folders:
        if (folder / JOURNAL_FILE).is_file():  # official files, which may be half there
            yield Finding(topic=f"download {folder.name}", words=f"{folder}: to be prepared")
            continue
        yield _model_finding(folder, is_full=is_full, on_progress=on_progress)
    if len(folders) == 1:
        yield Finding(
            topic="models",
            words="there is only the demo, which is a toy",
            advice=(
                "Get the released model with: kvdesk download, and then kvdesk prepare "
                f'--delete-originals DOWNLOAD_FOLDER "{models_folder() / RELEASED_MODEL}"'
            ),
        )


def _model_finding(
    folder: Path, *, is_full: bool, on_progress: Callable[[PrepareProgress], None]
) -> Finding:
    topic = f"model {folder.name}"
    try:
        model = ModelFolder.open(folder)
        if is_full:
            model.verify(on_progress)
    except EngineError as error:
        # The message of a model says itself what to do.
        return Finding(topic=topic, health=Health.WRONG, words=error.message)
    state = "every byte is right" if is_full else "no file is missing (--full compares every byte)"
    return Finding(topic=f"model {model.info.name}", words=f"{folder}: {state}")
