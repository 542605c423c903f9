"""The clips that a search finds, newest first, as Qt's views show them."""

from __future__ import annotations

import html
from bisect import bisect_left
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QDateTime,
    QLocale,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QUrl,
)

from engine.api import VIDEO_FILE, Fps
from kvdesk.form_fields import DIGIT_GAP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PySide6.QtGui import QImage

    from kvdesk.clip_records import ClipSummary
    from kvdesk.library import Library

CLIP_ROLE = Qt.ItemDataRole.UserRole + 1
"""The whole `ClipRecord`, which takes half a millisecond."""
SUMMARY_ROLE = Qt.ItemDataRole.UserRole + 2
"""The `ClipSummary`, at once."""
CLIP_MIME_TYPE = "application/x-kvdesk-clip"
"""A clip that is dragged: its name in UTF-8."""

_MANY = 64  # clips that go at once: rows would be taken out one by one

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for: all of the words; and, where not empty, this model and size."""

    words: tuple[str, ...] = ()
    model: str = ""
    size: str = ""
    starred: bool = False
    binned: bool = False

    @property
    def is_everything(self) -> bool:
        """Whether it leaves out nothing of the library, or of the bin."""
        return not (self.words or self.model or self.size or self.starred)


class LibraryModel(QAbstractListModel):
    """The clips of a library that a search finds."""

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._search = Search()
        # Oldest first, as `bisect` wants it; row 0 is the last of them.
        self._found: list[ClipSummary] = []
        self._texts: dict[str, str] = {}
        library.changed.connect(self._on_changed)
        library.strips.ready.connect(self._on_picture_ready)
        self._find_all()

    @property
    def current_search(self) -> Search:
        """What is looked for now."""
        return self._search

    def search(
        self,
        words: str,
        *,
        model: str = "",
        size: str = "",
        starred: bool = False,
        binned: bool = False,
    ) -> None:
        """Show the clips that have all `words`, and are of this model and size (such as "64x64").

        Words are looked for in the prompt, the seed, the size, the model, and "starred".
        """
        wanted = tuple(_plain(words).split())
        search = Search(words=wanted, model=model, size=size, starred=starred, binned=binned)
        if search != self._search:
            self._search = search
            self.beginResetModel()
            self._find_all()
            self.endResetModel()

    def models(self) -> list[str]:
        """The names of the models that clips were made with."""
        return sorted({row.model for row in self._library.summaries.values()})

    def sizes(self) -> list[str]:
        """The sizes that clips have, small ones first."""
        rows = self._library.summaries.values()
        return [f"{w}x{h}" for w, h in sorted({(row.width, row.height) for row in rows})]

    def summary(self, row: int) -> ClipSummary:
        """The clip in `row`."""
        return self._found[-1 - row]

    def row_of(self, name: str) -> int | None:
        """The row of the clip `name`; None where it is not found by the search."""
        clip = self._library.summaries.get(name)
        return None if clip is None else self._row_of(clip)

    def poster(self, row: int) -> QImage | None:
        """The picture of the clip in `row`; None: it is being loaded, empty: there is none."""
        clip = self.summary(row)
        return self._library.strips.poster(clip, clip.folder(self._library.clips))

    def frames(self, row: int) -> tuple[QImage, ...] | None:
        """The twelve frames of the clip in `row`; None: being loaded, none: there are none."""
        clip = self.summary(row)
        return self._library.strips.frames(clip, clip.folder(self._library.clips))

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many clips were found."""
        return 0 if parent.isValid() else len(self._found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What is known of the clip at `index`."""
        if not index.isValid():
            return None
        clip = self.summary(index.row())
        if role == SUMMARY_ROLE:
            return clip
        if role == CLIP_ROLE:
            return self._library.record(clip.name)
        if role == Qt.ItemDataRole.DisplayRole:
            return clip.title
        if role == Qt.ItemDataRole.ToolTipRole:
            # A prompt that looks like HTML would be shown as such, pictures and all.
            return f"<p>{html.escape(clip.title)}</p><p>{html.escape(date_text(clip.created))}</p>"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken_text(clip)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Clips can be chosen and dragged."""
        usual = super().flags(index)
        return usual | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else usual

    def mimeTypes(self) -> list[str]:
        """What a dragged clip carries."""
        return [CLIP_MIME_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The name of the first of the dragged clips, and the video files for other programs."""
        clips = [self.summary(index.row()) for index in indexes]
        videos = [clip.folder(self._library.clips) / VIDEO_FILE for clip in clips]
        data = QMimeData()
        data.setData(CLIP_MIME_TYPE, clips[0].name.encode())
        data.setUrls([QUrl.fromLocalFile(str(video)) for video in videos if video.is_file()])
        return data

    def supportedDragActions(self) -> Qt.DropAction:
        """A clip that is dragged somewhere stays here, too."""
        return Qt.DropAction.CopyAction

    def _find_all(self) -> None:
        rows = self._library.summaries.values()
        self._found = sorted(filter(self._is_wanted, rows), key=_order)

    def _is_wanted(self, clip: ClipSummary) -> bool:
        search = self._search
        return (
            clip.is_binned == search.binned
            and clip.can_be_shown
            and (clip.starred or not search.starred)
            and search.model in ("", clip.model)
            and search.size in ("", clip.size)
            and (not search.words or self._has_words(clip))
        )

    def _has_words(self, clip: ClipSummary) -> bool:
        text = self._texts.get(clip.name)
        if text is None:
            text = _plain(f"{clip.title} {clip.seed} {clip.size} {clip.model}")
            if clip.starred:
                own = QCoreApplication.translate("LibraryModel", "starred")
                text += f" starred {own.casefold()}"
            self._texts[clip.name] = text
        return all(word in text for word in self._search.words)

    def _row_of(self, clip: ClipSummary) -> int | None:
        at = bisect_left(self._found, clip.order, key=_order)
        is_there = at < len(self._found) and self._found[at].order == clip.order
        return len(self._found) - 1 - at if is_there else None

    def _on_changed(self, names: list[str]) -> None:
        changed = set(names)
        for name in changed:
            self._texts.pop(name, None)
        rows = self._library.summaries
        if sum(name not in rows for name in changed) > _MANY:
            self.beginResetModel()
            self._find_all()
            self.endResetModel()
            return
        wanted = {
            name: rows[name] for name in changed if name in rows and self._is_wanted(rows[name])
        }
        stay: set[str] = set()
        for at in range(len(self._found) - 1, -1, -1):
            old = self._found[at]
            if old.name not in changed:
                continue
            new = wanted.get(old.name)
            if new is None or new.order != old.order:
                self._remove(at)
                continue
            self._found[at] = new
            stay.add(old.name)
            index = self.index(len(self._found) - 1 - at)
            self.dataChanged.emit(index, index)
        self._add(clip for name, clip in wanted.items() if name not in stay)

    def _remove(self, at: int) -> None:
        row = len(self._found) - 1 - at
        self.beginRemoveRows(_ROOT, row, row)
        del self._found[at]
        self.endRemoveRows()

    def _add(self, clips: Iterable[ClipSummary]) -> None:
        # Those that come to stand beside each other are added at once: the first ten thousand
        # come in a few steps. The last places first, so that the others stay where they are.
        newest_first = sorted(clips, key=_order, reverse=True)
        for at, group in groupby(
            newest_first, lambda c: bisect_left(self._found, c.order, key=_order)
        ):
            added = list(group)[::-1]
            row = len(self._found) - at
            self.beginInsertRows(_ROOT, row, row + len(added) - 1)
            self._found[at:at] = added
            self.endInsertRows()

    def _on_picture_ready(self, name: str) -> None:
        row = self.row_of(name)
        if row is not None:
            index = self.index(row)
            self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])


def _order(clip: ClipSummary) -> tuple[str, str]:
    return clip.order


def _plain(text: str) -> str:
    # A seed that was copied from the screen has gaps; one that was typed with spaces is some words.
    return text.replace("×", "x").replace(DIGIT_GAP, "").casefold()


def badge_text(clip: ClipSummary) -> str:
    """How far the clip is: its frames a second, or that it is a key frame only."""
    if clip.num_frames == 0:
        return QCoreApplication.translate("LibraryModel", "key frame")
    fps = Fps.of_frames(clip.num_frames)
    if fps is None:
        return QCoreApplication.translate("LibraryModel", "%n frame(s)", "", clip.num_frames)
    if fps is Fps.LOW:
        text = QCoreApplication.translate("LibraryModel", "{number} fps draft")
    else:
        text = QCoreApplication.translate("LibraryModel", "{number} fps")
    return text.format(number=fps.frames_per_second)


def date_text(created: str) -> str:
    """The time `created`, in UTC by ISO 8601, as people here write it."""
    time = QDateTime.fromString(created, Qt.DateFormat.ISODate)
    if not time.isValid():
        return created
    return QLocale().toString(time.toLocalTime(), QLocale.FormatType.ShortFormat)


def spoken_text(clip: ClipSummary) -> str:
    """What a screen reader says of the clip."""
    parts = [clip.title, badge_text(clip)]
    if clip.num_frames and Fps.of_frames(clip.num_frames):
        parts.append(QCoreApplication.translate("LibraryModel", "%n frame(s)", "", clip.num_frames))
    parts.append(date_text(clip.created))
    if clip.starred:
        parts.append(QCoreApplication.translate("LibraryModel", "starred"))
    if clip.is_read_only:
        parts.append(QCoreApplication.translate("LibraryModel", "made with a newer kvdesk"))
    return ", ".join(parts)
