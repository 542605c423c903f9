"""What a clip's folder keeps so that work on it can go on: tensors in safetensors files.

After every stage its result and the state of the random numbers, and of the loop that runs where it
is. A file that is damaged, or belongs to another request or model, counts as none.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from engine.api import GenerateRequest, from_json, to_json
from engine.api.files import make_folder, publish, temporary_beside
from engine.clip import without_fps, writing
from engine.diffusion.loop import LoopState
from engine.errors import MessageError
from engine.tensor_files import TensorFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from PIL import Image
    from torch import Tensor

    from engine.clip import ClipFolder
    from engine.clip_points import Point
    from engine.diffusion.loop import DenoisingLoop

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 10.0
"""No more than this is lost of a loop that runs, or one step where that takes longer."""
SHARE_OF_TIME = 0.02
"""A loop is saved more often than that as long as saving takes no larger part of the time."""
_FIRST_SECONDS = 1.0  # before it is known how long a save takes here

_FORMAT = "1"


class FolderCheckpoints:
    """The checkpoints in a clip's folder; see `engine.clip_points.Checkpoints`."""

    def __init__(self, clip: ClipFolder, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clip = clip
        self._clock = clock
        self._due_at = clock() + min(_FIRST_SECONDS, SECONDS_BETWEEN)

    def load(self, point: Point) -> dict[str, Tensor] | None:
        """The tensors that were saved at `point`; None where they cannot be used."""
        return self._read(self._file(point), point)

    def save(self, point: Point, tensors: Mapping[str, Tensor]) -> None:
        """Save the `tensors` of `point`. The loop that led there is over.

        Raises:
            ClipError: the disk refuses; what was there before still is.
        """
        self._write(self._file(point), point, tensors)
        with writing(self._clip.path):
            self._clip.loop_file.unlink(missing_ok=True)

    def load_loop(self, point: Point) -> LoopState | None:
        """Where the loop to `point` was interrupted; None where it has not begun."""
        tensors = self._read(self._clip.loop_file, point)
        return None if tensors is None else LoopState.from_tensors(tensors)

    def loop_stepped(self, point: Point, loop: DenoisingLoop) -> None:
        """Save where the loop to `point` is, if it is long enough since that was last done.

        Raises:
            ClipError: the disk refuses; the state before is still there.
        """
        if self._clock() >= self._due_at:
            self.save_loop(point, loop)

    def save_loop(self, point: Point, loop: DenoisingLoop) -> None:
        """Save where the loop to `point` is.

        Raises:
            ClipError: the disk refuses; the state before is still there.
        """
        began = self._clock()
        self._write(self._clip.loop_file, point, loop.state().to_tensors())
        ended = self._clock()
        self._due_at = ended + min(SECONDS_BETWEEN, (ended - began) / SHARE_OF_TIME)

    def decoded(self, num_frames: int) -> list[Image.Image]:
        """See `ClipFolder.decoded`."""
        return self._clip.decoded(num_frames)

    def keep_decoded(self, num_frames: int, first: int, pictures: Sequence[Image.Image]) -> None:
        """See `ClipFolder.keep_decoded`."""
        self._clip.keep_decoded(num_frames, first, pictures)

    def _file(self, point: Point) -> Path:
        return self._clip.checkpoints / f"{point}.safetensors"

    def _write(self, path: Path, point: Point, tensors: Mapping[str, Tensor]) -> None:
        on_cpu = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        metadata = {
            "format": _FORMAT,
            "point": point.value,
            "model": self._clip.info.model_fingerprint,
            "request": json.dumps(to_json(without_fps(self._clip.info.request))),
        }
        data = TensorFile(tensors=on_cpu, metadata=metadata).to_bytes()
        with writing(self._clip.path):
            make_folder(path.parent)
            with temporary_beside(path) as temporary:
                temporary.write_bytes(data)
                publish(temporary, path, overwrite=True)

    def _read(self, path: Path, point: Point) -> dict[str, Tensor] | None:
        try:
            # Read as a whole, since Windows replaces no file that is mapped into memory.
            file = TensorFile.from_bytes(path.read_bytes())
            return dict(file.tensors) if self._is_ours(file.metadata, point) else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, MessageError) as error:
            log.warning("%s cannot be used: %s", path, error)
            return None

    def _is_ours(self, metadata: Mapping[str, str], point: Point) -> bool:
        found = (metadata["format"], metadata["point"], metadata["model"])
        if found != (_FORMAT, point.value, self._clip.info.model_fingerprint):
            return False
        # Not compared as text: a later kvdesk may have settings that this one was made without.
        request = from_json(GenerateRequest, json.loads(metadata["request"]))
        return request == without_fps(self._clip.info.request)
