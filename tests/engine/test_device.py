from __future__ import annotations

import pytest
import torch

from engine.errors import DeviceError, OutOfMemory
from engine.machine import PROCESS_BYTES
from engine.memory.device import CudaDevice, Device
from engine.memory.device_kind import DeviceKind

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


def test_on_the_cpu_everything_is_float32():
    assert CPU.kind is DeviceKind.CPU
    assert CPU.label
    assert {CPU.unet_dtype, CPU.movq_dtype} == {torch.float32}


def test_what_the_process_itself_takes_of_main_memory_is_not_for_networks(monkeypatch):
    monkeypatch.setattr("engine.memory.device.free_main_memory", lambda: 3 << 30)
    assert CPU.free_bytes == (3 << 30) - PROCESS_BYTES


def test_on_a_graphics_card_the_networks_are_float16():
    card = CudaDevice(torch.device("cuda"))
    assert card.kind is DeviceKind.GRAPHICS_CARD
    assert {card.unet_dtype, card.movq_dtype} == {torch.float16}


def test_a_copy_on_the_cpu_is_done_when_the_call_returns():
    source, target = CPU.staging(1000), CPU.arena(1000)
    source.random_(0, 256)
    mark = CPU.copy(source, target, after=CPU.mark())
    assert mark.is_done
    assert torch.equal(source, target)
    mark.synchronize()
    CPU.wait_for(mark)


def test_main_memory_that_cannot_be_pinned_is_used_as_it_is(monkeypatch, caplog):
    def refuse_to_pin(*shape, pin_memory=False, **options):
        if pin_memory:
            raise RuntimeError("CUDA error: out of memory")
        return allocate(*shape, **options)

    allocate = torch.empty
    monkeypatch.setattr(torch, "empty", refuse_to_pin)
    assert len(CudaDevice(torch.device("cuda")).staging(1000)) == 1000
    assert "1000 bytes of main memory cannot be pinned" in caplog.text


@pytest.mark.gpu
def test_copies_and_work_on_a_graphics_card_wait_for_each_other():
    card = Device.best()
    source, target = card.staging(1 << 20), card.arena(1 << 20)
    source.random_(0, 256)
    for _ in range(20):
        target.zero_()
        copied = card.copy(source, target, after=card.mark())
        card.wait_for(copied)
        assert torch.equal(target.clone().cpu(), source)
    copied.synchronize()
    assert copied.is_done


@pytest.mark.fault(18)
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
    with expected as caught, CudaDevice(torch.device("cuda")).reporting_out_of_memory():
        raise torch.OutOfMemoryError("CUDA out of memory.")
    assert caught.value.detail == "CUDA out of memory."


@pytest.mark.fault(17, 18)
def test_main_memory_that_ends_while_a_graphics_card_works_is_reported_as_such():
    expected = pytest.raises(OutOfMemory, match="The computer ran out of memory")
    with expected, CudaDevice(torch.device("cuda")).reporting_out_of_memory():
        raise MemoryError


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("x"), KeyError("y")])
def test_other_errors_pass_as_they_are(error):
    with pytest.raises(type(error)) as caught, CPU.reporting_out_of_memory():
        raise error
    assert caught.value is error
