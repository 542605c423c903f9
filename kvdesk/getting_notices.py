"""What a person is told of the model that is being got, wherever in the window they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.api.own_module import torch_advice
from kvdesk.error_texts import error_text
from kvdesk.getting import Step
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from kvdesk.job import Failure

SHOW_MODEL_PAGE = "show_model_page"


def getting_failed_notice(step: Step, failure: Failure, *, is_held: bool = False) -> Notice:
    """A step failed; the page says the same and offers to try again.

    `is_held` says that the queue was held, so that no clips are made with a model in doubt.
    """
    translate = QCoreApplication.translate
    words = {
        Step.DOWNLOAD: translate("Getting", "The model could not be fetched. {reason}"),
        Step.PREPARE: translate("Getting", "The model could not be prepared. {reason}"),
        Step.TEST: translate("Getting", "The test clip was not made. {reason}"),
    }[step]
    text = words.format(reason=error_text(failure.code, failure.message))
    if is_held:
        text += " " + translate("Getting", "The queue is held.")
    return Notice(
        text=text,
        tone=Tone.FAILED,
        detail=failure.detail,
        action=SHOW_MODEL_PAGE,
        action_text=_page_text(),
    )


def ready_notice() -> Notice:
    """The model is there and computes what it should."""
    return Notice(
        text=QCoreApplication.translate(
            "Getting", "Kandinsky 1.1 is ready: it was tested, and the form uses it now."
        ),
        tone=Tone.FITS,
    )


def missing_model_notice() -> Notice:
    """A clip was added whose model is not there yet."""
    return Notice(
        text=QCoreApplication.translate(
            "Getting",
            "The clip is in the queue. It waits for its model, which is not on this computer yet, "
            "and starts by itself when it is.",
        ),
        action=SHOW_MODEL_PAGE,
        action_text=_page_text(),
    )


def in_use_notice(folder: str) -> Notice:
    """The folder of models cannot be another one now."""
    text = QCoreApplication.translate(
        "Getting",
        "A model is being made in {folder}. Wait until it is ready, or remove what was fetched, "
        "before you choose another folder.",
    )
    return Notice(
        text=text.format(folder=folder),
        tone=Tone.CAREFUL,
        action=SHOW_MODEL_PAGE,
        action_text=_page_text(),
    )


def folder_notice(folder: str, problem: str) -> Notice:
    """The choice of a folder could not be written down."""
    text = QCoreApplication.translate(
        "Getting", "{folder} could not be made the folder of models, since that cannot be saved."
    )
    return Notice(text=text.format(folder=folder), tone=Tone.FAILED, detail=problem)


def kept_notice(folder: str, problem: str) -> Notice:
    """What was fetched could not be deleted, or not all of it."""
    text = QCoreApplication.translate(
        "Getting",
        "Not everything in {folder} could be removed. Close programs that use it, and try again.",
    )
    return Notice(text=text.format(folder=folder), tone=Tone.FAILED, detail=problem)


def card_notice(card: str) -> Notice:
    """There is a graphics card that the installed PyTorch cannot use."""
    text = QCoreApplication.translate(
        "Getting",
        "There is a graphics card in this computer, {card}, but the PyTorch that is installed can "
        "use the processor only, on which clips take many times as long. To use the card, type "
        "“{command}” in a terminal, and start kvdesk again.",
    )
    return Notice(text=text.format(card=card, command=torch_advice()), tone=Tone.CAREFUL)


def _page_text() -> str:
    return QCoreApplication.translate("Getting", "Get the model …")
