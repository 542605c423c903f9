"""`kvdesk plan`: what it prints, and what it refuses."""

from __future__ import annotations

import gc
import json

import pytest

from engine import cli
from engine.memory.cards import CARDS
from engine.memory.feeder import MOST_STAGING_BYTES
from engine.memory.host_cache import HOST_CACHE_BYTES

DEMO = ("--model", "demo")  # takes a tenth of the time that the released model does
ON_A_CARD = ("--device", "simulated:RTX 3060")


@pytest.fixture(autouse=True)
def _own_process(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield
    gc.unfreeze()
    gc.enable()  # the command leaves it off, since its process ends with it


@pytest.fixture
def plan(capsys):
    """The status of `kvdesk plan` with these arguments, and all that it printed."""

    def run(*arguments):
        status = cli.main(["plan", *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def plan_json(plan):
    def run(*arguments):
        status, out, _err = plan("--json", *arguments)
        assert status == 0
        assert out.count("\n") == 1
        return json.loads(out)

    return run


def test_json_has_the_promised_keys_and_types(plan_json):
    found = plan_json(*DEMO, *ON_A_CARD, "--fps", "medium", "--vram", "3")
    assert found.keys() == {"fits", "peak_bytes", "host_bytes", "stages"}
    assert found["fits"] is True
    assert [stage["name"] for stage in found["stages"]] == [
        "text",
        "key frame",
        "key frame decode",
        "picture encode",
        "base frames",
        "interpolation 1",
        "decode",
    ]
    for stage in found["stages"]:
        numbers = {name: type(value) for name, value in stage.items() if name != "name"}
        seconds = numbers.pop("seconds")
        assert numbers == dict.fromkeys(
            ("peak_bytes", "resident_bytes", "streamed_bytes", "flops"), int
        )
        assert seconds is float
        assert 0 < stage["resident_bytes"] <= stage["peak_bytes"] <= 3e9
        assert stage["seconds"] > 0
    assert found["peak_bytes"] == max(stage["peak_bytes"] for stage in found["stages"])


def test_what_does_not_fit_has_no_seconds_and_is_no_failure(plan_json, plan):
    arguments = (*DEMO, *ON_A_CARD, "--vram", "0.04")
    found = plan_json(*arguments)
    assert found["fits"] is False
    too_large = [stage for stage in found["stages"] if stage["seconds"] is None]
    assert too_large
    assert all(stage["peak_bytes"] > 0.04e9 for stage in too_large)
    assert found["peak_bytes"] > 0.04e9
    status, out, _err = plan(*arguments)
    assert status == 0
    assert "too large" in out
    assert "It does not fit." in out


def test_the_released_model_needs_no_files_and_a_table_says_that_it_is_planned(plan):
    status, out, err = plan(*ON_A_CARD)
    assert (status, err) == (0, "")
    first, *_, last = out.splitlines()
    assert first == "512x512, 12 frames on RTX 3060, planned"
    assert last.startswith("Main memory: ")
    assert float(last.split()[2]) * 1e9 > HOST_CACHE_BYTES + MOST_STAGING_BYTES
    assert last.endswith("It fits.")


def test_main_memory_counts_too(plan_json):
    found = plan_json(*DEMO, *ON_A_CARD, "--vram", "3", "--ram", "0.7")
    assert all(stage["seconds"] for stage in found["stages"])
    assert found["host_bytes"] > 0.7e9
    assert found["fits"] is False


def test_on_a_processor_main_memory_is_the_budget(plan_json):
    found = plan_json(*DEMO, "--device", "cpu", "--ram", "6")
    assert found["fits"] is True
    assert found["peak_bytes"] < found["host_bytes"] <= 6e9


def test_a_model_in_a_folder_is_planned_by_its_own_sizes(plan_json):
    found = plan_json(*DEMO, *ON_A_CARD)
    assert found["fits"] is True
    assert found["peak_bytes"] < 0.1e9


def test_a_simulated_card_may_be_any_of_the_table(plan):
    card = CARDS[-1]
    status, out, _err = plan(*DEMO, "--device", f"simulated:{card.name.lower()}")
    assert status == 0
    assert out.startswith(f"64x64, 12 frames on {card.name}, planned")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--device", "simulated:RTX 9999"), 'no card "RTX 9999" in the table. There are: RTX '),
        (("--device", "simulated:cpu"), 'no card "cpu" in the table'),
        (("--device", "abacus"), 'no device "abacus"'),
        (("--model", "nothing-of-this-name"), "nothing-of-this-name"),
        (("--width", "520"), "must be multiples of 64 for this model, not 520x512"),
        (("--width", "640", "--height", "360"), "multiples of 64 for this model, not 640x360"),
        (("--width", "500"), "must be a multiple of 8"),
        (("--height", "0"), "must be a multiple of 8"),
        ((*DEMO, "--width", "100"), "must be a multiple of 8"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_sentence(arguments, words, plan):
    status, out, err = plan(*ON_A_CARD, *arguments)
    assert status == 1
    assert out == ""
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("amount", ["0", "-3", "much", "inf", "nan"])
def test_amounts_of_memory_are_positive_numbers(amount, plan):
    with pytest.raises(SystemExit) as caught:
        plan("--vram", amount)
    assert caught.value.code == 2
