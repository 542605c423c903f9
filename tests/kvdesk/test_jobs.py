from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QAbstractItemModelTester

from engine.api import FrameSize, GenerateRequest, PictureRequest, Stage
from kvdesk.jobs import (
    JOB_ROLE,
    PROGRESS_ROLE,
    Failure,
    Job,
    JobQueue,
    JobState,
    free_folder_name,
    new_folder_name,
)
from kvdesk.run_progress import begun_progress

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("qapp")
NOW = datetime(2026, 11, 22, 19, 30, 5)
SIZE = FrameSize(width=64, height=64)


def job(name: str, **changes) -> Job:
    request = GenerateRequest(prompt=f"a {name}", seed=1, size=SIZE)
    return Job(**{"id": name, "request": request, "model": "demo", "folder": f"f-{name}"} | changes)


class Desk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.stack = QUndoStack()
        self.queue = JobQueue(path, self.stack)
        self.tester = QAbstractItemModelTester(
            self.queue, QAbstractItemModelTester.FailureReportingMode.Warning
        )

    def ids(self) -> str:
        return "".join(each.id for each in self.queue.jobs)

    def again(self) -> Desk:
        self.queue.flush()
        return Desk(self.path)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "queue.json")


@pytest.fixture
def full(desk):
    desk.queue.add([job("a"), job("b"), job("c"), job("d")])
    return desk


# What a person does


def test_jobs_are_added_together_and_taken_back_together(full):
    full.queue.add([job("x"), job("y")], at=1)
    assert full.ids() == "axybcd"
    assert full.stack.undoText() == "Add 2 clip(s) to the queue"
    full.stack.undo()
    assert full.ids() == "abcd"
    full.stack.redo()
    assert full.ids() == "axybcd"


def test_a_step_back_leaves_a_job_that_runs_or_is_gone(full):
    full.queue.set_state("b", JobState.RUNNING)
    full.queue.take_finished("a")
    full.stack.undo()
    assert full.ids() == "b"
    full.queue.take_finished("b")
    full.stack.redo()
    assert full.ids() == "cd"


def test_removed_jobs_come_back_to_their_rows_as_they_were(full):
    full.queue.set_state("c", JobState.PAUSED)
    full.queue.remove(["a", "c", "nobody"])
    assert full.ids() == "bd"
    full.stack.undo()
    assert full.ids() == "abcd"
    assert full.queue.job("c").state is JobState.PAUSED


def test_the_running_job_is_not_removed_and_nothing_else_is(full):
    full.queue.set_state("a", JobState.RUNNING)
    with pytest.raises(ValueError, match="running"):
        full.queue.remove(["b", "a"])
    assert full.ids() == "abcd"


def test_removing_again_leaves_a_job_that_runs_by_now(full):
    full.queue.remove(["a", "b"])
    full.stack.undo()
    full.queue.set_state("a", JobState.RUNNING)
    full.stack.redo()
    assert full.ids() == "acd"


@pytest.mark.parametrize(("row", "order"), [(0, "cabd"), (3, "abdc"), (99, "abdc"), (-5, "cabd")])
def test_a_job_is_moved_and_moved_back(full, row, order):
    full.queue.move("c", row)
    assert full.ids() == order
    full.stack.undo()
    assert full.ids() == "abcd"


def test_nothing_moves_before_the_running_job_nor_the_running_job(full):
    full.queue.set_state("c", JobState.RUNNING)
    assert full.ids() == "cabd"
    full.queue.move("d", 0)
    full.queue.move("c", 3)
    assert full.ids() == "cdab"


def test_a_waiting_job_is_changed_and_changed_back_with_its_state_left_alone(full):
    other = replace(full.queue.job("b").request, prompt="another")
    full.queue.change("b", "Another prompt", request=other)
    assert full.queue.job("b").request.prompt == "another"
    full.queue.set_state("b", JobState.PAUSED)
    full.stack.undo()
    assert full.queue.job("b").request.prompt == "a b"
    assert full.queue.job("b").state is JobState.PAUSED


def test_a_running_or_unknown_job_is_not_changed(full):
    full.queue.set_state("a", JobState.RUNNING)
    with pytest.raises(ValueError, match="running"):
        full.queue.change("a", "no", model="other")
    with pytest.raises(KeyError):
        full.queue.change("nobody", "no", model="other")


def test_undo_and_redo_in_any_order_with_runs_between_keep_the_queue_whole(desk):
    chance = random.Random(3)
    queue, stack = desk.queue, desk.stack
    for number in range(400):
        ids = [each.id for each in queue.jobs]
        some = chance.choice(ids) if ids else ""
        what = chance.randrange(8)
        if what == 0 or not ids:
            queue.add([job(f"j{number}"), job(f"k{number}")], at=chance.randrange(5))
        elif what == 1 and queue.job(some) != queue.running:
            queue.remove([some])
        elif what == 2:
            queue.move(some, chance.randrange(6))
        elif what == 3:
            stack.undo()
        elif what == 4:
            stack.redo()
        elif what == 5 and queue.running is None:
            queue.set_state(some, JobState.RUNNING)
        elif what == 6 and queue.running is not None:
            queue.take_finished(queue.running.id)
        elif what == 7 and queue.job(some) != queue.running:
            queue.change(some, "model", model=f"m{number}")
        ids = [each.id for each in queue.jobs]
        assert len(set(ids)) == len(ids)
        running = [each for each in queue.jobs if each.state is JobState.RUNNING]
        assert running in ([], [queue.jobs[0]] if ids else [])


# What happens


def test_the_next_job_is_the_first_that_waits(full):
    full.queue.set_state("a", JobState.FAILED, Failure(code="x", message="no"))
    full.queue.set_state("b", JobState.PAUSED)
    assert full.queue.next_waiting().id == "c"
    full.queue.put_first("d")
    assert full.queue.next_waiting().id == "d"


def test_a_failure_is_forgotten_when_the_job_waits_again(full):
    full.queue.set_state("a", JobState.FAILED, Failure(code="x", message="no"))
    assert full.queue.job("a").failure.message == "no"
    full.queue.set_state("a", JobState.WAITING)
    assert full.queue.job("a").failure is None


def test_holding_is_told_once(full, qtbot):
    with qtbot.waitSignal(full.queue.held_changed) as held:
        full.queue.hold(True)
    assert held.args == [True]
    with qtbot.assertNotEmitted(full.queue.held_changed):
        full.queue.hold(True)


def test_views_are_told_of_progress_without_the_queue_being_written(full, qtbot, tmp_path):
    progress = begun_progress("b", tmp_path, full.queue.job("b").request)
    with (
        qtbot.waitSignal(full.queue.dataChanged) as told,
        qtbot.assertNotEmitted(full.queue.changed),
    ):
        full.queue.set_progress("b", progress)
    index = full.queue.index(1)
    assert told.args[0] == index
    assert index.data(PROGRESS_ROLE) is progress
    full.queue.set_progress("b", None)
    assert index.data(PROGRESS_ROLE) is None


def test_a_row_has_its_job_and_its_title(full):
    index = full.queue.index(2)
    assert index.data(JOB_ROLE) == full.queue.job("c")
    assert index.data() == "a c"
    picture = PictureRequest(path="C:\\Pictures\\cat.png")
    of_picture = GenerateRequest(prompt=" ", seed=1, size=SIZE, picture=picture)
    assert job("p", request=of_picture).title == "cat.png"
    two_lines = GenerateRequest(prompt="a cat\n  in a hat", seed=1, size=SIZE)
    assert job("q", request=two_lines).title == "a cat in a hat"


# Dragging


def test_rows_are_moved_by_dropping_as_one_step(full):
    indexes = [full.queue.index(row) for row in (3, 0)]
    data = full.queue.mimeData(indexes)
    move = Qt.DropAction.MoveAction
    assert full.queue.dropMimeData(data, move, 2, 0, QModelIndex())
    assert full.ids() == "badc"
    full.stack.undo()
    assert full.ids() == "abcd"
    assert full.queue.dropMimeData(data, move, -1, -1, full.queue.index(1))
    assert full.ids() == "adbc"
    full.stack.undo()
    assert full.queue.dropMimeData(data, move, -1, -1, QModelIndex())
    assert full.ids() == "bcad"


@pytest.mark.parametrize(
    ("first", "count", "before", "order"),
    [(0, 1, 3, "bcad"), (2, 2, 0, "cdab"), (0, 2, 4, "cdab"), (1, 1, 1, "abcd"), (3, 1, 1, "adbc")],
)
def test_a_list_view_moves_rows_through_the_model(full, first, count, before, order):
    root = QModelIndex()
    assert full.queue.moveRows(root, first, count, root, before)
    assert full.ids() == order
    full.stack.undo()
    assert full.ids() == "abcd"


def test_rows_that_are_not_there_are_not_moved(full):
    root = QModelIndex()
    assert not full.queue.moveRows(root, 3, 2, root, 0)
    assert full.ids() == "abcd"


def test_only_the_running_job_cannot_be_dragged(full):
    full.queue.set_state("a", JobState.RUNNING)
    can = [
        bool(full.queue.flags(full.queue.index(row)) & Qt.ItemFlag.ItemIsDragEnabled)
        for row in range(4)
    ]
    assert can == [False, True, True, True]


# The file


def test_the_queue_is_there_again(full):
    full.queue.change("b", "until", until=Stage.KEY_FRAME, group="g")
    full.queue.set_state("c", JobState.FAILED, Failure(code="x", message="no", detail="why"))
    full.queue.set_state("d", JobState.PAUSED)
    assert full.again().queue.jobs == full.queue.jobs


def test_what_was_running_waits_first_and_the_queue_is_held(full):
    full.queue.set_state("c", JobState.RUNNING)
    again = full.again().queue
    assert [each.id for each in again.jobs] == ["c", "a", "b", "d"]
    assert {each.state for each in again.jobs} == {JobState.WAITING}
    assert again.is_held


def test_a_queue_in_which_nothing_waits_is_not_held_after_a_restart(desk):
    assert not desk.again().queue.is_held
    desk.queue.add([job("a")])
    desk.queue.set_state("a", JobState.PAUSED)
    assert not desk.again().queue.is_held


def test_the_queue_is_written_soon_without_being_asked(full, qtbot):
    qtbot.waitUntil(full.path.exists, timeout=2000)
    assert len(json.loads(full.path.read_text())["jobs"]) == 4


@pytest.mark.fault(26)
def test_a_damaged_job_is_left_out_and_the_others_stay(full):
    full.queue.flush()
    data = json.loads(full.path.read_text())
    data["jobs"][1]["request"]["seed"] = "seven"
    data["jobs"][2]["folder"] = "../elsewhere"
    data["jobs"].append(data["jobs"][0])
    data["jobs"].append(7)
    full.path.write_text(json.dumps(data))
    assert Desk(full.path).ids() == "ad"


@pytest.mark.fault(26)
def test_a_queue_of_a_newer_version_is_left_as_it_is(full):
    full.queue.flush()
    data = {**json.loads(full.path.read_text()), "version": 99}
    full.path.write_text(json.dumps(data))
    newer = Desk(full.path)
    assert newer.ids() == ""
    newer.queue.add([job("x")])
    newer.queue.flush()
    assert json.loads(full.path.read_text()) == data


# Names of folders


@pytest.mark.fault(24, 25)
@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("Red circle, moving!", "red-circle-moving-"),
        ("Ein Bär im Schnee", "ein-bar-im-schnee-"),
        ("一只红色的圆", ""),
        ("con/../..\\nul:*?", "con-nul-"),
        ("w" * 300, "w" * 40 + "-"),
        (" ".join(["seven77"] * 20), "seven77-" * 5),
    ],
)
def test_a_folder_is_named_for_time_and_prompt_safely(prompt, slug):
    name = new_folder_name(prompt, NOW)
    assert re.fullmatch(rf"20261122-193005-{slug}[0-9a-f]{{4}}", name)


@pytest.mark.fault(25, 30)
def test_a_taken_name_is_not_given_again():
    asked: list[str] = []

    def is_taken(name: str) -> bool:
        asked.append(name)
        return len(asked) < 3

    assert free_folder_name("a", NOW, is_taken) == asked[2]
