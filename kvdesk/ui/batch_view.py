"""Clips that were asked for together, side by side, so that one of them can be picked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLabel, QWidget

from engine.api import Motion
from kvdesk.batches import BatchKind
from kvdesk.form_fields import seed_text
from kvdesk.ui.batch_tile import BatchTile
from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.theme import GAP

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

    from kvdesk.batches import Batch
    from kvdesk.library import Library

_FRAME_MS = 160
_NUM_COLUMNS = 2


class BatchView(Page):
    """Shows one batch as a grid; what is not made yet is an empty card.

    Tab and the arrow keys go from one clip to the next, Space and Enter choose.

    Attributes:
        clip_chosen: (name) a cousin shall be shown.
        animation_chosen: (name) a key frame shall become a clip.
        values_chosen: (Motion, int) motion and noise augmentation shall go to the form.
    """

    clip_chosen = Signal(str)
    animation_chosen = Signal(str)
    values_chosen = Signal(object, int)

    def __init__(self, library: Library, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._batch: Batch | None = None
        self._tiles: dict[str, BatchTile] = {}
        self._row_headings: list[QLabel] = []
        self._column_headings: list[QLabel] = []
        # Qt's buttons of a group know by themselves which one an arrow key leads to.
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self._words = PlainLabel()
        self._words.setProperty("role", "muted")
        self._words.setWordWrap(True)
        grid_box = QWidget()
        self._grid = QGridLayout(grid_box)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        self.column.addWidget(self._words)
        self.column.addWidget(grid_box)
        self.column.addStretch(1)
        self._clock = QTimer(self, interval=_FRAME_MS)
        self._clock.timeout.connect(self._on_tick)
        self._tick = 0
        self._is_still = False
        self._ratio = 1.0
        self._scroll.viewport().installEventFilter(self)
        library.changed.connect(self._on_library_changed)
        library.strips.ready.connect(self._on_pictures_ready)
        self._retranslate()

    def title(self) -> str:
        """The words over the page."""
        kind = self._batch.kind if self._batch is not None else BatchKind.COUSINS
        return {
            BatchKind.COUSINS: self.tr("Four cousins"),
            BatchKind.KEY_FRAMES: self.tr("Pick a picture"),
            BatchKind.MOTION_MAP: self.tr("Motion map"),
        }[kind]

    def show_batch(self, batch: Batch) -> None:
        """Show the clips of `batch`, those that are there and the places of the others."""
        self._batch = batch
        self._retranslate()

    def set_reduced_motion(self, is_reduced: bool) -> None:
        """Let nothing play by itself."""
        self._is_still = is_reduced
        self._play_if_seen(is_seen=self.isVisible())

    def focus(self) -> None:
        """Take the keyboard: the first clip that can be chosen, else the way back."""
        super().focus()
        tile = next((tile for tile in self._tiles.values() if tile.isEnabled()), None)
        if tile is not None:
            tile.setFocus(Qt.FocusReason.OtherFocusReason)

    # The grid

    def _fill(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        self._tiles = {}
        self._row_headings.clear()
        self._column_headings.clear()
        self._ratio = 1.0
        batch = self._batch
        if batch is None:
            return
        if batch.kind is BatchKind.MOTION_MAP:
            self._fill_map(batch)
        else:
            for index, folder in enumerate(batch.folders):
                self._add_tile(folder, index // _NUM_COLUMNS, index % _NUM_COLUMNS)
        self._order_tabs()
        self._fit_height()
        for folder in batch.folders:
            self._refresh(folder)

    def _fill_map(self, batch: Batch) -> None:
        """A row for each motion, a column for each noise augmentation."""
        motions = list(dict.fromkeys(label.motion for label in batch.labels))
        noises = list(dict.fromkeys(label.noise_augmentation for label in batch.labels))
        for row, motion in enumerate(motions):
            heading = _heading(self._motion_text(motion))
            self._row_headings.append(heading)
            self._grid.addWidget(heading, row + 1, 0)
        for column, noise in enumerate(noises):
            heading = _heading(self.tr("noise {noise}").format(noise=noise))
            self._column_headings.append(heading)
            self._grid.addWidget(heading, 0, column + 1, Qt.AlignmentFlag.AlignHCenter)
        for folder, label in zip(batch.folders, batch.labels, strict=True):
            row, column = motions.index(label.motion), noises.index(label.noise_augmentation)
            self._add_tile(folder, row + 1, column + 1)

    def _add_tile(self, folder: str, row: int, column: int) -> None:
        tile = BatchTile()
        tile.clicked.connect(lambda: self._on_clicked(folder))
        self._group.addButton(tile)
        self._grid.addWidget(tile, row, column)
        self._grid.setColumnStretch(column, 1)
        self._tiles[folder] = tile

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See how much room there is, and when a text takes another part of it."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._fit_height()
        return super().eventFilter(watched, event)

    def _fit_height(self) -> None:
        """Leave so much free at the right that all rows can be seen without scrolling."""
        if not self._tiles:
            return
        viewport = self._scroll.viewport().size()
        whole = min(viewport.width(), self._content.maximumWidth())
        margins = self.column.contentsMargins()
        above = margins.top() + self._words.heightForWidth(whole) + self.column.spacing()
        left = 0
        if self._row_headings:
            left = GAP + max(each.sizeHint().width() for each in self._row_headings)
            above += GAP + max(each.sizeHint().height() for each in self._column_headings)
        num_columns = len(self._column_headings) or _NUM_COLUMNS
        num_rows = math.ceil(len(self._tiles) / num_columns)
        room = viewport.height() - above - margins.bottom() - GAP * num_rows
        smallest = next(iter(self._tiles.values())).minimumSizeHint().width()
        width = max(smallest, int(room // num_rows / self._ratio))
        spare = max(0, whole - left - num_columns * width - GAP * (num_columns - 1))
        if self._grid.contentsMargins().right() != spare:
            self._grid.setContentsMargins(0, 0, spare, 0)

    def _on_clicked(self, folder: str) -> None:
        batch = self._batch
        if batch is None or self._library.record(folder) is None:
            return
        match batch.kind:
            case BatchKind.COUSINS:
                self.clip_chosen.emit(folder)
            case BatchKind.KEY_FRAMES:
                self.animation_chosen.emit(folder)
            case BatchKind.MOTION_MAP:
                label = batch.label(folder)
                self.values_chosen.emit(label.motion, label.noise_augmentation)

    # What is in it

    def _on_library_changed(self, names: list[str]) -> None:
        for name in names:
            if name in self._tiles:
                self._refresh(name)

    def _on_pictures_ready(self, name: str) -> None:
        if name in self._tiles:
            self._refresh(name)

    def _refresh(self, folder: str) -> None:
        tile = self._tiles[folder]
        summary = self._library.summaries.get(folder)
        if summary is not None:
            self._ratio = summary.height / max(1, summary.width)
            for each in self._tiles.values():  # clips of a batch have the same size
                each.set_ratio(self._ratio)
            self._fit_height()
        if summary is None or not summary.can_be_shown or summary.is_binned:
            tile.show_images(())
            tile.setEnabled(False)
            return
        tile.setEnabled(True)
        place = summary.folder(self._library.clips)
        strips = self._library.strips
        images = strips.frames(summary, place) if summary.num_frames else None
        if not images:
            poster = strips.poster(summary, place)
            images = () if poster is None else (poster,)
        tile.show_images(images)

    def _on_tick(self) -> None:
        self._tick += 1
        for tile in self._tiles.values():
            tile.show_frame(self._tick)

    # Words

    def _retranslate(self) -> None:
        super()._retranslate()
        batch = self._batch
        self._words.setText(self._explanation(batch.kind) if batch is not None else "")
        self._fill()
        for folder, tile in self._tiles.items():
            name = self._name_of(folder)
            tile.setAccessibleName(name)
            tile.setToolTip(tip(name))
            is_map = batch is not None and batch.kind is BatchKind.MOTION_MAP
            tile.set_words(badge="" if is_map else name, placeholder=self.tr("not made yet"))

    def _explanation(self, kind: BatchKind) -> str:
        return {
            BatchKind.COUSINS: self.tr("The same clip from four seeds. Choose one to look at it."),
            BatchKind.KEY_FRAMES: self.tr(
                "Four pictures for the same prompt. The one that you choose becomes a clip."
            ),
            BatchKind.MOTION_MAP: self.tr(
                "The same clip with more motion from row to row, and more noise augmentation "
                "from column to column. Choose one to take its values."
            ),
        }[kind]

    def _motion_text(self, motion: Motion) -> str:
        return {
            Motion.LOW: self.tr("low motion"),
            Motion.MEDIUM: self.tr("medium motion"),
            Motion.HIGH: self.tr("high motion"),
            Motion.EXTREME: self.tr("extreme motion"),
        }[motion]

    def _name_of(self, folder: str) -> str:
        assert self._batch is not None
        label = self._batch.label(folder)
        if self._batch.kind is BatchKind.MOTION_MAP:
            return self.tr("{motion}, noise augmentation {noise}").format(
                motion=self._motion_text(label.motion), noise=label.noise_augmentation
            )
        return self.tr("seed {seed}").format(seed=seed_text(label.seed))

    # Playing

    def showEvent(self, event: QShowEvent) -> None:
        """Play only while somebody can see it."""
        self._play_if_seen(is_seen=True)
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stand still while nobody looks."""
        self._play_if_seen(is_seen=False)
        super().hideEvent(event)

    def _play_if_seen(self, *, is_seen: bool) -> None:
        if is_seen and not self._is_still:
            self._clock.start()
            return
        self._clock.stop()
        if self._is_still:
            self._tick = 0
            for tile in self._tiles.values():
                tile.show_frame(0)


def _heading(text: str) -> QLabel:
    heading = PlainLabel(text)
    heading.setProperty("role", "label")
    heading.setWordWrap(True)
    return heading
