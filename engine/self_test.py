"""A small clip through all networks of a model, looked at: do the model and the device compute?

It is as large as is planned to take about ten seconds. What its steps take calibrates the plans of
later clips, as those of every clip do.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.api import (
    KEY_FRAME_FILE,
    Finished,
    Fps,
    FrameSize,
    GenerateRequest,
    KeyFrameReady,
    SelfTested,
    Stage,
    StageStarted,
    draw_seed,
    frame_path,
)
from engine.checkpoint.networks import NetworkLoader
from engine.clip import ClipFolder
from engine.clip_checkpoints import FolderCheckpoints
from engine.clip_points import Point
from engine.errors import InvalidRequest, WrongNumbers
from engine.jobs import JobRunner, chosen
from engine.memory.clip_plan import plan_clip
from engine.memory.clip_traces import tracer_of
from engine.memory.device_kind import DeviceKind
from engine.memory.ladder import usable_bytes
from engine.memory.speeds import Speeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.api import ClipDefaults, Event, ModelInfo, SelfTest
    from engine.checkpoint.folder import ModelFolder
    from engine.memory.clip_plan import ClipPlan
    from engine.memory.device import Device

SECONDS = 10.0
"""What a self-test is to take, as planned; the smallest may take longer."""

_PARTS_OF_SIZE = (1, 2, 4)  # the model's own size, and what halves and quarters its sides
_STEPS = (12, 4)  # the first of each loop is not measured
_PROMPT = "a red ball rolling over green grass"

_WORDS = {
    Stage.TEXT: "reading the prompt",
    Stage.KEY_FRAME: "drawing the key frame",
    Stage.BASE_FRAMES: "making the base frames",
    Stage.INTERPOLATION: "making the frames in between",
    Stage.DECODE: "decoding the frames",
}
_POINTS = {
    Stage.TEXT: Point.TEXT,
    Stage.BASE_FRAMES: Point.BASE_FRAMES,
    Stage.INTERPOLATION: Point.FIRST_PASS,
}


def run_self_test(
    runner: JobRunner,
    command: SelfTest,
    *,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool],
) -> SelfTested:
    """Make a small clip in the folder that `command` names, and look at all that comes of it.

    Args:
        runner: makes the clip, and keeps the model open.
        command: what is tested.
        on_event: told what a clip's job tells, but its end.
        is_cancelled: asked after every step.

    Raises:
        WrongNumbers: the model or the device computes wrong numbers; the message says where.
        InvalidRequest: there is a clip in the folder already.
        EngineError: as for any clip.
    """
    opened, device = chosen(command.model, command.device)
    folder = Path(command.folder)
    if ClipFolder.is_at(folder):
        raise InvalidRequest(f"There is a clip in {folder} already. Name a new folder.")
    request = _request(opened, device, eight_bit=command.eight_bit)
    watch = _Watch(folder, opened.info, device, on_event)
    begin = time.monotonic()
    try:
        runner.make_clip(
            request,
            folder,
            model=command.model,
            device_name=command.device,
            until=None,
            eight_bit=command.eight_bit,
            on_event=watch.on_event,
            is_cancelled=is_cancelled,
        )
    except WrongNumbers as error:
        what = "a picture has values that are not numbers"
        raise watch.found or watch.wrong_numbers(what) from error
    seconds = time.monotonic() - begin
    watch.check_frames(request.fps.num_frames)
    return SelfTested(
        seconds=seconds,
        num_frames=request.fps.num_frames,
        width=request.size.width,
        height=request.size.height,
        device=device.name,
        key_frame=str(folder / KEY_FRAME_FILE),
    )


def usual_clip_plan(model: str, device_name: str | None, *, eight_bit: bool) -> ClipPlan:
    """The plan of a clip with the model's own settings and all frames, as the speeds are now."""
    opened, device = chosen(model, device_name)
    defaults = opened.info.defaults
    request = GenerateRequest(
        prompt="", seed=0, size=defaults.size, fps=Fps.LOW, sampling=defaults.sampling
    )
    return _plan(opened, device, request, eight_bit=eight_bit)


def _request(folder: ModelFolder, device: Device, *, eight_bit: bool) -> GenerateRequest:
    """The largest of a few requests that takes no longer than `SECONDS`, or the smallest."""
    requests = list(_requests(folder.info))
    for request in requests[:-1]:
        plan = _plan(folder, device, request, eight_bit=eight_bit)
        if plan.fits and sum(stage.seconds for stage in plan.stages) <= SECONDS:
            return request
    return requests[-1]


def _requests(info: ModelInfo) -> Iterator[GenerateRequest]:
    """From the largest to the smallest."""
    defaults, seed = info.defaults, draw_seed()
    # A prompt that is read for the first time: else the text encoder would have nothing to do.
    prompt = f"{next(iter(defaults.examples), _PROMPT)}, number {seed}"
    sizes = dict.fromkeys(_size(defaults, part, info.size_multiple) for part in _PARTS_OF_SIZE)
    for size, steps in itertools.product(sizes, _STEPS):
        sampling = defaults.sampling
        yield GenerateRequest(
            prompt=prompt,
            seed=seed,
            size=size,
            fps=Fps.MEDIUM,  # which makes frames in between
            guidance=defaults.guidance,
            sampling=replace(
                sampling,
                steps=min(steps, sampling.steps),
                interpolation_steps=min(steps, sampling.interpolation_steps),
            ),
        )


def _size(defaults: ClipDefaults, part: int, multiple: int) -> FrameSize:
    def side(pixels: int) -> int:
        return max(multiple, pixels // part // multiple * multiple)

    return FrameSize(width=side(defaults.size.width), height=side(defaults.size.height))


def _plan(
    folder: ModelFolder, device: Device, request: GenerateRequest, *, eight_bit: bool
) -> ClipPlan:
    return plan_clip(
        tracer_of(NetworkLoader(folder), device.kind),
        request,
        budget_bytes=usable_bytes(device.free_bytes),
        card=Speeds(device, folder.fingerprint).card,
        allow_8bit=eight_bit,
    )


class _Watch:
    """Looks at what each stage of the clip in `folder` has made, as soon as the next one begins.

    Attributes:
        found: what cannot be right, once it was found.
    """

    def __init__(
        self, folder: Path, model: ModelInfo, device: Device, on_event: Callable[[Event], None]
    ) -> None:
        self._folder = folder
        self._model = model
        self._device = device
        self._on_event = on_event
        self._stage = Stage.TEXT
        self.found: WrongNumbers | None = None

    def on_event(self, event: Event) -> None:
        """Pass on what the clip's job tells, and look at what it has made.

        Raises:
            WrongNumbers: that cannot be right.
        """
        match event:
            case StageStarted():
                self._check_numbers()
                self._stage = event.stage
            case KeyFrameReady():
                self._check_picture(Path(event.path))
            case _:
                pass
        if not isinstance(event, Finished):
            self._on_event(event)

    def check_frames(self, num_frames: int) -> None:
        """All frames of the finished clip show something.

        Raises:
            WrongNumbers: one does not.
        """
        for index in range(num_frames):
            self._check_picture(frame_path(self._folder, num_frames, index))

    def wrong_numbers(self, what: str) -> WrongNumbers:
        """The error for a result that cannot be right: `what` was found in the present stage."""
        is_card = self._device.kind is DeviceKind.GRAPHICS_CARD
        advice = "install the card's newest driver" if is_card else "have its memory tested"
        self.found = WrongNumbers(
            f'The model "{self._model.name}" or {self._device.label} computes wrong numbers: in '
            f"{_WORDS[self._stage]}, {what}. Check the model with kvdesk doctor --full; if every "
            f"byte of it is right, {advice}.",
            detail=f"{self._device.name}, model in {self._model.folder}",
        )
        return self.found

    def _check_numbers(self) -> None:
        point = _POINTS.get(self._stage)
        if point is None:
            return
        tensors = FolderCheckpoints(ClipFolder.open(self._folder)).load(point)
        for name, tensor in (tensors or {}).items():
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                raise self.wrong_numbers(f"{name} has values that are infinite or not numbers")

    def _check_picture(self, path: Path) -> None:
        with Image.open(path) as picture:
            pixels = np.asarray(picture)
        if (pixels == pixels[0, 0]).all():
            raise self.wrong_numbers(f"{path.name} is of one colour")
