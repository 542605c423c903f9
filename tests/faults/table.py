"""Runs the tests that hold a row of the table of faults, and prints the table.

    python tests/faults/table.py            as many rounds as in the suite
    python tests/faults/table.py --large    the large numbers, and what is marked slow: hours

The exit status is 0 where every row held.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fault_rounds import LARGE_RUN
from faults import FAULTS

TESTS = Path(__file__).parents[1]
_NAME_WIDTH = max(len(fault.name) for fault in FAULTS.values())


@dataclass(slots=True, kw_only=True)
class Row:
    """What the tests of one row did."""

    tests: int = 0
    rounds: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def held(self) -> bool:
        """Whether something was done, and nothing failed."""
        return self.outcomes["passed"] > 0 and not self.outcomes["failed"]

    @property
    def result(self) -> str:
        """The outcome in a few words."""
        if self.outcomes["failed"]:
            return f"FAILED: {self.outcomes['failed']} of {self.tests}"
        if not self.outcomes["passed"]:
            return "NOT TESTED"
        skipped = self.outcomes["skipped"]
        return f"held ({skipped} skipped)" if skipped else "held"


class Collector:
    """A plugin of pytest that counts tests and rounds for each row."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = defaultdict(Row)
        self._outcomes: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            numbers = {number for mark in item.iter_markers("fault") for number in mark.args}
            item.user_properties.append(("faults", sorted(numbers)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        worst = self._outcomes.get(report.nodeid, "passed")
        outcome = worst if report.outcome == "passed" else report.outcome
        self._outcomes[report.nodeid] = outcome
        if report.when != "teardown":  # the fixture `rounds` tells its count at its end
            return
        properties = dict(report.user_properties)
        for number in properties["faults"]:
            row = self.rows[number]
            row.tests += 1
            row.outcomes[outcome] += 1
            if outcome == "passed":
                row.rounds += properties.get("rounds", 1)


def lines_of(rows: dict[int, Row]) -> list[str]:
    """The table, a line for each row."""
    lines = [f"{'row':>3}  {'what happens':{_NAME_WIDTH}} {'tests':>6} {'rounds':>9}  result"]
    for number, fault in FAULTS.items():
        begin = f"{number:3}  {fault.name:{_NAME_WIDTH}}"
        if fault.no_counterpart:
            lines.append(f"{begin} {'-':>6} {'-':>9}  not here: {fault.no_counterpart}")
        else:
            row = rows.get(number, Row())
            lines.append(f"{begin} {row.tests:6} {row.rounds:9,}  {row.result}")
    return lines


def main() -> int:
    """Run the tests and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--large", action="store_true", help="the large numbers of rounds")
    options = parser.parse_args()
    marked = "fault and not gpu"
    if options.large:
        os.environ[LARGE_RUN] = "large"
    else:
        marked += " and not slow"
    collector = Collector()
    pytest.main(
        [str(TESTS), "-m", marked, "-q", "-n", "0", "-p", "no:cacheprovider"], plugins=[collector]
    )
    print("\n".join(["", *lines_of(collector.rows)]))
    wanted = [number for number, fault in FAULTS.items() if not fault.no_counterpart]
    return 0 if all(collector.rows[number].held for number in wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
