"""What of a model is fetched, where to, and what is taken from elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.api import DownloadDescribed
from kvdesk.error_texts import error_text
from kvdesk.getting_texts import file_groups, part_text, room_of, room_text, size_text
from kvdesk.job import Failure
from kvdesk.ui.controls.expander import Expander
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.controls.labelled_field import LabelledField
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.remark import Remark, RemarkTone
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.controls.switch import Switch
from kvdesk.ui.download_fields import DownloadFields
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.theme import GAP, PANEL

if TYPE_CHECKING:
    from kvdesk.getting import Getting
    from kvdesk.getting_texts import FileGroup


class FilesTable(QWidget):
    """What there is to fetch, by what it is for, or why nobody knows.

    Attributes:
        ask_again_requested: the server did not say, and shall be asked again.
    """

    ask_again_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._answer: DownloadDescribed | Failure | None = None
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(PANEL)
        self._grid.setVerticalSpacing(GAP // 2)
        for column in (0, 2):  # the sizes stand below one another between them
            self._grid.setColumnStretch(column, 1)
        self._words = PlainLabel()
        self._words.setWordWrap(True)
        set_look(self._words, role="muted")
        self._problem = Remark(RemarkTone.CAREFUL)
        self._again = QPushButton()
        set_look(self._again, kind="link")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        for part in (self._rows, self._words, self._problem):
            layout.addWidget(part)
        layout.addWidget(self._again, alignment=Qt.AlignmentFlag.AlignLeft)
        self._again.clicked.connect(self.ask_again_requested)
        self._retranslate()

    def show_answer(self, answer: DownloadDescribed | Failure | None) -> None:
        """Show what the server said; None while it is asked."""
        self._answer = answer
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        answer = self._answer
        is_known = isinstance(answer, DownloadDescribed)
        self._fill(file_groups(answer.files) if is_known else [])
        self._rows.setVisible(is_known)
        self._again.setText(self.tr("Ask again"))
        self._again.setVisible(isinstance(answer, Failure))
        if isinstance(answer, Failure):
            self._problem.set_text(error_text(answer.code, answer.message))
            self._words.setText(
                self.tr("About 40 GB are fetched, and about 30 GB stay. Nobody said more exactly.")
            )
            return
        self._problem.set_text("")
        if answer is None:
            self._words.setText(self.tr("Asking the server what there is to fetch …"))
            return
        words = self.tr("To fetch: {missing} of {total}.")
        self._words.setText(
            words.format(
                missing=size_text(answer.missing_bytes), total=size_text(answer.total_bytes)
            )
        )

    def _fill(self, groups: list[FileGroup]) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for row, group in enumerate(groups):
            name, size = PlainLabel(part_text(group.part)), PlainLabel(size_text(group.size))
            size.setAlignment(Qt.AlignmentFlag.AlignRight)
            state = PlainLabel(self._state_of(group))
            set_look(state, role="muted")
            for place, label in enumerate((name, size, state)):
                label.setWordWrap(place != 1)
                self._grid.addWidget(label, row, place)

    def _state_of(self, group: FileGroup) -> str:
        if group.found_bytes == group.size:
            return self.tr("found on this computer")
        if group.have_bytes == group.size:
            return self.tr("is here")
        if group.have_bytes:
            percent = max(1, int(100 * group.have_bytes / group.size))
            return self.tr("{percent} % is here").format(percent=percent)
        return ""


class ModelChoices(QWidget):
    """Everything that can be chosen before something is fetched.

    Attributes:
        folder_choice_requested: another folder of models shall be chosen.
        folder_requested: the folder of models shall be shown.
        source_choice_requested: a folder shall be chosen that files are taken from.
        source_removed: (folder) nothing is to be taken from there.
        delete_originals_changed: (bool)
        setting_changed: (name of the field of `Settings`, value)
    """

    folder_choice_requested = Signal()
    folder_requested = Signal()
    source_choice_requested = Signal()
    source_removed = Signal(str)
    delete_originals_changed = Signal(bool)
    setting_changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._getting: Getting | None = None
        self._answer: DownloadDescribed | Failure | None = None
        self._sources_shown: tuple[str, ...] = ()
        self._folder = PlainLabel()
        self._folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._folder.setWordWrap(True)
        self._choose = QPushButton()
        self._open = QPushButton()
        self._room = PlainLabel()
        self._room.setWordWrap(True)
        self._delete = Switch()
        self._source_rows = QVBoxLayout()
        self._source_rows.setSpacing(GAP // 2)
        self._add = QPushButton()
        self.download_fields = DownloadFields()
        self._more = Expander("", self.download_fields)
        self._fields = {
            "folder": LabelledField("", self._folder_box()),
            "sources": LabelledField("", self._sources_box(), shows_help=True),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(PANEL)
        for part in (
            self._fields["folder"],
            self._room,
            self._delete,
            self._fields["sources"],
            self._more,
        ):
            column.addWidget(part)
        self._choose.clicked.connect(self.folder_choice_requested)
        self._open.clicked.connect(self.folder_requested)
        self._add.clicked.connect(self.source_choice_requested)
        self._delete.box.clicked.connect(self.delete_originals_changed)
        self.download_fields.setting_changed.connect(self.setting_changed)
        self._retranslate()

    def _folder_box(self) -> QWidget:
        box = QWidget()
        buttons = FlowRows(gap=GAP)
        for button in (self._choose, self._open):
            buttons.addWidget(button)
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._folder)
        column.addLayout(buttons)
        return box

    def _sources_box(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(self._source_rows)
        column.addWidget(self._add, alignment=Qt.AlignmentFlag.AlignLeft)
        return box

    def show_getting(self, getting: Getting) -> None:
        """Show what is chosen."""
        self._getting = getting
        self._folder.setText(getting.models_folder)
        self._delete.box.setChecked(getting.delete_originals)
        if getting.also_in != self._sources_shown:
            self._sources_shown = getting.also_in
            self._fill_sources()
        self._retranslate()

    def show_answer(self, answer: DownloadDescribed | Failure | None) -> None:
        """Show what it takes on the disk."""
        self._answer = answer
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._fill_sources()
            self._retranslate()
        super().changeEvent(event)

    def _fill_sources(self) -> None:
        while (item := self._source_rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for folder in self._sources_shown:
            path = PlainLabel(folder)
            path.setWordWrap(True)
            path.setToolTip(tip(folder))
            remove = IconButton("close")
            remove.set_words(self.tr("Take nothing from {folder}").format(folder=folder))
            remove.clicked.connect(partial(self._on_source_removed, folder))
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.addWidget(path, 1)
            line.addWidget(remove)
            self._source_rows.addWidget(row)

    def _on_source_removed(self, folder: str, _checked: bool = False) -> None:
        self.source_removed.emit(folder)

    def _retranslate(self) -> None:
        getting, answer = self._getting, self._answer
        self._fields["folder"].set_texts(self.tr("Models are kept in"), "")
        self._fields["sources"].set_texts(
            self.tr("Take files from"),
            self.tr(
                "A folder or a USB disk in which files of the model lie already. They are compared "
                "with their checksums, and not fetched again."
            ),
        )
        self._choose.setText(self.tr("Choose another folder …"))
        self._open.setText(self.tr("Show in folder"))
        self._add.setText(self.tr("Add a folder …"))
        self._more.set_title(self.tr("More"))
        self._delete.set_texts(
            self.tr("Delete the downloaded files as they are prepared"),
            self.tr("They are not needed any more. Each goes once what is made of it is safe."),
        )
        if getting is None or not isinstance(answer, DownloadDescribed):
            self._room.setText("")
            self._room.hide()
            return
        self._room.setText(room_text(room_of(answer, delete_originals=getting.delete_originals)))
        self._room.show()
