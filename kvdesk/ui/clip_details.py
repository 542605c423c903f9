"""What a clip is and how it was made; and how its settings differ from the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kvdesk.clip_differences import Difference, differences
from kvdesk.form_fields import field_label, seed_text
from kvdesk.library_model import date_text
from kvdesk.model_names import model_label
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.job_tile import stage_name
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL

if TYPE_CHECKING:
    from kvdesk.clip_records import ClipRecord
    from kvdesk.form import Form

_TYPING_PAUSE_MS = 150
_MAX_CHARACTERS = 300
_MINUTE = 60
_NO_BREAK = "\N{NO-BREAK SPACE}"


class ClipDetails(QScrollArea):
    """The details of one clip, beside the values of a `Form`.

    Attributes:
        restore_requested: (name, frozenset of fields or None for all) take over its settings.
        closed: the details are not wanted any more.
    """

    restore_requested = Signal(str, object)
    closed = Signal()

    def __init__(self, form: Form, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._clip: ClipRecord | None = None
        self._shown: list[Difference] | None = None
        self._title = PlainLabel()
        self._title.setProperty("role", "title")
        self._close = IconButton("close")
        self._prompt = _plain_label()
        self._facts = QGridLayout()
        self._heading = PlainLabel()
        self._heading.setProperty("role", "label")
        self._heading.setWordWrap(True)
        self._use_all = QPushButton()
        self._rows = QVBoxLayout()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TYPING_PAUSE_MS)
        self._build_ui()
        self._timer.timeout.connect(self._compare)
        self._close.clicked.connect(self.closed)
        self._use_all.clicked.connect(self._on_use_all)
        form.changed.connect(self._timer.start)
        self._retranslate()

    def _build_ui(self) -> None:
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = QHBoxLayout()
        header.addWidget(self._title, 1)
        header.addWidget(self._close)
        self._facts.setHorizontalSpacing(PANEL)
        self._facts.setVerticalSpacing(GAP // 2)
        self._facts.setColumnStretch(1, 1)
        self._rows.setSpacing(GAP)
        content = QWidget()
        content.setObjectName("content")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, GAP, 0)
        column.setSpacing(GAP)
        column.addLayout(header)
        column.addWidget(self._prompt)
        column.addLayout(self._facts)
        column.addSpacing(GAP)
        column.addWidget(self._heading)
        column.addLayout(self._rows)
        column.addWidget(self._use_all, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.setWidget(content)

    @property
    def clip(self) -> ClipRecord | None:
        """The clip whose details are shown."""
        return self._clip

    def show_clip(self, clip: ClipRecord | None) -> None:
        """Show the details of `clip`; None: of none."""
        self._clip = clip
        self._shown = None
        self._show_facts()
        self._compare()

    def _show_facts(self) -> None:
        _clear(self._facts)
        self._prompt.setText(self._clip.info.request.prompt if self._clip else "")
        self._prompt.setVisible(bool(self._prompt.text().strip()))
        if self._clip is None:
            return
        for row, (name, value) in enumerate(self._fact_texts(self._clip)):
            label = PlainLabel(name)
            label.setProperty("role", "label")
            text = _plain_label(value)
            text.setAccessibleName(f"{name}: {value}")
            self._facts.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(text, row, 1)

    def _fact_texts(self, clip: ClipRecord) -> list[tuple[str, str]]:
        info, request = clip.info, clip.info.request
        facts = [
            (self.tr("Made"), date_text(info.created)),
            (self.tr("Size"), f"{request.size.width} × {request.size.height}"),
            (
                self.tr("Frames"),
                self.locale().toString(info.num_frames)
                if info.num_frames
                else self.tr("key frame only"),
            ),
            (self.tr("Seed"), seed_text(request.seed)),
            (self.tr("Model"), model_label(info.model)),
        ]
        if info.eight_bit:
            facts.append((self.tr("Weights"), self.tr("8 bit where exact ones did not fit")))
        if info.seconds:
            stages = [f"{stage_name(s.stage)} {self._duration(s.seconds)}" for s in info.seconds]
            facts.append((self.tr("Took"), " · ".join(stages)))
        if clip.is_read_only:
            text = self.tr("A newer kvdesk made this clip. Update kvdesk to go on with it.")
            facts.append((self.tr("Note"), text))
        return facts

    def _duration(self, seconds: float) -> str:
        if seconds < _MINUTE:
            digits = 1 if seconds < _MINUTE / 6 else 0
            number = self.locale().toString(seconds, "f", digits)
            text = self.tr("{seconds} s").format(seconds=number)
        else:
            minutes, rest = divmod(round(seconds), _MINUTE)
            text = self.tr("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
        return text.replace(" ", _NO_BREAK)

    def _compare(self) -> None:
        if self._clip is None:
            found: list[Difference] = []
        else:
            info = self._clip.info
            found = differences(self._form.values, info.request, info.model)
        if found == self._shown:
            return
        self._shown = found
        self._show_differences(found)

    def _show_differences(self, found: list[Difference]) -> None:
        had_focus = any(
            button.hasFocus() for button in (self._use_all, *self.findChildren(_UseButton))
        )
        _clear(self._rows)
        for difference in found:
            self._add_row(difference)
        self._heading.setText(
            self.tr("Not the same as the form") if found else self.tr("Same as the form")
        )
        self._heading.setVisible(self._clip is not None)
        self._use_all.setVisible(bool(found))
        if had_focus:
            # The button that was pressed is gone; the keys go on with what comes next.
            buttons = self.findChildren(_UseButton)
            (buttons[0] if buttons else self._close).setFocus(Qt.FocusReason.OtherFocusReason)

    def _add_row(self, difference: Difference) -> None:
        row = QFrame()
        row.setProperty("surface", "card")
        name = PlainLabel(field_label(difference.field))
        name.setProperty("role", "label")
        # The button goes below the name where large text leaves no room beside it.
        head = FlowRows(gap=GAP, ends_apart=True)
        head.addWidget(name)
        mine = _short_label(self.tr("Form: {value}").format(value=difference.mine))
        mine.setProperty("role", "muted")
        column = QVBoxLayout(row)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.setSpacing(GAP // 2)
        column.addLayout(head)
        column.addWidget(_short_label(difference.theirs))
        column.addWidget(mine)
        # The form does not choose a model by a clip: it may not be on this machine any more.
        if difference.field != "model":
            button = _UseButton(self.tr("Use"))
            button.setProperty("kind", "chip")
            words = self.tr("Use {field}: {value}")
            words = words.format(field=name.text(), value=_short(difference.theirs))
            button.setAccessibleName(words)
            button.clicked.connect(lambda _=False, field=difference.field: self._on_use(field))
            head.addWidget(button)
        self._rows.addWidget(row)

    def _on_use(self, field: str) -> None:
        if self._clip is not None:
            self.restore_requested.emit(self._clip.name, frozenset({field}))

    def _on_use_all(self) -> None:
        if self._clip is not None:
            self.restore_requested.emit(self._clip.name, None)

    def _retranslate(self) -> None:
        self._title.setText(self.tr("Details"))
        self._close.set_words(self.tr("Close the details"))
        self._use_all.setText(self.tr("Use all"))
        self.show_clip(self._clip)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)


class _UseButton(QPushButton):
    """Takes one value over; a class of its own, to be found again."""


def _plain_label(text: str = "") -> QLabel:
    # Never rich text: whatever stands in a clip's folder must not bring pictures and links along.
    label = PlainLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def _short_label(text: str) -> QLabel:
    label = PlainLabel(_short(text))
    label.setWordWrap(True)
    return label


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else text[:_MAX_CHARACTERS] + "…"


def _clear(layout: QGridLayout | QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
