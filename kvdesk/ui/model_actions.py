"""What a person wants on the page of the model, and the dialogs that this takes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from kvdesk.getting_texts import short_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from kvdesk.model_getting import ModelGetting
    from kvdesk.settings import SettingsStore
    from kvdesk.ui.main_window import MainWindow
    from kvdesk.ui.model_page import ModelPage


class ModelActions(QObject):
    """Joins the page, the top bar and the settings to what gets the model."""

    def __init__(
        self, *, window: MainWindow, getting: ModelGetting, settings: SettingsStore
    ) -> None:
        super().__init__(window)
        self._window = window
        self._getting = getting
        self._settings = settings
        self._page: ModelPage | None = None
        settings_page = window.settings_page
        settings_page.models_folder_choice_requested.connect(self.choose_folder)
        settings_page.models_folder_requested.connect(self.show_folder)
        window.model_page_made.connect(self._join)
        settings.changed.connect(self._show_settings)
        getting.store.changed.connect(self._show)
        getting.progress_changed.connect(self._show_progress)
        self._show()

    def _join(self, page: ModelPage) -> None:
        """Have the page show how it is, and do what is wanted on it."""
        self._page = page
        getting, choices = self._getting, self._getting.choices
        page.opened.connect(choices.describe)
        page.files.ask_again_requested.connect(choices.describe)
        page.go_on_requested.connect(getting.go_on)
        page.pause_requested.connect(getting.pause)
        page.fetch_again_requested.connect(getting.fetch_again)
        page.remove_requested.connect(choices.remove)
        page.choices.folder_choice_requested.connect(self.choose_folder)
        page.choices.folder_requested.connect(self.show_folder)
        page.choices.source_choice_requested.connect(self._choose_source)
        page.choices.source_removed.connect(choices.do_not_look_in)
        page.choices.delete_originals_changed.connect(choices.delete_originals)
        page.choices.setting_changed.connect(self._set)
        choices.described.connect(page.show_answer)
        self._show()
        self._show_settings()

    def _set(self, name: str, value: object) -> None:
        self._settings.change(**{name: value})

    def choose_folder(self) -> None:
        """Ask where models are to lie from now on."""
        folder = self._getting.store.state.models_folder
        words = self.tr("Keep models in")
        self._ask_folder(words, folder, self._getting.choices.choose_folder)

    def show_folder(self) -> None:
        """Show the folder of models in the file manager, or where it is going to be made."""
        folder = Path(self._getting.store.state.models_folder)
        there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))

    def _choose_source(self) -> None:
        self._ask_folder(self.tr("Take files from"), "", self._getting.choices.look_in)

    def _ask_folder(self, title: str, folder: str, on_chosen: Callable[[str], None]) -> None:
        dialog = QFileDialog(self._window, title, folder)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(partial(_call, on_chosen))
        dialog.open()

    def _show(self) -> None:
        state = self._getting.store.state
        self._window.settings_page.show_models_folder(state.models_folder)
        if self._page is not None:
            self._page.show_getting(state)
        self._show_progress()

    def _show_progress(self) -> None:
        state, progress = self._getting.store.state, self._getting.progress
        self._window.top_bar.show_getting(short_text(state, progress))
        if self._page is not None:
            self._page.show_progress(progress)

    def _show_settings(self) -> None:
        if self._page is not None:
            self._page.choices.download_fields.show_settings(self._settings.values)


def _call(on_chosen: Callable[[str], None], path: str) -> None:
    on_chosen(path)
