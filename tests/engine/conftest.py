"""Workers in processes of their own, which end with the test or the file that started them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def start() -> Iterator[type[WorkerProcess]]:
    """Starts workers as `WorkerProcess(...)` does, and ends them with the test."""
    started = []

    def starting(**options):
        started.append(WorkerProcess(**options))
        return started[-1]

    yield starting
    for worker in started:
        worker.close()


@pytest.fixture(scope="module")
def the_worker(prepared_folder, tmp_path_factory) -> Iterator[WorkerProcess]:
    """One worker for all tests that leave it as they found it; it knows the toy by its name."""
    data_home = tmp_path_factory.mktemp("data")
    models = data_home / "kvdesk" / "models"
    models.mkdir(parents=True)
    (models / "toy").symlink_to(prepared_folder)
    worker = WorkerProcess(data_home=data_home).greeted()
    yield worker
    worker.close()
