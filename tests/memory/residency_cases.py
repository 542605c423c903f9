"""Small networks with weights in files, and plans for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import torch
from safetensors.torch import save_file
from transformers import T5Config

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import LoadableNetwork
from engine.checkpoint.tensors import index_safetensors
from engine.config import MoVQConfig, UNetConfig
from engine.memory.cards import card_named
from engine.memory.device import Device
from engine.memory.residency import Residency, whole
from engine.memory.simulated_card import SimulatedCard
from engine.memory.simulated_device import SimulatedDevice
from engine.memory.units import units_of
from engine.memory.weights import FileTensor, WeightSource
from engine.models.key_frame_unet import KeyFrameUNet, VideoConditions
from engine.models.layers import TextContext
from engine.models.movq import MoVQ
from engine.models.text_encoder import TextEncoder

UNET = UNetConfig(
    num_channels=9,
    out_channels=4,
    model_channels=8,
    init_channels=8,
    time_embed_dim=16,
    context_dim=16,
    groups=2,
    head_dim=8,
    expansion_ratio=2,
    compression_ratio=2,
    dim_mult=(1, 2),
    num_blocks=(2, 2),
    add_cross_attention=(False, True),
    add_self_attention=(False, True),
)
MOVQ = MoVQConfig(
    z_channels=4,
    resolution=32,
    in_channels=3,
    out_ch=3,
    ch=32,
    ch_mult=(1, 2),
    num_res_blocks=1,
    attn_resolutions=(16,),
    temporal=True,
)
T5 = T5Config(
    vocab_size=10,
    d_model=32,
    d_ff=64,
    d_kv=8,
    num_heads=2,
    num_layers=5,
    feed_forward_proj="gated-silu",
)
CPU = Device.named("cpu")
KINDS_OF_WORK = ("video", "movq", "text", "image", "text")


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def context(device, dtype):
    return TextContext(
        tokens=numbers(1, 5, 16).to(device, dtype),
        mask=torch.ones(1, 5, dtype=torch.bool, device=device),
        length=torch.tensor([5], device=device),
    )


def video_path(unet, device):
    dtype = unet.in_layer.weight.dtype
    x, time = numbers(2, 9, 4, 4).to(device, dtype), torch.full((1,), 500, device=device)
    return unet(x, time, context(device, dtype), video=VideoConditions(num_frames=2))


def image_path(unet, device):
    dtype = unet.in_layer.weight.dtype
    x, time = numbers(1, 9, 4, 4).to(device, dtype), torch.full((1,), 300, device=device)
    return unet(x, time, context(device, dtype), video=None)


def encode_text(encoder, device):
    mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
    return encoder(numbers(1, 6, 32).to(device), mask.to(device)).tokens


def decode(movq, device):
    return movq.decode(numbers(2, 4, 4, 4).to(device))


@dataclass
class Case:
    """A network, what it does, and what comes out when its weights simply are in memory."""

    loadable: LoadableNetwork
    records: dict
    work: object
    order: tuple
    expected: torch.Tensor

    def residency(self, device=CPU, resident=(), ring=None, repeats=2):
        plan = plan_of(self.loadable.source, resident, self.order, ring)
        network = self.loadable.network
        return network, Residency(self.loadable, device, plan, self.order, repeats)


def loadable_of(network, records):
    weights = {
        name: FileTensor(record=record, dtype=torch.float32) for name, record in records.items()
    }
    return LoadableNetwork(
        part=ModelPart.T2V, network=network, source=WeightSource(network, weights)
    )


def plan_of(source, resident, order, ring=None):
    """With a ring of `ring` bytes; None: that of the largest unit that needs it."""
    streamed = set(order) - set(resident)
    largest = max((source.num_bytes(unit) for unit in streamed), default=0)
    return replace(
        whole(source), resident=frozenset(resident), ring_bytes=largest if ring is None else ring
    )


def random_plan(source, order, rng):
    units = sorted(set(order))
    resident = rng.sample(units, rng.randint(0, len(units)))
    streamed = [source.num_bytes(unit) for unit in units if unit not in resident]
    ring = max(streamed, default=0)
    if streamed and rng.random() < 0.7:
        ring = rng.randint(ring, max(ring, sum(streamed)))
    return plan_of(source, resident, order, ring)


def random_network(network, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.normal_(0, 0.2, generator=generator)
    return network.eval().requires_grad_(False)


def order_of(network, work):
    order = []

    def note(name, *_):
        if order[-1:] != [name]:
            order.append(name)

    hooks = [
        module.register_forward_pre_hook(partial(note, name))
        for name, module in units_of(network).items()
    ]
    work(network, "cpu")
    for hook in hooks:
        hook.remove()
    return tuple(order)


def make_cases(folder):
    """The kinds of work by name, with their weights in files in `folder`."""
    unet = random_network(KeyFrameUNet(UNET), 1)
    movq = random_network(MoVQ(MOVQ), 2)
    text = random_network(TextEncoder(T5, 16), 3)
    loadables = {}
    for network, make in (
        (unet, partial(KeyFrameUNet, UNET)),
        (movq, partial(MoVQ, MOVQ)),
        (text, partial(TextEncoder, T5, 16)),
    ):
        file = folder / f"{type(network).__name__}.safetensors"
        save_file(network.state_dict(), file)
        records = index_safetensors(file)
        with torch.device("meta"):
            loadables[network] = loadable_of(make().eval(), records), records
    found = {}
    for name, network, work in (
        ("video", unet, video_path),
        ("image", unet, image_path),
        ("movq", movq, decode),
        ("text", text, encode_text),
    ):
        with torch.no_grad():
            found[name] = Case(
                loadable=loadables[network][0],
                records=loadables[network][1],
                work=work,
                order=order_of(network, work),
                expected=work(network, "cpu"),
            )
    return found


def simulated(num_bytes=1 << 30):
    return SimulatedDevice.of(
        SimulatedCard(replace(card_named("RTX 3060"), memory_bytes=num_bytes))
    )


def all_on_meta(network):
    return all(tensor.is_meta for tensor in network.state_dict().values())
