"""The middle of the window: the clip, how far it is, and what can be done with it."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from engine.api import Stage
from kvdesk.job_texts import checking_text
from kvdesk.player import Clip
from kvdesk.running_picture import RunningPicture
from kvdesk.ui.canvas import Canvas, CanvasKey, drive
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.drops import DropKind, classify
from kvdesk.ui.empty_stage import EmptyStage
from kvdesk.ui.full_screen import FullScreen
from kvdesk.ui.memory_line import MemoryLine
from kvdesk.ui.player_canvas import PlayerCanvas
from kvdesk.ui.theme import GAP, PANEL
from kvdesk.ui.timeline import Timeline
from kvdesk.ui.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import (
        QDragEnterEvent,
        QDragLeaveEvent,
        QDropEvent,
        QHideEvent,
        QShowEvent,
    )

    from kvdesk.player import Player
    from kvdesk.run_progress import RunProgress


class Shown(Enum):
    """What the stage shows."""

    EMPTY = auto()
    RUNNING = auto()
    CLIP = auto()


class _Stay(Enum):
    """How long a clip stays on the stage while another one is made."""

    NOT = auto()
    UNTIL_PICTURE = auto()
    """It was just finished: the next one has to have something to show first."""
    ALWAYS = auto()
    """A person opened it."""


class StageView(QWidget):
    """Shows a place to begin, the clip that is made, or a finished one.

    Attributes:
        cancel_requested: end the running job; asked a second time, at once.
        pause_requested: stop the running job for now.
        files_dropped: (list of paths) files of any kind were dropped.
        clip_dropped: (name) a clip of the library was dropped.
        example_chosen: (prompt) an example is to be made.
        save_frame_requested: (path) keep this frame as a picture.
        frame_to_form_requested: (path) begin a new clip with this frame.
        compare_requested: show the clip beside another one.
        export_requested: save the clip as a file.
        smooth_requested: (Fps) let the clip go on to more frames.
    """

    cancel_requested = Signal()
    pause_requested = Signal()
    files_dropped = Signal(list)
    clip_dropped = Signal(str)
    example_chosen = Signal(str)
    save_frame_requested = Signal(str)
    frame_to_form_requested = Signal(str)
    compare_requested = Signal()
    export_requested = Signal()
    smooth_requested = Signal(object)

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, surface="window")
        self.setAcceptDrops(True)
        self._player = player
        self._running = RunningPicture(self)
        self._progress: RunProgress | None = None
        self._finished: Clip | None = None
        self._shown = Shown.EMPTY
        self._stay = _Stay.NOT
        self._plays_by_itself = True
        self._was_playing = False
        self._full_screen: FullScreen | None = None
        self.empty = EmptyStage()
        self.running_canvas = Canvas()
        self.canvas = PlayerCanvas(player)
        self.back_button = QPushButton()
        self.timeline = Timeline()
        self.memory_line = MemoryLine()
        self.transport = Transport(player)
        self._build_ui()
        self._connect()
        self._retranslate()
        self._show(Shown.EMPTY)

    @property
    def shown(self) -> Shown:
        """What is on the stage."""
        return self._shown

    @property
    def full_screen(self) -> FullScreen | None:
        """The clip alone on the screen, where that is what a person looks at."""
        return self._full_screen

    def show_empty(self, examples: Sequence[str]) -> None:
        """Show the place to begin, with up to three prompts to try."""
        self.empty.show_examples(examples)
        self._player.close()
        self._stay = _Stay.NOT
        self._show(Shown.EMPTY if self._progress is None else Shown.RUNNING)

    def show_progress(self, progress: RunProgress | None) -> None:
        """Show how far the running job is; None where there is none."""
        before, self._progress = self._progress, progress
        self._running.follow(progress)
        self.memory_line.show_progress(progress)
        if progress is None:
            self.timeline.hide()
            self.transport.hide_job()
            if self._shown is Shown.RUNNING:
                self._show(Shown.CLIP if self._player.clip else Shown.EMPTY)
            self._update_back()
            return
        self.timeline.show_progress(progress)
        self.timeline.show()
        self.transport.show_job(progress.seconds_left, is_cancelling=progress.is_cancelling)
        is_new = before is None or before.job_id != progress.job_id
        has_picture = progress.preview is not None or progress.key_frame is not None
        waited = self._stay is _Stay.UNTIL_PICTURE and has_picture
        if waited or (is_new and self._stay is _Stay.NOT):
            self._stay = _Stay.NOT
            self._show(Shown.RUNNING)
        self._show_running_picture()
        self._update_back()

    def show_clip(self, clip: Clip) -> None:
        """Show a clip that a person chose; it stays while another one is made."""
        self._stay = _Stay.ALWAYS if self._progress is not None else _Stay.NOT
        self._finished = None
        self._open(clip)

    def show_finished(self, clip: Clip) -> None:
        """Show the clip that was just made, unless a person looks at another one meanwhile."""
        if self._stay is _Stay.ALWAYS and self._shown is Shown.CLIP:
            self._finished = clip
            self._update_back()
            return
        self._stay = _Stay.UNTIL_PICTURE
        self._open(clip)

    def show_still(self, path: Path | str, *, name: str = "", title: str = "") -> None:
        """Show a picture that a person chose, such as a key frame."""
        picture = Path(path)
        clip = Clip(
            frames=(picture,), frames_per_second=1.0, name=name, title=title or picture.stem
        )
        self.show_clip(clip)

    def set_reduced_motion(self, reduced: bool) -> None:
        """Let nothing play until a person says so."""
        self._plays_by_itself = not reduced
        self._running.plays_by_itself = not reduced
        if reduced:
            self._running.pause()
            self._player.pause()

    def open_full_screen(self) -> None:
        """Show the clip alone on the whole screen."""
        if self._full_screen is not None or self._player.clip is None:
            return
        self._full_screen = FullScreen(self._player, self)
        self._full_screen.left.connect(self._on_full_screen_left)
        self._full_screen.save_frame_requested.connect(self._on_save_frame)
        self._full_screen.showFullScreen()
        self._full_screen.activateWindow()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and clips, but not the frame that is dragged out of here."""
        source = event.source()
        if isinstance(source, QWidget) and self.isAncestorOf(source):
            return
        is_clip = classify(event.mimeData()).kind is DropKind.CLIP
        if is_clip or any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._show_as_target(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """It goes elsewhere."""
        self._show_as_target(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell what was dropped."""
        self._show_as_target(False)
        drop = classify(event.mimeData())
        event.acceptProposedAction()
        if drop.kind is DropKind.CLIP:
            self.clip_dropped.emit(drop.clip)
            return
        urls = event.mimeData().urls()
        self.files_dropped.emit([url.toLocalFile() for url in urls if url.isLocalFile()])

    def hideEvent(self, event: QHideEvent) -> None:
        """What nobody sees does not play."""
        if not event.spontaneous() and self._full_screen is None:
            self._was_playing = self._player.is_playing
            self._player.pause()
        super().hideEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Play on."""
        if not event.spontaneous() and self._was_playing:
            self._was_playing = False
            self._player.play()
        super().showEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _build_ui(self) -> None:
        self._pages = QStackedWidget()
        for page in (self.empty, self.running_canvas, self.canvas):
            self._pages.addWidget(page)
        self.timeline.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        column.setSpacing(GAP + GAP // 2)
        column.addWidget(self.back_button, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(self._pages, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.memory_line)
        column.addWidget(self.transport)

    def _connect(self) -> None:
        self.empty.example_chosen.connect(self.example_chosen)
        self.back_button.clicked.connect(self._on_back)
        self._running.frame_changed.connect(self._show_running_picture)
        self.running_canvas.key_pressed.connect(self._on_running_key)
        self.canvas.full_screen_requested.connect(self.open_full_screen)
        self.canvas.save_frame_requested.connect(self._on_save_frame)
        self.canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.canvas.customContextMenuRequested.connect(self._on_context_menu)
        transport = self.transport
        transport.smooth_button.smooth_requested.connect(self.smooth_requested)
        transport.compare_requested.connect(self.compare_requested)
        transport.export_requested.connect(self.export_requested)
        transport.use_frame_requested.connect(self._on_use_frame)
        transport.save_frame_requested.connect(self._on_save_frame)
        transport.full_screen_requested.connect(self.open_full_screen)
        transport.pause_requested.connect(self.pause_requested)
        transport.cancel_requested.connect(self.cancel_requested)

    def _retranslate(self) -> None:
        self.running_canvas.setAccessibleName(self.tr("The clip that is made"))
        self._update_back()
        self._show_running_picture()

    def _open(self, clip: Clip) -> None:
        if clip != self._player.clip:
            self._player.open(clip)
        # Only what is in the library has what is needed to go on.
        self.transport.smooth_button.offer(len(clip.frames) if clip.name else 0)
        self._show(Shown.CLIP)
        if self._plays_by_itself:
            self._player.play()

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        pages = {
            Shown.EMPTY: self.empty,
            Shown.RUNNING: self.running_canvas,
            Shown.CLIP: self.canvas,
        }
        page = pages[shown]
        for each in pages.values():
            # A page that is not seen must not make the window larger.
            policy = QSizePolicy.Policy.Expanding if each is page else QSizePolicy.Policy.Ignored
            each.setSizePolicy(policy, policy)
        self._pages.setCurrentWidget(page)
        self.setFocusProxy(page)
        if shown is not Shown.CLIP:
            self._player.pause()
        if shown is Shown.EMPTY and self._full_screen is not None:
            self._full_screen.close()
        self.transport.setVisible(shown is not Shown.EMPTY)
        self.transport.set_clock(self._running if shown is Shown.RUNNING else self._player)
        self.transport.show_clip_tools(shown is Shown.CLIP)
        self._show_running_picture()
        self._update_back()

    def _show_as_target(self, is_target: bool) -> None:
        for page in (self.empty, self.running_canvas, self.canvas):
            page.show_as_target(is_target)

    def _show_running_picture(self) -> None:
        picture = self._running.picture()
        if picture is not None:
            self.running_canvas.show_picture(picture, None)
        elif self._progress is not None:
            self.running_canvas.show_message(self._waiting_words(self._progress))
        self.running_canvas.set_badge(self._badge_words(self._progress) if self._progress else "")

    def _badge_words(self, progress: RunProgress) -> str:
        if self._running.picture() is None:
            return ""
        if not self._running.is_preview:
            return self.tr("key frame")
        preview = progress.preview
        if preview is None:
            return self.tr("preview")
        totals = (each.num_steps for each in progress.stages if each.stage is preview.stage)
        return self.tr("preview · step {step} of {total}").format(
            step=preview.step, total=next(totals, preview.step)
        )

    def _waiting_words(self, progress: RunProgress) -> str:
        running = progress.running_stage
        if running is None:
            return checking_text(progress) or self.tr("Getting ready …")
        if running.stage is Stage.TEXT:
            return self.tr("Reading the prompt …")
        return self.tr("The first picture is on its way …")

    def _update_back(self) -> None:
        is_elsewhere = self._shown is Shown.CLIP
        if is_elsewhere and self._finished is not None:
            self.back_button.setText(self.tr("Show the finished clip"))
            self.back_button.show()
        elif is_elsewhere and self._progress is not None:
            self.back_button.setText(self.tr("Back to the running clip"))
            self.back_button.show()
        else:
            self.back_button.hide()

    def _on_back(self) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            self._stay = _Stay.UNTIL_PICTURE
            self._open(finished)
        else:
            self._stay = _Stay.NOT
            self._show(Shown.RUNNING)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_running_key(self, key: CanvasKey) -> None:
        drive(self._running, key)

    def _on_save_frame(self) -> None:
        path = self._player.frame_path(self._player.index)
        if path is not None:
            self._leave_full_screen()
            self.save_frame_requested.emit(str(path))

    def _on_use_frame(self) -> None:
        path = self._player.frame_path(self._player.index)
        if path is not None:
            self.frame_to_form_requested.emit(str(path))

    def _leave_full_screen(self) -> None:
        if self._full_screen is not None:
            self._full_screen.close()

    def _on_full_screen_left(self) -> None:
        self._full_screen = None
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_context_menu(self, position: QPoint) -> None:
        menu = self.clip_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.canvas.mapToGlobal(position))

    def clip_menu(self) -> QMenu:
        """What can be done with the frame and the clip, as a menu."""
        menu = QMenu(self)
        menu.addAction(self.tr("Begin a new clip with this frame"), self._on_use_frame)
        menu.addAction(self.tr("Save this frame as a picture"), self._on_save_frame)
        menu.addSeparator()
        menu.addAction(self.tr("Compare with another clip"), self.compare_requested.emit)
        menu.addAction(self.tr("Export the clip"), self.export_requested.emit)
        menu.addAction(self.tr("Full screen"), self.open_full_screen)
        return menu
