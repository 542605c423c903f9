"""What the answers of the first start lead to, and when it is shown."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from engine.api import DEMO_MODEL
from kvdesk.background import Background
from kvdesk.folders import free_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import MachineDescribed, ModelInfo
    from kvdesk.form import Form
    from kvdesk.library import Library
    from kvdesk.model_getting import ModelGetting
    from kvdesk.settings import Settings, SettingsStore
    from kvdesk.studio import Studio
    from kvdesk.ui.clip_actions import ClipActions
    from kvdesk.ui.main_window import MainWindow
    from kvdesk.ui.model_actions import ModelActions

_PROCESSOR = "cpu"


class FirstStartActions(QObject):
    """Joins the cards of the first start to the settings, the folders, the form and the models."""

    def __init__(
        self,
        *,
        window: MainWindow,
        settings: SettingsStore,
        library: Library,
        form: Form,
        studio: Studio,
        clip_actions: ClipActions,
        model_actions: ModelActions,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._library = library
        self._form = form
        self._studio = studio
        self._getting: ModelGetting = studio.getting
        self._background = Background(self)
        self._wants_demo = False
        page = window.first_start
        page.language.language_chosen.connect(self._on_language)
        page.folders.clips_choice_requested.connect(clip_actions.choose_clips_folder)
        page.folders.models_choice_requested.connect(model_actions.choose_folder)
        page.model.demo_chosen.connect(self._on_demo)
        page.model.model_chosen.connect(window.show_model_page)
        page.opened.connect(self._on_opened)
        window.page_left.connect(self._on_page_left)
        settings.changed.connect(self._on_settings)
        self._getting.store.changed.connect(self._on_getting)
        studio.machine_changed.connect(self._on_machine)
        form.model_changed.connect(self._on_model)

    def _on_opened(self) -> None:
        self._window.first_start.language.show_language(self._settings.values.language)
        self._show_folders()

    def _on_language(self, language: str) -> None:
        self._settings.change(language=language)

    def _on_settings(self, values: Settings) -> None:
        page = self._window.first_start
        if page.isVisible():
            page.language.show_language(values.language)
            self._show_folders()

    def _on_getting(self) -> None:
        if self._window.first_start.isVisible():
            self._show_folders()

    def _show_folders(self) -> None:
        """Show where things are kept, at once, and what is free there when the disk has said so."""
        cards = self._window.first_start.folders
        self._ask_disk(self._library.clips, cards.show_clips_folder)
        models = Path(self._getting.store.state.models_folder)
        self._ask_disk(models, cards.show_models_folder)

    def _ask_disk(self, folder: Path, show: Callable[[str, int | None], None]) -> None:
        show(str(folder), None)
        # A disk of another computer may take its time.
        self._background.run(partial(free_bytes, folder), partial(show, str(folder)))

    def _on_machine(self, machine: MachineDescribed) -> None:
        cards = [each.label for each in machine.devices if each.name != _PROCESSOR]
        self._window.first_start.model.show_card(cards[0] if cards else "")

    def _on_demo(self) -> None:
        self._wants_demo = True
        self._window.show_stage()
        model = self._form.model
        if model is not None and model.name != DEMO_MODEL:
            self._studio.use_model(DEMO_MODEL)
        elif model is not None:
            self._on_model(model)

    def _on_model(self, model: ModelInfo) -> None:
        """Put an example into the form as soon as the worker has named those of the demo model."""
        if not self._wants_demo or model.name != DEMO_MODEL:
            return
        self._wants_demo = False
        if model.defaults.examples and not self._form.values.prompt.strip():
            self._form.edit(self.tr("Take an example"), prompt=model.defaults.examples[0])
        self._window.focus_generate()

    def _on_page_left(self, page: object) -> None:
        if page is self._window.first_start:
            self._settings.change(welcomed=True)
