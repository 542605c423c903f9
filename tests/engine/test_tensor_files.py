"""Tensors come back as they were written, or not at all."""

import hashlib

import pytest
import torch
from safetensors.torch import save

from engine.tensor_files import TensorFile

TENSORS = {
    "values": torch.arange(6).float().reshape(2, 3),
    "narrow": torch.arange(5).bfloat16(),
    "one": torch.tensor(7),
    "none": torch.empty(0, 3),
    "flags": torch.tensor([True, False]),
}


def test_tensors_of_all_kinds_and_what_is_said_of_them_come_back():
    data = TensorFile(tensors=TENSORS, metadata={"of": "a test"}).to_bytes()
    file = TensorFile.from_bytes(data)
    assert file.metadata == {"of": "a test"}
    assert set(file.tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert torch.equal(file.tensors[name], tensor)
        assert file.tensors[name].dtype is tensor.dtype


@pytest.mark.parametrize("metadata", [None, {}, {"sha256": "0" * 64}])
def test_a_file_without_the_digest_of_its_tensors_is_refused(metadata):
    with pytest.raises(ValueError, match=r"not those that were written|says nothing"):
        TensorFile.from_bytes(save(TENSORS, metadata))


def test_the_digest_is_the_one_that_files_of_earlier_versions_have():
    tensors = {name: tensor for name, tensor in TENSORS.items() if name != "narrow"}
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    earlier = save(tensors, {"of": "a test", "sha256": digest.hexdigest()})
    assert set(TensorFile.from_bytes(earlier).tensors) == set(tensors)


def test_every_changed_byte_of_a_tensor_is_noticed():
    data = TensorFile(tensors=TENSORS, metadata={}).to_bytes()
    num_value_bytes = sum(tensor.nbytes for tensor in TENSORS.values())
    for place in range(len(data) - num_value_bytes, len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(ValueError, match="not those that were written"):
            TensorFile.from_bytes(changed)


@pytest.mark.parametrize("num_bytes", [0, 5, 8, 60, -1])
def test_a_file_that_is_cut_off_is_refused(num_bytes):
    data = TensorFile(tensors=TENSORS, metadata={}).to_bytes()
    with pytest.raises(ValueError, match=r"."):
        TensorFile.from_bytes(data[:num_bytes])
