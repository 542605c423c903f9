"""In which settings a clip differs from the form, or from another clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kvdesk.form_fields import FIELDS, field_text, field_value
from kvdesk.model_names import model_label

if TYPE_CHECKING:
    from engine.api import ClipInfo, GenerateRequest
    from kvdesk.form import FormValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that is not the same: its name, and both values as a person reads them."""

    field: str
    mine: str
    theirs: str


def differences(form_values: FormValues, request: GenerateRequest, model: str) -> list[Difference]:
    """Where the form (mine) differs from a clip (theirs) that `model` made; in the form's order."""
    return _compared(form_values, request, (form_values.model, model))


def clip_differences(mine: ClipInfo, theirs: ClipInfo) -> list[Difference]:
    """Where two clips differ; in the form's order."""
    return _compared(mine.request, theirs.request, (mine.model, theirs.model))


def _compared(
    mine: FormValues | GenerateRequest, theirs: GenerateRequest, models: tuple[str, str]
) -> list[Difference]:
    found = [
        Difference(field=field, mine=field_text(mine, field), theirs=field_text(theirs, field))
        for field in FIELDS
        if field != "model" and field_value(mine, field) != field_value(theirs, field)
    ]
    if models[0] != models[1]:
        mine_label, theirs_label = map(model_label, models)
        found.append(Difference(field="model", mine=mine_label, theirs=theirs_label))
    return found
