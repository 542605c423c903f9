"""What the window waits for from the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import (
    ClipPlanned,
    CountTokens,
    DescribeDownload,
    DescribeMachine,
    DownloadDescribed,
    Downloaded,
    Event,
    ExportPredicted,
    Failed,
    Finished,
    ListModels,
    MachineDescribed,
    MemoryFreed,
    ModelsListed,
    OpenPicture,
    OpenVideo,
    PictureOpened,
    PlanClip,
    PredictExport,
    Prepared,
    Question,
    SelfTested,
    Stopped,
    TokensCounted,
    VideoOpened,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERS: dict[type[Question], type[Event]] = {
    ListModels: ModelsListed,
    DescribeMachine: MachineDescribed,
    PlanClip: ClipPlanned,
    CountTokens: TokensCounted,
    OpenPicture: PictureOpened,
    OpenVideo: VideoOpened,
    PredictExport: ExportPredicted,
    DescribeDownload: DownloadDescribed,
}
_ENDS = (Finished, Stopped, Failed, Prepared, SelfTested, Downloaded, MemoryFreed)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """A job whose last event has not come. `answer` is what a question waits for."""

    on_event: Callable[[Event], None]
    answer: type[Event] | None = None

    def is_ended_by(self, event: Event) -> bool:
        """Whether nothing comes after `event`."""
        if self.answer is None:
            return isinstance(event, _ENDS)
        return isinstance(event, (self.answer, Failed, Stopped))
