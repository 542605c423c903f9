"""The worker that plays does what the real one would, as far as the window sees."""

from __future__ import annotations

from dataclasses import replace

from engine_talk import REQUEST, make_clip, opened_picture, read_info
from PIL import Image

from engine.api import (
    ClipPlanned,
    CropBox,
    DescribeMachine,
    ExportClip,
    ExportPredicted,
    Failed,
    Finished,
    Fps,
    FreeMemory,
    KeyFrameReady,
    ListModels,
    MachineDescribed,
    MemoryFreed,
    ModelsListed,
    OpenPicture,
    OpenVideo,
    PictureOpened,
    PictureRequest,
    PlanClip,
    PredictExport,
    Prepare,
    Prepared,
    PrepareProgress,
    PreviewReady,
    SaveRequest,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    VideoOpened,
    frame_path,
)


def test_every_question_has_its_answer(fake_engine, answer_of, run_to_end, tmp_path):
    engine = fake_engine(models=[{"name": "other", "size_multiple": 64}])
    models = answer_of(engine, ListModels(job=0))
    assert isinstance(models, ModelsListed)
    assert [model.name for model in models.models] == ["demo", "other"]
    machine = answer_of(engine, DescribeMachine(job=0))
    assert isinstance(machine, MachineDescribed)
    plan = answer_of(engine, PlanClip(job=0, model="demo", request=REQUEST))
    assert isinstance(plan, ClipPlanned)
    assert [stage.stage for stage in plan.stages] == ["text", "key_frame", "base_frames", "decode"]

    Image.new("RGB", (300, 200), "red").save(tmp_path / "a.jpg")
    preview = tmp_path / "preview.png"
    picture = OpenPicture(job=0, path=str(tmp_path / "a.jpg"), preview=str(preview))
    assert answer_of(engine, picture) == PictureOpened(width=300, height=200, path=str(preview))
    assert opened_picture(preview) == ("PNG", (300, 200))
    broken = answer_of(engine, replace(picture, path=str(preview.with_name("none.png"))))
    assert isinstance(broken, Failed)
    assert broken.code == "picture"

    (tmp_path / "a.mp4").write_bytes(b"video")
    video = OpenVideo(job=0, path=str(tmp_path / "a.mp4"), folder=str(tmp_path / "video"))
    opened = answer_of(engine, video)
    assert isinstance(opened, VideoOpened)
    frame = frame_path(opened.folder, opened.num_frames, 11)
    assert opened_picture(frame) == ("PNG", (64, 64))

    run_to_end(engine, make_clip(tmp_path / "clip"))
    save = SaveRequest(path=str(tmp_path / "a_b.mp4"))
    prediction = PredictExport(job=0, folder=str(tmp_path / "clip"), save=save)
    predicted = answer_of(engine, prediction)
    assert isinstance(predicted, ExportPredicted)
    smaller = answer_of(engine, replace(prediction, max_bytes=predicted.num_bytes // 2))
    assert smaller.num_bytes <= predicted.num_bytes // 2
    assert smaller.save.crf > save.crf


def test_a_clip_is_a_whole_folder_and_its_events_tell_the_story(fake_engine, run_to_end, tmp_path):
    events = run_to_end(fake_engine(), make_clip(tmp_path / "clip"))
    stages = ["text", "key_frame", "base_frames", "decode"]
    assert [event.stage for event in events.of(StageStarted)] == stages
    assert [event.stage for event in events.of(StageFinished)] == stages
    assert len(events.of(StepDone)) == 1 + 6 + 6 + 12
    assert [event.num_frames for event in events.of(PreviewReady)] == [1] * 6 + [12] * 6
    assert isinstance(events[-1], Finished)
    assert (events[-1].num_frames, events[-1].output) == (12, str(tmp_path / "clip"))
    info = read_info(tmp_path / "clip")
    assert (info.num_frames, info.has_key_frame, info.request) == (12, True, REQUEST)
    assert [entry.stage for entry in info.seconds] == stages
    (key_frame,) = events.of(KeyFrameReady)
    assert opened_picture(key_frame.path) == ("PNG", (128, 128))
    for index in range(12):
        assert opened_picture(frame_path(tmp_path / "clip", 12, index)) == ("PNG", (64, 64))
    assert opened_picture(tmp_path / "clip" / "strip.jpg") == ("JPEG", (12 * 64, 64))


def test_a_picture_replaces_the_key_frame_stage(fake_engine, run_to_end, tmp_path):
    Image.new("RGB", (80, 60), "red").save(tmp_path / "a.png")
    picture = PictureRequest(
        path=str(tmp_path / "a.png"), crop=CropBox(left=0, top=0, right=60, bottom=60)
    )
    events = run_to_end(
        fake_engine(), make_clip(tmp_path / "clip", replace(REQUEST, picture=picture))
    )
    assert [event.stage for event in events.of(StageStarted)] == ["text", "base_frames", "decode"]
    assert len(events.of(KeyFrameReady)) == 1
    assert not read_info(tmp_path / "clip").has_key_frame
    assert opened_picture(tmp_path / "clip" / "picture.png") == ("PNG", (80, 60))


def test_a_folder_goes_on_where_it_was(fake_engine, run_to_end, tmp_path):
    engine = fake_engine()
    folder = tmp_path / "clip"
    events = run_to_end(engine, make_clip(folder, until=Stage.KEY_FRAME))
    assert events[-1].num_frames == 0
    assert read_info(folder).has_key_frame
    events = run_to_end(engine, make_clip(folder))
    assert [event.stage for event in events.of(StageStarted)] == ["base_frames", "decode"]
    draft = frame_path(folder, 12, 11).read_bytes()
    events = run_to_end(engine, make_clip(folder, replace(REQUEST, fps=Fps.MEDIUM)))
    assert [event.stage for event in events.of(StageStarted)] == ["interpolation", "decode"]
    assert events[-1].num_frames == read_info(folder).num_frames == 45
    assert frame_path(folder, 45, 44).read_bytes() == draft
    (end,) = run_to_end(engine, make_clip(folder, replace(REQUEST, fps=Fps.MEDIUM)))
    assert end.num_frames == 45
    other = run_to_end(engine, make_clip(folder, replace(REQUEST, seed=8)))
    assert isinstance(other[-1], Failed)


def test_other_work_runs_to_its_own_end(fake_engine, run_to_end, tmp_path):
    engine = fake_engine(step_seconds=0.001)
    prepared = run_to_end(engine, Prepare(job=0, source="x", destination=str(tmp_path / "model")))
    assert len(prepared.of(PrepareProgress)) == 5
    assert prepared[-1] == Prepared(folder=str(tmp_path / "model"))
    assert run_to_end(engine, FreeMemory(job=0)) == [MemoryFreed()]
    run_to_end(engine, make_clip(tmp_path / "clip"))
    save = SaveRequest(path=str(tmp_path / "a.mp4"))
    export = ExportClip(job=0, folder=str(tmp_path / "clip"), save=save)
    exported = run_to_end(engine, export)
    assert exported[-1].output == save.path
    assert (tmp_path / "a.mp4").stat().st_size > 0
    assert run_to_end(engine, export)[-1].code == "output_exists"
