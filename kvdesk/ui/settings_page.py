"""What is set once and for all: language, looks, folders, the device and its memory, notices."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from kvdesk.settings import TEXT_PERCENTS
from kvdesk.translations import LANGUAGES
from kvdesk.ui.controls.labelled_field import LabelledField
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.controls.segments import Segments
from kvdesk.ui.controls.switch import Switch
from kvdesk.ui.download_fields import DownloadFields
from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import DeviceInfo, MachineDescribed, ModelInfo
    from kvdesk.settings import Settings


class SettingsPage(Page):
    """Shows `Settings` and says which of them shall change; they take effect at once.

    Attributes:
        setting_changed: (name of the field of `Settings`, value)
        folder_choice_requested: another folder for the clips shall be chosen.
        folder_requested: the folder of the clips shall be shown.
        models_folder_choice_requested: another folder for models shall be chosen.
        models_folder_requested: the folder of models shall be shown.
        model_page_requested: the real model is wanted.
    """

    WIDTH = 520

    setting_changed = Signal(str, object)
    folder_choice_requested = Signal()
    folder_requested = Signal()
    models_folder_choice_requested = Signal()
    models_folder_requested = Signal()
    model_page_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._language = Segments()
        self._theme = Segments()
        self._text = Segments([(percent, f"{percent} %") for percent in TEXT_PERCENTS])
        self._device = Segments()
        self._weights = Segments()
        self._reduce_motion = Switch()
        self._notify = Switch()
        self._clips = _FolderBox()
        self._models = _FolderBox()
        self._get_model = QPushButton()
        self._models.add(self._get_model)
        self._download = DownloadFields()
        self._machine: MachineDescribed | None = None
        self._model: ModelInfo | None = None
        self._settings: Settings | None = None
        self._fields = {
            "language": LabelledField("", self._language),
            "theme": LabelledField("", self._theme),
            "text_percent": LabelledField("", self._text),
            "device": LabelledField("", self._device, shows_help=True),
            "eight_bit": LabelledField("", self._weights, shows_help=True),
            "clips": LabelledField("", self._clips, shows_help=True),
            "models": LabelledField("", self._models, shows_help=True),
        }
        for part in (
            self._fields["language"],
            self._fields["theme"],
            self._fields["text_percent"],
            self._reduce_motion,
            self._fields["device"],
            self._fields["eight_bit"],
            self._fields["clips"],
            self._fields["models"],
            self._download,
            self._notify,
        ):
            self.column.addWidget(part)
        self.column.addStretch(1)
        self._connect()
        self._retranslate()

    def _connect(self) -> None:
        for name, segments in (
            ("language", self._language),
            ("theme", self._theme),
            ("text_percent", self._text),
            ("device", self._device),
            ("eight_bit", self._weights),
        ):
            segments.value_changed.connect(partial(self.setting_changed.emit, name))
        for name, switch in (("reduce_motion", self._reduce_motion), ("notify", self._notify)):
            switch.box.clicked.connect(self._changer(name))
        self._clips.choose.clicked.connect(self.folder_choice_requested)
        self._clips.open.clicked.connect(self.folder_requested)
        self._models.choose.clicked.connect(self.models_folder_choice_requested)
        self._models.open.clicked.connect(self.models_folder_requested)
        self._get_model.clicked.connect(self.model_page_requested)
        self._download.setting_changed.connect(self.setting_changed)

    def _changer(self, name: str) -> Callable[[bool], None]:
        # To a `partial`, Qt would not hand the value on.
        def change(is_on: bool) -> None:
            self.setting_changed.emit(name, is_on)

        return change

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Settings")

    def show_settings(self, settings: Settings, clips_folder: str) -> None:
        """Show what is set; `clips_folder` is where clips are kept in fact."""
        self._settings = settings
        self._clips.show_folder(clips_folder)
        self._download.show_settings(settings)
        self._show_choices()

    def show_models_folder(self, folder: str) -> None:
        """Show where models are kept."""
        self._models.show_folder(folder)

    def show_machine(self, machine: MachineDescribed) -> None:
        """Offer the devices that were found."""
        known = self._machine.devices if self._machine is not None else None
        self._machine = machine
        if known is None or _names(known) != _names(machine.devices):
            self._show_devices()

    def show_model(self, model: ModelInfo) -> None:
        """Say what 8-bit weights mean for this model."""
        self._model = model
        self._explain_weights()

    def _explain_weights(self) -> None:
        error = self._model.error_8bit if self._model is not None else None
        if self._model is not None and not self._model.unets_8bit:
            words = self.tr(
                "The model in use has its weights in one form only, so that nothing changes. "
                "“kvdesk prepare” with “--8bit” adds the other one."
            )
        elif error is None:
            words = self.tr(
                "8 bit is taken where the exact weights do not fit; clips come out a little "
                "different."
            )
        else:
            words = self.tr(
                "8 bit is taken where the exact weights do not fit; clips come out a little "
                "different. In the model in use, these weights are off by {percent} % on average."
            ).format(percent=f"{100 * error:.2g}")
        self._fields["eight_bit"].set_texts(self.tr("Weights of the networks"), words)

    def _show_devices(self) -> None:
        devices = self._machine.devices if self._machine is not None else ()
        options = [("", self.tr("Automatic")), *[(each.name, each.label) for each in devices]]
        chosen = self._settings.device if self._settings is not None else ""
        if chosen not in dict(options):
            words = self.tr("{device} (not found)") if self._machine is not None else "{device}"
            options.append((chosen, words.format(device=chosen)))
        self._device.set_options(options)
        self._order_tabs()
        self._device.set_value(chosen)

    def _show_choices(self) -> None:
        settings = self._settings
        if settings is None:
            return
        self._language.set_value(settings.language)
        self._theme.set_value(settings.theme)
        self._text.set_value(settings.text_percent)
        self._weights.set_value(settings.eight_bit)
        self._show_devices()
        self._reduce_motion.box.setChecked(settings.reduce_motion)
        self._notify.box.setChecked(settings.notify)

    def _retranslate(self) -> None:
        super()._retranslate()
        self._language.set_options([("", self.tr("System")), *LANGUAGES.items()])
        self._theme.set_options(
            [
                ("system", self.tr("System")),
                ("light", self.tr("Light")),
                ("dark", self.tr("Dark")),
            ]
        )
        self._weights.set_options([(False, self.tr("Exact")), (True, self.tr("8 bit"))])
        self._explain_weights()
        self._show_devices()
        texts = {
            "language": (self.tr("Language"), ""),
            "theme": (self.tr("Colours"), ""),
            "text_percent": (self.tr("Size of text"), ""),
            "device": (
                self.tr("Works on"),
                self.tr("Automatic takes a graphics card where there is one."),
            ),
            "clips": (
                self.tr("Clips are kept in"),
                self.tr("Clips that are there already stay where they are."),
            ),
            "models": (
                self.tr("Models are kept in"),
                self.tr(
                    "Models that are in the former folder stay there, and are not used any more."
                ),
            ),
        }
        for name, (title, words) in texts.items():
            self._fields[name].set_texts(title, words)
        for box in (self._clips, self._models):
            box.choose.setText(self.tr("Choose another folder …"))
            box.open.setText(self.tr("Show in folder"))
        self._get_model.setText(self.tr("Get the model …"))
        self._reduce_motion.set_texts(self.tr("Reduce motion"), self.tr("Nothing plays by itself."))
        self._notify.set_texts(
            self.tr("Say when a clip is ready"),
            self.tr("If it took a while and another window is in front."),
        )
        self._show_choices()


class _FolderBox(QWidget):
    """The path of a folder, and buttons for what can be done with it."""

    def __init__(self) -> None:
        super().__init__()
        self._path = PlainLabel()
        self._path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._path.setWordWrap(True)
        self.choose = QPushButton()
        self.open = QPushButton()
        self._buttons = FlowRows(gap=GAP)
        self.add(self.choose)
        self.add(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._path)
        column.addLayout(self._buttons)

    def add(self, button: QPushButton) -> None:
        """Put `button` behind the others."""
        self._buttons.addWidget(button)

    def show_folder(self, path: str) -> None:
        """Show `path`."""
        self._path.setText(path)


def _names(devices: Sequence[DeviceInfo]) -> list[str]:
    return [device.name for device in devices]
