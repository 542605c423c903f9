"""What the window asks the worker again and again: models, machine, plan, tokens."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from engine.api import (
    ClipPlanned,
    CountTokens,
    DescribeMachine,
    Failed,
    ListModels,
    MachineDescribed,
    ModelsListed,
    PlanClip,
    TokensCounted,
)
from kvdesk.engine_state import EngineState
from kvdesk.estimates import UNKNOWN, Estimate
from kvdesk.getting_notices import card_notice
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from engine.api import Event, GenerateRequest, ModelInfo
    from kvdesk.engine_client import EngineClient
    from kvdesk.estimates import Paces
    from kvdesk.form import Form
    from kvdesk.settings import Settings, SettingsStore

log = logging.getLogger(__name__)

PAUSE_MS = 150
"""Questions about what a person edits are asked when they pause for so long."""
MACHINE_MS = 5000
_NOTABLE_SHARE = 0.02  # of all memory: less is noise

_PlanKey = tuple["GenerateRequest", bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """Whether the clip of the form fits and how long it will take.

    `fits` is None, and the bytes are 0, as long as it is not known. `estimate` was learnt from
    clips that were made, `planned_seconds` computed for a device of that kind; None: not known.
    `is_awaited` says whether the answer is on its way; it takes seconds for a large clip.
    """

    fits: bool | None = None
    is_awaited: bool = False
    needed_bytes: int = 0
    free_bytes: int = 0
    estimate: Estimate = UNKNOWN
    planned_seconds: float | None = None
    device: str = ""


AWAITED = PlanView(is_awaited=True)


class FormQuestions(QObject):
    """Asks when something has changed, at most one question of a kind at a time.

    Attributes:
        plan_changed: with a `PlanView` for the form as it is.
        machine_changed: with a `MachineDescribed`.
        models_changed: with the list of `ModelInfo`.
        tokens_counted: (count, limit) of the text that was asked for last.
        notice: with a `Notice`.
    """

    plan_changed = Signal(object)
    machine_changed = Signal(object)
    models_changed = Signal(list)
    tokens_counted = Signal(int, int)
    notice = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        form: Form,
        paces: Paces,
        settings: SettingsStore,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._form = form
        self._paces = paces
        self._settings = settings
        self.models: tuple[ModelInfo, ...] = ()
        self.machine: MachineDescribed | None = None
        self._view = AWAITED
        self._asked_with = _plan_settings(settings.values)
        self._text = ""
        self._plan_job: int | None = None
        self._tokens_job: int | None = None
        self._planned_for: _PlanKey | None = None
        self._are_models_asked = False
        self._are_models_stale = False
        self._is_machine_asked = False
        self._plan_timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._plan_timer.timeout.connect(self._ask_plan)
        self._tokens_timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._tokens_timer.timeout.connect(self._ask_tokens)
        self._machine_timer = QTimer(self, interval=MACHINE_MS)
        self._machine_timer.timeout.connect(self._ask_machine)
        engine.state_changed.connect(self._on_engine_state)
        form.changed.connect(self._on_form_changed)
        form.model_changed.connect(self._on_model_changed)
        settings.changed.connect(self._on_settings_changed)

    def start(self) -> None:
        """Ask for the models and the machine, and for the machine every five seconds."""
        self.list_models()
        self._ask_machine()
        self._machine_timer.start()

    def stop(self) -> None:
        """Ask nothing more."""
        for timer in (self._plan_timer, self._tokens_timer, self._machine_timer):
            timer.stop()

    def list_models(self) -> None:
        """Ask for the models: at the start, and after one was prepared."""
        if self._are_models_asked:
            self._are_models_stale = True  # the answer may be older than what this is about
            return
        self._are_models_asked = True
        self._engine.ask(ListModels(job=0), self._on_models)

    def count_tokens(self, text: str) -> None:
        """Count the tokens of `text` once a person has paused."""
        self._text = text
        self._tokens_timer.start()

    def plan_again(self) -> None:
        """Ask for the plan again: a clip was made, and something was learnt from it."""
        self._plan_timer.start()

    def _on_form_changed(self, _values: object) -> None:
        if _plan_key(self._form.values.to_request()) != self._planned_for:
            self._plan_anew()

    def _plan_anew(self) -> None:
        """What was true of another clip is not shown while the answer is on its way."""
        self._show(AWAITED)
        self._plan_timer.start()

    def _on_model_changed(self, _model: object) -> None:
        self._plan_anew()
        self.tokens_counted.emit(0, 0)  # by another model; nothing is shown of it
        self._tokens_timer.start()

    def _on_settings_changed(self, _settings: object) -> None:
        if (now := _plan_settings(self._settings.values)) != self._asked_with:
            self._asked_with = now
            self._plan_anew()

    def _on_engine_state(self, state: EngineState) -> None:
        if state is not EngineState.READY:
            return
        if not self.models and not self._are_models_asked:
            self.list_models()
        self._ask_machine()
        self._plan_anew()

    # Models

    def _on_models(self, event: Event) -> None:
        self._are_models_asked = False
        if self._are_models_stale:
            self._are_models_stale = False
            self.list_models()
        if not isinstance(event, ModelsListed) or event.models == self.models:
            return
        self.models = event.models
        self.models_changed.emit(list(event.models))
        if not event.models:
            text = self.tr(
                "There is no model that could make a clip. Install kvdesk again, or prepare a "
                "model in the settings."
            )
            self.notice.emit(Notice(text=text, tone=Tone.FAILED))
            self._show(PlanView())
            return
        wanted = self._form.values.model
        usable = next((info for info in event.models if info.name == wanted), event.models[0])
        self._form.use_model(usable)
        if usable.name != wanted:
            text = self.tr("The model {wanted} is not there any more. {used} is used.")
            text = text.format(wanted=wanted, used=usable.name)
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL))

    # The machine

    def _ask_machine(self) -> None:
        if not self._is_machine_asked:
            self._is_machine_asked = True
            self._engine.ask(DescribeMachine(job=0), self._on_machine)

    def _on_machine(self, event: Event) -> None:
        self._is_machine_asked = False
        if not isinstance(event, MachineDescribed) or event == self.machine:
            return
        before, self.machine = self.machine, event
        self.machine_changed.emit(event)
        card = event.card_without_torch
        if card and card != self._settings.values.told_of_card:
            self._settings.change(told_of_card=card)
            self.notice.emit(card_notice(card))
        if before is None or _differs_notably(before, event):
            # Only the worker knows how much of what is taken is its own and would be given back.
            self._plan_timer.start()

    # The plan

    def _ask_plan(self) -> None:
        if self._form.model is None:
            return
        if self._plan_job is not None:
            # One that has not begun yet must not keep this one waiting.
            self._engine.cancel(self._plan_job)
            self._engine.forget(self._plan_job)
        request = self._form.values.to_request()
        self._planned_for = _plan_key(request)
        question = PlanClip(
            job=0,
            model=self._form.values.model,
            request=request,
            device=self._settings.values.device or None,
            eight_bit=self._settings.values.eight_bit,
        )
        self._plan_job = self._engine.ask(question, self._on_plan)

    def _on_plan(self, event: Event) -> None:
        self._plan_job = None
        if self._plan_timer.isActive():  # the form is another one by now
            return
        if not isinstance(event, ClipPlanned):
            if isinstance(event, Failed):
                log.warning("no plan: %s, %s", event.code, event.message)
            self._show(PlanView())
            return
        view = PlanView(
            fits=event.fits,
            needed_bytes=event.needed_bytes,
            free_bytes=event.free_bytes,
            estimate=self._paces.estimate(event, self._form.values.model),
            planned_seconds=_planned_seconds(event),
            device=event.device,
        )
        self._show(view)

    def _show(self, view: PlanView) -> None:
        if view != self._view:
            self._view = view
            self.plan_changed.emit(view)

    # Tokens

    def _ask_tokens(self) -> None:
        model = self._form.model
        if model is None or not model.is_ready:  # its coming is heard of
            return
        if self._tokens_job is not None:
            self._engine.forget(self._tokens_job)
        question = CountTokens(job=0, model=self._form.values.model, text=self._text)
        self._tokens_job = self._engine.ask(question, self._on_tokens)

    def _on_tokens(self, event: Event) -> None:
        self._tokens_job = None
        if isinstance(event, TokensCounted):
            self.tokens_counted.emit(event.count, event.limit)


def _plan_key(request: GenerateRequest) -> _PlanKey:
    """What a plan depends on: not the words, only whether there are any."""
    return replace(request, prompt="", negative_prompt="", seed=0), bool(request.prompt.strip())


def _plan_settings(settings: Settings) -> tuple[str, bool]:
    """What a plan depends on beside the clip."""
    return settings.device, settings.eight_bit


def _planned_seconds(plan: ClipPlanned) -> float | None:
    """The length of the whole clip; None while that of any stage is not known."""
    seconds = [stage.seconds for stage in plan.stages if stage.seconds is not None]
    return sum(seconds) if seconds and len(seconds) == len(plan.stages) else None


def _differs_notably(before: MachineDescribed, after: MachineDescribed) -> bool:
    devices = zip(before.devices, after.devices, strict=False)
    return len(before.devices) != len(after.devices) or any(
        old.name != new.name
        or abs(old.free_bytes - new.free_bytes) > _NOTABLE_SHARE * new.total_bytes
        for old, new in devices
    )
