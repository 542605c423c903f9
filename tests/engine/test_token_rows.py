"""Token embeddings are read by row, and are those of the whole table."""

import pytest
import torch
from safetensors.torch import save_file

from engine.checkpoint import token_rows
from engine.checkpoint.tensors import TensorRecord, index_safetensors
from engine.checkpoint.token_rows import read_token_rows
from engine.errors import ModelFileError

NUM_TOKENS = 50


def written_table(folder, dtype=torch.float32):
    table = torch.randn(NUM_TOKENS, 6, generator=torch.Generator().manual_seed(0)).to(dtype)
    file = folder / "model.safetensors"
    save_file({"before": torch.ones(3), "table": table}, file)
    return table, index_safetensors(file)["table"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_rows_have_the_bits_of_the_table(tmp_path, dtype):
    table, record = written_table(tmp_path, dtype)
    tokens = torch.tensor([[3, 49, 0, 0, 3], [7, 7, 48, 1, 2]])
    rows = read_token_rows(record, tokens)
    assert rows.dtype is torch.float32
    assert torch.equal(rows, table[tokens].float())


def test_each_row_is_read_once_and_nothing_else_is(tmp_path, monkeypatch):
    _, record = written_table(tmp_path)
    read = []

    def watched(record: TensorRecord, buffer: memoryview, *, start: int = 0) -> None:
        read.append((start, len(buffer)))
        read_into(record, buffer, start=start)

    read_into = token_rows.read_into
    monkeypatch.setattr(token_rows, "read_into", watched)
    read_token_rows(record, torch.tensor([[9, 4, 9, 4, 4]]))
    assert sorted(read) == [(4 * 24, 24), (9 * 24, 24)]


@pytest.mark.parametrize("token", [-1, NUM_TOKENS])
def test_a_token_that_the_table_does_not_have_is_refused(tmp_path, token):
    _, record = written_table(tmp_path)
    with pytest.raises(ModelFileError, match="not of the same model"):
        read_token_rows(record, torch.tensor([[1, token]]))


def test_a_file_that_is_cut_off_is_named(tmp_path):
    _, record = written_table(tmp_path)
    with record.file.open("r+b") as file:
        file.truncate(record.offset + 10)
    with pytest.raises(ModelFileError, match=r"model\.safetensors is cut off"):
        read_token_rows(record, torch.tensor([[1]]))
