"""How a clip is saved as a file: kind, size, speed and quality, with the file's size foretold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QWidget

from engine.api import Playback, SaveRequest
from kvdesk.ui.controls.labelled_field import LabelledField
from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.remark import Remark, RemarkTone
from kvdesk.ui.controls.segments import Segments
from kvdesk.ui.controls.wheel import leave_wheel_alone
from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP

if TYPE_CHECKING:
    from kvdesk.library import ClipRecord

_PREDICT_DELAY_MS = 250
_MEGABYTE = 1_000_000
_CRF = {"small": 28, "good": 18, "best": 12}
_WEBP = {"small": 60, "good": 80, "best": 95}
_SPEEDS = (0.5, 1.0, 2.0)
_SCALES = (1, 2, 4, 8)
_MAX_SIZES = 4
_LARGEST_SIDE = 2048
_USUAL_SIDE = 256
"""Smaller clips look like a stamp in other programs."""


class FileKind(StrEnum):
    """What a clip can be saved as; the value is the ending of the name."""

    MP4 = ".mp4"
    GIF = ".gif"
    WEBP = ".webp"
    PNG = ".png"


class _Question(Enum):
    """What was asked last: its answer, or why there is none, is shown where it was asked."""

    SIZE = "size"
    FIT = "fit"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What was foretold; `save` has the settings that the file will have."""

    num_bytes: int
    save: SaveRequest
    was_fitted: bool


class ExportSheet(Page):
    """Emits what shall be foretold and exported; the path is chosen by whoever listens.

    The choices stay as they are from one clip to the next.

    Attributes:
        prediction_wanted: (clip's name, SaveRequest, largest number of bytes or None)
        export_requested: (clip's name, SaveRequest without a path, the ending)
    """

    WIDTH = 520

    prediction_wanted = Signal(str, object, object)
    export_requested = Signal(str, object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clip: ClipRecord | None = None
        self._question = _Question.SIZE
        self._answer: _Answer | None = None
        self._is_busy = False
        self._chosen_width: object = None  # by the person, not by what is usual for a clip
        self._what = PlainLabel()
        self._kind = Segments()
        self._width = Segments()
        self._playback = Segments()
        self._speed = Segments()
        self._quality = Segments()
        self._limit = QDoubleSpinBox()
        self._fit = QPushButton()
        self._status = PlainLabel()
        self._problem = Remark(RemarkTone.FAILED)
        self._export = QPushButton()
        self._timer = QTimer(self, singleShot=True, interval=_PREDICT_DELAY_MS)
        self._fields = {
            "kind": LabelledField("", self._kind, shows_help=True),
            "width": LabelledField("", self._width),
            "playback": LabelledField("", self._playback, shows_help=True),
            "speed": LabelledField("", self._speed),
            "quality": LabelledField("", self._quality),
            "limit": LabelledField("", self._limit_row(), shows_help=True),
        }
        self._build_ui()
        self._connect()
        self._retranslate()
        self._kind.set_value(FileKind.MP4)
        self._playback.set_value(Playback.LOOP)
        self._quality.set_value("good")
        self._speed.set_value(1.0)

    def _limit_row(self) -> QWidget:
        self._limit.setRange(0.1, 2000)
        self._limit.setDecimals(1)
        self._limit.setValue(8)
        self._limit.setAlignment(Qt.AlignmentFlag.AlignRight)
        leave_wheel_alone(self._limit)
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(self._limit)
        row.addWidget(self._fit)
        row.addStretch(1)
        return box

    def _build_ui(self) -> None:
        set_look(self._what, role="muted")
        set_look(self._export, kind="primary")
        for label in (self._what, self._status):
            label.setWordWrap(True)
        self.column.addWidget(self._what)
        for field in self._fields.values():
            self.column.addWidget(field)
        self.column.addWidget(self._status)
        self.column.addWidget(self._problem)
        self.column.addWidget(self._export, alignment=Qt.AlignmentFlag.AlignLeft)
        self.column.addStretch(1)

    def _connect(self) -> None:
        self._width.value_changed.connect(self._on_width_chosen)
        for segments in (self._kind, self._playback, self._quality, self._width, self._speed):
            segments.value_changed.connect(self._on_choice_changed)
        self._limit.valueChanged.connect(self._on_limit_changed)
        self._limit.lineEdit().returnPressed.connect(self._on_fit)
        self._fit.clicked.connect(self._on_fit)
        self._timer.timeout.connect(partial(self._ask, _Question.SIZE))
        self._export.clicked.connect(self._on_export)

    # What is shown

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Export")

    def show_clip(self, clip: ClipRecord) -> None:
        """Offer to export `clip`, with the choices of the last time."""
        self._clip = clip
        self._what.setText(clip.title)
        size = clip.info.request.size
        widths = _offered_widths(size.width, size.height)
        self._width.set_options(
            [(width, f"{width} × {width * size.height // size.width}") for width in widths]
        )
        self._order_tabs()
        usual = max(size.width, _USUAL_SIDE)
        offered = next((width for width in widths if width >= usual), widths[-1])
        self._width.set_value(self._chosen_width if self._chosen_width in widths else offered)
        self._on_choice_changed()

    def show_prediction(self, num_bytes: int, save: SaveRequest, *, was_fitted: bool) -> None:
        """Say how large the file will be, and by which settings where it was made to fit."""
        self._answer = _Answer(num_bytes=num_bytes, save=save, was_fitted=was_fitted)
        self._fields["limit"].set_problem("")
        self._show_state()
        if was_fitted:
            announce(self._status, self._status.text())

    def show_problem(self, text: str) -> None:
        """Say, where it was asked for, why there is no prediction, or why the export failed."""
        self._answer = None
        if self._question is _Question.FIT:
            self._fields["limit"].set_problem(text)
        else:
            self._problem.set_text(text)
            announce(self._export, text)
        self._show_state()

    def show_busy(self, *, is_busy: bool) -> None:
        """Show that the file is being written."""
        self._is_busy = is_busy
        if is_busy:
            self._timer.stop()
            self._question = _Question.EXPORT
            self._problem.set_text("")
        self._show_state()

    def _show_state(self) -> None:
        """Everything that follows from the choices and the last answer."""
        kind, answer = self._kind.value, self._answer
        is_video = kind is not FileKind.PNG
        self._fields["quality"].setVisible(kind in {FileKind.MP4, FileKind.WEBP})
        for name in ("playback", "speed", "limit"):
            self._fields[name].setVisible(is_video)
        is_up_to_player = kind is FileKind.MP4 and self._playback.value is Playback.LOOP
        words = self.tr("An MP4 cannot say so itself: the player has to be told to loop.")
        self._fields["playback"].set_texts(self.tr("Plays"), words if is_up_to_player else "")
        self._status.setText(self._status_text())
        was_fitted = answer is not None and answer.was_fitted
        set_look(self._status, role="fits" if was_fitted else "")
        is_waiting = answer is None and not self._said_problem()
        self._fit.setEnabled(
            not self._is_busy and not (is_waiting and self._question is _Question.FIT)
        )
        self._export.setEnabled(not self._is_busy)
        self._export.setText(self._export_text())

    def _said_problem(self) -> bool:
        return bool(self._fields["limit"].problem or self._problem.text)

    def _status_text(self) -> str:
        answer = self._answer
        if answer is None:
            if self._said_problem() or self._question is _Question.EXPORT:
                return ""
            if self._question is _Question.FIT:
                return self.tr("Looking for the best quality that fits …")
            return self.tr("Working out the file's size …")
        si = QLocale.DataSizeFormat.DataSizeSIFormat
        size = QLocale().formattedDataSize(answer.num_bytes, 1, si)
        if not answer.was_fitted:
            return self.tr("The file will have about {size}.").format(size=size)
        text = self.tr("Fits: the file will have {size}.").format(size=size)
        width = answer.save.width
        if width is not None and width != self._width.value:
            more = self.tr("For that its pictures become {width} pixels wide.")
            text += " " + more.format(width=width)
        return text

    def _export_text(self) -> str:
        if self._is_busy:
            return self.tr("Exporting …")
        kind = str(self._kind.value or "").strip(".").upper()
        return self.tr("Save as {kind} …").format(kind=kind)

    # What is wanted

    def save_request(self) -> SaveRequest:
        """What is chosen, with an empty path."""
        quality = str(self._quality.value)
        width, speed = self._width.value, self._speed.value
        save = SaveRequest(
            path="",
            crf=_CRF[quality],
            webp_quality=_WEBP[quality],
            width=width if isinstance(width, int) else None,
        )
        if self._kind.value is FileKind.PNG or not isinstance(speed, float):
            return replace(save, playback=Playback.ONCE)
        return replace(save, playback=Playback(str(self._playback.value)), speed=speed)

    def _on_width_chosen(self, width: object) -> None:
        self._chosen_width = width

    def _on_choice_changed(self) -> None:
        self._question = _Question.SIZE
        self._answer = None
        self._fields["limit"].set_problem("")
        self._problem.set_text("")
        self._show_state()
        self._timer.start()

    def _on_limit_changed(self) -> None:
        # Of a file that was not made to fit, the size stays true.
        answer = self._answer
        if self._question is _Question.FIT or (answer is not None and answer.was_fitted):
            self._on_choice_changed()

    def _on_fit(self) -> None:
        if not self._fit.isEnabled():
            return
        self._timer.stop()
        self._ask(_Question.FIT)

    def _ask(self, question: _Question) -> None:
        if self._clip is None:
            return
        self._question = question
        self._answer = None
        self._fields["limit"].set_problem("")
        self._problem.set_text("")
        self._show_state()
        limit = round(self._limit.value() * _MEGABYTE) if question is _Question.FIT else None
        save = replace(self.save_request(), path=f"clip{self._kind.value}")
        self.prediction_wanted.emit(self._clip.name, save, limit)

    def _on_export(self) -> None:
        if self._clip is None:
            return
        answer = self._answer
        was_fitted = answer is not None and answer.was_fitted
        save = answer.save if answer is not None and was_fitted else self.save_request()
        self.export_requested.emit(self._clip.name, replace(save, path=""), str(self._kind.value))

    # Words

    def _retranslate(self) -> None:
        super()._retranslate()
        png = self.tr("PNG pictures")
        names = {FileKind.MP4: "MP4", FileKind.GIF: "GIF", FileKind.WEBP: "WebP", FileKind.PNG: png}
        self._kind.set_options(list(names.items()))
        self._playback.set_options(
            [
                (Playback.ONCE, self.tr("Once")),
                (Playback.LOOP, self.tr("Loop")),
                (Playback.BOOMERANG, self.tr("Boomerang")),
            ]
        )
        self._quality.set_options(
            [("small", self.tr("Small")), ("good", self.tr("Good")), ("best", self.tr("Best"))]
        )
        self._speed.set_options([(speed, f"{speed:g} ×") for speed in _SPEEDS])
        texts = {
            "kind": (
                self.tr("Save as"),
                self.tr("MP4 plays everywhere; GIF and WebP in web pages."),
            ),
            "width": (self.tr("Size"), self.tr("Width and height of the pictures.")),
            "speed": (self.tr("Speed"), self.tr("At 2 × the clip takes half as long.")),
            "quality": (self.tr("Quality"), self.tr("Better pictures make a larger file.")),
            "limit": (
                self.tr("Fit under"),
                self.tr("Finds the best quality whose file is not larger than this."),
            ),
        }
        for name, (title, words) in texts.items():
            self._fields[name].set_texts(title, words)
        self._limit.setSuffix(" MB")
        self._limit.setAccessibleName(self.tr("Largest size of the file"))
        self._fit.setText(self.tr("Fit"))
        self._show_state()


def _offered_widths(width: int, height: int) -> list[int]:
    """The clip's own width and multiples of it; of a large clip half of it too."""
    widths = [scale * width for scale in _SCALES if scale * max(width, height) <= _LARGEST_SIDE]
    if width >= _USUAL_SIDE:
        widths.insert(0, width // 2)
    return widths[:_MAX_SIZES] or [width]
