"""What a worker is told and what it answers: commands and events, a JSON object a line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

# The fields of a message are looked up by their types when it is decoded.
from engine.api.requests import GenerateRequest, ModelInfo, SaveRequest, Stage  # noqa: TC001
from engine.errors import MessageError
from engine.json_codec import JsonObject, from_json, shown, to_json

PROTOCOL_VERSION = 1
"""Raised when a message changes in a way that the other side would not understand."""


# Events. Every one that belongs to a job is sent with the job's number beside it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first line of a worker."""

    protocol: int
    version: str


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
class Finished:
    """The clip is done. `output` is the file, or None where only frames were asked for."""

    num_frames: int
    seconds: float
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The job was cancelled, and nothing of it is left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job failed. `code` is that of a class in `engine.errors`."""

    code: str
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareProgress:
    """Bytes of a model that are checked and written so far, and the file in work."""

    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A model's folder is complete."""

    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsListed:
    """The models that were found."""

    models: tuple[ModelInfo, ...]


Event = (
    Hello
    | StageStarted
    | StepDone
    | StageFinished
    | Finished
    | Stopped
    | Failed
    | PrepareProgress
    | Prepared
    | ModelsListed
)

# Commands. The first is `Greet`; jobs are numbered by who sends them.


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """The first line to a worker. It ends if it does not speak this version."""

    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """Make a clip and save it. `device` None takes the best one there is."""

    job: int
    model: str
    request: GenerateRequest
    save: SaveRequest
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Prepare official files into a model's folder."""

    job: int
    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop a job, running or waiting. One that has ended is left alone."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListModels:
    """Answer with `ModelsListed`."""

    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quit:
    """Stop the running job and end. So does the end of the input."""


Command = Greet | Generate | Prepare | Cancel | ListModels | Quit

_EVENTS: dict[str, type[Event]] = {
    "hello": Hello,
    "stage_started": StageStarted,
    "step_done": StepDone,
    "stage_finished": StageFinished,
    "finished": Finished,
    "stopped": Stopped,
    "failed": Failed,
    "prepare_progress": PrepareProgress,
    "prepared": Prepared,
    "models_listed": ModelsListed,
}
_COMMANDS: dict[str, type[Command]] = {
    "greet": Greet,
    "generate": Generate,
    "prepare": Prepare,
    "cancel": Cancel,
    "list_models": ListModels,
    "quit": Quit,
}

MessageT = TypeVar("MessageT")


def event_to_json(event: Event) -> JsonObject:
    """`event` as a JSON object whose "event" names its kind."""
    return {"event": _name_of(event, _EVENTS), **to_json(event)}


def event_from_json(data: JsonObject) -> Event:
    """The event that `event_to_json` made `data` from.

    Raises:
        MessageError: `data` is not an event.
    """
    cls, fields = _split(data, "event", _EVENTS)
    return from_json(cls, fields)


def command_to_json(command: Command) -> JsonObject:
    """`command` as a JSON object whose "command" names its kind."""
    return {"command": _name_of(command, _COMMANDS), **to_json(command)}


def command_from_json(data: JsonObject) -> Command:
    """The command that `command_to_json` made `data` from.

    Raises:
        MessageError: `data` is not a command.
    """
    cls, fields = _split(data, "command", _COMMANDS)
    return from_json(cls, fields)


def _name_of(message: MessageT, kinds: dict[str, type[MessageT]]) -> str:
    return next(name for name, cls in kinds.items() if cls is type(message))


def _split(
    data: JsonObject, tag: str, kinds: dict[str, type[MessageT]]
) -> tuple[type[MessageT], JsonObject]:
    fields = dict(data)
    name = fields.pop(tag, None)
    cls = kinds.get(name) if isinstance(name, str) else None
    if cls is None:
        known = ", ".join(kinds)
        raise MessageError(f"The {tag} must be one of {known}, not {shown(name)}.")
    return cls, fields
