"""What a worker answers: one JSON object a line, its "event" naming the kind.

Every event that belongs to a job is sent with the job's number beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.api.downloads import DownloadDescribed, Downloaded, DownloadProgress

# The fields of a message are looked up by their types when it is decoded.
from engine.api.eight_bit import EightBitReport  # noqa: TC001
from engine.api.jail_level import JailLevel
from engine.api.requests import (  # noqa: TC001
    GenerateRequest,
    ModelInfo,
    SaveRequest,
    Stage,
)
from engine.api.tagged import MessageKinds
from engine.json_codec import JsonObject  # noqa: TC001

DEVICE_LOST_EXIT_CODE = 86
"""Of a worker that ends because its device broke down, after a last `Failed` that says so."""

UNPICKLING_EXIT_CODE = 87
"""Of a process in which something began to unpickle an object, which nothing of ours does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first line of a worker."""

    protocol: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """Sent about once a second from the hello on, by a thread that does nothing else.

    `mark` stays the same from one to the next only if nothing at all happens in the worker: no
    event, no computing, no reading. While a job is open, that is a worker that hangs.
    """

    mark: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A stage begins; `num_steps` is 1 where it cannot be divided."""

    stage: Stage
    num_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step of a stage is done. `seconds_left` counts to the end of the job; None: not known."""

    stage: Stage
    step: int
    num_steps: int
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished:
    """A stage is done."""

    stage: Stage
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewReady:
    """A look at what a denoising step expects the result to be.

    `path` is a PNG with `num_frames` pictures side by side. The next one replaces it: a reader
    that finds it gone waits for the next event.
    """

    stage: Stage
    step: int
    path: str
    num_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrameReady:
    """The key frame is drawn, or the picture cut to the clip's size; `path` is its PNG."""

    path: str


class MemoryChangeKind(StrEnum):
    """What a job does to get along with less memory, from the mildest on."""

    RESIDENTS = "residents"
    """Fewer weights stay on the device; the others are read again and again."""
    RING = "ring"
    """Weights are read less far ahead."""
    BRANCHES = "branches"
    """The branches of guidance are computed one after the other."""
    STRIPS = "strips"
    """Pictures are encoded and decoded in smaller strips."""
    EIGHT_BIT = "8bit"
    """Weights are rounded to 8 bit; only where a command allows it."""


class MemoryEffect(StrEnum):
    """What a change of memory does to the pixels."""

    EXACT = "exact"
    """They stay the same, bit by bit."""
    ROUNDING = "rounding"
    """The last digits may differ."""
    LOSSY = "lossy"
    """They differ a little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryAdapted:
    """Memory has become scarce, and the job goes on with less. What it gets back it takes unsaid.

    `effect` is that of this change alone.
    """

    stage: Stage
    change: MemoryChangeKind
    effect: MemoryEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The clip is done, as far as was asked for. `output` is its folder or file."""

    num_frames: int
    seconds: float
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The job was cancelled. A clip's folder keeps what is needed to go on later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job failed. `code` is that of a class in `engine.errors`."""

    code: str
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckProgress:
    """Bytes of a model that were compared with their checksums, which is done before its first use.

    Sent only where it takes longer than a moment.
    """

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareProgress:
    """Bytes of a model that are checked and written so far, and the file in work."""

    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A model's folder is complete.

    `eight_bit` is what was measured of its U-Nets in 8 bit, `jail_level` how well the process that
    prepared it was locked up meanwhile.
    """

    folder: str
    eight_bit: EightBitReport | None = None
    jail_level: JailLevel = JailLevel.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """All networks of a model computed what they should on `device`, in so many `seconds`.

    The clip had `num_frames` of `width` by `height` pixels; `key_frame` is the PNG of its first.
    """

    seconds: float
    num_frames: int
    width: int
    height: int
    device: str
    key_frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsListed:
    """The models that were found."""

    models: tuple[ModelInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """Something that networks can run on.

    `name` is what a command takes, `label` what a person reads; memory is in bytes.
    """

    name: str
    label: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDescribed:
    """The devices, the one that is used unless another is named first; and the main memory.

    `card_without_torch` is the name of a graphics card that is there and that this PyTorch cannot
    use because it was built without; "" where there is none.
    """

    devices: tuple[DeviceInfo, ...]
    total_bytes: int
    free_bytes: int
    card_without_torch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStage:
    """A stage that a request runs through.

    `cost` is in a unit of its own: seconds are learnt from clips made earlier. `seconds` and
    `peak_bytes` (the most memory at once) are planned, not measured; None where there is no plan.
    """

    stage: Stage
    num_steps: int
    cost: float
    seconds: float | None = None
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlanned:
    """What a request needs: its stages, and the device's memory in bytes.

    `fits` says whether there is a way to make the clip in what is free; `needed_bytes` is the most
    that is used at once, or where it does not fit, what would have to be free at least;
    `free_bytes` is what is free. All of it is planned.
    """

    stages: tuple[PlannedStage, ...]
    fits: bool
    needed_bytes: int
    free_bytes: int
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensCounted:
    """How many tokens a prompt has, the end included; only the first `limit` are read."""

    count: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOpened:
    """A picture can be used. Its upright `width` and `height`; `path` is a small PNG of it."""

    width: int
    height: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOpened:
    """The frames of a video file, as `frame_path` names them in `folder`.

    `request` is what the clip was made from, where the file says so.
    """

    folder: str
    num_frames: int
    width: int
    height: int
    frames_per_second: float
    request: GenerateRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPredicted:
    """How large the file of an export will be, and the settings that make it so."""

    num_bytes: int
    save: SaveRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFreed:
    """The model's memory was given back."""


Event = (
    Hello
    | Alive
    | StageStarted
    | StepDone
    | StageFinished
    | PreviewReady
    | KeyFrameReady
    | MemoryAdapted
    | Finished
    | Stopped
    | Failed
    | CheckProgress
    | PrepareProgress
    | Prepared
    | SelfTested
    | ModelsListed
    | MachineDescribed
    | ClipPlanned
    | TokensCounted
    | PictureOpened
    | VideoOpened
    | ExportPredicted
    | DownloadDescribed
    | DownloadProgress
    | Downloaded
    | MemoryFreed
)

_KINDS: MessageKinds[Event] = MessageKinds(
    "event",
    {
        "hello": Hello,
        "alive": Alive,
        "stage_started": StageStarted,
        "step_done": StepDone,
        "stage_finished": StageFinished,
        "preview_ready": PreviewReady,
        "key_frame_ready": KeyFrameReady,
        "memory_adapted": MemoryAdapted,
        "finished": Finished,
        "stopped": Stopped,
        "failed": Failed,
        "check_progress": CheckProgress,
        "prepare_progress": PrepareProgress,
        "prepared": Prepared,
        "self_tested": SelfTested,
        "models_listed": ModelsListed,
        "machine_described": MachineDescribed,
        "clip_planned": ClipPlanned,
        "tokens_counted": TokensCounted,
        "picture_opened": PictureOpened,
        "video_opened": VideoOpened,
        "export_predicted": ExportPredicted,
        "download_described": DownloadDescribed,
        "download_progress": DownloadProgress,
        "downloaded": Downloaded,
        "memory_freed": MemoryFreed,
    },
)


def event_to_json(event: Event) -> JsonObject:
    """`event` as a JSON object whose "event" names its kind."""
    return _KINDS.to_json(event)


def event_from_json(data: JsonObject) -> Event:
    """The event that `event_to_json` made `data` from.

    Raises:
        MessageError: `data` is not an event.
    """
    return _KINDS.from_json(data)
