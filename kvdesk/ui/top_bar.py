"""The bar over the columns: which model, how full the memory is, undo, help and settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QUndoStack
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QToolButton, QWidget

from kvdesk.engine_state import EngineState
from kvdesk.model_names import model_choice, model_description
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.icons import icon
from kvdesk.ui.memory_meter import MemoryMeter
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.shortcuts import Command, shortcuts
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QResizeEvent

    from engine.api import MachineDescribed, ModelInfo

_LONGEST_NAME = 240
_DOT_PX = 10
_TOKENS = {
    EngineState.STARTING: "careful",
    EngineState.READY: "fits",
    EngineState.STOPPED: "muted",
    EngineState.FAILED: "failed",
}


class TopBar(QFrame):
    """Shows what the worker found and opens the pages that are not about one clip.

    Attributes:
        model_chosen: clips shall be made with the model of that name.
        model_page_requested: how far the real model is on its way shall be shown.
    """

    model_chosen = Signal(str)
    model_page_requested = Signal()
    help_requested = Signal()
    settings_requested = Signal()
    folded_form_requested = Signal()
    folded_column_requested = Signal()

    def __init__(self, undo_stack: QUndoStack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, surface="panel")
        self._undo_stack = undo_stack
        self._models: tuple[ModelInfo, ...] = ()
        self._current = ""
        self._state: EngineState | None = None
        self._name = PlainLabel("kvdesk")
        set_look(self._name, role="title")
        self._model = QToolButton()
        set_look(self._model, kind="chip")
        self._model.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._model.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._menu = QMenu(self._model)
        self._menu.setToolTipsVisible(True)
        self._choices = QActionGroup(self._menu)
        self._model.setMenu(self._menu)
        self._getting = QToolButton()  # how far a model is on its way, while one is
        set_look(self._getting, kind="chip")
        self._getting.hide()
        self._memory = MemoryMeter()
        self._undo = IconButton("undo")
        self._redo = IconButton("redo")
        self._form = IconButton("edit")
        self._column = IconButton("grid")
        self._help = IconButton("help")
        self._settings = IconButton("settings")
        self._form.hide()
        self._column.hide()
        self._build_ui()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(PANEL, GAP, PANEL, GAP)
        self._row.setSpacing(GAP)
        self._row.addWidget(self._name)
        self._row.addWidget(self._model)
        self._row.addWidget(self._getting)
        self._row.addStretch(1)
        for widget in (
            self._undo,
            self._redo,
            self._memory,
            self._form,
            self._column,
            self._help,
            self._settings,
        ):
            self._row.addWidget(widget)

    def _connect(self) -> None:
        stack = self._undo_stack
        self._undo.clicked.connect(stack.undo)
        self._redo.clicked.connect(stack.redo)
        self._form.clicked.connect(self.folded_form_requested)
        self._column.clicked.connect(self.folded_column_requested)
        self._getting.clicked.connect(self.model_page_requested)
        self._help.clicked.connect(self.help_requested)
        self._settings.clicked.connect(self.settings_requested)
        stack.canUndoChanged.connect(self._undo.setEnabled)
        stack.canRedoChanged.connect(self._redo.setEnabled)
        stack.undoTextChanged.connect(self._retranslate)
        stack.redoTextChanged.connect(self._retranslate)
        self._undo.setEnabled(stack.canUndo())
        self._redo.setEnabled(stack.canRedo())
        theme().changed.connect(self._on_theme_changed)

    # What is shown

    def show_models(self, models: Sequence[ModelInfo], current: str) -> None:
        """Offer `models`; `current` is the name of the one in use."""
        self._models = tuple(models)
        self._current = current
        self._retranslate()

    def show_state(self, state: EngineState) -> None:
        """Show beside the model whether clips can be made now."""
        self._state = state
        self._retranslate()

    def show_getting(self, text: str) -> None:
        """Show how far a model is on its way, "" where none is."""
        if text != self._getting.text() or text == "":
            self._getting.setText(text)
            self._getting.setAccessibleDescription(text)
            self._getting.setVisible(bool(text))
            self._fit()

    def show_machine(self, machine: MachineDescribed) -> None:
        """Show how full the memory of the device is that will be used."""
        self._memory.show_machine(machine)
        self._fit()

    def show_column_buttons(self, *, form: bool, lists: bool) -> None:
        """Offer the columns that are folded away where the window is too narrow for them."""
        self._form.setVisible(form)
        self._column.setVisible(lists)
        self._fit()

    def _on_theme_changed(self) -> None:
        self._show_model()
        self._fit()

    def _fit(self) -> None:
        """Give the memory what the rest leaves; it is the least that one needs."""
        self._memory.fit_in(self.width() - self._width_without_memory() - GAP)

    def _width_without_memory(self) -> int:
        buttons = [self._name, self._model, self._getting, self._undo, self._redo]
        buttons += [self._form, self._column, self._help, self._settings]
        widths = [each.sizeHint().width() for each in buttons if not each.isHidden()]
        return sum(widths) + len(widths) * GAP + 2 * PANEL

    def minimumSizeHint(self) -> QSize:
        """Without the memory, which goes where there is no room."""
        return QSize(self._width_without_memory(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show more or less of the memory."""
        super().resizeEvent(event)
        self._fit()

    # Words

    def _retranslate(self) -> None:
        self._fill_menu()
        self._show_model()
        undo = self.tr("Undo {what}").format(what=self._undo_stack.undoText())
        redo = self.tr("Redo {what}").format(what=self._undo_stack.redoText())
        self._undo.set_words(undo.strip(), shortcut=_keys(Command.UNDO))
        self._redo.set_words(redo.strip(), shortcut=_keys(Command.REDO))
        self._form.set_words(self.tr("What to make"), shortcut=_keys(Command.PROMPT))
        self._column.set_words(self.tr("Queue and library"))
        self._help.set_words(self.tr("Help and shortcuts"), shortcut=_keys(Command.HELP))
        way = self.tr("The real model is on its way: show how far it is")
        self._getting.setToolTip(tip(way))
        self._getting.setAccessibleName(way)
        self._settings.set_words(self.tr("Settings"), shortcut=_keys(Command.SETTINGS))
        self._fit()

    def _fill_menu(self) -> None:
        self._menu.clear()
        for action in self._choices.actions():  # which the menu does not own
            self._choices.removeAction(action)
            action.deleteLater()
        for model in self._models:
            action = self._choices.addAction(model_choice(model))
            action.setCheckable(True)
            action.setChecked(model.name == self._current)
            action.setToolTip(tip(model_description(model)))
            action.triggered.connect(partial(self._on_model_chosen, model.name))
            self._menu.addAction(action)
        if any(not model.is_ready for model in self._models):
            self._menu.addSeparator()
            self._menu.addAction(self.tr("Get the model …"), self._on_get_model)

    def _on_get_model(self) -> None:
        self.model_page_requested.emit()

    def _on_model_chosen(self, name: str) -> None:
        self.model_chosen.emit(name)

    def _show_model(self) -> None:
        current = next((each for each in self._models if each.name == self._current), None)
        label = model_choice(current) if current is not None else self.tr("Looking for models …")
        metrics = self._model.fontMetrics()
        middle = Qt.TextElideMode.ElideMiddle
        shown = metrics.elidedText(label, middle, theme().px(_LONGEST_NAME))
        self._model.setText(f"{shown}  ▾" if len(self._models) > 1 else shown)
        state = self._state_text()
        description = model_description(current) if current is not None else ""
        lines = (label if shown != label else "", description, state)
        self._model.setToolTip(tip("\n".join(line for line in lines if line)))
        self._model.setAccessibleName(self.tr("Model: {name}").format(name=label))
        self._model.setAccessibleDescription(state)
        if self._state is not None:
            side = theme().px(_DOT_PX)
            self._model.setIcon(icon("dot", _TOKENS[self._state]))
            self._model.setIconSize(QSize(side, side))

    def _state_text(self) -> str:
        match self._state:
            case None:
                return ""
            case EngineState.STARTING:
                return self.tr("The engine is starting.")
            case EngineState.READY:
                return self.tr("The engine is ready.")
            case EngineState.STOPPED:
                return self.tr("The engine has stopped.")
            case EngineState.FAILED:
                return self.tr("The engine does not start.")

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)


def _keys(command: Command) -> str:
    return next(each.shown_keys for each in shortcuts() if each.command is command)
