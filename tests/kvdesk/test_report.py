"""A report of a problem: what is in it, how it is wanted, and how it becomes a file."""

from __future__ import annotations

import getpass
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton

from engine.api import (
    DeviceInfo,
    FrameSize,
    GenerateRequest,
    MachineDescribed,
    PictureRequest,
)
from kvdesk.job import Failure, Job, JobState
from kvdesk.notice import Notice, Tone
from kvdesk.report import ReportFacts, make_report, save_report
from kvdesk.settings import Settings
from kvdesk.ui.notices import NoticeBar

pytestmark = pytest.mark.fault(34)

WAIT_MS = 8000
PROMPT = "my neighbour Zyxwina on her balcony"
PICTURE = "/media/usb stick/Holiday of Zyxwina/terrace 07.jpg"
FAILURE = Failure(
    code="picture", message='"terrace 07.jpg" is cut short.', detail=f"OSError: {PICTURE}"
)
MACHINE = MachineDescribed(
    devices=(
        DeviceInfo(name="cuda:0", label="RTX 3060", total_bytes=12 << 30, free_bytes=1 << 30),
    ),
    total_bytes=16 << 30,
    free_bytes=8 << 30,
)


def job(folder="20261123-014000-my-neighbour-zyxwina-ab12") -> Job:
    request = GenerateRequest(
        prompt=PROMPT,
        seed=7,
        size=FrameSize(width=64, height=64),
        picture=PictureRequest(path=PICTURE),
    )
    return Job(
        id="1", request=request, model="demo", folder=folder, state=JobState.FAILED, failure=FAILURE
    )


def facts(tmp_path: Path, log: str = "") -> ReportFacts:
    (tmp_path / "kvdesk.log").write_text(log, encoding="utf-8")
    text = f"“{PROMPT}” was not made. {FAILURE.message}"
    return ReportFacts(
        notice=Notice(text=text, tone=Tone.FAILED, detail=FAILURE.detail),
        machine=MACHINE,
        jobs=(job(),),
        settings=Settings(clips_folder="/media/usb stick/clips"),
        log=tmp_path / "kvdesk.log",
    )


def test_a_report_says_what_happened_on_what_computer_and_nothing_of_the_person(tmp_path):
    log = (
        f"2026-11-23 01:40:00,000 INFO kvdesk.runner: {Path.home()}/Videos/kvdesk/x is full\n"
        f"2026-11-23 01:40:01,000 ERROR kvdesk.app: a fault of {PROMPT}\n"
    )
    text = make_report(facts(tmp_path, log), with_prompts=False)
    for expected in (
        "torch 2.",
        "PySide6-Essentials 6.",
        "cuda:0: RTX 3060, 12.9 GB, 1.1 GB free",
        "picture: ",
        "was not made",
        '"seed": 7',
        f'"prompt": "({len(PROMPT)} characters)"',
        "ERROR kvdesk.app: a fault of <text>",
        "OSError: <text>",
    ):
        assert expected in text
    for secret in ("zyxwina", "neighbour", "terrace", "usb stick", "Videos", str(Path.home())):
        assert secret.casefold() not in text.casefold(), secret
    if getpass.getuser() != "root":
        assert not re.search(rf"\b{getpass.getuser()}\b", text)


def test_prompts_are_in_it_only_where_they_are_wanted(tmp_path):
    text = make_report(facts(tmp_path), with_prompts=True)
    assert PROMPT in text
    assert "terrace" not in text


def test_the_title_in_a_notice_is_a_prompt_although_its_job_is_gone(tmp_path):
    gone = replace(facts(tmp_path), jobs=())
    assert "zyxwina" not in make_report(gone, with_prompts=False).casefold()
    assert PROMPT in make_report(gone, with_prompts=True)


def test_of_a_long_log_the_last_lines_are_taken(tmp_path):
    log = "".join(f"2026-11-23 01:40:00,000 INFO x: line {number:06}\n" for number in range(20_000))
    text = make_report(facts(tmp_path, log), with_prompts=False)
    assert "line 019999" in text
    assert len(text.splitlines()) < 500
    assert len(text) < 100_000


def test_without_a_log_and_a_worker_there_is_a_report_all_the_same(tmp_path):
    bare = ReportFacts(
        notice=None, machine=None, jobs=(), settings=Settings(), log=tmp_path / "none.log"
    )
    text = make_report(bare, with_prompts=False)
    assert "## Versions" in text
    assert "## Log" not in text


def test_a_report_that_cannot_be_written_says_why(tmp_path):
    assert save_report(tmp_path / "report.txt", "words\n") == ""
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == "words\n"
    assert "No such file" in save_report(tmp_path / "gone" / "report.txt", "words")


@pytest.mark.parametrize(
    ("notice", "offered"),
    [
        (Notice(text="failed", tone=Tone.FAILED), True),
        (Notice(text="interrupted", tone=Tone.CAREFUL, detail="last lines"), True),
        (Notice(text="asks", tone=Tone.CAREFUL, detail="x", action="a", action_text="A"), False),
        (Notice(text="saved", tone=Tone.FITS), False),
        (Notice(text="said"), False),
    ],
)
def test_a_report_is_offered_where_something_failed(qtbot, themed, notice, offered):  # noqa: ARG001
    bar = NoticeBar()
    qtbot.addWidget(bar)
    bar.resize(600, 300)
    bar.show()
    bar.show_notice(notice)
    link = bar._cards[0]._report
    assert link.isHidden() is not offered
    if offered:
        with qtbot.waitSignal(bar.report_requested) as asked:
            qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
        assert asked.args == [notice]
        assert bar.notices == (notice,)  # it may be read again, and acted on


def press(qtbot, parent, words):
    (button,) = [each for each in parent.findChildren(QPushButton) if each.text() == words]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_from_a_job_that_failed_to_a_file_without_its_prompt(qtbot, desk_of, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    refuse = {"make_clip": {"code": "model_file", "message": "t2v is damaged.", "detail": "trace"}}
    desk = desk_of(refuse=refuse)
    qtbot.waitUntil(lambda: desk.form.model is not None, timeout=WAIT_MS)
    desk.form.edit("", prompt=PROMPT)
    desk.window.compose.request_generate()
    bar, page = desk.window.notices, desk.window.report_page
    qtbot.waitUntil(lambda: bool(bar.notices), timeout=WAIT_MS)
    qtbot.mouseClick(bar._cards[0]._report, Qt.MouseButton.LeftButton)
    assert desk.window.page is page
    qtbot.waitUntil(lambda: "model_file: t2v is damaged." in page.text, timeout=WAIT_MS)
    assert "Zyxwina" not in page.text
    assert "Processor" in page.text  # of the fake worker's machine

    page._prompts.click()
    qtbot.waitUntil(lambda: "Zyxwina" in page.text, timeout=WAIT_MS)
    page._prompts.click()
    qtbot.waitUntil(lambda: "Zyxwina" not in page.text, timeout=WAIT_MS)

    shown = page.text
    press(qtbot, page, "Save the report …")
    dialog = desk.window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "report.txt"))
    dialog.close()
    qtbot.waitUntil(lambda: bar.notices[0].tone is Tone.FITS, timeout=WAIT_MS)
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == shown
    assert desk.window.page is desk.window.stage


def test_a_report_can_be_made_when_nothing_failed(qtbot, desk_of):
    desk = desk_of()
    desk.window.show_help()
    help_page = desk.window.help_page
    # Its sections come one after the other.
    qtbot.waitUntil(
        lambda: "Save a report …" in [it.text() for it in help_page.findChildren(QPushButton)],
        timeout=WAIT_MS,
    )
    press(qtbot, help_page, "Save a report …")
    page = desk.window.report_page
    assert desk.window.page is page
    assert not page._prompts.isChecked()
    qtbot.waitUntil(lambda: "## Versions" in page.text, timeout=WAIT_MS)
    assert "## What happened" not in page.text
