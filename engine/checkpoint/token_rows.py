"""Token embeddings, read row by row: a prompt needs 128 rows of a table with tens of thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.checkpoint.tensors import TensorRecord, read_into
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from torch import Tensor


def read_token_rows(table: TensorRecord, tokens: Tensor) -> Tensor:
    """The embeddings of `tokens`, read from the file of their table.

    Args:
        table: (vocabulary C) of any floating-point type.
        tokens: (B N) whole numbers, on the CPU.

    Returns:
        (B N C) in float32, on the CPU.

    Raises:
        ModelFileError: the file cannot be read or is cut off, or the table has no such token.
    """
    num_rows = table.shape[0]
    distinct, places = tokens.unique(return_inverse=True)
    if int(distinct[0]) < 0 or int(distinct[-1]) >= num_rows:
        raise ModelFileError(
            f"{table.file} has embeddings for {num_rows} tokens, and the tokenizer gave "
            f"{int(distinct[0])} to {int(distinct[-1])}: they are not of the same model. Prepare "
            "the model again, or download it again."
        )
    row_bytes = table.num_bytes // num_rows
    rows = torch.empty(len(distinct), row_bytes, dtype=torch.uint8)
    for row, token in zip(rows, distinct.tolist(), strict=True):
        read_into(table, row.numpy().data, start=token * row_bytes)
    return rows.view(getattr(torch, table.dtype)).float()[places]
