"""Which errors mean that memory ran out, and which that the device has to be given up.

Libraries below PyTorch say both with plain `RuntimeError`s, so that their words have to be known.
PyTorch itself is not imported: where nobody has done that, none of its errors can have come.
"""

from __future__ import annotations

import errno
import sys

from engine.memory.simulated_card import SimulatedBrokenDevice, SimulatedOutOfMemory

_OUT_OF_MEMORY = (
    # CUDA's runtime and driver, PyTorch's allocators of all makers' cards
    "out of memory",
    "out_of_memory",
    "cudaerrormemoryallocation",
    # cuBLAS and cuDNN, which have workspaces and handles of their own
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cudnn_status_internal_error",  # also with _HOST_ or _DEVICE_ALLOCATION_FAILED behind it
    # a handle takes memory too: this is how its lack is told
    "cublas_status_not_initialized",
    "cudnn_status_not_initialized",
    # every way to do a convolution needs more workspace than there is
    "unable to find an engine to execute this computation",
    # PyTorch's allocator on the CPU, in the words of Linux and of Windows
    "defaultcpuallocator",
    "paging file is too small",
)

_BROKEN_DEVICE = (
    "illegal memory access",
    "device-side assert",
    "unspecified launch failure",
    "cuda error: unknown error",
    "misaligned address",
    "illegal instruction was encountered",
    "invalid program counter",
    "hardware stack error",
    "operation not supported on global/shared address space",
    "uncorrectable ecc error",
    "uncorrectable nvlink error",
    "the launch timed out and was terminated",
    "context is destroyed",
    "driver shutting down",
    "device is busy or unavailable",
    "device lost",
    "gpu is lost",
    "cublas_status_execution_failed",
    "cublas_status_mapping_error",
    "cudnn_status_execution_failed",
    "cudnn_status_mapping_error",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the same work may succeed with less memory."""
    if isinstance(error, (MemoryError, SimulatedOutOfMemory)):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM or _says(error, _OUT_OF_MEMORY)
    return (
        isinstance(error, RuntimeError)
        and not is_broken_device(error)
        and _says(error, _OUT_OF_MEMORY)
    )


def is_broken_device(error: BaseException) -> bool:
    """Whether nothing can be computed on the device in this process any more."""
    if isinstance(error, SimulatedBrokenDevice):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return False
    return isinstance(error, RuntimeError) and _says(error, _BROKEN_DEVICE)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    message = str(error).lower()
    return any(word in message for word in words)
