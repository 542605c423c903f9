import errno
import subprocess
import sys

import pytest
import torch

from engine.memory.out_of_memory import is_broken_device, is_out_of_memory
from engine.memory.simulated_card import SimulatedBrokenDevice, SimulatedOutOfMemory

MODULES = (
    "plan",
    "ring_space",
    "planner",
    "cards",
    "timeline",
    "simulated_card",
    "out_of_memory",
    "ladder",
)

OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    MemoryError(),
    SimulatedOutOfMemory("full"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    OSError("The paging file is too small for this operation to complete. (os error 1455)"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA driver error: CUDA_ERROR_OUT_OF_MEMORY"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't ..."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: not enough ..."),
]

BROKEN = [
    SimulatedBrokenDevice("gone"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: unspecified launch failure"),
    RuntimeError("CUDA error: unknown error"),
    RuntimeError("CUDA error: the launch timed out and was terminated"),
    RuntimeError("CUDA error: uncorrectable ECC error encountered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`"),
    RuntimeError("CUDA error: an illegal memory access was encountered; out of memory later"),
]

OTHERS = [
    RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
    ValueError("out of memory"),
    OSError(errno.ENOENT, "No such file"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=str)
def test_less_memory_may_help(error):
    assert is_out_of_memory(error)
    assert not is_broken_device(error)


@pytest.mark.parametrize("error", BROKEN, ids=str)
def test_a_broken_device_is_not_a_lack_of_memory(error):
    assert is_broken_device(error)
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_other_errors_are_neither(error):
    assert not is_out_of_memory(error)
    assert not is_broken_device(error)


def test_an_allocation_that_the_computer_refuses_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_plans_can_be_made_without_torch():
    modules = [
        "plan",
        "ring_space",
        "planner",
        "cards",
        "timeline",
        "simulated_card",
        "out_of_memory",
        "ladder",
    ]
    names = ", ".join(f"engine.memory.{module}" for module in modules)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_errors_are_told_apart_without_torch():
    code = (
        "import sys; from engine.memory.out_of_memory import is_out_of_memory, is_broken_device;"
        "error = RuntimeError('CUDA error: out of memory');"
        "sys.exit(not is_out_of_memory(error) or is_broken_device(error))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
