"""Fixtures that several tests share. The two models are made once and must not be changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The toy networks are too small to share between cores, and threads that wait for a core that
# something else uses make them ten times slower. Read when torch is imported, here or in a child.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _caches_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep encoded prompts and measured speeds out of the caches of whoever runs the tests.

    Processes that tests start have the same folder, where a test does not give them another.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("caches")))
        yield


@pytest.fixture(scope="session")
def official_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy model in the layout of the official files."""
    from official_layout import write_official_layout  # seconds of imports, for who needs them

    folder = tmp_path_factory.mktemp("official")
    write_official_layout(folder)
    return folder


@pytest.fixture(scope="session")
def prepared_folder(official_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy model, prepared."""
    from engine.checkpoint.networks import expected_shapes
    from engine.checkpoint.prepare import prepare_model

    folder = tmp_path_factory.mktemp("prepared") / "toy"
    prepare_model(
        official_folder,
        folder,
        expected=expected_shapes,
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
    )
    return folder
