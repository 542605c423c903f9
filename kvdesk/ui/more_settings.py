"""The settings that most clips do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from engine.api import (
    MAX_NOISE_AUGMENTATION,
    MAX_PROMPT_CHARACTERS,
    MAX_STEPS,
    ClipDefaults,
    GenerateRequest,
    Sampler,
)
from kvdesk.form_fields import GUIDANCE_FIELDS, field_help, field_label, field_value, sampler_text
from kvdesk.model_names import model_choice, model_description
from kvdesk.ui.controls import (
    Expander,
    GrowingText,
    LabelledField,
    NumberField,
    Segments,
    leave_wheel_alone,
    set_look,
)
from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import PANEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import ModelInfo
    from kvdesk.form import Form, FormValues

_USUAL_VALUES = GenerateRequest(prompt="", seed=0, size=ClipDefaults().size)
_USUAL_NOISE = (0, 200)
_USUAL_GUIDANCE = (0, 15)
_USUAL_STEPS = (1, 100)
_USUAL_INTERPOLATION_STEPS = (1, 50)
_MAX_GUIDANCE = 100
_WHOLE_NUMBERS = ("noise_augmentation", "steps", "interpolation_steps")


class MoreSettings(Expander):
    """Everything of the form that has no place in sight, each with a line that says what it does.

    Attributes:
        model_requested: a person wants another model (ModelInfo).
    """

    model_requested = Signal(object)

    def __init__(self, form: Form, parent: QWidget | None = None) -> None:
        content = QWidget()
        super().__init__("", content, parent)
        self._form = form
        self._models: tuple[ModelInfo, ...] = ()
        self._negative = GrowingText(
            min_lines=2, max_lines=5, max_characters=MAX_PROMPT_CHARACTERS, parent=content
        )
        self._numbers = _number_fields(content)
        self._sampler = Segments([(each, sampler_text(each)) for each in Sampler], content)
        self._model = QComboBox(content)
        self._defaults = QPushButton(content)
        self.fields: dict[str, LabelledField] = {}
        self._build_ui()
        self._connect()
        self._retranslate()
        self.show_values(form.values)

    def _build_ui(self) -> None:
        controls: dict[str, QWidget] = {
            "negative_prompt": self._negative,
            **self._numbers,
            "sampler": self._sampler,
            "model": self._model,
        }
        leave_wheel_alone(self._model)
        self._model.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._model.setMinimumContentsLength(12)
        set_look(self._defaults, kind="link")
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(PANEL)
        for name, control in controls.items():
            self.fields[name] = LabelledField("", control, shows_help=True, parent=self.content)
            column.addWidget(self.fields[name])
        column.addWidget(self._defaults, alignment=Qt.AlignmentFlag.AlignLeft)

    def _connect(self) -> None:
        self._negative.text_edited.connect(self._on_negative_edited)
        for name, control in self._numbers.items():
            control.value_changed.connect(self._on_number_changed)
            control.setObjectName(name)
        self._sampler.value_changed.connect(self._on_sampler_chosen)
        self._model.activated.connect(self._on_model_chosen)
        self._defaults.clicked.connect(self._on_defaults_clicked)

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """Offer `models`."""
        self._models = tuple(models)
        with QSignalBlocker(self._model):
            self._model.clear()
            for model in self._models:
                self._model.addItem(model_choice(model))
                row = self._model.count() - 1
                words = tip(model_description(model))
                self._model.setItemData(row, words, Qt.ItemDataRole.ToolTipRole)
        self.show_values(self._form.values)

    def show_values(self, values: FormValues) -> None:
        """Show what the form holds."""
        self._negative.show_text(values.negative_prompt)
        for name, control in self._numbers.items():
            value = field_value(values, name)
            if isinstance(value, int | float):
                control.set_value(value)
        self._sampler.set_value(values.sampling.sampler)
        names = [model.name for model in self._models]
        with QSignalBlocker(self._model):
            self._model.setCurrentIndex(names.index(values.model) if values.model in names else -1)
        usual = self._usual_values()
        self._defaults.setEnabled(
            any(field_value(values, name) != value for name, value in usual.items())
        )

    def show_caution(self, field: str, text: str) -> None:
        """Say why the value of `field` is unusual; "" where it is not."""
        self.fields[field].set_caution(text)
        number = self._numbers.get(field)
        if number is not None:
            number.set_caution(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.set_title(self.tr("More settings"))
        self.set_models(self._models)
        self._defaults.setText(self.tr("Back to the model’s defaults"))
        self._negative.setPlaceholderText(self.tr("For example: text, blurry"))
        for name, field in self.fields.items():
            field.set_texts(field_label(name), field_help(name))

    def _usual_values(self) -> dict[str, object]:
        """What the model is used with, by field; nothing as long as there is no model."""
        model = self._form.model
        if model is None:
            return {}
        usual = model.defaults
        return {
            "noise_augmentation": _USUAL_VALUES.noise_augmentation,
            **{name: getattr(usual.guidance, own) for name, own in GUIDANCE_FIELDS.items()},
            "steps": usual.sampling.steps,
            "interpolation_steps": usual.sampling.interpolation_steps,
            "sampler": usual.sampling.sampler,
        }

    def _on_negative_edited(self, text: str) -> None:
        self._form.edit(
            field_label("negative_prompt"), merge="negative_prompt", negative_prompt=text
        )

    def _on_number_changed(self, value: float) -> None:
        name = str(self.sender().objectName())
        wanted = round(value) if name in _WHOLE_NUMBERS else value
        changes: dict[str, object] = {name: wanted}
        self._form.edit(field_label(name), merge=name, **changes)

    def _on_sampler_chosen(self, sampler: object) -> None:
        self._form.edit(field_label("sampler"), sampler=sampler)

    def _on_model_chosen(self, row: int) -> None:
        self.model_requested.emit(self._models[row])

    def _on_defaults_clicked(self) -> None:
        self._form.edit(self.tr("The model’s defaults"), merge="", **self._usual_values())


def _number_fields(parent: QWidget) -> dict[str, NumberField]:
    guidance = {
        name: NumberField(
            -_MAX_GUIDANCE,
            _MAX_GUIDANCE,
            step=0.5,
            decimals=2,
            usual=_USUAL_GUIDANCE,
            parent=parent,
        )
        for name in GUIDANCE_FIELDS
    }
    return {
        "noise_augmentation": NumberField(
            0, MAX_NOISE_AUGMENTATION, usual=_USUAL_NOISE, parent=parent
        ),
        **guidance,
        "steps": NumberField(1, MAX_STEPS, usual=_USUAL_STEPS, parent=parent),
        "interpolation_steps": NumberField(
            1, MAX_STEPS, usual=_USUAL_INTERPOLATION_STEPS, parent=parent
        ),
    }
