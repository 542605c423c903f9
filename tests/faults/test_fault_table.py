"""Every row of the table of faults has a test, and every test of a fault has its row."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fault_rounds import LARGE_RUN, Rounds
from faults import FAULTS
from table import Collector, Row, lines_of

TESTS = Path(__file__).parents[1]
WITH_TESTS = [number for number in FAULTS if not FAULTS[number].no_counterpart]

pytestmark = pytest.mark.fault(37)


def marked_numbers() -> dict[int, list[str]]:
    """The numbers in the markers of all tests, with the files that they are in."""
    found: dict[int, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if "mark.fault" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault":
                for number in node.args:
                    assert isinstance(number, ast.Constant), f"{path}: not written out"
                    found.setdefault(number.value, []).append(path.name)
    return found


def test_every_row_has_a_test_or_says_why_it_needs_none():
    assert list(FAULTS) == list(range(1, len(FAULTS) + 1))
    marked = marked_numbers()
    assert not [number for number in WITH_TESTS if number not in marked], "rows without a test"
    unknown = {number: files for number, files in marked.items() if number not in WITH_TESTS}
    assert not unknown, "markers that name no row, or one that needs no test"


def test_every_test_of_a_fault_names_its_row(request: pytest.FixtureRequest):
    here = Path(__file__).parent
    without = [
        item.nodeid
        for item in request.session.items
        if item.path.is_relative_to(here) and item.get_closest_marker("fault") is None
    ]
    assert not without


@pytest.mark.parametrize(("run", "expected"), [("", 3), ("large", 500)])
def test_the_large_number_of_rounds_is_for_the_large_run(
    monkeypatch: pytest.MonkeyPatch, run: str, expected: int
):
    monkeypatch.setenv(LARGE_RUN, run)
    assert Rounds().wanted(3, 500) == expected


class _Report:
    def __init__(self, nodeid: str, when: str, outcome: str, rounds: int | None = None) -> None:
        self.nodeid, self.when, self.outcome = nodeid, when, outcome
        self.user_properties = [("faults", [10, 11])]
        if rounds is not None:
            self.user_properties.append(("rounds", rounds))


def test_the_table_counts_tests_and_rounds_and_shows_what_failed():
    collector = Collector()
    for when in ("setup", "call", "teardown"):
        collector.pytest_runtest_logreport(_Report("one", when, "passed", 250))
        collector.pytest_runtest_logreport(_Report("two", when, "passed"))
    assert collector.rows[10] == Row(tests=2, rounds=251, outcomes={"passed": 2})
    assert collector.rows[11].held
    for when, outcome in (("setup", "passed"), ("call", "failed"), ("teardown", "passed")):
        collector.pytest_runtest_logreport(_Report("three", when, outcome, 7))
    assert not collector.rows[10].held
    assert collector.rows[10].rounds == 251
    lines = lines_of(collector.rows)
    assert "FAILED: 1 of 3" in lines[10]
    assert "NOT TESTED" in lines[1]
    assert "not here" in lines[28]
    assert len(lines) == len(FAULTS) + 1


def test_a_row_whose_tests_were_all_skipped_is_not_called_held():
    collector = Collector()
    for when, outcome in (("setup", "skipped"), ("teardown", "passed")):
        collector.pytest_runtest_logreport(_Report("one", when, outcome))
    assert not collector.rows[10].held
    assert collector.rows[10].result == "NOT TESTED"
