"""The grid of clips: as many columns as fit, and the clip under the pointer plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from kvdesk.ui.clip_tile import ClipTile
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QContextMenuEvent, QImage, QKeyEvent, QResizeEvent

    from kvdesk.library_model import LibraryModel

FRAMES_A_SECOND = 6
_SMALLEST_TILE = 128


class ClipGrid(QListView):
    """The clips of a `LibraryModel`.

    Attributes:
        clip_chosen: (name) it was clicked, or Enter was pressed on it.
        menu_requested: (QPoint on the screen) for the clips that are selected.
    """

    clip_chosen = Signal(str)
    menu_requested = Signal(QPoint)

    def __init__(self, model: LibraryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clips = model
        self._playing = QPersistentModelIndex()
        self._frame = 0
        self._reduce_motion = False
        self._timer = QTimer(self)
        self._timer.setInterval(1000 // FRAMES_A_SECOND)
        self._timer.timeout.connect(self._on_next_frame)
        self._tile = ClipTile(self, self)
        self.setModel(model)
        self.setItemDelegate(self._tile)
        self._set_up()
        self.entered.connect(self._on_entered)
        self.viewportEntered.connect(self._stop_playing)
        self.clicked.connect(self._on_clicked)
        model.modelReset.connect(self._stop_playing)
        theme().changed.connect(self._fit_columns)

    def _set_up(self) -> None:
        # Not IconMode, which places every item anew for each that comes.
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)

    def set_reduce_motion(self, reduce: bool) -> None:
        """Whether clips under the pointer stand still."""
        self._reduce_motion = reduce
        self._stop_playing()

    def selected_names(self) -> list[str]:
        """The clips that are selected, from top to bottom; the current one where none is."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        if not rows and self.currentIndex().isValid():
            rows = [self.currentIndex().row()]
        return [self._clips.summary(row).name for row in rows]

    def picture(self, row: int) -> QImage | None:
        """What the tile in `row` shows now."""
        if self._playing.isValid() and self._playing.row() == row:
            frames = self._clips.frames(row)
            if frames:
                return frames[self._frame % len(frames)]
        return self._clips.poster(row)

    def select(self, row: int) -> None:
        """Make the clip in `row` the chosen one and bring it into view."""
        self.setCurrentIndex(self._clips.index(row))

    def _on_entered(self, index: QModelIndex) -> None:
        if self._reduce_motion or QPersistentModelIndex(index) == self._playing:
            return
        self._stop_playing()
        self._playing = QPersistentModelIndex(index)
        self._clips.frames(index.row())  # they are there by the time they are needed
        self._timer.start()

    def _on_next_frame(self) -> None:
        frames = self._clips.frames(self._playing.row()) if self._playing.isValid() else ()
        if frames is None:
            return
        if not frames:
            self._stop_playing()
            return
        self._frame = (self._frame + 1) % len(frames)
        self.update(self._clips.index(self._playing.row()))

    def _stop_playing(self) -> None:
        self._timer.stop()
        self._frame = 0
        if self._playing.isValid():
            self.update(self._clips.index(self._playing.row()))
        self._playing = QPersistentModelIndex()

    def _on_clicked(self, index: QModelIndex) -> None:
        # Somebody who selects several does not want to see each.
        if self.selectedIndexes() == [index]:
            self.clip_chosen.emit(self._clips.summary(index.row()).name)

    def _fit_columns(self) -> None:
        # Always with room for the scroll bar, so that its coming does not move the tiles.
        # One pixel is left over, because Qt wraps a row that fits exactly.
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 1
        columns = max(1, room // theme().px(_SMALLEST_TILE))
        size = self._tile.set_width(max(2 * GAP, room // columns))
        self.setGridSize(size)
        self.verticalScrollBar().setSingleStep(size.height() // 3)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns into the new width."""
        self._fit_columns()
        super().resizeEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        self._stop_playing()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter chooses the current clip."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.clip_chosen.emit(self._clips.summary(index.row()).name)
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of what is selected."""
        place = event.globalPos()
        if event.reason() is not event.Reason.Mouse:
            place = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).center())
        elif not self.indexAt(event.pos()).isValid():
            return
        if self.selected_names():
            self.menu_requested.emit(place)
