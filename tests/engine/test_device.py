from __future__ import annotations

import pytest
import torch

from engine.errors import DeviceError, OutOfMemory
from engine.memory.device import Device

needs_no_card = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
CPU = Device.named("cpu")


@pytest.mark.parametrize(
    "name", ["gpu", "", "CPU", "cpu:x", "cuda:-1", "cuda:0:0", "a\0b", "\ud800", " cpu"]
)
def test_an_unknown_name_is_refused_with_the_names_that_exist(name):
    with pytest.raises(DeviceError, match=r'Devices are "cpu", "cuda" and "cuda:N"'):
        Device.named(name)


@pytest.mark.parametrize("name", ["mps", "xpu", "meta"])
def test_a_device_that_pytorch_knows_and_the_engine_does_not_is_refused(name):
    with pytest.raises(DeviceError, match='Use "cpu" or "cuda"'):
        Device.named(name)


@needs_no_card
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_a_graphics_card_that_is_not_there_is_refused(name):
    with pytest.raises(DeviceError, match=f'no graphics card "{name}" .*none found.*use the CPU'):
        Device.named(name)


@needs_no_card
def test_without_a_graphics_card_the_best_device_is_the_cpu():
    assert Device.best() == CPU


def test_on_the_cpu_everything_is_float32_and_nothing_is_mixed():
    assert not CPU.is_cuda
    assert CPU.unet_dtype is torch.float32
    with CPU.autocast():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype is torch.float32


def test_an_allocation_beyond_the_memory_is_reported_as_such():
    with (
        pytest.raises(OutOfMemory, match="The computer ran out of memory") as caught,
        CPU.reporting_out_of_memory(),
    ):
        torch.empty(1 << 52, dtype=torch.uint8)
    assert "DefaultCPUAllocator" in caught.value.detail


def test_a_memory_error_of_python_is_reported_as_such():
    expected = pytest.raises(OutOfMemory, match="The computer ran out of memory")
    with expected, CPU.reporting_out_of_memory():
        raise MemoryError


def test_a_full_graphics_card_is_reported_with_its_free_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (3 << 29, 6 << 30))
    expected = pytest.raises(OutOfMemory, match=r"memory \(1\.5 of 6\.0 GB were free\)")
    with expected, CPU.reporting_out_of_memory():
        raise torch.OutOfMemoryError("CUDA out of memory.")


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("x"), KeyError("y")])
def test_other_errors_pass_as_they_are(error):
    with pytest.raises(type(error)) as caught, CPU.reporting_out_of_memory():
        raise error
    assert caught.value is error
