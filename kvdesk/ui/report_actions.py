"""A report from the wish for one to its file."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog

from kvdesk.background import Background
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from engine.api import MachineDescribed
    from kvdesk.folders import Folders
    from kvdesk.jobs import JobQueue
    from kvdesk.report import ReportFacts
    from kvdesk.settings import SettingsStore
    from kvdesk.ui.main_window import MainWindow

_ENDING = ".txt"
_MS_TO_CLOSE = 2000


class ReportActions(QObject):
    """Gathers what a report says, shows it, and asks where it is to be kept."""

    def __init__(
        self,
        *,
        window: MainWindow,
        queue: JobQueue,
        settings: SettingsStore,
        folders: Folders,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._queue = queue
        self._settings = settings
        self._folders = folders
        self._background = Background(self)
        self._machine: MachineDescribed | None = None
        self._facts: ReportFacts | None = None
        page = window.report_page
        page.prompts_toggled.connect(self._on_prompts_toggled)
        page.save_requested.connect(self._ask_name)
        window.notices.report_requested.connect(self.open)
        window.help_page.report_requested.connect(partial(self.open, None))
        window.closing.connect(partial(self._background.close, _MS_TO_CLOSE))

    def know_machine(self, machine: MachineDescribed) -> None:
        """Have the computer described in later reports."""
        self._machine = machine

    def open(self, notice: Notice | None = None) -> None:
        """Show a report, about `notice` where there is one."""
        # Looks at versions of packages, which the start of the window need not wait for.
        from kvdesk.report import ReportFacts

        self._facts = ReportFacts(
            notice=notice,
            machine=self._machine,
            jobs=self._queue.jobs,
            settings=self._settings.values,
            log=self._folders.log,
        )
        self._window.report_page.begin()
        self._window.show_report()
        self._make()

    def _on_prompts_toggled(self, _: bool) -> None:
        self._make()

    def _make(self) -> None:
        from kvdesk.report import make_report

        facts, page = self._facts, self._window.report_page
        if facts is None:
            return
        with_prompts = page.with_prompts
        self._background.run(
            partial(make_report, facts, with_prompts=with_prompts),
            partial(self._on_made, facts, with_prompts),
        )

    def _on_made(self, facts: ReportFacts, with_prompts: bool, text: str) -> None:
        page = self._window.report_page
        if facts is self._facts and with_prompts == page.with_prompts:  # still what is wanted
            page.show_text(text)

    def _ask_name(self) -> None:
        places = QStandardPaths.standardLocations(QStandardPaths.StandardLocation.DocumentsLocation)
        folder = next((place for place in places if Path(place).is_dir()), str(Path.home()))
        dialog = QFileDialog(self._window, self.tr("Save the report"), folder)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(self.tr("Text (*.txt)"))
        dialog.setDefaultSuffix(_ENDING.strip("."))
        dialog.selectFile(f"kvdesk-report-{datetime.now():%Y%m%d-%H%M%S}{_ENDING}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._save)
        dialog.open()

    def _save(self, path: str) -> None:
        from kvdesk.report import save_report

        text = self._window.report_page.text
        self._background.run(
            partial(save_report, Path(path), text), partial(self._on_saved, Path(path).name)
        )

    def _on_saved(self, name: str, problem: str) -> None:
        if problem:
            text = self.tr("The report could not be saved: {reason}. Choose another folder.")
            notice = Notice(text=text.format(reason=problem), tone=Tone.FAILED)
        else:
            notice = Notice(text=self.tr("Saved as {name}.").format(name=name), tone=Tone.FITS)
            self._window.show_stage()
        self._window.notices.show_notice(notice)
