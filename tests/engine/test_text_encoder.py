"""The text encoder in 8 bit, and what prompts become."""

import torch
from golden_networks import recorded, text_encoder

from engine.checkpoint.quantize import is_quantized, quantize_rows, scales_of


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


def test_context_in_8_bit_points_where_float32_points():
    encoder = text_encoder()
    for number in (0, 1):
        ids = recorded()[f"text.{number}.input_ids"][None]
        mask = (ids != 0).long()
        exact = encoder(ids, mask)
        context = in_8bit(encoder)(ids, mask)
        similarity = torch.cosine_similarity(
            exact.tokens.flatten(), context.tokens.flatten(), dim=0
        )
        assert similarity.item() >= 0.999
        assert torch.equal(context.mask, exact.mask)


def test_all_matrices_of_the_blocks_but_queries_and_keys_are_in_8_bit():
    types = {name: tensor.dtype for name, tensor in text_encoder(in_8bit=True).state_dict().items()}
    matrices = [name for name in types if is_quantized(name)]
    assert len(matrices) == 3 * 5  # three blocks of v, o, wi_0, wi_1, wo
    assert types["encoder.block.0.layer.0.SelfAttention.q.weight"] is torch.float32
    assert {types[name] for name in matrices} == {torch.int8}
    assert types["encoder.embed_tokens.weight"] is torch.float32


def test_context_is_cut_one_token_behind_the_longest_prompt():
    context = text_encoder()(*prompt_tokens(5, 9))
    assert context.tokens.shape[:2] == (2, 10)
    assert context.mask.sum(dim=1).tolist() == [5, 9]
    assert context.length.tolist() == [10, 10]
    assert not context.tokens[0, 5:].any()
    assert not context.tokens[1, 9:].any()


def test_a_prompt_that_fills_all_tokens_has_none_behind_it():
    context = text_encoder()(*prompt_tokens(128))
    assert context.tokens.shape[1] == 128
    assert context.length.tolist() == [128]
