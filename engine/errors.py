"""What can go wrong, as one tree of exceptions.

Every class has a `code` that never changes, so that it can cross a process boundary and be
compared, a `message` for the person at the screen (what happened, why, what to do) and a `detail`
for whoever looks into it.
"""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """Anything that stops a job for a reason that a person can act on."""

    code: ClassVar[str] = "engine"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class InvalidRequest(EngineError):
    """A value of the request is out of its range, or does not fit the model."""

    code = "invalid_request"


class MessageError(EngineError):
    """A line, a file or a tag does not hold the JSON object that belongs there."""

    code = "message"


class PictureError(EngineError):
    """A picture cannot be read, or is not one that can be used."""

    code = "picture"


class ModelNotFound(EngineError):
    """There is no model at the place that was named."""

    code = "model_not_found"


class ModelFileError(EngineError):
    """A file of a model is missing, damaged, foreign, or holds something else than expected."""

    code = "model_file"


class NewerModel(ModelFileError):
    """A newer kvdesk prepared the model, in a way that this one does not know."""

    code = "newer_model"


class UnsupportedModel(EngineError):
    """A model's configuration asks for something that the released model does not have."""

    code = "unsupported_model"


class DeviceError(EngineError):
    """The device that was asked for does not exist or does not work."""

    code = "device"


class WrongNumbers(DeviceError):
    """What was computed cannot be right: the device or the model's files are at fault."""

    code = "wrong_numbers"


class OutOfMemory(EngineError):
    """The device or the computer has too little free memory for the job."""

    code = "out_of_memory"


class EightBitWouldFit(OutOfMemory):
    """There is too little memory for the exact weights; with 8-bit weights the job would fit.

    Nobody takes these without being asked: the same job with `eight_bit` goes on from where it is.
    """

    code = "eight_bit_would_fit"


class DeviceLost(DeviceError):
    """The device broke down during the work, as after a fault of its driver.

    Nothing can be computed in this process any more: it has to end. A new one may go on.
    """

    code = "device_lost"


class VideoFileError(EngineError):
    """A video file cannot be written or read."""

    code = "video_file"


class OutputExists(VideoFileError):
    """The output file exists and nobody said that it may be replaced."""

    code = "output_exists"


class ClipError(EngineError):
    """A clip's folder cannot be read or written, or is not one."""

    code = "clip"


class DiskFull(EngineError):
    """There is too little free space on the disk for what is to be written.

    What was finished before is kept: the same work goes on from there once there is space.
    """

    code = "disk_full"


class DownloadError(EngineError):
    """A file cannot be fetched: no connection, no access, or not what it should be.

    What was fetched is kept: the same download goes on from there.
    """

    code = "download"


class WorkerSilent(EngineError):
    """A worker ended, or said nothing for too long; the detail is what it wrote to its stderr."""

    code = "worker_silent"


class Cancelled(EngineError):
    """The job was cancelled. Not a failure: it is how a cancelled job ends."""

    code = "cancelled"

    def __init__(self, message: str = "Cancelled.", *, detail: str = "") -> None:
        super().__init__(message, detail=detail)


class InternalError(EngineError):
    """A fault of this program: something happened that it has no words for."""

    code = "internal"
