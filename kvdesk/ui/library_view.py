"""The library: what was made, searched by words, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kvdesk.ui.bin_bar import BinBar
from kvdesk.ui.clip_grid import ClipGrid
from kvdesk.ui.clip_menu import SMOOTHING, ClipAction, ClipMenu
from kvdesk.ui.library_search import LibrarySearch
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from kvdesk.library import Library
    from kvdesk.library_model import LibraryModel


class LibraryView(QWidget):
    """Shows a `LibraryModel` and says what is wanted of a clip, by its name.

    Stars and the bin are changed here, in the library.

    Attributes:
        clip_chosen: show it on the stage.
        restore_requested: (name, frozenset of fields or None for all) take over its settings.
        continue_requested: begin a clip with its last frame.
        smooth_requested: (name, Fps) make it smoother.
        animate_requested: make a clip of the key frame.
        compare_requested: with the clip that is shown.
        pair_compare_requested: (name, name) of the two that are selected.
        export_requested: save it as a file.
        show_folder_requested: show its files.
        first_clip_wanted: there is nothing yet, and the person wants to begin.
    """

    clip_chosen = Signal(str)
    restore_requested = Signal(str, object)
    continue_requested = Signal(str)
    smooth_requested = Signal(str, object)
    animate_requested = Signal(str)
    compare_requested = Signal(str)
    pair_compare_requested = Signal(str, str)
    export_requested = Signal(str)
    show_folder_requested = Signal(str)
    first_clip_wanted = Signal()

    def __init__(
        self, model: LibraryModel, library: Library, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._library = library
        self._title = PlainLabel()
        self._title.setProperty("role", "title")
        self._count = PlainLabel()
        self._count.setProperty("role", "value")
        self._search = LibrarySearch(model)
        self._bin_bar = BinBar()
        self._grid = ClipGrid(model)
        self._empty = QWidget()
        self._empty_text = PlainLabel()
        self._empty_button = QPushButton()
        self._pages = QStackedWidget()
        self._build_ui()
        self._add_actions()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        header = QHBoxLayout()
        header.addWidget(self._title)
        header.addWidget(self._count)
        header.addStretch(1)
        self._empty_text.setProperty("role", "muted")
        self._empty_text.setWordWrap(True)
        self._empty_text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        empty = QVBoxLayout(self._empty)
        empty.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        empty.setSpacing(PANEL)
        empty.addStretch(1)
        empty.addWidget(self._empty_text)
        empty.addWidget(self._empty_button, 0, Qt.AlignmentFlag.AlignHCenter)
        empty.addStretch(2)
        self._pages.addWidget(self._grid)
        self._pages.addWidget(self._empty)
        self._bin_bar.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(header)
        column.addWidget(self._search)
        column.addWidget(self._bin_bar)
        column.addWidget(self._pages, 1)

    def _add_actions(self) -> None:
        for key, on_triggered in (
            (QKeySequence(QKeySequence.StandardKey.Delete), self._on_delete_key),
            (QKeySequence(Qt.Key.Key_S), self._on_star_key),
        ):
            action = QAction(self._grid)
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(on_triggered)
            self._grid.addAction(action)

    def _connect(self) -> None:
        self._grid.clip_chosen.connect(self.clip_chosen)
        self._grid.menu_requested.connect(self._open_menu)
        self._search.searched.connect(self._on_searched)
        self._search.left_downwards.connect(self._on_left_downwards)
        self._bin_bar.left.connect(lambda: self._search.show_bin(False))
        self._bin_bar.emptied.connect(self._library.empty_bin)
        self._empty_button.clicked.connect(self._on_empty_button)
        self._library.bin_measured.connect(self._bin_bar.show_bytes)
        self._library.loaded.connect(self._refresh)
        self._library.changed.connect(self._on_library_changed)

    def set_reduce_motion(self, reduce: bool) -> None:
        """Whether clips under the pointer stand still."""
        self._grid.set_reduce_motion(reduce)

    def focus_search(self) -> None:
        """Let the person type what to look for."""
        self._search.focus()

    def select(self, name: str) -> None:
        """Mark the clip `name` and bring it into view, where it is among those that are shown."""
        row = self._model.row_of(name)
        if row is not None:
            self._grid.select(row)

    def selected_names(self) -> list[str]:
        """The clips that are selected."""
        return self._grid.selected_names()

    def do(self, action: ClipAction, names: list[str]) -> None:
        """Do `action` with the clips `names`: here where it is about the library, or say it."""
        if not names:
            return
        one = names[0]
        if action in SMOOTHING:
            self.smooth_requested.emit(one, SMOOTHING[action])
            return
        doing: dict[ClipAction, Callable[[], None]] = {
            ClipAction.SHOW: lambda: self.clip_chosen.emit(one),
            ClipAction.USE_SETTINGS: lambda: self.restore_requested.emit(one, None),
            ClipAction.CONTINUE: lambda: self.continue_requested.emit(one),
            ClipAction.ANIMATE: lambda: self.animate_requested.emit(one),
            ClipAction.COMPARE: lambda: self.compare_requested.emit(one),
            ClipAction.COMPARE_PAIR: lambda: self.pair_compare_requested.emit(*names[:2]),
            ClipAction.EXPORT: lambda: self.export_requested.emit(one),
            ClipAction.SHOW_FOLDER: lambda: self.show_folder_requested.emit(one),
            ClipAction.STAR: lambda: self._library.star(names, starred=True),
            ClipAction.TAKE_STAR: lambda: self._library.star(names, starred=False),
            ClipAction.DELETE: lambda: self._library.bin(names),
            ClipAction.PUT_BACK: lambda: self._library.restore(names),
        }
        doing[action]()

    def menu(self) -> ClipMenu:
        """The menu for the clips that are selected."""
        names = self._grid.selected_names()
        menu = ClipMenu([self._library.summaries[name] for name in names], self)

        def on_wanted(action: ClipAction) -> None:
            self.do(action, names)

        menu.wanted.connect(on_wanted)
        return menu

    def _open_menu(self, place: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def _on_delete_key(self) -> None:
        if not self._search.shows_bin:
            self._keep_place(lambda names: self.do(ClipAction.DELETE, names))

    def _on_star_key(self) -> None:
        names = self._grid.selected_names()
        are_starred = all(self._library.summaries[name].starred for name in names)
        self.do(ClipAction.TAKE_STAR if are_starred else ClipAction.STAR, names)

    def _keep_place(self, change: Callable[[list[str]], None]) -> None:
        """Do `change` to what is selected, and go on where it was: keys need a current clip."""
        names = self._grid.selected_names()
        row = min((self._model.row_of(name) or 0 for name in names), default=0)
        change(names)
        if self._model.rowCount():
            self._grid.select(min(row, self._model.rowCount() - 1))

    def _on_left_downwards(self) -> None:
        if self._model.rowCount():
            self._grid.setFocus(Qt.FocusReason.TabFocusReason)
            if not self._grid.currentIndex().isValid():
                self._grid.select(0)

    def _on_searched(self) -> None:
        self._bin_bar.setVisible(self._search.shows_bin)
        self._measure_bin()
        self._refresh()

    def _on_library_changed(self) -> None:
        self._measure_bin()
        self._refresh()

    def _measure_bin(self) -> None:
        if self._search.shows_bin:
            rows = self._library.summaries.values()
            self._bin_bar.show_clips(sum(row.is_binned for row in rows))
            self._library.measure_bin()

    def _on_empty_button(self) -> None:
        if not self._model.current_search.is_everything:
            self._search.clear()
        else:
            self.first_clip_wanted.emit()

    def _refresh(self) -> None:
        """Show how many clips there are, and what to do where there are none."""
        num_clips = self._model.rowCount()
        self._count.setText(self.locale().toString(num_clips) if num_clips else "")
        self._pages.setCurrentWidget(self._grid if num_clips else self._empty)
        if num_clips:
            return
        search = self._model.current_search
        self._empty_button.setVisible(not (search.is_everything and search.binned))
        if not search.is_everything:
            words = self._search.words.strip()
            self._empty_text.setText(
                self.tr("Nothing matches “{words}”.").format(words=words)
                if words
                else self.tr("Nothing matches.")
            )
            self._empty_button.setText(self.tr("Clear search"))
        elif search.binned:
            self._empty_text.setText(self.tr("The bin is empty."))
        else:
            # Until everything is known, nothing is said that may not be so.
            self._empty_button.setVisible(self._library.is_loaded)
            text = self.tr("Your clips will be kept here.") if self._library.is_loaded else ""
            self._empty_text.setText(text)
            self._empty_button.setText(self.tr("Make the first one"))

    def _retranslate(self) -> None:
        self._title.setText(self.tr("Library"))
        self._grid.setAccessibleName(self.tr("Clips"))
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)
