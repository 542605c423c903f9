"""The form: everything that is set for the next clip, with undo, kept over restarts."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

# Some of these are looked up by name when the stored form is decoded.
from engine.api import (
    DEMO_MODEL,
    ClipDefaults,
    CropBox,
    Fps,
    FrameSize,
    GenerateRequest,
    GuidanceScales,
    JsonObject,
    ModelInfo,
    Motion,
    PictureRequest,
    SamplingSettings,
    draw_seed,
    from_json,
    to_json,
)
from engine.errors import MessageError
from kvdesk.form_edit import FormEdit
from kvdesk.form_fields import FIELDS, GUIDANCE_FIELDS, SAMPLING_FIELDS, field_value, with_values
from kvdesk.form_rules import (
    Preset,
    Problem,
    field_label,
    find_cautions,
    find_problems,
    preset_changes,
    preset_of,
    preset_text,
    size_presets,
    size_step,
)
from kvdesk.json_files import DelayedWriter, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from PySide6.QtGui import QUndoStack

__all__ = [
    "Form",
    "FormValues",
    "PictureChoice",
    "Preset",
    "Problem",
    "size_presets",
    "size_step",
]

log = logging.getLogger(__name__)

_DEFAULTS = ClipDefaults()
_VERSION = 1
_SAVE_DELAY_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureChoice:
    """The picture that a clip starts from.

    `width` and `height` are those of the upright picture, in pixels, and `preview` is a small PNG
    of it; they are 0 and "" until the worker has opened it. `crop` is None for the centre.
    """

    path: str
    width: int
    height: int
    preview: str
    crop: CropBox | None = None

    @property
    def is_opened(self) -> bool:
        """Whether the worker has looked at it, so that its size and its preview are known."""
        return self.width > 0 and self.height > 0

    def to_request(self) -> PictureRequest:
        """What the engine is told of it."""
        return PictureRequest(path=self.path, crop=self.crop)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormValues:
    """Everything that is set for a clip.

    `model` is the name of a `ModelInfo`. With `seed_is_locked`, clips go on having the same seed.

    Raises:
        InvalidRequest: a value is out of its range.
    """

    size: FrameSize
    seed: int
    prompt: str = ""
    negative_prompt: str = ""
    picture: PictureChoice | None = None
    fps: Fps = Fps.MEDIUM
    motion: Motion = Motion.HIGH
    noise_augmentation: int = 20
    guidance: GuidanceScales = _DEFAULTS.guidance
    sampling: SamplingSettings = _DEFAULTS.sampling
    seed_is_locked: bool = False
    model: str = DEMO_MODEL

    def __post_init__(self) -> None:
        self.to_request()  # which checks the ranges

    def to_request(self) -> GenerateRequest:
        """The clip that these values ask for."""
        return GenerateRequest(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt,
            picture=self.picture.to_request() if self.picture else None,
            size=self.size,
            fps=self.fps,
            motion=self.motion,
            noise_augmentation=self.noise_augmentation,
            guidance=self.guidance,
            sampling=self.sampling,
            seed=self.seed,
        )


class Form(QObject):
    """The values for the next clip and the model that will make it.

    Undo gives back the fields that a step changed and leaves the others: neither the model nor the
    seed that came after a clip is undone with a word of the prompt.
    """

    changed = Signal(object)
    model_changed = Signal(object)

    def __init__(
        self, store_path: Path, undo_stack: QUndoStack, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        stored = _stored_values(store_path)
        self._values = stored or FormValues(size=_DEFAULTS.size, seed=draw_seed())
        self._announced = self._values
        self._stored_model = stored.model if stored else None
        self._model: ModelInfo | None = None
        self._undo_stack = undo_stack
        self._writer = DelayedWriter(
            store_path, self._content, delay_ms=_SAVE_DELAY_MS, parent=self
        )
        # Not announced from inside a command: a listener that edits would push into a push.
        undo_stack.indexChanged.connect(self._on_stack_moved)

    @property
    def values(self) -> FormValues:
        """The values as they are now."""
        return self._values

    @property
    def model(self) -> ModelInfo | None:
        """The model that will make the clip; None as long as the worker has not named it."""
        return self._model

    def edit(self, what: str, *, merge: str = "", **changes: object) -> None:
        """Set what `changes` names, as one step of undo that is called `what`.

        Args:
            what: the translated name of the step.
            merge: edits in a row with the same one, shortly after one another, become one step.
            changes: attributes of `FormValues`, or fields by the names of `FIELDS`.

        Raises:
            InvalidRequest: a value cannot be; nothing is changed then.
            ValueError: `model` is not set by hand: see `use_model`.
        """
        if "model" in changes:
            raise ValueError("A model is set with use_model.")
        self._push(what, changes, merge=merge)

    def use_model(self, info: ModelInfo) -> None:
        """Make clips with `info`, whose usual values replace those that were usual before.

        No step of undo. The first model takes over all its usual values, unless the form comes
        from the last time with the same model.
        """
        if info == self._model:
            return
        old, self._model = self._model, info
        if old is not None:
            changes = _translated_defaults(self._values, old, info)
        elif self._stored_model == info.name:
            changes = {}
        else:
            usual = info.defaults
            changes = {"size": usual.size, "guidance": usual.guidance, "sampling": usual.sampling}
        self._apply({**changes, "model": info.name})
        self.model_changed.emit(info)
        # Even with the same values, what is cautioned against may differ.
        self._announce(always=True)

    def use_preset(self, preset: Preset) -> None:
        """Take over what `preset` sets, in one step; nothing happens before there is a model."""
        if self._model is not None:
            self._push(preset_text(preset), preset_changes(preset, self._model))

    def preset(self) -> Preset | None:
        """The preset that the values are those of, if any."""
        return preset_of(self._values, self._model) if self._model else None

    def restore(self, request: GenerateRequest, fields: frozenset[str] | None = None) -> None:
        """Take over settings of a clip in one step: all of them, or those that `fields` names.

        A request does not know its model, which stays. Its picture may have to be opened: see
        `picture_opened`.

        Raises:
            ValueError: there is no field of that name.
        """
        unknown = sorted((fields or frozenset()) - set(FIELDS))
        if unknown:
            raise ValueError(f"The form has no {unknown[0]}.")
        wanted = [field for field in FIELDS if fields is None or field in fields]
        changes = {field: field_value(request, field) for field in wanted if field != "model"}
        if "picture" in changes:
            changes["picture"] = self._picture_choice(request.picture)
        if len(changes) == 1:
            what = field_label(next(iter(changes)))
        else:
            what = QCoreApplication.translate("Form", "Settings of a clip")
        self._push(what, changes)

    def picture_opened(self, path: str, *, width: int, height: int, preview: str) -> None:
        """Take down what the worker says of the picture at `path`, if that is the chosen one."""
        picture = self._values.picture
        if picture is not None and picture.path == path:
            picture = replace(picture, width=width, height=height, preview=preview)
            self._apply({"picture": picture})
            self._announce()

    def roll_seed(self) -> None:
        """Draw a new seed, as a step of undo."""
        self.edit(QCoreApplication.translate("Form", "New seed"), seed=draw_seed())

    def next_seed(self) -> None:
        """Draw a new seed for the clip after one that was asked for, unless it is locked."""
        if not self._values.seed_is_locked:
            self._apply({"seed": draw_seed()})
            self._announce()

    def problems(self) -> list[Problem]:
        """What has to be put right before a clip can be made."""
        return find_problems(self._values, self._model)

    def cautions(self) -> list[Problem]:
        """What is allowed but unlike what the model was trained on; at most one for a field."""
        return find_cautions(self._values, self._model)

    def flush(self) -> None:
        """Write now what is not written yet."""
        self._writer.flush()

    def _push(self, what: str, changes: Mapping[str, object], *, merge: str = "") -> None:
        before = _undoable(self._values)
        after = _undoable(with_values(self._values, changes))
        changed = [field for field in before if before[field] != after[field]]
        if changed:
            self._undo_stack.push(
                FormEdit(
                    self._apply,
                    what,
                    merge=merge,
                    before={field: before[field] for field in changed},
                    after={field: after[field] for field in changed},
                )
            )

    def _picture_choice(self, picture: PictureRequest | None) -> PictureChoice | None:
        if picture is None:
            return None
        current = self._values.picture
        if current is not None and current.path == picture.path:
            return replace(current, crop=picture.crop)
        return PictureChoice(path=picture.path, width=0, height=0, preview="", crop=picture.crop)

    def _apply(self, changes: Mapping[str, object]) -> None:
        self._values = with_values(self._values, changes)

    def _announce(self, *, always: bool = False) -> None:
        if always or self._values != self._announced:
            self._announced = self._values
            self._writer.schedule()
            self.changed.emit(self._values)

    def _on_stack_moved(self, _index: int) -> None:
        self._announce()

    def _content(self) -> JsonObject:
        return {"version": _VERSION, "values": to_json(self._values)}


def _undoable(values: FormValues) -> dict[str, object]:
    fields: dict[str, object] = {
        field: field_value(values, field) for field in FIELDS if field != "model"
    }
    return {**fields, "picture": values.picture, "seed_is_locked": values.seed_is_locked}


def _translated_defaults(values: FormValues, old: ModelInfo, new: ModelInfo) -> dict[str, object]:
    """What is usual with `new`, for all fields of `values` that were usual with `old`."""
    before = replace(values, guidance=old.defaults.guidance, sampling=old.defaults.sampling)
    after = replace(values, guidance=new.defaults.guidance, sampling=new.defaults.sampling)
    preset = preset_of(values, old)
    fields = (*GUIDANCE_FIELDS, *(SAMPLING_FIELDS if preset is None else ()))
    changes = {
        field: field_value(after, field)
        for field in fields
        if field_value(values, field) == field_value(before, field)
    }
    for name, size in size_presets(old).items():
        if values.size == size:
            changes["size"] = size_presets(new)[name]
    return changes if preset is None else {**changes, **preset_changes(preset, new)}


def _stored_values(path: Path) -> FormValues | None:
    data = read_json(path)
    if data is None or data.get("version") != _VERSION:
        return None
    try:
        return from_json(FormValues, data.get("values"))
    except MessageError as error:
        log.warning("The form begins anew: %s", error.message)
        return None
