from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

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
from engine.checkpoint.tensors import TensorRecord
from engine.config import ModelConfig
from engine.errors import (
    DeviceError,
    InvalidRequest,
    ModelFileError,
    ModelNotFound,
    PictureError,
)
from engine.export import save_frames
from engine.machine import processor_name
from engine.memory.estimate import (
    PROCESS_BYTES,
    DeviceKind,
    PartBytes,
    needed_bytes,
    part_bytes,
)
from engine.prompt_tokens import count_tokens
from engine.questions import PREVIEW_SIDE, Lane, answer, lane_of
from engine.torch_loading import TorchLoading

RELEASED_CONFIGS = Path(__file__).parents[1] / "kandinsky_1_1" / "configs.json"
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


def test_a_larger_or_smoother_clip_needs_more_memory():
    small = plan(fps=Fps.LOW)
    assert small.needed_bytes < plan(fps=Fps.LOW, size=FrameSize(width=256, height=64)).needed_bytes
    low, high = (plan(fps=fps, picture=PictureRequest(path="x.png")) for fps in (Fps.LOW, Fps.HIGH))
    assert low.needed_bytes < high.needed_bytes


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


# Estimates


def released(kind: DeviceKind, **changes) -> float:
    """What a clip of the released model is said to need, in GB."""
    config = ModelConfig.from_json(json.loads(RELEASED_CONFIGS.read_text()))
    unet = kind.unet_item_bytes / 2
    sizes = {
        ModelPart.T2V: (8.30 * GB, 8.30 * GB * unet),
        ModelPart.INTERPOLATION: (7.96 * GB, 7.96 * GB * unet),
        ModelPart.IMAGE_MOVQ: (1.08 * GB, 1.08 * GB),
        ModelPart.VIDEO_MOVQ: (2.66 * GB, 2.66 * GB),
        ModelPart.TEXT_PROJECTIONS: (0.13 * GB, 0.13 * GB),
        ModelPart.TEXT_ENCODER: (8.9 * GB, 9.0 * GB),
    }
    parts = {
        part: PartBytes(stored=int(stored), on_device=int(on_device))
        for part, (stored, on_device) in sizes.items()
    }
    request = replace(request_of(), size=FrameSize(width=512, height=512), **changes)
    return needed_bytes(request, config, parts, kind) / GB


def test_the_released_model_needs_what_was_counted_for_it():
    on_card = DeviceKind.GRAPHICS_CARD
    # The key frame's network is still there while its picture is decoded.
    assert released(on_card) == pytest.approx(8.3 + 1.08 + 10.7, rel=0.01)
    with_picture = {"picture": PictureRequest(path="x.png")}
    assert released(on_card, **with_picture, fps=Fps.LOW) == pytest.approx(2.66 + 10.7, rel=0.01)
    smooth = released(on_card, **with_picture, fps=Fps.HIGH)
    assert smooth == pytest.approx(2.66 + 10.7 * 5 / 4, rel=0.01)


def test_on_the_processor_the_networks_are_twice_as_large_and_the_process_counts():
    on_cpu = released(DeviceKind.CPU)
    assert on_cpu == pytest.approx(16.6 + 1.08 + 10.7 + PROCESS_BYTES / GB, rel=0.01)


def test_weights_count_in_the_types_that_the_device_holds_them_in():
    def record(dtype: str) -> TensorRecord:
        return TensorRecord(file=Path("x"), offset=0, dtype=dtype, shape=(10, 10))

    tensors = {
        ModelPart.T2V: {"a": record("float16")},
        ModelPart.IMAGE_MOVQ: {"a": record("float16")},
        ModelPart.TEXT_ENCODER: {"a": record("int8"), "b": record("bfloat16")},
    }
    sizes = part_bytes(tensors, DeviceKind.GRAPHICS_CARD)
    assert {part: size.on_device for part, size in sizes.items()} == {
        ModelPart.T2V: 200,
        ModelPart.IMAGE_MOVQ: 400,
        ModelPart.TEXT_ENCODER: 500,
    }
    assert part_bytes(tensors, DeviceKind.CPU)[ModelPart.T2V] == PartBytes(
        stored=200, on_device=400
    )


def test_small_networks_are_counted_together_as_they_are_kept():
    folder = ModelFolder.open(demo_folder())
    parts = part_bytes({part: folder.tensors(part) for part in ModelPart}, DeviceKind.CPU)
    needed = needed_bytes(
        request_of(), ModelConfig.from_json(folder.configs), parts, DeviceKind.CPU
    )
    assert needed > PROCESS_BYTES + sum(size.on_device for size in parts.values())


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
