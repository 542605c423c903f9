"""The field and the menu by which clips are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kvdesk.model_names import model_label
from kvdesk.ui.controls.icon_button import ICON_PX, IconButton
from kvdesk.ui.icons import pixmap
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent

    from kvdesk.library_model import LibraryModel

_TYPING_PAUSE_MS = 120


class SearchField(QLineEdit):
    """One line of words to look for.

    Its icons are its own: those that Qt puts into a line do not grow with the text.

    Attributes:
        left_downwards: the down key was pressed: on to what was found.
        clear_button: takes the words away, where there are any.
    """

    left_downwards = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clear_button = IconButton("close", kind="small", token="muted", parent=self)
        self.clear_button.setCursor(Qt.CursorShape.ArrowCursor)
        # Escape does the same.
        self.clear_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.clear_button.hide()
        self.clear_button.clicked.connect(self.clear)
        self.textChanged.connect(self._place_icons)
        theme().changed.connect(self._place_icons)
        self._place_icons()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the icons at the ends."""
        super().resizeEvent(event)
        self._place_icons()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the size of the text."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._place_icons()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the sign of a search before the words."""
        super().paintEvent(event)
        side = theme().px(ICON_PX)
        top = (self.height() - side) // 2
        painter = QPainter(self)
        sign = pixmap("search", theme().tokens.muted, round(side * self.devicePixelRatioF()))
        painter.drawPixmap(QRect(theme().px(GAP), top, side, side), sign)
        painter.end()

    def _place_icons(self) -> None:
        button = self.clear_button
        button.setVisible(bool(self.text()))
        button.adjustSize()
        margin = (self.height() - button.height()) // 2
        button.move(self.width() - button.width() - margin, margin)
        right = button.width() if self.text() else 0
        self.setTextMargins(theme().px(ICON_PX) + GAP // 2, 0, right, 0)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape clears the words, and the down key goes on to what was found."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.left_downwards.emit()
        else:
            super().keyPressEvent(event)


class LibrarySearch(QWidget):
    """Searches a `LibraryModel`.

    Attributes:
        searched: the model shows what was asked for.
        left_downwards: on to what was found.
    """

    searched = Signal()
    left_downwards = Signal()

    def __init__(self, model: LibraryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._model_name = ""
        self._size = ""
        self._starred = False
        self._binned = False
        self._field = SearchField()
        self._filter = IconButton("filter", kind="plain")
        self._filter.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self)
        self._filter.setMenu(self._menu)
        self._active = PlainLabel()
        self._active.setProperty("role", "muted")
        self._active.setWordWrap(True)
        self._reset = IconButton("close")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TYPING_PAUSE_MS)
        self._build_ui()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self._field, 1)
        row.addWidget(self._filter)
        active = QHBoxLayout()
        active.addWidget(self._active, 1)
        active.addWidget(self._reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP // 2)
        column.addLayout(row)
        column.addLayout(active)

    def _connect(self) -> None:
        self._field.textChanged.connect(lambda: self._timer.start())
        self._field.returnPressed.connect(self._search)
        self._field.left_downwards.connect(self.left_downwards)
        self._timer.timeout.connect(self._search)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._reset.clicked.connect(self._on_reset)

    @property
    def words(self) -> str:
        """What is typed in."""
        return self._field.text()

    @property
    def shows_bin(self) -> bool:
        """Whether it looks for clips in the bin."""
        return self._binned

    def focus(self) -> None:
        """Let the person type, in place of what was typed before."""
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._field.selectAll()

    def clear(self) -> None:
        """Look for everything, in the bin or outside of it."""
        self._field.clear()
        self._on_reset()

    def show_bin(self, binned: bool) -> None:
        """Look for clips in the bin, or for the others; for all of them."""
        self._binned = binned
        self.clear()

    def _search(self) -> None:
        self._timer.stop()
        self._model.search(
            self._field.text(),
            model=self._model_name,
            size=self._size,
            starred=self._starred,
            binned=self._binned,
        )
        self._show_active()
        self.searched.emit()

    def _on_reset(self) -> None:
        self._model_name = ""
        self._size = ""
        self._starred = False
        self._search()

    def _fill_menu(self) -> None:
        for submenu in self._menu.findChildren(QMenu):
            submenu.deleteLater()
        self._menu.clear()
        self._add_choices(
            self.tr("Model"), self._model.models(), self._model_name, self._on_model_chosen
        )
        self._add_choices(self.tr("Size"), self._model.sizes(), self._size, self._on_size_chosen)
        starred = self._menu.addAction(self.tr("With a star only"))
        starred.setCheckable(True)
        starred.setChecked(self._starred)
        starred.triggered.connect(self._on_starred)
        self._menu.addSeparator()
        binned = self._menu.addAction(self.tr("Show the bin"))
        binned.setCheckable(True)
        binned.setChecked(self._binned)
        binned.triggered.connect(self.show_bin)

    def _add_choices(
        self, title: str, values: Sequence[str], chosen: str, on_chosen: Callable[[str], None]
    ) -> None:
        menu = self._menu.addMenu(title)
        group = QActionGroup(menu)
        for value in ("", *values):
            # An ampersand would underline what follows it.
            words = model_label(_shown(value)).replace("&", "&&")
            action = group.addAction(words or self.tr("All"))
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.triggered.connect(lambda _=False, value=value: on_chosen(value))
            menu.addAction(action)

    def _on_model_chosen(self, model: str) -> None:
        self._model_name = model
        self._search()

    def _on_size_chosen(self, size: str) -> None:
        self._size = size
        self._search()

    def _on_starred(self, starred: bool) -> None:
        self._starred = starred
        self._search()

    def _show_active(self) -> None:
        shown = (model_label(self._model_name), _shown(self._size))
        parts = [part for part in shown if part]
        if self._starred:
            parts.append(self.tr("with a star"))
        self._active.setText(self.tr("Only: {filters}").format(filters=" · ".join(parts)))
        self._active.setVisible(bool(parts))
        self._reset.setVisible(bool(parts))
        self._filter.set_icon_name("filter", token="accent" if parts else "text")

    def _retranslate(self) -> None:
        self._field.setPlaceholderText(self.tr("Search words, seed, “starred”"))
        self._field.setAccessibleName(self.tr("Search the library"))
        self._field.clear_button.set_words(self.tr("Clear the words"))
        self._filter.set_words(self.tr("Filter by model, size or star; show the bin"))
        self._reset.set_words(self.tr("Show all again"))
        self._show_active()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)


def _shown(size_or_name: str) -> str:
    width, cross, height = size_or_name.partition("x")
    if cross and width.isdigit() and height.isdigit():
        return f"{width} × {height}"
    return size_or_name
