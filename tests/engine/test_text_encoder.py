"""The text encoder: in 8 bit, a block at a time, and what prompts become."""

import pytest
import torch
from golden_networks import GOLDENS, recorded, text_encoder, token_rows
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Block, T5EncoderModel

from engine.checkpoint.quantize import is_quantized, quantize_rows, scales_of
from engine.checkpoint.text_encoder_source import TABLE
from engine.models import text_encoder as text_encoder_module


def in_8bit(encoder):
    weights = {}
    for name, tensor in encoder.state_dict().items():
        if is_quantized(name):
            tensor, weights[scales_of(name)] = quantize_rows(tensor)
        weights[name] = tensor
    quantized = text_encoder(in_8bit=True)
    quantized.load_state_dict(weights)
    return quantized


def prompt_tokens(*lengths):
    ids = torch.stack([recorded()[f"text.{number}.input_ids"] for number in range(len(lengths))])
    mask = (torch.arange(128) < torch.tensor(lengths)[:, None]).long()
    return ids * mask, mask


def encode(encoder, *lengths):
    ids, mask = prompt_tokens(*lengths)
    return encoder(token_rows(ids), mask)


def test_context_in_8_bit_points_where_float32_points():
    encoder = text_encoder()
    for number in (0, 1):
        ids = recorded()[f"text.{number}.input_ids"][None]
        mask = (ids != 0).long()
        exact = encoder(token_rows(ids), mask)
        context = in_8bit(encoder)(token_rows(ids), mask)
        similarity = torch.cosine_similarity(
            exact.tokens.flatten(), context.tokens.flatten(), dim=0
        )
        assert similarity.item() >= 0.999
        assert torch.equal(context.mask, exact.mask)


def test_all_matrices_of_the_blocks_but_queries_and_keys_are_in_8_bit():
    encoder = text_encoder(in_8bit=True)
    types = {name: tensor.dtype for name, tensor in encoder.state_dict().items()}
    matrices = [name for name in types if is_quantized(name)]
    assert len(matrices) == 3 * 5  # three blocks of v, o, wi_0, wi_1, wo
    assert types["encoder.block.0.layer.0.SelfAttention.q.weight"] is torch.float32
    assert {types[name] for name in matrices} == {torch.int8}
    assert encoder.weights_of_any_type() == {
        f"encoder.block.{block}.layer.0.SelfAttention.{name}.weight"
        for block in range(3)
        for name in "qk"
    }


def test_all_tensors_of_a_t5_checkpoint_are_weights_but_the_table_of_tokens():
    config = T5Config.from_json_file(GOLDENS / "text_encoder_config.json")
    checkpoint = {f"encoder.{name}" for name in T5EncoderModel(config).encoder.state_dict()}
    weights = set(text_encoder().state_dict())
    assert {name for name in weights if name.startswith("encoder.")} == checkpoint - {TABLE}


def test_context_is_cut_one_token_behind_the_longest_prompt():
    context = encode(text_encoder(), 5, 9)
    assert context.tokens.shape[:2] == (2, 10)
    assert context.mask.sum(dim=1).tolist() == [5, 9]
    assert context.length.tolist() == [10, 10]
    assert not context.tokens[0, 5:].any()
    assert not context.tokens[1, 9:].any()


def test_a_prompt_that_fills_all_tokens_has_none_behind_it():
    context = encode(text_encoder(), 128)
    assert context.tokens.shape[1] == 128
    assert context.length.tolist() == [128]


def test_what_is_hidden_by_the_mask_does_not_change_the_prompt():
    ids, mask = prompt_tokens(9)
    embeds = token_rows(ids)
    other = torch.where(mask[..., None].bool(), embeds, torch.full_like(embeds, 3.0))
    assert torch.equal(
        text_encoder()(embeds, mask).tokens[:, :9], text_encoder()(other, mask).tokens[:, :9]
    )


@pytest.mark.parametrize("is_8bit", [False, True])
def test_weights_of_a_block_are_needed_during_its_forward_only(is_8bit):
    encoder = in_8bit(text_encoder()) if is_8bit else text_encoder()
    expected = encode(encoder, 5, 9)
    order = []
    for block in (module for module in encoder.modules() if isinstance(module, T5Block)):
        _lend_weights_to_forward(block, order)
    context = encode(encoder, 5, 9)
    assert order == list(range(3))
    assert torch.equal(context.tokens, expected.tokens)
    assert all(tensor.is_meta for tensor in encoder.encoder.block.state_dict().values())


def _lend_weights_to_forward(block, order):
    """Take the weights away, lend them in front of the forward, and spoil them right behind."""
    number = len(order)
    order.append(number)
    kept = {name: tensor.clone() for name, tensor in block.state_dict().items()}
    block.to("meta")
    lent = {}

    def lend(module, *_args, **_options):
        if number == 0:
            order.clear()
        order.append(number)
        lent.update({name: tensor.clone() for name, tensor in kept.items()})
        module.load_state_dict(lent, assign=True)

    def take_back(module, *_args, **_options):
        for tensor in lent.values():
            tensor.fill_(99)  # in a ring, the next block's bytes come here
        module.to("meta")

    block.register_forward_pre_hook(lend, with_kwargs=True)
    block.register_forward_hook(take_back, with_kwargs=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_in_the_type_of_their_file_give_the_bits_of_the_widened_ones(dtype):
    stored, widened = text_encoder(), text_encoder()
    for name in stored.weights_of_any_type():
        layer = stored.get_submodule(name.removesuffix(".weight"))
        layer.weight = torch.nn.Parameter(layer.weight.to(dtype), requires_grad=False)
        widened.get_parameter(name).copy_(layer.weight.float())
    context = encode(stored, 9)
    assert context.tokens.dtype is torch.float32
    assert torch.equal(context.tokens, encode(widened, 9).tokens)


def test_multiplying_slice_by_slice_is_multiplying_at_once(monkeypatch):
    layer = text_encoder_module.Int8Linear(24, 50)
    weight = torch.linspace(-1, 1, 24 * 50).reshape(50, 24)
    layer.weight, layer.SCB = quantize_rows(weight)
    x = torch.linspace(-3, 3, 2 * 7 * 24).reshape(2, 7, 24)
    at_once = layer(x)
    assert torch.allclose(at_once, x @ weight.T, atol=0.3)
    for rows in (1, 3, 49):
        monkeypatch.setattr(text_encoder_module, "_SLICE_BYTES", rows * 24 * 4)
        assert torch.allclose(layer(x), at_once, rtol=1e-5, atol=1e-5)


def test_the_encoder_still_learns_with_a_table_of_its_own():
    encoder = text_encoder().train().requires_grad_(True)
    ids, mask = prompt_tokens(9)
    embeds = token_rows(ids).requires_grad_(True)
    encoder(embeds, mask).tokens.square().mean().backward()
    assert embeds.grad[:, :9].any()
    assert all(weight.grad is not None and weight.grad.any() for weight in encoder.parameters())
