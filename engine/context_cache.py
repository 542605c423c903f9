"""Encoded prompts on the disk: the text encoder, the largest network, runs once per prompt."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from engine.cache_folder import CacheFolder, user_cache
from engine.models.layers import TextContext
from engine.tensor_files import TensorFile

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_BYTES = 512 * 2**20
"""Room for 250 of the longest prompts, as the released text encoder makes them."""

_FORMAT = "1"  # raised when the same text and model give another context than before


def contexts_folder() -> Path:
    """Where this user's encoded prompts are kept."""
    return user_cache() / "contexts"


class ContextCache:
    """Keeps contexts by the text and the model that they were made of.

    What is damaged counts as absent and is replaced. The texts themselves are not in the files.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        """See `CacheFolder`."""
        self._files = CacheFolder(folder, ending=".safetensors", max_bytes=max_bytes)

    def find(self, text: str, model: str) -> TextContext | None:
        """The context of `text`, on the CPU, bit for bit as it was kept; None where there is none.

        Args:
            text: the prompt, as the tokenizer is given it.
            model: what tells the text encoder and its weights from others: the fingerprint of the
                model's folder.
        """
        key = _key(text, model)
        data = self._files.read(key)
        if data is None:
            return None
        try:
            file = TensorFile.from_bytes(data)
            if file.metadata.get("key") != key:
                raise ValueError("it belongs to another prompt or model")
            return _context(file)
        except ValueError as error:
            path = self._files.path(key)
            log.warning("The encoded prompt in %s cannot be used: %s", path, error)
            return None

    def keep(self, text: str, model: str, context: TextContext) -> None:
        """Keep the `context` of `text`, and drop others where the room is used up."""
        key = _key(text, model)
        tensors = {"tokens": context.tokens, "mask": context.mask, "length": context.length}
        file = TensorFile(
            tensors={name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
            metadata={"key": key},
        )
        self._files.write(key, file.to_bytes())


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
