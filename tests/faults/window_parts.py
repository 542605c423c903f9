"""The fixtures and words of the tests of the window, which live in another folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kvdesk import worker_process, worker_watch

if TYPE_CHECKING:
    import pytest

SHORT_SECOND = 0.1
"""What a second of the watch over a worker may last in a test, with one that beats as often."""

_FOLDER = Path(__file__).parents[1] / "kvdesk"
sys.path.append(str(_FOLDER))
_spec = importlib.util.spec_from_file_location("window_conftest", _FOLDER / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_conftest = importlib.util.module_from_spec(_spec)
sys.modules["window_conftest"] = _conftest
_spec.loader.exec_module(_conftest)

nothing_is_left = _conftest._nothing_is_left
_installed_theme = _conftest._installed_theme
themed = _conftest.themed
fake_engine = _conftest.fake_engine
run_to_end = _conftest.run_to_end
answer_of = _conftest.answer_of
desk_of = _conftest.desk_of


def use_seconds(monkeypatch: pytest.MonkeyPatch, length: float) -> None:
    """Have the seconds of the watch over a worker last so long."""
    monkeypatch.setattr(worker_process, "TICK_MILLISECONDS", round(1000 * length))
    monkeypatch.setattr(worker_watch, "_BUSY_SECONDS", worker_watch._BUSY_SECONDS * length)
