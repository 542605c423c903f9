"""How many tokens a prompt has, without the libraries that make networks of them."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_KEPT_TOKENIZERS = 4


def count_tokens(text: str, folder: Path) -> int:
    """The tokens of `text`, the end included, by the tokenizer in `folder`.

    Raises:
        ModelFileError: the tokenizer is missing or damaged.
    """
    # Half of a character that takes two is no text yet: somebody is about to type the other half.
    whole = text.encode("utf-8", errors="replace").decode("utf-8")
    for name, opening in (("tokenizer.json", _open_json), ("spiece.model", _open_sentencepiece)):
        file = folder / name
        if file.is_file():
            return opening(file, file.stat().st_mtime_ns)(whole)
    raise ModelFileError(f"{folder} has no tokenizer: neither tokenizer.json nor spiece.model.")


# `_changed_ns` is there to be looked at by the cache: a model may be prepared again.


@lru_cache(maxsize=_KEPT_TOKENIZERS)
def _open_json(file: Path, _changed_ns: int) -> Callable[[str], int]:
    from tokenizers import Tokenizer

    with reading_tokenizer(file):
        tokenizer = Tokenizer.from_file(str(file))
        tokenizer.no_truncation()
        tokenizer.no_padding()

    def count(text: str) -> int:
        with reading_tokenizer(file):
            return len(tokenizer.encode(text).ids)

    return count


@lru_cache(maxsize=_KEPT_TOKENIZERS)
def _open_sentencepiece(file: Path, _changed_ns: int) -> Callable[[str], int]:
    from sentencepiece import SentencePieceProcessor

    try:
        processor = SentencePieceProcessor(model_file=str(file))
    except (OSError, RuntimeError) as error:
        raise _damaged(file, error) from error
    return lambda text: len(cast("list[int]", processor.encode(text, add_eos=True)))


@contextlib.contextmanager
def reading_tokenizer(path: Path) -> Generator[None]:
    """Turn what the libraries raise of a damaged tokenizer in `path` into an error in words.

    A fault in their Rust code is no `Exception`, so that hardly anything would catch it.

    Raises:
        ModelFileError: instead of anything that they raise.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise _damaged(path, error) from error


def _damaged(file: Path, error: BaseException) -> ModelFileError:
    return ModelFileError(
        f"{file} is damaged. Prepare the model again, or download it again.", detail=repr(error)
    )
