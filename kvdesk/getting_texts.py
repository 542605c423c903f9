"""What is said of the released model on its way onto this computer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale

from kvdesk.getting import Phase, Step
from kvdesk.job_texts import stage_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import DownloadDescribed, DownloadFile
    from kvdesk.getting import Getting, GettingProgress

_STEPS = tuple(Step)


class Part(Enum):
    """What files of the model are for."""

    TEXT = auto()
    MOTION = auto()
    SMOOTH = auto()
    PICTURES = auto()
    REST = auto()


# By how the names of official and prepared files begin; the first that fits counts.
_BEGINNINGS = (
    ("t2v", Part.MOTION),
    ("interpolation", Part.SMOOTH),
    ("movq", Part.PICTURES),
    ("video_movq", Part.PICTURES),
    ("text_encoder", Part.TEXT),
    ("t5", Part.TEXT),
    ("tokenizer", Part.TEXT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGroup:
    """Files for one thing; `have_bytes` of `size` need not be fetched.

    `found_bytes` of these were found elsewhere on this computer.
    """

    part: Part
    size: int
    have_bytes: int
    found_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What getting the model takes on the disk of its folder, in bytes.

    Attributes:
        peak: the most that is there at once.
        stays: what is there in the end.
        to_write: of the peak, what is not there yet.
        to_fetch: what has to come over the network.
        free: now; None where nobody can tell.
    """

    peak: int
    stays: int
    to_write: int
    to_fetch: int
    free: int | None

    @property
    def fits_download(self) -> bool:
        """Whether at least the files can be fetched."""
        return self.free is None or self.to_fetch <= self.free

    @property
    def fits(self) -> bool:
        """Whether there is room for all of it."""
        return self.fits_download and (self.free is None or self.to_write <= self.free)


def part_of_file(name: str) -> Part:
    """What the file `name` is for."""
    return next((part for start, part in _BEGINNINGS if name.startswith(start)), Part.REST)


def part_text(part: Part) -> str:
    """What files of `part` are for, in words."""
    translate = QCoreApplication.translate
    return {
        Part.TEXT: translate("Getting", "Understanding the prompt"),
        Part.MOTION: translate("Getting", "Key frames and motion"),
        Part.SMOOTH: translate("Getting", "Frames in between"),
        Part.PICTURES: translate("Getting", "Drawing the pictures"),
        Part.REST: translate("Getting", "Small files"),
    }[part]


def file_groups(files: Sequence[DownloadFile]) -> list[FileGroup]:
    """`files` by what they are for."""
    groups: list[FileGroup] = []
    for part in Part:
        mine = [file for file in files if part_of_file(file.name) is part]
        if mine:
            groups.append(
                FileGroup(
                    part=part,
                    size=sum(file.size for file in mine),
                    have_bytes=sum(file.have_bytes for file in mine),
                    found_bytes=sum(file.have_bytes for file in mine if file.found_in),
                )
            )
    return groups


def room_of(described: DownloadDescribed, *, delete_originals: bool) -> Room:
    """What it takes; files that were found elsewhere are reckoned to be copied."""
    peak = described.peak_bytes_deleting if delete_originals else described.peak_bytes
    there = sum(file.have_bytes for file in described.files if not file.found_in)
    return Room(
        peak=peak,
        stays=described.stays_bytes + (0 if delete_originals else described.total_bytes),
        to_write=max(0, peak - there),
        to_fetch=described.missing_bytes,
        free=described.free_bytes,
    )


def room_text(room: Room) -> str:
    """The most that is on the disk at once, what stays, and what is free."""
    translate = QCoreApplication.translate
    words = translate(
        "Getting", "At most {peak} are on the disk at once, and {stays} stay in the end."
    ).format(peak=size_text(room.peak), stays=size_text(room.stays))
    if room.free is None:
        return words
    free = translate("Getting", "{free} are free there.").format(free=size_text(room.free))
    return f"{words} {free}"


def room_problem(room: Room, *, fits_deleting: bool) -> str:
    """Why there is too little room, with numbers and what to do; "" where there is enough.

    `fits_deleting` says that there would be enough if originals were deleted on the way.
    """
    if room.free is None or room.fits:
        return ""
    translate = QCoreApplication.translate
    if not room.fits_download:
        words = translate(
            "Getting",
            "There is too little room: {needed} have to be fetched, and {free} are free on that "
            "disk. Make room for {lacking} more, or choose a folder on another disk.",
        )
        needed = room.to_fetch
    elif fits_deleting:
        words = translate(
            "Getting",
            "There is too little room to keep the downloaded files: {needed} more are needed, and "
            "{free} are free on that disk. Let them be deleted as they are prepared.",
        )
        needed = room.to_write
    else:
        words = translate(
            "Getting",
            "The files can be fetched, but there is too little room to prepare the model: {needed} "
            "more are needed in all, and {free} are free on that disk. Make room for {lacking} "
            "more, or choose a folder on another disk.",
        )
        needed = room.to_write
    return words.format(
        needed=size_text(needed),
        free=size_text(room.free),
        lacking=size_text(needed - room.free),
    )


def step_text(getting: Getting) -> str:
    """Which step of how many it is, and whether it goes on."""
    translate = QCoreApplication.translate
    words = {
        Step.DOWNLOAD: translate("Getting", "Step {number} of {count}: fetching the files"),
        Step.PREPARE: translate("Getting", "Step {number} of {count}: preparing the model"),
        Step.TEST: translate("Getting", "Step {number} of {count}: making a test clip"),
    }[getting.step].format(number=_STEPS.index(getting.step) + 1, count=len(_STEPS))
    if getting.phase is Phase.PAUSED:
        return translate("Getting", "Paused – {step}").format(step=words)
    if getting.phase is Phase.FAILED:
        return translate("Getting", "Stopped – {step}").format(step=words)
    return words


def short_text(getting: Getting, progress: GettingProgress | None) -> str:
    """The step and how far it is, in a few words; "" where nothing is being done."""
    if progress is None or not getting.is_running:
        return ""
    translate = QCoreApplication.translate
    words = {
        Step.DOWNLOAD: translate("Getting", "Fetching {percent} %"),
        Step.PREPARE: translate("Getting", "Preparing {percent} %"),
        Step.TEST: translate("Getting", "Testing {percent} %"),
    }[getting.step]
    return words.format(percent=int(100 * progress.share))


def progress_texts(progress: GettingProgress) -> tuple[str, str]:
    """What is in work, and how much of how much at which speed."""
    translate = QCoreApplication.translate
    if progress.waits_for_clip:
        return translate("Getting", "Waits for the clip that is being made."), ""
    what = ""
    if progress.stage is not None:
        what = stage_name(progress.stage)
    elif progress.file:
        what = part_text(part_of_file(progress.file))
    return what, _numbers(progress)


def size_text(num_bytes: int) -> str:
    """`num_bytes` as a person reads it."""
    si = QLocale.DataSizeFormat.DataSizeSIFormat
    return QLocale().formattedDataSize(num_bytes, 1, si)


def _numbers(progress: GettingProgress) -> str:
    if not progress.total_bytes:
        return ""
    words = QCoreApplication.translate("Getting", "{done} of {total}").format(
        done=size_text(progress.done_bytes), total=size_text(progress.total_bytes)
    )
    if not progress.bytes_per_second:
        return words
    # Always in one unit: a speed that changes it with every step is hard to follow.
    speed = QLocale().toString(progress.bytes_per_second / 1_000_000, "f", 1)
    return f"{words} · {speed} MB/s"
