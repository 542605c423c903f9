from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.errors import InvalidRequest
from kvdesk.settings import Settings, SettingsStore

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

pytestmark = pytest.mark.usefixtures("qapp")

CHANGED = Settings(
    language="zh_CN",
    theme="dark",
    text_percent=150,
    clips_folder="/clips",
    device="cpu",
    eight_bit=True,
    mirror="https://mirror.example",
    download_limit=5,
    told_of_card="a card",
    reduce_motion=True,
    notify=False,
    window_geometry="AdnQywADAAA=",
    splitter_sizes=(400, 700, 300),
    more_is_open=True,
    welcomed=True,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def changes_to(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in Settings.__dataclass_fields__}


def test_without_a_file_all_is_at_its_default_and_none_is_made(path: Path) -> None:
    store = SettingsStore(path)
    store.flush()

    assert store.values == Settings()
    assert not path.exists()


def test_every_setting_survives_a_restart(path: Path) -> None:
    store = SettingsStore(path)
    store.change(**changes_to(CHANGED))
    store.flush()

    assert SettingsStore(path).values == CHANGED
    assert all(value != changes_to(Settings())[name] for name, value in changes_to(CHANGED).items())


def test_a_change_is_told_and_soon_written(path: Path, qtbot: QtBot) -> None:
    store = SettingsStore(path)

    with qtbot.waitSignal(store.changed, timeout=500) as told:
        store.change(theme="light")

    assert told.args == [Settings(theme="light")]
    assert not path.exists()
    qtbot.waitUntil(path.exists, timeout=2000)
    assert json.loads(path.read_text())["theme"] == "light"
    assert json.loads(path.read_text())["version"] == 1


def test_no_change_is_not_told_and_not_written(path: Path, qtbot: QtBot) -> None:
    store = SettingsStore(path)

    with qtbot.assertNotEmitted(store.changed):
        store.change(theme="system", notify=True)
    store.flush()

    assert not path.exists()


@pytest.mark.parametrize(
    "change", [{"theme": "pink"}, {"language": "xx"}, {"text_percent": 110}], ids=str
)
def test_a_value_that_is_no_choice_is_refused_and_nothing_changes(
    path: Path, change: dict[str, object]
) -> None:
    store = SettingsStore(path)

    with pytest.raises(InvalidRequest):
        store.change(device="cpu", **change)

    assert store.values == Settings()


def test_a_setting_that_does_not_exist_is_refused(path: Path) -> None:
    with pytest.raises(TypeError):
        SettingsStore(path).change(volume=11)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "xx"),
        ("theme", 3),
        ("text_percent", 110),
        ("text_percent", True),
        ("clips_folder", None),
        ("reduce_motion", "yes"),
        ("splitter_sizes", [1, "2"]),
        ("splitter_sizes", "12"),
        ("window_geometry", {"a": []}),
    ],
)
def test_a_wrong_value_falls_back_alone(path: Path, name: str, value: object) -> None:
    SettingsStore(path).change(device="cpu")
    data = {**json.loads(json.dumps(changes_to(CHANGED))), "version": 1, name: value}
    path.parent.mkdir()
    path.write_text(json.dumps(data))

    assert SettingsStore(path).values == replace(CHANGED, **{name: changes_to(Settings())[name]})


@pytest.mark.fault(26)
def test_a_damaged_file_gives_the_defaults_and_is_set_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{")

    assert SettingsStore(path).values == Settings()
    assert path.with_name("settings.json.damaged").exists()


@pytest.mark.fault(26)
def test_a_file_of_a_newer_version_is_used_and_never_rewritten(path: Path, qtbot: QtBot) -> None:
    path.parent.mkdir()
    content = json.dumps({"version": 2, "theme": "dark", "language": "fr", "colour": "green"})
    path.write_text(content)
    store = SettingsStore(path)

    assert store.values == Settings(theme="dark", welcomed=True)
    with qtbot.waitSignal(store.changed, timeout=500):
        store.change(theme="light")
    store.flush()

    assert store.values.theme == "light"
    assert path.read_text() == content


def test_a_version_that_is_none_does_not_stop_settings_from_being_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"version": "green", "theme": "dark"}))
    store = SettingsStore(path)
    store.change(notify=False)
    store.flush()

    assert SettingsStore(path).values == Settings(theme="dark", notify=False, welcomed=True)
