"""Folders of clips that were cancelled before there was anything to look at."""

from __future__ import annotations

import json
import logging
import shutil
from typing import TYPE_CHECKING

from engine.api import CLIP_FILE, ClipInfo, from_json
from engine.errors import MessageError
from kvdesk.queue_store import is_plain_name

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


def remove_leftover(clips: Path, name: str) -> bool:
    """Delete the clip's folder `name` in `clips`, unless somebody may want what is in it.

    Kept is a finished clip, a key frame that was drawn, and whatever is not understood. A link is
    not followed. It can block, so it belongs in a thread.

    Returns:
        Whether the folder was there and is gone.
    """
    if not is_plain_name(name):
        return False
    folder = clips / name
    try:
        if folder.is_symlink() or not folder.is_dir() or _is_worth_keeping(folder):
            return False
        shutil.rmtree(folder)  # which refuses a link, and deletes those inside as what they are
    except FileNotFoundError:  # somebody else removes it too, such as the end of the application
        return False
    except OSError as error:
        log.warning("%s cannot be removed: %s", folder, error)
        return False
    return True


def _is_worth_keeping(folder: Path) -> bool:
    try:
        content = (folder / CLIP_FILE).read_bytes()
    except FileNotFoundError:
        # The worker had not come far enough to write it; then there is no picture either.
        return any(folder.glob("*.png")) or any(folder.glob("frames_*"))
    try:
        info = from_json(ClipInfo, json.loads(content))
    except (ValueError, RecursionError, MessageError):
        return True
    # A given picture in the clip's size is no more than the picture, which somebody has.
    return info.num_frames > 0 or (info.has_key_frame and info.request.picture is None)
