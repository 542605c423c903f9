from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest
from finished_clips import SIDE, demo_like_frames, request_of, write_clip
from PIL import ExifTags, Image

from engine.api import (
    DEMO_MODEL,
    CountTokens,
    CropBox,
    DescribeMachine,
    ExportPredicted,
    Fps,
    FrameSize,
    ListModels,
    OpenPicture,
    OpenVideo,
    PictureRequest,
    PlanClip,
    PredictExport,
    SaveRequest,
    Stage,
    to_json,
)
from engine.checkpoint.folder import ModelFolder, ModelPart, demo_folder
from engine.config import ModelConfig
from engine.errors import (
    DeviceError,
    InvalidRequest,
    ModelFileError,
    ModelNotFound,
    PictureError,
)
from engine.export import save_frames
from engine.machine import PROCESS_BYTES, processor_name
from engine.memory.clip_plan import plan_clip
from engine.memory.device import Device
from engine.memory.plan import PassTrace, UnitUse, Variant
from engine.memory.speeds import Speeds
from engine.prompt_tokens import count_tokens
from engine.questions import PREVIEW_SIDE, Lane, answer, lane_of
from engine.torch_loading import TorchLoading

GB = 10**9


def ask(question):
    loading = TorchLoading()
    loading.start()
    return answer(question, loading, is_cancelled=lambda: False)


def plan(**changes):
    request = replace(request_of(), **changes)
    return ask(PlanClip(job=1, model=DEMO_MODEL, request=request, device="cpu"))


def test_the_modules_do_not_load_torch():
    program = "import sys, engine.questions; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_may_take_long_does_not_hold_up_what_is_quick():
    save = SaveRequest(path="a.gif")
    slow = {
        lane_of(question)
        for question in (
            DescribeMachine(job=1),
            OpenVideo(job=2, path="a", folder="b"),
            PredictExport(job=3, folder="a", save=save),
        )
    }
    assert {lane_of(ListModels(job=1)), lane_of(CountTokens(job=2, model="x", text="y"))} == {
        Lane.QUICK
    }
    assert Lane.QUICK not in slow
    # The plan is asked for with every change of a form, while a file may be looked at.
    assert lane_of(PlanClip(job=1, model="x", request=request_of())) is not lane_of(
        OpenVideo(job=2, path="a", folder="b")
    )


# The machine


def test_the_machine_is_described_with_what_it_has():
    described = ask(DescribeMachine(job=1))
    assert described.total_bytes == psutil.virtual_memory().total
    assert 0 < described.free_bytes <= described.total_bytes
    *cards, cpu = described.devices
    assert (cpu.name, cpu.label) == ("cpu", processor_name())
    assert all(card.name.startswith("cuda:") for card in cards)
    assert all(0 < device.free_bytes <= device.total_bytes for device in described.devices)
    assert cpu.label.strip() == cpu.label != ""


def test_graphics_cards_come_first_with_their_names_and_their_memory(monkeypatch):
    import torch

    properties = type("Properties", (), {"name": "A card", "total_memory": 12 * GB})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda card: ((8 + card.index) * GB, 12 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: GB)
    *cards, cpu = ask(DescribeMachine(job=1)).devices
    assert [(card.name, card.label) for card in cards] == [
        ("cuda:0", "A card"),
        ("cuda:1", "A card"),
    ]
    # What this process holds itself is free for its next job.
    assert [(card.total_bytes, card.free_bytes) for card in cards] == [
        (12 * GB, 9 * GB),
        (12 * GB, 10 * GB),
    ]
    assert cpu.name == "cpu"
    on_card = ask(PlanClip(job=1, model=DEMO_MODEL, request=request_of(), device="cuda:1"))
    assert (on_card.device, on_card.free_bytes) == ("cuda:1", 10 * GB)
    assert on_card.needed_bytes < plan().needed_bytes - PROCESS_BYTES / 2


def test_a_driver_that_does_not_work_leaves_the_processor(monkeypatch):
    import torch

    def broken():
        raise RuntimeError("CUDA driver version is insufficient")

    monkeypatch.setattr(torch.cuda, "is_available", broken)
    (cpu,) = ask(DescribeMachine(job=1)).devices
    assert cpu.name == "cpu"


# Plans


def set_free_bytes(monkeypatch, num_bytes):
    monkeypatch.setattr("engine.memory.device.free_main_memory", lambda: num_bytes)


def test_a_clip_fits_where_as_much_is_free_as_it_needs(monkeypatch):
    set_free_bytes(monkeypatch, 1000 * GB)
    roomy = plan()
    assert (roomy.free_bytes, roomy.fits) == (1000 * GB, True)
    set_free_bytes(monkeypatch, GB // 10)
    needed_bytes = plan().needed_bytes
    for free_bytes, fits in ((GB // 10, False), (needed_bytes - 2, False), (needed_bytes, True)):
        set_free_bytes(monkeypatch, free_bytes)
        planned = plan()
        assert (planned.free_bytes, planned.fits) == (free_bytes, fits)
        assert fits == (planned.needed_bytes <= free_bytes)


def test_a_plan_says_what_each_stage_takes():
    planned = plan()
    assert all(stage.seconds > 0 for stage in planned.stages)
    assert all(stage.peak_bytes > 0 for stage in planned.stages)
    # A person compares with the whole memory of the computer, of which the process has some too.
    assert planned.needed_bytes == PROCESS_BYTES + max(stage.peak_bytes for stage in planned.stages)
    seconds = {stage.stage: stage.seconds for stage in planned.stages}
    assert seconds[Stage.BASE_FRAMES] > 10 * seconds[Stage.TEXT]


def test_a_stage_that_does_not_fit_has_no_seconds_but_says_what_it_would_need(monkeypatch):
    large = FrameSize(width=256, height=256)
    set_free_bytes(monkeypatch, 1000 * GB)
    roomy = plan(size=large)
    set_free_bytes(monkeypatch, 0)
    least = plan(size=large)
    set_free_bytes(monkeypatch, least.needed_bytes - 1_000_000)
    planned = plan(size=large)
    fitting = {stage.stage for stage in planned.stages if stage.seconds is not None}
    assert Stage.TEXT in fitting
    assert Stage.KEY_FRAME not in fitting
    for stage, small, whole in zip(planned.stages, least.stages, roomy.stages, strict=True):
        assert small.seconds is None
        assert 0 < small.peak_bytes <= stage.peak_bytes <= whole.peak_bytes
        assert stage.cost == whole.cost


def test_a_plan_counts_with_what_the_device_did_before(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = plan()
    now = 0.0
    monkeypatch.setattr("engine.memory.speeds.time.monotonic", lambda: now)
    speeds = Speeds(Device.named("cpu"), ModelFolder.open(demo_folder()).fingerprint)
    expected = speeds.card.flops_per_second
    work = UnitUse(unit="", flops=int(expected), moved_bytes=0, live_bytes=0)  # of one second
    step = PassTrace(
        name="a step",
        part=ModelPart.T2V,
        variant=Variant(),
        uses=(work,),
        unit_bytes={},
        fixed_bytes=0,
        repeats=3,
    )
    with speeds.measuring(step) as step_done:
        for seconds in (500.0, 100.0, 100.0):  # the first step waits for weights
            now += seconds
            step_done()
    assert speeds.card.flops_per_second == pytest.approx(expected / 100)
    after = plan()
    for stage, slower in zip(before.stages, after.stages, strict=True):
        assert 10 * stage.seconds < slower.seconds <= 101 * stage.seconds
    assert after.needed_bytes == before.needed_bytes


@pytest.mark.parametrize("eight_bit", [False, True])
def test_8bit_weights_are_planned_with_only_where_somebody_agreed(monkeypatch, eight_bit):
    def remembering(*arguments, allow_8bit, **options):
        asked.append(allow_8bit)
        return plan_clip(*arguments, allow_8bit=allow_8bit, **options)

    asked = []
    monkeypatch.setattr("engine.memory.clip_plan.plan_clip", remembering)
    question = PlanClip(job=1, model=DEMO_MODEL, request=request_of(), device="cpu")
    ask(replace(question, eight_bit=eight_bit))
    assert asked == [eight_bit]


def test_a_plan_has_the_stages_of_its_request():
    drawn = plan()
    assert [(stage.stage, stage.num_steps) for stage in drawn.stages] == [
        (Stage.TEXT, 1),
        (Stage.KEY_FRAME, 50),
        (Stage.BASE_FRAMES, 50),
        (Stage.INTERPOLATION, 10),
        (Stage.DECODE, 45),
    ]
    given = plan(picture=PictureRequest(path="none.png"), fps=Fps.LOW)
    assert [stage.stage for stage in given.stages] == [Stage.TEXT, Stage.BASE_FRAMES, Stage.DECODE]
    assert sum(stage.cost for stage in given.stages) < sum(stage.cost for stage in drawn.stages)
    assert drawn.device == "cpu"
    assert 0 < drawn.free_bytes <= psutil.virtual_memory().total


def test_a_larger_or_smoother_clip_needs_more():
    small = plan(fps=Fps.LOW)
    assert small.needed_bytes < plan(fps=Fps.LOW, size=FrameSize(width=256, height=64)).needed_bytes
    medium, high = (
        {stage.stage: stage for stage in plan(fps=fps).stages} for fps in (Fps.MEDIUM, Fps.HIGH)
    )
    # The longer pass is the second, of four times as many groups; all frames before it count too.
    between = Stage.INTERPOLATION
    assert medium[between].peak_bytes < high[between].peak_bytes
    assert 4 * medium[between].seconds < high[between].seconds
    assert medium[Stage.DECODE].peak_bytes == high[Stage.DECODE].peak_bytes


def test_a_clip_that_cannot_be_made_has_no_plan(prepared_folder, tmp_path):
    toy = str(prepared_folder)  # its networks need multiples of 32
    request = replace(request_of(), size=FrameSize(width=40, height=64))
    with pytest.raises(InvalidRequest, match="must be multiples of 32 for this model, not 40x64"):
        ask(PlanClip(job=1, model=toy, request=request, device="cpu"))
    with pytest.raises(ModelNotFound):
        ask(PlanClip(job=1, model=str(tmp_path / "none"), request=request, device="cpu"))
    with pytest.raises(DeviceError):
        ask(PlanClip(job=1, model=DEMO_MODEL, request=request_of(), device="tpu"))


def test_official_files_are_planned_without_reading_their_weights(official_folder, monkeypatch):
    def reading(*_):
        raise AssertionError("the contents were compared with their checksums")

    monkeypatch.setattr("engine.checkpoint.official.check_source", reading)
    planned = ask(PlanClip(job=1, model=str(official_folder), request=request_of(), device="cpu"))
    assert planned.needed_bytes > PROCESS_BYTES


# Tokens


@pytest.mark.parametrize("text", ["", "x", "a red circle", "Кошка 猫 🐈 — naïve", "word " * 300])
def test_tokens_are_counted_as_the_networks_are_given_them(text, prepared_folder):
    from transformers import AutoTokenizer

    folder = ModelFolder.open(prepared_folder).tokenizer_folder
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    wanted = len(tokenizer(text)["input_ids"])
    assert count_tokens(text, folder) == wanted
    counted = ask(CountTokens(job=1, model=str(prepared_folder), text=text))
    config = ModelConfig.from_json(ModelFolder.open(prepared_folder).configs)
    assert (counted.count, counted.limit) == (wanted, config.text.tokens_length)


def test_a_model_with_a_sentencepiece_file_only_counts_the_same(prepared_folder, tmp_path):
    folder = ModelFolder.open(prepared_folder).tokenizer_folder
    shutil.copy(folder / "spiece.model", tmp_path)
    for text in ("", "a red circle moving to the right", "luminescent jellyfish, neon, 4k"):
        assert count_tokens(text, tmp_path) == count_tokens(text, folder)


def test_half_a_character_is_counted_and_not_stumbled_over(prepared_folder):
    folder = ModelFolder.open(prepared_folder).tokenizer_folder
    assert count_tokens("cat \ud83d", folder) > count_tokens("cat", folder) - 1


@pytest.mark.fault(6)
def test_a_tokenizer_that_makes_its_library_panic_is_named(prepared_folder, tmp_path):
    file = ModelFolder.open(prepared_folder).tokenizer_folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    tokenizer["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "no such thing"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ModelFileError, match=r"tokenizer\.json is damaged"):
        count_tokens("x", tmp_path)


def test_a_tokenizer_that_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="has no tokenizer"):
        count_tokens("x", tmp_path)
    for name in ("spiece.model", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
        with pytest.raises(ModelFileError, match=f"{name} is damaged"):
            count_tokens("x", tmp_path)


def test_a_tokenizer_that_was_replaced_is_read_again(prepared_folder, tmp_path):
    folder = ModelFolder.open(prepared_folder).tokenizer_folder
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    count_tokens("x", tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelFileError, match="damaged"):
        count_tokens("x", tmp_path)


# Files


def test_a_picture_is_opened_upright_with_a_small_copy(tmp_path):
    picture = Image.new("RGB", (3000, 1500), (200, 30, 60))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture.save(tmp_path / "cat.jpg", exif=exif)
    preview = tmp_path / "new folder" / "кошка.png"
    opened = ask(OpenPicture(job=1, path=str(tmp_path / "cat.jpg"), preview=str(preview)))
    assert (opened.width, opened.height, opened.path) == (1500, 3000, str(preview))
    with Image.open(preview) as small:
        assert (small.format, small.mode, small.size) == ("PNG", "RGB", (512, PREVIEW_SIDE))
    assert [path.name for path in preview.parent.iterdir()] == [preview.name]


def test_a_small_or_transparent_picture_is_not_scaled_up_and_lies_on_white(tmp_path):
    Image.new("RGBA", (5, 4), (0, 0, 0, 0)).save(tmp_path / "cat.png")
    preview = tmp_path / "small.png"
    preview.write_text("an older one")
    opened = ask(OpenPicture(job=1, path=str(tmp_path / "cat.png"), preview=str(preview)))
    assert (opened.width, opened.height) == (5, 4)
    with Image.open(preview) as small:
        assert small.getcolors() == [(20, (255, 255, 255))]


def test_a_picture_that_cannot_be_used_leaves_nothing(tmp_path):
    (tmp_path / "cat.png").write_text("not a picture")
    Image.new("RGB", (4, 4)).save(tmp_path / "dog.png")
    for name, preview in (("cat.png", "small.png"), ("dog.png", "cat.png/small.png")):
        question = OpenPicture(job=1, path=str(tmp_path / name), preview=str(tmp_path / preview))
        with pytest.raises(PictureError):
            ask(question)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.png", "dog.png"]


def test_the_request_in_a_video_can_be_used_again(tmp_path):
    save = SaveRequest(path=str(tmp_path / "clip.webp"))
    request = replace(
        request_of(),
        picture=PictureRequest(path="cat.png", crop=CropBox(left=0, top=0, right=9, bottom=9)),
    )
    frames = demo_like_frames(12)
    save_frames(frames, save, frames_per_second=8, request=to_json(request))
    opened = ask(OpenVideo(job=1, path=save.path, folder=str(tmp_path / "frames")))
    assert opened.request == request
    assert (opened.num_frames, opened.width, opened.height) == (12, SIDE, SIDE)


def test_the_size_of_an_export_is_predicted_for_a_clip_in_a_folder(tmp_path):
    write_clip(tmp_path / "clip", demo_like_frames(12))
    save = SaveRequest(path=str(tmp_path / "a.gif"))
    question = PredictExport(job=1, folder=str(tmp_path / "clip"), save=save)
    predicted = ask(question)
    assert isinstance(predicted, ExportPredicted)
    assert predicted.save == save
    smaller = ask(replace(question, max_bytes=predicted.num_bytes // 2))
    assert smaller.num_bytes <= predicted.num_bytes // 2
    assert smaller.save.width is not None
    assert not (tmp_path / "a.gif").exists()
