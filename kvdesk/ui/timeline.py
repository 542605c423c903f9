"""The stages of the clip that is being made, each as wide as it takes long."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QToolTip

from kvdesk.run_progress import StageState
from kvdesk.ui.controls.look import announce
from kvdesk.ui.icons import pixmap
from kvdesk.ui.job_tile import stage_name
from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import GAP, INNER_RADIUS, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QHelpEvent, QPaintEvent
    from PySide6.QtWidgets import QWidget

    from engine.api import Stage
    from kvdesk.run_progress import RunProgress, StageProgress

_GAP = GAP // 2
_PADDING = 12
_HEIGHT = 32
_TICK = 14
_THOUSAND = 1000


def shared_widths(needed: Sequence[int], shares: Sequence[float], width: int) -> list[int]:
    """Share `width` pixels out in proportion to `shares`, but nobody gets less than is `needed`.

    Where not even that is there, everybody gets the same part of what they need.
    """
    if sum(needed) >= width:
        return _edges([width * need / sum(needed) for need in needed])
    given = [float(need) for need in needed]
    open_ones = set(range(len(needed)))
    while open_ones:
        left = width - sum(given[i] for i in range(len(needed)) if i not in open_ones)
        total = sum(shares[i] for i in open_ones)
        offers = {i: left * (shares[i] / total if total else 1 / len(open_ones)) for i in open_ones}
        too_small = {i for i, offer in offers.items() if offer < needed[i]}
        if not too_small:
            for i, offer in offers.items():
                given[i] = offer
            break
        open_ones -= too_small
    return _edges(given)


def _edges(widths: Sequence[float]) -> list[int]:
    """Whole pixels with the same sum: the edges are rounded, not the widths."""
    edges = [0]
    total = 0.0
    for width in widths:
        total += width
        edges.append(round(total))
    return [right - left for left, right in itertools.pairwise(edges)]


class Timeline(QProgressBar):
    """The stages in a row, or in two where the window is narrow and the text large.

    It is a progress bar to those who do not see it: its value is the part of all that is done.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, _THOUSAND)
        self.setTextVisible(False)
        # The style sheet makes every other progress bar a thin line.
        self.setStyleSheet("QProgressBar { min-height: 0; max-height: 16777215px; }")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._stages: tuple[StageProgress, ...] = ()
        self._job_id = ""
        self._announced: Stage | None = None
        theme().changed.connect(self._on_theme_changed)
        self._retranslate()

    def show_progress(self, progress: RunProgress) -> None:
        """Show the stages of `progress`, and say aloud when another one begins."""
        had = len(self._stages)
        self._stages = progress.stages
        if progress.job_id != self._job_id:
            self._job_id = progress.job_id
            self._announced = None
        self.setValue(round(_THOUSAND * progress.share_done))
        self.setAccessibleDescription(self._description())
        running = progress.running_stage
        if running is not None and running.stage is not self._announced:
            self._announced = running.stage
            announce(self, self._description())
        if had != len(self._stages):
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """All stages in one row."""
        needed = [self._needed_width(stage) for stage in self._stages]
        return QSize(sum(needed) + _GAP * max(0, len(needed) - 1), self._row_height())

    def minimumSizeHint(self) -> QSize:
        """The widest stage alone."""
        widest = max((self._needed_width(stage) for stage in self._stages), default=0)
        return QSize(widest, self._row_height())

    def hasHeightForWidth(self) -> bool:
        """Fewer stages fit in a narrower row."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all rows."""
        num_rows = max(1, len(self._rows(width)))
        return num_rows * self._row_height() + (num_rows - 1) * _GAP

    def places(self) -> list[QRect]:
        """Where every stage is, in pixels of the widget."""
        places: list[QRect] = []
        top = 0
        for row in self._rows(self.width()):
            needed = [self._needed_width(stage) for stage in row]
            shares = [stage.expected_seconds for stage in row]
            room = self.width() - _GAP * (len(row) - 1)
            left = 0
            for width in shared_widths(needed, shares, room):
                places.append(QRect(left, top, width, self._row_height()))
                left += width + _GAP
            top += self._row_height() + _GAP
        return places

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint all stages."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for stage, place in zip(self._stages, self.places(), strict=True):
            _paint_stage(painter, stage, place)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Say all about the stage under the pointer."""
        if event.type() is QEvent.Type.ToolTip:
            help_event: QHelpEvent = event  # pyright: ignore[reportAssignmentType] - by its type
            for stage, place in zip(self._stages, self.places(), strict=True):
                if place.contains(help_event.pos()):
                    words = tip(self._words(stage))
                    QToolTip.showText(help_event.globalPos(), words, self, place)
                    return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Progress of the clip"))
        self.setAccessibleDescription(self._description())
        self.updateGeometry()
        self.update()

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def _description(self) -> str:
        running = next((each for each in self._stages if each.state is StageState.RUNNING), None)
        if running is None:
            return ""
        number = self._stages.index(running) + 1
        return self.tr("{words}. Stage {number} of {total}.").format(
            words=self._words(running), number=number, total=len(self._stages)
        )

    def _words(self, stage: StageProgress) -> str:
        name = stage_name(stage.stage)
        if stage.state is StageState.DONE:
            return self.tr("{stage}: done").format(stage=name)
        if stage.state is StageState.PENDING:
            return self.tr("{stage}: later").format(stage=name)
        if stage.num_steps < 2:
            return self.tr("{stage}: at work").format(stage=name)
        return self.tr("{stage}: step {done} of {total}").format(
            stage=name, done=stage.steps_done, total=stage.num_steps
        )

    def _row_height(self) -> int:
        text = QFontMetrics(theme().font(px=12)).height()
        return max(_HEIGHT, text + 2 * GAP)

    def _needed_width(self, stage: StageProgress) -> int:
        """Room for the name with its tick, or with the widest number of steps."""
        metrics = QFontMetrics(theme().font(px=12, bold=True))
        # A name with a fraction of a pixel more than its rounded width would be shortened.
        name = metrics.horizontalAdvance(stage_name(stage.stage)) + 1
        tick = GAP + theme().px(_TICK)
        number = 0
        if stage.num_steps > 1 and stage.state is StageState.RUNNING:
            # Not every digit is as wide as the next one.
            places = len(str(stage.num_steps))
            counts = (f"{digit * places} / {stage.num_steps}" for digit in "0123456789")
            number = GAP + max(metrics.horizontalAdvance(count) for count in counts)
        return name + max(tick, number) + 2 * _PADDING

    def _rows(self, width: int) -> list[list[StageProgress]]:
        """The stages row by row, filled from the left, in as few rows as hold them."""
        rows: list[list[StageProgress]] = []
        left = width + 1
        for stage in self._stages:
            needed = self._needed_width(stage)
            if left + needed > width:
                rows.append([])
                left = 0
            rows[-1].append(stage)
            left += needed + _GAP
        return rows


def _paint_stage(painter: QPainter, stage: StageProgress, place: QRect) -> None:
    is_done, is_running = stage.state is StageState.DONE, stage.state is StageState.RUNNING
    box = QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5)
    line = "fits" if is_done else "accent" if is_running else "line"
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().color("fits_soft" if is_done else "card"))
    painter.drawRoundedRect(box, INNER_RADIUS, INNER_RADIUS)
    if is_running:
        painter.save()
        filled = QRect(place)
        filled.setWidth(round(place.width() * stage.share_done))
        painter.setClipRect(filled)
        painter.setBrush(theme().color("accent_soft"))
        painter.drawRoundedRect(box, INNER_RADIUS, INNER_RADIUS)
        painter.restore()
    painter.setPen(QPen(theme().color(line), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box, INNER_RADIUS, INNER_RADIUS)
    _paint_words(painter, stage, place)


def _paint_words(painter: QPainter, stage: StageProgress, place: QRect) -> None:
    is_done, is_running = stage.state is StageState.DONE, stage.state is StageState.RUNNING
    inner = place.adjusted(_PADDING, 0, -_PADDING, 0)
    painter.setFont(theme().font(px=12, bold=is_running))
    painter.setPen(theme().color("text" if is_done or is_running else "muted"))
    right = ""
    if is_running and stage.num_steps > 1:
        right = f"{stage.steps_done} / {stage.num_steps}"
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, right)
    metrics = painter.fontMetrics()
    room = inner.width() - (metrics.horizontalAdvance(right) + GAP if right else 0)
    name = stage_name(stage.stage)
    text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
    painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    if is_done:
        _paint_tick(painter, place, inner.left() + metrics.horizontalAdvance(text))


def _paint_tick(painter: QPainter, place: QRect, left: int) -> None:
    side = theme().px(_TICK)
    ratio = painter.device().devicePixelRatio()
    tick = pixmap("check", theme().tokens.fits, round(side * ratio))
    painter.drawPixmap(QRect(left + GAP, place.center().y() - side // 2, side, side), tick)
