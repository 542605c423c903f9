"""What can be done with clips of the library, as a context menu offers it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QMenu, QWidget

from engine.api import Fps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kvdesk.clip_records import ClipSummary


class ClipAction(StrEnum):
    """Something that can be done with one clip or several."""

    SHOW = "show"
    USE_SETTINGS = "use_settings"
    CONTINUE = "continue"
    SMOOTH_TO_MEDIUM = "smooth_to_medium"
    SMOOTH_TO_HIGH = "smooth_to_high"
    ANIMATE = "animate"
    COMPARE = "compare"
    COMPARE_PAIR = "compare_pair"
    EXPORT = "export"
    SHOW_FOLDER = "show_folder"
    STAR = "star"
    TAKE_STAR = "take_star"
    DELETE = "delete"
    PUT_BACK = "put_back"


SMOOTHING = {ClipAction.SMOOTH_TO_MEDIUM: Fps.MEDIUM, ClipAction.SMOOTH_TO_HIGH: Fps.HIGH}
"""Actions that make a clip smoother, and how smooth."""

_KEYS = {ClipAction.SHOW: "Return", ClipAction.STAR: "S", ClipAction.DELETE: "Del"}
_KEYS[ClipAction.TAKE_STAR] = _KEYS[ClipAction.STAR]


def action_groups(clips: Sequence[ClipSummary]) -> list[list[ClipAction]]:
    """What can be done with `clips`, in groups that belong together."""
    if not clips:
        return []
    one = clips[0] if len(clips) == 1 else None
    if all(clip.is_binned for clip in clips):
        return [[ClipAction.SHOW] if one else [], [ClipAction.PUT_BACK]]
    return [
        [ClipAction.SHOW, ClipAction.USE_SETTINGS, ClipAction.CONTINUE] if one else [],
        _going_on(one) if one else [],
        _comparing(clips),
        [ClipAction.SHOW_FOLDER] if one else [],
        [ClipAction.TAKE_STAR if all(clip.starred for clip in clips) else ClipAction.STAR],
        [ClipAction.DELETE],
    ]


def _going_on(clip: ClipSummary) -> list[ClipAction]:
    # What a newer kvdesk made may need what this one does not know of.
    if clip.is_read_only:
        return []
    if clip.num_frames == 0:
        return [ClipAction.ANIMATE]
    return [action for action, fps in SMOOTHING.items() if fps.num_frames > clip.num_frames]


def _comparing(clips: Sequence[ClipSummary]) -> list[ClipAction]:
    if any(clip.num_frames == 0 for clip in clips):
        return []
    return {
        1: [ClipAction.COMPARE, ClipAction.EXPORT],
        2: [ClipAction.COMPARE_PAIR],
    }.get(len(clips), [])


def action_text(action: ClipAction) -> str:
    """What an entry of the menu says."""
    translate = QCoreApplication.translate
    return {
        ClipAction.SHOW: translate("ClipMenu", "Show"),
        ClipAction.USE_SETTINGS: translate("ClipMenu", "Use its settings"),
        ClipAction.CONTINUE: translate("ClipMenu", "Continue from its last frame"),
        ClipAction.SMOOTH_TO_MEDIUM: translate("ClipMenu", "Smooth to 8 frames a second"),
        ClipAction.SMOOTH_TO_HIGH: translate("ClipMenu", "Smooth to 32 frames a second"),
        ClipAction.ANIMATE: translate("ClipMenu", "Animate"),
        ClipAction.COMPARE: translate("ClipMenu", "Compare with the one that is shown"),
        ClipAction.COMPARE_PAIR: translate("ClipMenu", "Compare the two"),
        ClipAction.EXPORT: translate("ClipMenu", "Export …"),
        ClipAction.SHOW_FOLDER: translate("ClipMenu", "Show in folder"),
        ClipAction.STAR: translate("ClipMenu", "Star"),
        ClipAction.TAKE_STAR: translate("ClipMenu", "Take the star away"),
        ClipAction.DELETE: translate("ClipMenu", "Delete"),
        ClipAction.PUT_BACK: translate("ClipMenu", "Put back"),
    }[action]


class ClipMenu(QMenu):
    """The menu of the clips that are selected.

    Attributes:
        wanted: (ClipAction) an entry was chosen.
    """

    wanted = Signal(object)

    def __init__(self, clips: Sequence[ClipSummary], parent: QWidget) -> None:
        super().__init__(parent)
        for group in filter(None, action_groups(clips)):
            if self.actions():
                self.addSeparator()
            for action in group:
                # The keys work in the grid; here they are only named.
                keys = f"\t{_KEYS[action]}" if action in _KEYS else ""
                entry = self.addAction(action_text(action) + keys)
                entry.triggered.connect(lambda _=False, action=action: self.wanted.emit(action))
