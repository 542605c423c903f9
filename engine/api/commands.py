"""What a worker is told: one JSON object a line, its "command" naming the kind.

The first is `Greet`. Jobs are numbered by who sends them. Those that make something run one after
the other in the order they came; questions are answered at once, whatever runs.
"""

from __future__ import annotations

from dataclasses import dataclass

# The fields of a message are looked up by their types when it is decoded.
from engine.api.requests import GenerateRequest, SaveRequest, Stage  # noqa: TC001
from engine.api.tagged import MessageKinds
from engine.json_codec import JsonObject  # noqa: TC001


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """The first line to a worker. It ends if it does not speak this version."""

    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeClip:
    """Make a clip in `folder`, or go on with the one that is there.

    Whatever of `request` the folder already has is not made again; of a clip that is there, only
    `fps` may have changed. `device` None takes the best one there is. With `until`, a job ends
    after that stage. `eight_bit` allows weights in 8 bit, which need less memory and are less
    exact; a clip that was begun without goes on with them from where it is.
    """

    job: int
    model: str
    request: GenerateRequest
    folder: str
    device: str | None = None
    until: Stage | None = None
    eight_bit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportClip:
    """Save the frames of the finished clip in `folder` as a file."""

    job: int
    folder: str
    save: SaveRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Prepare official files into a model's folder.

    With `eight_bit` the U-Nets are written in 8 bit too; into a folder that was prepared without,
    they are added. With `delete_originals` every official file is deleted as soon as nothing more
    is made of it, and what was made of it is safe on the disk.
    """

    job: int
    source: str
    destination: str
    eight_bit: bool = False
    delete_originals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Make a small clip in the new folder `folder` and look at all of it; answer `SelfTested`.

    The clip goes through all networks of `model`, and is as large as is planned to take about ten
    seconds. `device` and `eight_bit` as in `MakeClip`.
    """

    job: int
    model: str
    folder: str
    device: str | None = None
    eight_bit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadModel:
    """Fetch the official files that are not in `folder` yet; answer `Downloaded`.

    The fields are those of `DescribeDownload`; no more than `bytes_per_second` are fetched. What is
    there when it is cancelled or fails stays: the same command goes on.
    """

    job: int
    folder: str
    also_in: tuple[str, ...] = ()
    endpoint: str | None = None
    encoder_only: bool = False
    only: tuple[str, ...] = ()
    bytes_per_second: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeMemory:
    """Give the model's memory back once the jobs before this one have ended."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop a job, running or waiting. One that has ended is left alone."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListModels:
    """Answer with `ModelsListed`."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeMachine:
    """Answer with `MachineDescribed`."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanClip:
    """Answer with `ClipPlanned`; `device` and `eight_bit` as in `MakeClip`."""

    job: int
    model: str
    request: GenerateRequest
    device: str | None = None
    eight_bit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTokens:
    """Answer with `TokensCounted`."""

    job: int
    model: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPicture:
    """Open a picture that somebody chose, write a small PNG `preview`; answer `PictureOpened`."""

    job: int
    path: str
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVideo:
    """Take a video file apart into frames in the new folder `folder`; answer `VideoOpened`."""

    job: int
    path: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictExport:
    """Answer with `ExportPredicted`, without a file that stays.

    With `max_bytes`, the best quality is looked for whose file is not larger.
    """

    job: int
    folder: str
    save: SaveRequest
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeDownload:
    """Ask the Hub what belongs to the official model; answer `DownloadDescribed`.

    Files with the right contents that lie in the folders `also_in`, or in the cache of the Hub's
    own library, need not be fetched. `endpoint` is the address of another server that has the same
    files. With `encoder_only`, the text encoder comes from a repository without a decoder. With
    `only`, it is about the files of these names, such as "t2v.pt", and no others.
    """

    job: int
    folder: str
    also_in: tuple[str, ...] = ()
    endpoint: str | None = None
    encoder_only: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quit:
    """Stop the running job and end. So does the end of the input."""


Work = MakeClip | ExportClip | Prepare | SelfTest | FreeMemory
"""Commands that run one after the other."""

Question = (
    ListModels
    | DescribeMachine
    | PlanClip
    | CountTokens
    | OpenPicture
    | OpenVideo
    | PredictExport
    | DescribeDownload
)
"""Commands that are answered at once."""

Aside = DownloadModel | Question
"""Commands that neither wait for work nor keep it waiting."""

Command = Greet | Work | Aside | Cancel | Quit

_KINDS: MessageKinds[Command] = MessageKinds(
    "command",
    {
        "greet": Greet,
        "make_clip": MakeClip,
        "export_clip": ExportClip,
        "prepare": Prepare,
        "self_test": SelfTest,
        "download_model": DownloadModel,
        "free_memory": FreeMemory,
        "cancel": Cancel,
        "list_models": ListModels,
        "describe_machine": DescribeMachine,
        "plan_clip": PlanClip,
        "count_tokens": CountTokens,
        "open_picture": OpenPicture,
        "open_video": OpenVideo,
        "predict_export": PredictExport,
        "describe_download": DescribeDownload,
        "quit": Quit,
    },
)


def command_to_json(command: Command) -> JsonObject:
    """`command` as a JSON object whose "command" names its kind."""
    return _KINDS.to_json(command)


def command_from_json(data: JsonObject) -> Command:
    """The command that `command_to_json` made `data` from.

    Raises:
        MessageError: `data` is not a command.
    """
    return _KINDS.from_json(data)
