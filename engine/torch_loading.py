"""Torch takes seconds to import, so a worker begins with it before anybody has asked."""

from __future__ import annotations

import gc
import importlib
import logging
import threading

log = logging.getLogger(__name__)


class TorchLoading:
    """Imports torch, and then all that makes clips, in a thread of its own.

    What waits imports the same modules afterwards, which takes no time then. An import that fails
    is logged here, and fails again for who needs it. Two threads never import the same package at
    once: who needs torch waits first.
    """

    def __init__(self) -> None:
        self._torch_done = threading.Event()
        self._all_done = threading.Event()

    def start(self) -> None:
        """Begin. To be called once."""
        threading.Thread(target=self._load, name="loading torch", daemon=True).start()

    def wait_for_torch(self) -> None:
        """Wait until torch can be imported at once, or cannot be imported."""
        self._torch_done.wait()

    def wait_for_all(self) -> None:
        """Wait until `engine.jobs` can be imported at once, or cannot be imported."""
        self._all_done.wait()

    def _load(self) -> None:
        try:
            importlib.import_module("torch")
            self._torch_done.set()
            importlib.import_module("engine.jobs")
            # Otherwise left to the first who needs it, which may be two threads at once.
            importlib.import_module("engine.models.text_encoder")
            gc.freeze()  # what was imported stays; looking through it again and again takes long
        except Exception:  # a broken installation fails in as many ways as there are
            log.warning("torch cannot be loaded", exc_info=True)
        finally:
            self._torch_done.set()
            self._all_done.set()
