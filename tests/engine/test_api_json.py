from __future__ import annotations

import contextlib
import json
import math
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import (
    MAX_NOISE_AUGMENTATION,
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    MAX_STEPS,
    Alive,
    Aside,
    Cancel,
    CheckProgress,
    ClipDefaults,
    ClipInfo,
    ClipPlanned,
    Command,
    CountTokens,
    CropBox,
    DescribeDownload,
    DescribeMachine,
    DeviceInfo,
    DownloadDescribed,
    Downloaded,
    DownloadFile,
    DownloadModel,
    DownloadProgress,
    EightBitReport,
    Event,
    ExportClip,
    ExportPredicted,
    Failed,
    Finished,
    Fps,
    FrameSize,
    FreeMemory,
    GenerateRequest,
    Greet,
    GuidanceScales,
    Hello,
    KeyFrameReady,
    ListModels,
    MachineDescribed,
    MakeClip,
    MemoryAdapted,
    MemoryChangeKind,
    MemoryEffect,
    MemoryFreed,
    ModelInfo,
    ModelsListed,
    Motion,
    OpenPicture,
    OpenVideo,
    PictureOpened,
    PictureRequest,
    PlanClip,
    PlannedStage,
    Playback,
    PredictExport,
    Prepare,
    Prepared,
    PrepareProgress,
    PreviewReady,
    Quit,
    Sampler,
    SamplingSettings,
    SaveRequest,
    SelfTest,
    SelfTested,
    Stage,
    StageFinished,
    StageSeconds,
    StageStarted,
    StepDone,
    Stopped,
    TokensCounted,
    VideoOpened,
    Work,
    command_from_json,
    command_to_json,
    event_from_json,
    event_to_json,
    from_json,
    to_json,
)
from engine.errors import MessageError

REQUEST = GenerateRequest(
    prompt="a red circle",
    seed=7,
    size=FrameSize(width=64, height=96),
    picture=PictureRequest(path="cat.png", crop=CropBox(left=0, top=1.5, right=9, bottom=8)),
)
INFO = ModelInfo(
    name="toy",
    folder="/models/toy",
    description="A toy.",
    text_encoder_8bit=True,
    size_multiple=32,
    defaults=ClipDefaults(examples=("a red circle", "a blue square")),
    unets_8bit=True,
    error_8bit=0.0042,
    is_ready=False,
)
SAVE = SaveRequest(path="a.gif", overwrite=True, width=320, speed=0.5)
COMMANDS: list[Command] = [
    Greet(protocol=1),
    MakeClip(job=1, model="demo", request=REQUEST, folder="a", device="cpu"),
    MakeClip(job=2, model="x", request=REQUEST, folder="b", until=Stage.KEY_FRAME, eight_bit=True),
    ExportClip(job=3, folder="a", save=SAVE),
    Prepare(job=4, source="official", destination="toy", eight_bit=True, delete_originals=True),
    SelfTest(job=12, model="toy", folder="test", device="cpu", eight_bit=True),
    FreeMemory(job=5),
    Cancel(job=1),
    ListModels(job=6),
    DescribeMachine(job=7),
    PlanClip(job=8, model="demo", request=REQUEST, eight_bit=True),
    CountTokens(job=9, model="demo", text="a red circle"),
    OpenPicture(job=10, path="cat.jpg", preview="cat.png"),
    OpenVideo(job=11, path="a.mp4", folder="frames"),
    PredictExport(job=12, folder="a", save=SAVE),
    PredictExport(job=13, folder="a", save=SAVE, max_bytes=1_000_000),
    DescribeDownload(job=14, folder="model", also_in=("usb", "disk"), endpoint="http://a"),
    DownloadModel(job=15, folder="model", encoder_only=True, bytes_per_second=1_000_000),
    Quit(),
]
EVENTS: list[Event] = [
    Hello(protocol=1, version="0.1.0"),
    Alive(mark=12),
    StageStarted(stage=Stage.TEXT, num_steps=1),
    StepDone(stage=Stage.BASE_FRAMES, step=3, num_steps=50, seconds_left=12.5),
    StepDone(stage=Stage.TEXT, step=1, num_steps=1, seconds_left=None),
    StageFinished(stage=Stage.DECODE, seconds=0.25),
    Finished(num_frames=12, seconds=9.5, output="a.mp4"),
    PreviewReady(stage=Stage.BASE_FRAMES, step=3, path="preview.png", num_frames=12),
    KeyFrameReady(path="key_frame.png"),
    Stopped(),
    Failed(code="device", message="No.", detail="why"),
    CheckProgress(done_bytes=1, total_bytes=8 << 30),
    PrepareProgress(file="t2v.pt", done_bytes=1, total_bytes=8 << 30),
    Prepared(folder="toy"),
    Prepared(
        folder="toy",
        eight_bit=EightBitReport(
            num_layers=200,
            num_exact=3,
            worst_cosine=0.99991,
            mean_relative_error=0.0042,
            bytes_before=16 << 30,
            bytes_after=8 << 30,
        ),
    ),
    ModelsListed(models=(INFO, INFO)),
    ModelsListed(models=()),
    MachineDescribed(
        devices=(DeviceInfo(name="cpu", label="A processor", total_bytes=8 << 30, free_bytes=1),),
        total_bytes=8 << 30,
        free_bytes=4 << 30,
        card_without_torch="NVIDIA GeForce RTX 3060",
    ),
    SelfTested(seconds=9.5, num_frames=45, width=256, height=256, device="cuda", key_frame="k.png"),
    MemoryAdapted(
        stage=Stage.BASE_FRAMES, change=MemoryChangeKind.EIGHT_BIT, effect=MemoryEffect.LOSSY
    ),
    ClipPlanned(
        stages=(
            PlannedStage(stage=Stage.TEXT, num_steps=1, cost=0.5),
            PlannedStage(
                stage=Stage.DECODE, num_steps=12, cost=9, seconds=12.5, peak_bytes=3 << 30
            ),
        ),
        fits=False,
        needed_bytes=10 << 30,
        free_bytes=4 << 30,
        device="cuda:0",
    ),
    TokensCounted(count=130, limit=128),
    PictureOpened(width=4000, height=3000, path="small.png"),
    VideoOpened(
        folder="f", num_frames=45, width=64, height=64, frames_per_second=8.0, request=REQUEST
    ),
    VideoOpened(folder="f", num_frames=1, width=64, height=64, frames_per_second=29.97),
    ExportPredicted(num_bytes=1234, save=SAVE),
    DownloadDescribed(
        files=(DownloadFile(name="t2v.pt", size=8 << 30, have_bytes=1, found_in="usb/t2v.pt"),),
        total_bytes=8 << 30,
        missing_bytes=(8 << 30) - 1,
        peak_bytes=16 << 30,
        peak_bytes_deleting=12 << 30,
        stays_bytes=8 << 30,
        free_bytes=None,
    ),
    DownloadProgress(
        file="t2v.pt", done_bytes=1, total_bytes=2, bytes_per_second=0.5, seconds_left=None
    ),
    Downloaded(folder="model", fetched_bytes=3, copied_bytes=2, linked_bytes=1),
    MemoryFreed(),
]
CLIP = ClipInfo(
    format_version=1,
    request=REQUEST,
    model="demo",
    model_fingerprint="0" * 64,
    kvdesk_version="0.1.0",
    device="cpu",
    created="2026-11-22T19:30:05+00:00",
    has_key_frame=True,
    num_frames=12,
    seconds=(StageSeconds(stage=Stage.TEXT, seconds=0.5),),
    eight_bit=True,
)
A_COMMAND = command_to_json(COMMANDS[1])

thorough = settings(database=None, deadline=None)

scales = st.floats(-100, 100)
steps = st.integers(1, MAX_STEPS)
pixels = st.integers(1, 1024).map(lambda number: 8 * number)
coordinates = st.lists(st.floats(0, 1e6), min_size=2, max_size=2, unique=True).map(sorted)
crops = st.builds(
    lambda x, y: CropBox(left=x[0], top=y[0], right=x[1], bottom=y[1]), coordinates, coordinates
)
paths = st.text(min_size=1, max_size=30).filter(lambda path: "\0" not in path)
colours = st.tuples(*[st.integers(0, 255)] * 3)
requests = st.builds(
    GenerateRequest,
    prompt=st.text(max_size=50),
    seed=st.integers(0, MAX_SEED),
    size=st.builds(FrameSize, width=pixels, height=pixels),
    negative_prompt=st.text(max_size=50),
    picture=st.none()
    | st.builds(PictureRequest, path=paths, crop=st.none() | crops, background=colours),
    fps=st.sampled_from(Fps),
    motion=st.sampled_from(Motion),
    noise_augmentation=st.integers(0, MAX_NOISE_AUGMENTATION),
    guidance=st.builds(
        GuidanceScales, key_frame=scales, prompt=scales, image=scales, interpolation=scales
    ),
    sampling=st.builds(
        SamplingSettings,
        sampler=st.sampled_from(Sampler),
        steps=steps,
        interpolation_steps=steps,
    ),
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**320)  # beyond a float
    | st.floats()
    | st.text(st.characters(), max_size=12)  # halves of characters too
)
names = st.text(max_size=8) | st.sampled_from(["event", "command", "request", "width", "stage"])
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def over_the_wire(data: dict) -> dict:
    return json.loads(json.dumps(data))


def nested(depth: int) -> list:
    innermost: list = []
    for _ in range(depth):
        innermost = [innermost]
    return innermost


def copy_and_place(data: dict, path: str) -> tuple[dict, dict, str]:
    """A copy of `data`, and in it the object and the name of `path`, such as "request.size"."""
    copy = over_the_wire(data)
    *parents, name = path.split(".")
    place = copy
    for parent in parents:
        place = place[parent]
    return copy, place, name


def paths_in(data: dict, before: str = "") -> list[str]:
    found = []
    for name, value in data.items():
        found.append(before + name)
        if isinstance(value, dict):
            found += paths_in(value, f"{before}{name}.")
    return found


# There and back


@thorough
@given(requests)
def test_every_request_survives_the_wire(request):
    assert from_json(GenerateRequest, over_the_wire(to_json(request))) == request


@pytest.mark.parametrize("command", COMMANDS, ids=repr)
def test_every_command_survives_the_wire(command):
    assert command_from_json(over_the_wire(command_to_json(command))) == command


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_every_event_survives_the_wire(event):
    assert event_from_json(over_the_wire(event_to_json(event))) == event


def test_the_examples_above_leave_no_kind_of_message_out():
    assert {type(command) for command in COMMANDS} == set(get_args(Command))
    assert {type(event) for event in EVENTS} == set(get_args(Event))


def test_a_command_is_either_work_or_goes_on_beside_it_or_is_about_them():
    others = {Greet, Cancel, Quit}
    work, aside = set(get_args(Work)), set(get_args(Aside))
    assert work | aside | others == set(get_args(Command))
    assert not work & aside


def test_what_is_known_of_a_clip_survives_its_file():
    assert from_json(ClipInfo, over_the_wire(to_json(CLIP))) == CLIP


def test_every_name_of_a_closed_choice_is_kept():
    for playback in Playback:
        save = SaveRequest(path="a.gif", playback=playback)
        assert over_the_wire(to_json(save))["playback"] == playback.value
        assert from_json(SaveRequest, over_the_wire(to_json(save))) == save


def test_what_has_a_default_may_be_left_out():
    short = {"prompt": "x", "seed": 1, "size": {"width": 64, "height": 64}}
    assert from_json(GenerateRequest, short) == GenerateRequest(
        prompt="x", seed=1, size=FrameSize(width=64, height=64)
    )


def test_what_has_no_default_may_not_be_left_out():
    with pytest.raises(MessageError, match="Finished lacks 'output'"):
        event_from_json({"event": "finished", "num_frames": 12, "seconds": 1.0})


# What is refused, and by which name


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("request.size.width", "64", "MakeClip.request.size.width must be a whole number"),
        ("request.size.width", 64.0, "request.size.width must be a whole number"),
        ("request.size.width", True, "request.size.width must be a whole number, not True"),
        ("request.size.width", None, "request.size.width must be a whole number, not null"),
        ("request.size.width", 63, "request.size: The width must be a multiple of 8"),
        ("request.size.height", 8200, "request.size: The height must be"),
        ("request.size", [64, 64], "request.size must be an object, not a list"),
        ("request.prompt", 3, "request.prompt must be a text, not 3"),
        ("request.prompt", "\ud83d", "The prompt holds a damaged character"),
        ("request.prompt", "x" * (MAX_PROMPT_CHARACTERS + 1), "The prompt must have at most"),
        ("request.negative_prompt", "\udc00", "The negative prompt holds a damaged character"),
        ("request.seed", -1, "request: The seed must be from 0"),
        ("request.seed", 2**63, "request: The seed must be from 0"),
        ("request.seed", 10**4000, "not a number of 13288 bits"),
        ("request.guidance.prompt", math.nan, "guidance.prompt must be a number, not nan"),
        ("request.guidance.prompt", math.inf, "guidance.prompt must be a number, not inf"),
        ("request.guidance.prompt", 10**400, "guidance.prompt must be a number, not a number of"),
        ("request.guidance.prompt", 101, "guidance: The prompt guidance must be from -100 to 100"),
        ("request.guidance.prompt", False, "guidance.prompt must be a number, not False"),
        ("request.sampling.steps", 0, "sampling: The number of steps must be from 1"),
        ("request.sampling.sampler", "euler", "must be one of 'ddpm', 'dpm++', 'unipc', 'ddim'"),
        ("request.sampling.sampler", ["ddpm"], "sampler must be one of"),
        ("request.sampling.sampler", nested(100_000), "sampler must be one of"),
        ("request.motion", "normal", "must be one of 'low', 'medium', 'high', 'extreme'"),
        ("request.fps", 8, "request.fps must be one of 'low', 'medium', 'high', not 8"),
        ("request.noise_augmentation", 1000, "The noise augmentation must be from 0 to 999"),
        ("request.picture", "cat.png", "request.picture must be an object"),
        ("request.picture.path", "a\0b", "not the name of a file: it holds a zero byte"),
        ("request.picture.background", [1, 2], "background must have 3 items, not 2"),
        ("request.picture.background", [1, 2, 256], "values of a colour must be from 0 to 255"),
        ("request.picture.background", {"red": 1}, "background must be a list, not an object"),
        ("request.picture.crop.right", 0, "request.picture.crop: The crop (0, 1.5) to (0, 8)"),
        ("request.picture.crop.left", -1, "begins outside the picture"),
        ("request.colour", "red", "MakeClip.request has no 'colour'"),
        ("request." + "x" * 1000, 1, "has no 'xxxx"),
        ("until", "end", "MakeClip.until must be one of 'text', 'key_frame', 'base_frames'"),
        ("folder", None, "MakeClip.folder must be a text, not null"),
        ("job", "1", "MakeClip.job must be a whole number, not '1'"),
        ("device", 0, "MakeClip.device must be a text, not 0"),
        ("command", "explode", "The command must be one of greet, make_clip"),
        ("command", nested(100_000), "The command must be one of greet, make_clip"),
        ("command", None, "The command must be one of greet, make_clip"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_name(path, value, words):
    command, place, name = copy_and_place(A_COMMAND, path)
    place[name] = value
    with pytest.raises(MessageError) as caught:
        command_from_json(command)
    assert words in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("path", ["command", "job", "model", "request", "folder", "request.prompt",
                                  "request.seed", "request.size", "request.size.height",
                                  "request.picture.path"])  # fmt: skip
def test_a_missing_value_is_refused_by_its_name(path):
    command, place, name = copy_and_place(A_COMMAND, path)
    del place[name]
    with pytest.raises(MessageError) as caught:
        command_from_json(command)
    assert repr(name) in caught.value.message or f"The {name} must be" in caught.value.message


@pytest.mark.parametrize("data", [None, True, 3, "text", [], [{}], nested(100_000)], ids=type)
def test_what_is_no_object_is_refused(data):
    with pytest.raises(MessageError, match="GenerateRequest must be an object"):
        from_json(GenerateRequest, data)


@thorough
@given(json_values)
def test_nothing_but_a_message_error_comes_of_any_json(data):
    if isinstance(data, dict):
        for decode, tag in ((command_from_json, "command"), (event_from_json, "event")):
            for kind in ("make_clip", "prepare", "finished", "models_listed"):
                with pytest.raises(MessageError):
                    decode({**data, tag: kind, "no such name": 1})
    for cls in (GenerateRequest, ModelInfo, SaveRequest, ClipInfo):
        with contextlib.suppress(MessageError):
            from_json(cls, data)


@thorough
@given(st.sampled_from(paths_in(A_COMMAND)), json_values)
def test_nothing_but_a_message_error_comes_of_a_command_with_one_odd_value(path, value):
    odd, place, name = copy_and_place(A_COMMAND, path)
    place[name] = value
    with contextlib.suppress(MessageError):
        command = command_from_json(odd)
        assert over_the_wire(command_to_json(command)) == command_to_json(command)
