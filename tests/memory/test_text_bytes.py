"""The released text encoder with one block on the device at a time takes less than 0.9 GB."""

import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import T5Config

from engine.models.text_encoder import TextEncoder

MOST_BYTES = 900_000_000
# Two of its 32 blocks are enough: the first, which has the table of positions, and another.
FLAN_UL2 = T5Config(
    d_model=4096, d_ff=16384, num_layers=2, num_heads=16, d_kv=256, feed_forward_proj="gated-silu"
)


class LiveBytes(TorchDispatchMode):
    """Counts the storages that operations make, as long as they are alive."""

    def __init__(self):
        super().__init__()
        self.live = self.peak = 0
        self._known = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        del types
        out = func(*args, **(kwargs or {}))
        given = {id(tensor.untyped_storage()) for tensor in _tensors((args, kwargs))}
        for tensor in _tensors(out):
            storage = tensor.untyped_storage()
            if id(storage) not in given | self._known:
                self._known.add(id(storage))
                self.live += storage.nbytes()
                self.peak = max(self.peak, self.live)
                weakref.finalize(storage, self._forget, id(storage), storage.nbytes())
        return out

    def _forget(self, storage, num_bytes):
        self._known.discard(storage)
        self.live -= num_bytes


def _tensors(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor) and leaf.is_meta]


def with_types_of_the_file(encoder):
    for name in encoder.weights_of_any_type():
        layer = encoder.get_submodule(name.removesuffix(".weight"))
        layer.weight = torch.nn.Parameter(layer.weight.bfloat16(), requires_grad=False)
    return encoder.eval().requires_grad_(False)


def num_bytes(module):
    return sum(tensor.nbytes for tensor in module.state_dict().values())


@pytest.mark.parametrize(("in_8bit", "block_bytes"), [(True, 302e6), (False, 671e6)])
def test_one_block_and_all_values_take_less_than_a_gigabyte(in_8bit, block_bytes):
    with torch.device("meta"):
        encoder = TextEncoder(FLAN_UL2, context_dim=4096, in_8bit=in_8bit)
        embeds = torch.empty(1, 128, FLAN_UL2.d_model)
    encoder = with_types_of_the_file(encoder)
    with torch.no_grad(), LiveBytes() as values:
        context = encoder(embeds, torch.ones(1, 128))
    assert context.tokens.shape == (1, 128, 4096)
    largest = max(map(num_bytes, [*encoder.encoder.block, encoder.projection]))
    assert largest == pytest.approx(block_bytes, rel=0.01)
    assert values.peak >= 32 * 2**20  # a slice of a widened weight is among them
    assert largest + values.peak + embeds.nbytes <= MOST_BYTES


def test_values_of_the_encoder_do_not_grow_with_its_blocks():
    peaks = []
    for num_layers in (2, 4):
        config = T5Config(**{**FLAN_UL2.to_dict(), "num_layers": num_layers})
        with torch.device("meta"):
            encoder = TextEncoder(config, context_dim=4096, in_8bit=True).eval()
            embeds = torch.empty(1, 128, config.d_model)
        with torch.no_grad(), LiveBytes() as values:
            encoder(embeds, torch.ones(1, 128))
        peaks.append(values.peak)
    assert peaks[0] == peaks[1]
