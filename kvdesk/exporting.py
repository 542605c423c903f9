"""Saves clips as files, and tells beforehand how large they will be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.api import ExportClip, Failed, Finished, PredictExport, Stopped
from engine.api.files import copy_atomically
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.api import Event, SaveRequest
    from kvdesk.background import Background
    from kvdesk.engine_client import EngineClient
    from kvdesk.library import Library
    from kvdesk.runner import Runner

_NO_CLIP = "no_clip"


class Exporter(QObject):
    """Has the worker save clips, each after what it has to do before.

    Attributes:
        notice: with a `Notice`.
    """

    notice = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        library: Library,
        runner: Runner,
        background: Background,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._library = library
        self._runner = runner
        self._background = background
        self._prediction: int | None = None

    def export(
        self,
        clip: str,
        save: SaveRequest,
        on_done: Callable[[Event], None],
        on_event: Callable[[Event], None] | None = None,
    ) -> int | None:
        """Save a clip as a file.

        Args:
            clip: its name.
            save: where and how.
            on_done: called once with `Finished`, `Stopped` or `Failed`.
            on_event: called with what comes before.

        Returns:
            The number to `cancel` it by; None where there is no such clip.
        """
        record = self._library.record(clip)
        if record is None:
            on_done(self._gone())
            return None
        if self._runner.is_lent:
            text = self.tr("The clip is saved as soon as the model is prepared and tested.")
            self.notice.emit(Notice(text=text))
        elif self._runner.is_running:
            text = self.tr("The clip is saved as soon as the one that is being made is done.")
            self.notice.emit(Notice(text=text))

        def heard(event: Event) -> None:
            if isinstance(event, Finished | Stopped | Failed):
                on_done(event)
            elif on_event is not None:
                on_event(event)

        work = ExportClip(job=0, folder=str(record.folder), save=save)
        return self._engine.run(work, heard)

    def cancel(self, number: int) -> None:
        """Stop saving; no file is left."""
        self._engine.cancel(number)

    def predict(
        self,
        clip: str,
        save: SaveRequest,
        max_bytes: int | None,
        on_answer: Callable[[Event], None],
    ) -> None:
        """Find out how large the file will be; an earlier question is not answered any more.

        Args:
            clip: its name.
            save: where and how.
            max_bytes: look for the best quality whose file is not larger.
            on_answer: called with `ExportPredicted` or `Failed`.
        """
        if self._prediction is not None:
            self._engine.forget(self._prediction)
        record = self._library.record(clip)
        if record is None:
            on_answer(self._gone())
            return
        question = PredictExport(job=0, folder=str(record.folder), save=save, max_bytes=max_bytes)
        self._prediction = self._engine.ask(question, partial(self._on_predicted, on_answer))

    def copy_file(self, source: Path, target: Path) -> None:
        """Copy a picture of ours to where a person said; what is there is replaced."""

        def done(failure: str) -> None:
            if failure:
                text = self.tr("{name} could not be saved. Is there room, and may you write there?")
                tone = Tone.FAILED
            else:
                text, tone = self.tr("Saved as {name}."), Tone.FITS
            notice = Notice(text=text.format(name=target.name), tone=tone, detail=failure)
            self.notice.emit(notice)

        self._background.run(partial(_copy, source, target), done)

    def _on_predicted(self, on_answer: Callable[[Event], None], event: Event) -> None:
        self._prediction = None
        on_answer(event)

    def _gone(self) -> Failed:
        return Failed(code=_NO_CLIP, message=self.tr("The clip is not in the library any more."))


def _copy(source: Path, target: Path) -> str:
    """Copy a file, whole or not at all; "" or why that failed."""
    try:
        copy_atomically(source, target)
    except OSError as error:
        return str(error)
    return ""
