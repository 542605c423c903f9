"""The jobs that run and wait: moved by dragging or keys, everything else by menu and keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QMenu,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from kvdesk.jobs import JOB_ROLE, PROGRESS_ROLE, JobState, WaitsFor
from kvdesk.running_picture import RunningPicture
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.job_tile import JobTile
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance
    from PySide6.QtGui import QContextMenuEvent, QImage, QKeyEvent, QMouseEvent

    from kvdesk.jobs import Job, JobQueue


class QueueView(QWidget):
    """Shows a `JobQueue` and says what is wanted of its jobs, by their ids.

    Attributes:
        job_chosen: what there is of the job shall be shown.
        model_requested: the model that the job waits for shall be got.
    """

    pause_requested = Signal(str)
    resume_requested = Signal(str)
    cancel_requested = Signal(str)
    retry_requested = Signal(str)
    edit_requested = Signal(str)
    remove_requested = Signal(list)
    hold_requested = Signal(bool)
    job_chosen = Signal(str)
    model_requested = Signal(str)

    def __init__(self, queue: JobQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._title = PlainLabel()
        self._title.setProperty("role", "title")
        self._hold = IconButton("pause")
        self._list = _JobList(queue)
        self._empty = PlainLabel()
        self._empty.setProperty("role", "muted")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._build_ui()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        header = QHBoxLayout()
        header.addWidget(self._title, 1)
        header.addWidget(self._hold)
        # The title stays where it is when the button comes and goes.
        header.addStrut(self._hold.sizeHint().height())
        body = QWidget()
        self._pages = QStackedLayout(body)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(header)
        column.addWidget(body, 1)

    def _connect(self) -> None:
        self._hold.clicked.connect(lambda: self.hold_requested.emit(not self._queue.is_held))
        self._list.menu_requested.connect(self._open_menu)
        self._list.remove_requested.connect(self._on_remove)
        self._list.move_requested.connect(self._on_move)
        self._list.activated.connect(self._on_activated)
        self._queue.changed.connect(self._retranslate)
        self._queue.held_changed.connect(self._retranslate)

    @property
    def view(self) -> QListView:
        """The list itself, to give it the focus."""
        return self._list

    def _on_activated(self, index: QModelIndex) -> None:
        self.job_chosen.emit(index.data(JOB_ROLE).id)

    def _on_remove(self) -> None:
        selected: list[Job] = [index.data(JOB_ROLE) for index in self._list.selectedIndexes()]
        selected.sort(key=self._queue.jobs.index)
        waiting = [job.id for job in selected if job.state is not JobState.RUNNING]
        if waiting:
            self.remove_requested.emit(waiting)

    def _on_move(self, by: int) -> None:
        index = self._list.currentIndex()
        if index.isValid() and self._row_after(index, by) is not None:
            self._queue.move(index.data(JOB_ROLE).id, index.row() + by)
            self._list.scrollTo(self._list.currentIndex())

    def _row_after(self, index: QModelIndex, by: int) -> int | None:
        """The row of a job that is moved; None where it cannot be."""
        row = index.row() + by
        first = 0 if self._queue.running is None else 1
        return row if index.row() >= first and first <= row < self._queue.rowCount() else None

    def _open_menu(self, index: QModelIndex, position: QPoint) -> None:
        job: Job = index.data(JOB_ROLE)
        if not self._list.selectionModel().isSelected(index):
            self._list.setCurrentIndex(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, signal in self._actions(job):
            menu.addAction(text, partial(_emit, signal, job.id))
        if job.state is not JobState.RUNNING:
            menu.addSeparator()
            for text, keys, by in (
                (self.tr("Move up"), "Alt+Up", -1),
                (self.tr("Move down"), "Alt+Down", 1),
            ):
                action = _add_action(menu, text, QKeySequence(keys))
                action.setEnabled(self._row_after(index, by) is not None)
                action.triggered.connect(partial(self._on_move, by))
            menu.addSeparator()
            delete = QKeySequence(QKeySequence.StandardKey.Delete)
            _add_action(menu, self.tr("Remove"), delete).triggered.connect(self._on_remove)
        menu.popup(position)

    def _actions(self, job: Job) -> list[tuple[str, SignalInstance]]:
        match job.state:
            case JobState.RUNNING:
                return [
                    (self.tr("Show"), self.job_chosen),
                    (self.tr("Pause"), self.pause_requested),
                    (self.tr("Cancel"), self.cancel_requested),
                ]
            case JobState.PAUSED:
                return [
                    (self.tr("Go on"), self.resume_requested),
                    (self.tr("Show"), self.job_chosen),
                ]
            case JobState.FAILED:
                return [
                    (self.tr("Try again"), self.retry_requested),
                    (self.tr("Edit"), self.edit_requested),
                ]
            case JobState.WAITING:
                actions = [(self.tr("Edit"), self.edit_requested)]
                if self._queue.waits_for(job) is WaitsFor.MODEL:
                    actions.insert(0, (self.tr("Get the model …"), self.model_requested))
                return actions

    def _retranslate(self) -> None:
        count = self._queue.rowCount()
        self._title.setText(
            self.tr("Queue {count}").format(count=count) if count else self.tr("Queue")
        )
        self._pages.setCurrentWidget(self._list if count else self._empty)
        self._empty.setText(
            self.tr("Your next clips wait here. You can go on adding while one runs.")
        )
        self._list.setAccessibleName(self.tr("Queue"))
        is_held = self._queue.is_held
        self._hold.setVisible(count > 0 or is_held)
        if is_held:
            self._hold.set_icon_name("play", token="careful")
            self._hold.set_words(self.tr("The queue is held: go on with it"))
        else:
            self._hold.set_icon_name("pause")
            self._hold.set_words(self.tr("Hold the queue after the clip that runs"))
        self._list.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)


def _emit(signal: SignalInstance, job_id: str) -> None:
    signal.emit(job_id)


def _add_action(menu: QMenu, text: str, keys: QKeySequence) -> QAction:
    """An action with the keys beside it by which the list does the same."""
    action = menu.addAction(text)
    action.setShortcut(keys)
    action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    return action


class _JobList(QListView):
    """A list whose rows can be dragged, with a menu for each.

    Attributes:
        menu_requested: (index, place on the screen)
        remove_requested: of what is selected.
        move_requested: (rows) of the current job, up where it is negative.
    """

    menu_requested = Signal(QModelIndex, QPoint)
    remove_requested = Signal()
    move_requested = Signal(int)

    def __init__(self, queue: JobQueue) -> None:
        super().__init__()
        self._queue = queue
        self._running = RunningPicture(self)
        self._running.plays_by_itself = False
        self._running_id = ""
        self._tile = JobTile(self, self)
        self._is_menu_pressed = False
        self.setModel(queue)
        self.setItemDelegate(self._tile)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDragDropOverwriteMode(False)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        queue.dataChanged.connect(self._follow)
        queue.changed.connect(self._follow)
        self._running.frame_changed.connect(self._on_picture_changed)
        theme().changed.connect(self.scheduleDelayedItemsLayout)

    def picture(self, job_id: str) -> QImage | None:
        """What the running job looks like so far; None of every other."""
        return self._running.picture() if job_id == self._running_id else None

    def _follow(self) -> None:
        job = self._queue.running
        self._running_id = job.id if job is not None else ""
        progress = None
        if job is not None and (row := self._queue.row_of(job.id)) is not None:
            progress = self._queue.index(row).data(PROGRESS_ROLE)
        self._running.follow(progress)

    def _on_picture_changed(self) -> None:
        self.viewport().update()

    def _menu_at(self, event: QMouseEvent) -> QModelIndex:
        """The row whose menu's place was clicked, or an invalid one."""
        place = event.position().toPoint()
        index = self.indexAt(place)
        is_there = index.isValid() and event.button() is Qt.MouseButton.LeftButton
        if is_there and self._tile.menu_area(self.visualRect(index)).contains(place):
            return index
        return QModelIndex()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select, and note whether it may become a click at the menu's place."""
        self._is_menu_pressed = self._menu_at(event).isValid()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the menu where its place was clicked."""
        super().mouseReleaseEvent(event)
        index = self._menu_at(event)
        if self._is_menu_pressed and index.isValid():
            self.menu_requested.emit(index, event.globalPosition().toPoint())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the row under the pointer, or of the current one by its key."""
        index, place = self.indexAt(event.pos()), event.globalPos()
        if event.reason() is not event.Reason.Mouse:
            index = self.currentIndex()
            place = self.viewport().mapToGlobal(self.visualRect(index).center())
        if index.isValid():
            self.menu_requested.emit(index, place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes; with Alt, the arrow keys move the current job."""
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        is_alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        if event.matches(QKeySequence.StandardKey.Delete):
            self.remove_requested.emit()
        elif is_alt and event.key() in moves:
            self.move_requested.emit(moves[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)
