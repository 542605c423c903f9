"""The doctor: what it finds wrong, and that it says what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine import jail, machine
from engine.api.own_module import torch_advice
from engine.checkpoint import folder as model_folders
from engine.cli import main
from engine.doctor import command, folder_checks, machine_checks
from engine.doctor.finding import Finding, Health

pytestmark = pytest.mark.fault(37)

GOOD = Finding(topic="one", words="works")
BAD = Finding(topic="two", health=Health.WRONG, words="does not", advice="Mend it.")
IMAGINARY_CARD = [machine.Card(name="RTX 3060", driver="570.1")]


def ignore(_progress) -> None:
    pass


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders of a person of their own."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


# The machine


def test_this_machine_can_compute_and_write_videos():
    findings = [
        *machine_checks.check_python(),
        *machine_checks.check_torch(),
        *machine_checks.check_ffmpeg(),
    ]
    assert [each.topic for each in findings if each.health is Health.WRONG] == []
    assert {"Python", "PyTorch", "cpu", "main memory", "ffmpeg"} <= {e.topic for e in findings}


@pytest.mark.parametrize(
    ("cards", "cuda", "uses_card", "health", "advice"),
    [
        ([], None, False, Health.OK, ""),
        (IMAGINARY_CARD, "12.8", True, Health.OK, ""),
        (IMAGINARY_CARD, None, False, Health.CAREFUL, "--torch-backend=auto --reinstall"),
        (IMAGINARY_CARD, "12.8", False, Health.CAREFUL, "newer driver"),
    ],
)
def test_a_build_that_cannot_use_the_card_is_found(
    monkeypatch, cards, cuda, uses_card, health, advice
):
    monkeypatch.setattr(machine_checks, "cards_in_computer", lambda: cards)
    finding = machine_checks.build_finding("2.13.0", cuda, uses_card=uses_card)
    assert finding.health is health
    assert advice in finding.advice
    assert ("RTX 3060" in finding.words) is (health is not Health.OK)


@pytest.mark.skipif(os.name == "nt", reason="the tool is a script here")
def test_cards_are_those_that_the_drivers_tool_names(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'RTX 3060, 570.1'\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.cards_in_computer() == [machine.Card(name="RTX 3060", driver="570.1")]


@pytest.mark.parametrize("level", jail.JailLevel)
def test_every_level_of_locks_has_words_and_less_than_all_is_said(monkeypatch, level):
    monkeypatch.setattr(jail, "probe", lambda: level)
    monkeypatch.setattr("engine.picture_opening.decoder_level", lambda: level)
    for finding in machine_checks.check_locks():
        assert (finding.health is Health.OK) is (level is jail.JailLevel.FULL)


@pytest.mark.parametrize(
    ("cuda", "cards", "name"),
    [(None, IMAGINARY_CARD, "RTX 3060"), ("12.8", IMAGINARY_CARD, ""), (None, [], "")],
)
def test_a_card_that_pytorch_was_built_without_is_named(monkeypatch, cuda, cards, name):
    monkeypatch.setattr("torch.version.cuda", cuda)
    monkeypatch.setattr(machine, "cards_in_computer", lambda: cards)
    monkeypatch.setattr(
        machine, "card_without_torch", machine.card_without_torch.__wrapped__
    )  # what it remembers is of this computer
    assert machine.describe_machine().card_without_torch == name


@pytest.mark.parametrize("is_bundle", [True, False])
def test_the_way_to_another_pytorch_is_that_of_the_installation(monkeypatch, is_bundle):
    monkeypatch.setattr("engine.api.own_module.is_bundle", lambda: is_bundle)
    assert torch_advice().startswith("kvdesk" if is_bundle else "uv pip install")


# Folders


def test_a_folder_that_is_not_there_is_not_made(places):
    finding = folder_checks.folder_finding("clips", places / "a" / "b")
    assert finding.health is Health.OK
    assert "made when it is needed" in finding.words
    assert not (places / "a").exists()


def test_nothing_is_left_in_a_folder_that_was_examined(places):
    before = sorted(places.rglob("*"))
    assert folder_checks.folder_finding("clips", places).health is Health.OK
    assert sorted(places.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_found(places):
    (places / "file").touch()
    finding = folder_checks.folder_finding("clips", places / "file")
    assert finding.health is Health.WRONG
    assert "cannot be written" in finding.words
    assert finding.advice


@pytest.mark.parametrize(
    ("free", "health"),
    [(10**8, Health.WRONG), (10**9, Health.CAREFUL), (10**10, Health.OK), (None, Health.OK)],
)
def test_a_disk_that_is_nearly_full_is_found(places, monkeypatch, free, health):
    monkeypatch.setattr(folder_checks, "free_bytes", lambda _: free)
    finding = folder_checks.folder_finding("clips", places)
    assert finding.health is health
    assert bool(finding.advice) is (health is not Health.OK)


def test_the_folder_of_clips_is_the_one_of_the_settings(places):
    assert folder_checks.clips_folder().name == "kvdesk"
    settings = places / "XDG_CONFIG_HOME" / "kvdesk" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"clips_folder": str(places / "mine")}), encoding="utf-8")
    assert folder_checks.clips_folder() == places / "mine"
    for damaged in ("{", "[]", '{"clips_folder": 3}', ""):
        settings.write_text(damaged, encoding="utf-8")
        assert folder_checks.clips_folder().name == "kvdesk"


# Models


def test_the_demo_is_whole_and_a_damaged_model_is_named(places, monkeypatch):
    models = places / "models"
    shutil.copytree(model_folders.demo_folder(), models / "bad")
    data = bytearray((models / "bad" / "movq.safetensors").read_bytes())
    data[-20] ^= 1
    (models / "bad" / "movq.safetensors").write_bytes(data)
    monkeypatch.setattr(folder_checks, "models_folder", lambda: models)
    seen = []
    quick = list(folder_checks.check_models(is_full=False, on_progress=ignore))
    assert [each.health for each in quick] == [Health.OK, Health.OK]
    demo, bad = folder_checks.check_models(is_full=True, on_progress=seen.append)
    assert demo.health is Health.OK
    assert "every byte is right" in demo.words
    assert bad.health is Health.WRONG
    assert "movq.safetensors" in bad.words
    assert seen

    (models / "bad" / "movq.safetensors").unlink()
    _, gone = folder_checks.check_models(is_full=False, on_progress=ignore)
    assert gone.health is Health.WRONG
    assert "movq.safetensors" in gone.words


# The command


@pytest.fixture
def findings_of(monkeypatch):
    """Has the doctor find what a test says."""

    def use(*findings: Finding) -> None:
        monkeypatch.setattr(command, "examine", lambda **_: iter(findings))

    return use


@pytest.mark.parametrize(("findings", "status"), [((GOOD,), 0), ((GOOD, BAD), 1)])
def test_the_exit_status_says_whether_something_is_wrong(findings_of, capsys, findings, status):
    findings_of(*findings)
    assert main(["doctor"]) == status
    printed = capsys.readouterr().out
    assert "one" in printed
    assert ("Mend it." in printed) is bool(status)
    assert main(["doctor", "--json"]) == status
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is not bool(status)
    assert answer["findings"][0] == {
        "topic": "one", "health": "ok", "words": "works", "advice": ""
    }  # fmt: skip


def test_a_check_that_stumbles_does_not_hide_the_others(monkeypatch):
    def stumble():
        raise OSError("a disk that is gone")
        yield

    for module, name in (
        (machine_checks, "check_torch"),
        (machine_checks, "check_ffmpeg"),
        (folder_checks, "check_folders"),
    ):
        monkeypatch.setattr(module, name, stumble)
    from engine.doctor import worker_checks

    monkeypatch.setattr(worker_checks, "check_worker", lambda: iter([GOOD]))
    found = list(command.examine(is_full=False, on_progress=ignore))
    wrong = [each for each in found if each.health is Health.WRONG]
    assert [each.topic for each in wrong] == ["PyTorch", "ffmpeg", "folders"]
    assert all("a disk that is gone" in each.words for each in wrong)
    assert found[-1] == GOOD


def test_a_report_has_no_paths_and_replaces_nothing(findings_of, capsys, tmp_path):
    path = tmp_path / "secret place" / "report.txt"
    path.parent.mkdir()
    findings_of(Finding(topic="folder of clips", words=f"{tmp_path}/secret place is full"))
    assert main(["doctor", "--report", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert "torch 2." in text
    assert "folder of clips" in text
    assert "secret place" not in text
    assert str(Path.home()) not in text
    assert main(["doctor", "--report", str(path)]) == 1
    assert "already" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == text
    assert main(["doctor", "--report", str(tmp_path / "gone" / "report.txt")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.slow
def test_the_whole_examination_ends_well_here(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(model_folders.__file__).parents[2])}
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HOME"):
        environment[name] = str(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "doctor", "--full", "--json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    topics = {each["topic"] for each in json.loads(done.stdout)["findings"]}
    assert {"Python", "PyTorch", "ffmpeg", "locks", "model demo", "worker", "small clip"} <= topics
    assert not any(path.is_file() for path in (tmp_path / "HOME").rglob("*"))
