"""What the tests of the faults share: the count of their rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_rounds import Rounds
from killed_clips import ClipProcesses

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Iterator[Rounds]:
    """The rounds of this test: it asks how many it shall do, and counts those that held."""
    counter = Rounds()
    yield counter
    request.node.user_properties.append(("rounds", counter.count))


@pytest.fixture(scope="module")
def clip_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClipProcesses]:
    """Makes clips in processes that can be killed, with a model that is open already."""
    processes = ClipProcesses(tmp_path_factory.mktemp("processes"))
    yield processes
    processes.close()
