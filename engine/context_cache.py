"""Encoded prompts on the disk: the text encoder, the largest network, runs once per prompt."""

from __future__ import annotations

import hashlib
import logging
import os
from typing import TYPE_CHECKING

import platformdirs

from engine.files import publish, temporary_beside
from engine.models.layers import TextContext
from engine.tensor_files import TensorFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_BYTES = 512 * 2**20
"""Room for 250 of the longest prompts, as the released text encoder makes them."""

_FORMAT = "1"  # raised when the same text and model give another context than before
_ENDING = ".safetensors"
_OURS = (f"*{_ENDING}", ".kvdesk-*.tmp")  # what a write that was killed leaves ages like the rest


def contexts_folder() -> Path:
    """Where this user's encoded prompts are kept."""
    return platformdirs.user_cache_path("kvdesk", appauthor=False) / "contexts"


class ContextCache:
    """Keeps contexts by the text and the model that they were made of.

    All of it can be lost without harm: what is damaged counts as absent and is replaced, and a
    folder that cannot be read or written is logged. The texts themselves are not in the files.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        """`folder` need not exist. Beyond `max_bytes`, what was not used for longest goes."""
        self._folder = folder
        self._max_bytes = max_bytes

    def find(self, text: str, model: str) -> TextContext | None:
        """The context of `text`, on the CPU, bit for bit as it was kept; None where there is none.

        Args:
            text: the prompt, as the tokenizer is given it.
            model: what tells the text encoder and its weights from others: the fingerprint of the
                model's folder.
        """
        key = _key(text, model)
        path = self._file(key)
        try:
            file = TensorFile.from_bytes(path.read_bytes())
            if file.metadata.get("key") != key:
                raise ValueError("it belongs to another prompt or model")
            context = _context(file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("The encoded prompt in %s cannot be used: %s", path, error)
            return None
        self._touch(path)
        return context

    def keep(self, text: str, model: str, context: TextContext) -> None:
        """Keep the `context` of `text`, and drop others where the room is used up."""
        key = _key(text, model)
        tensors = {"tokens": context.tokens, "mask": context.mask, "length": context.length}
        data = TensorFile(
            tensors={name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
            metadata={"key": key},
        ).to_bytes()
        path = self._file(key)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary_beside(path) as temporary:
                temporary.write_bytes(data)
                publish(temporary, path, overwrite=True)
            self._make_room()
        except OSError as error:
            log.warning("The encoded prompt cannot be kept in %s: %s", self._folder, error)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}{_ENDING}"

    def _touch(self, path: Path) -> None:
        # The time of the last change, since many disks do not write down when a file was read.
        try:
            os.utime(path)
        except OSError as error:
            log.info("The use of %s cannot be noted: %s", path, error)

    def _make_room(self) -> None:
        states = [(path, state) for path, state in self._files()]
        excess = sum(state.st_size for _, state in states) - self._max_bytes
        for path, state in sorted(states, key=lambda item: item[1].st_mtime_ns):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= state.st_size

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for pattern in _OURS:
            for path in self._folder.glob(pattern):
                try:
                    yield path, path.stat()
                except FileNotFoundError:  # another worker made room as well
                    continue


def _key(text: str, model: str) -> str:
    sha256 = hashlib.sha256()
    for part in (_FORMAT, model, text):
        # Half of a character that takes two is no UTF-8, and is a text all the same.
        data = part.encode("utf-8", errors="surrogatepass")
        sha256.update(len(data).to_bytes(8, "little") + data)
    return sha256.hexdigest()


def _context(file: TensorFile) -> TextContext:
    if set(file.tensors) != {"tokens", "mask", "length"}:
        raise ValueError(f"it holds {sorted(file.tensors)}")
    return TextContext(**file.tensors)
