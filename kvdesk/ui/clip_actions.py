"""What can be done with a clip: show, compare, save a frame, export, and drop it on the form."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QCursor, QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMenu

from engine.api import (
    KEY_FRAME_FILE,
    Event,
    ExportPredicted,
    Failed,
    Finished,
    SaveRequest,
    VideoOpened,
    frame_path,
)
from kvdesk.clip_differences import clip_differences
from kvdesk.error_texts import error_text
from kvdesk.notice import Notice, Tone
from kvdesk.player import Clip
from kvdesk.ui.export_sheet import FileKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import Fps, GenerateRequest
    from kvdesk.clip_records import ClipRecord
    from kvdesk.folders import Folders
    from kvdesk.form import Form
    from kvdesk.library import Library
    from kvdesk.player import Player
    from kvdesk.settings import SettingsStore
    from kvdesk.studio import Studio
    from kvdesk.ui.main_window import MainWindow

SHOW_EXPORT = "show_export"
"""The action of the notice that an export is done."""


def playable(record: ClipRecord) -> Clip:
    """The frames of a finished clip, or the key frame of one that is not."""
    info = record.info
    count = info.num_frames
    frames = tuple(frame_path(record.folder, count, index) for index in range(count))
    return Clip(
        frames=frames or (record.folder / KEY_FRAME_FILE,),
        frames_per_second=info.frames_per_second if count else 1.0,
        name=record.name,
        title=record.title,
    )


class ClipActions(QObject):
    """Knows which clip is shown; asks for names of files where one is needed."""

    def __init__(
        self,
        *,
        window: MainWindow,
        studio: Studio,
        library: Library,
        player: Player,
        form: Form,
        settings: SettingsStore,
        folders: Folders,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._studio = studio
        self._library = library
        self._player = player
        self._form = form
        self._settings = settings
        self._save_folder = folders.clips.parent  # until a person chooses another one
        self._to_compare = ""  # chosen first, waits for the second

    @property
    def shown(self) -> ClipRecord | None:
        """The clip on the stage, where it is one of the library."""
        clip = self._player.clip
        return self._library.record(clip.name) if clip is not None and clip.name else None

    # Showing

    def show(self, name: str) -> None:
        """Show a clip that was chosen, with its details; beside another one if that was wanted."""
        record = self._library.record(name)
        if record is None:
            return
        if self._to_compare and self._to_compare != name:
            first, self._to_compare = self._to_compare, ""
            self.compare(first, name)
            return
        self._window.stage.show_clip(playable(record))
        self._window.show_stage()
        self._window.show_details(record)

    def show_finished(self, name: str) -> None:
        """Show what was just made, unless somebody looks at something else."""
        record = self._library.record(name)
        if record is not None and record.info.num_frames:
            self._window.stage.show_finished(playable(record))

    def smooth_shown(self, fps: Fps) -> None:
        """Let the clip on the stage go on to more frames."""
        shown = self.shown
        if shown is not None:
            self._studio.smooth(shown.name, fps)

    def compare_shown(self) -> None:
        """Compare the clip on the stage with the other selected one, or the one chosen next."""
        shown = self.shown
        names = self._window.library_view.selected_names()
        others = [name for name in names if shown is None or name != shown.name]
        if shown is None and len(names) >= 2:
            self.compare(names[0], names[1])
        elif shown is not None and len(others) == 1:
            self.compare(shown.name, others[0])
        elif shown is not None:
            self._to_compare = shown.name
            text = self.tr("Choose the other clip in the library.")
            self._window.show_right_column()
            self._window.notices.show_notice(Notice(text=text))

    def compare_with_shown(self, name: str) -> None:
        """Compare a clip with the one on the stage."""
        shown = self.shown
        if shown is not None and shown.name != name:
            self.compare(shown.name, name)
        else:
            self._to_compare = name
            text = self.tr("Choose the other clip in the library.")
            self._window.notices.show_notice(Notice(text=text))

    def compare(self, first: str, second: str) -> None:
        """Show two clips beside each other."""
        a, b = self._library.record(first), self._library.record(second)
        if a is None or b is None:
            return
        rows = clip_differences(a.info, b.info)
        self._window.compare.show_clips(playable(a), playable(b), rows)
        self._window.show_compare()

    def show_folder(self, name: str) -> None:
        """Show a clip's folder in the file manager."""
        record = self._library.record(name)
        if record is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(record.folder)))

    def restore(self, name: str, fields: frozenset[str] | None) -> None:
        """Take over the settings of a clip, all or some."""
        record = self._library.record(name)
        if record is None:
            return
        if fields is None or "model" in fields:
            self._studio.use_model(record.info.model)
        self._form.restore(record.info.request, fields)

    # Files

    def save_frame(self, path: str) -> None:
        """Keep a frame as a picture where the person says."""
        name = Path(path)
        suggestion = self._save_folder / f"{name.parent.parent.name}-{name.stem}.png"
        self._ask_name(
            self.tr("Save the frame"),
            suggestion,
            self.tr("PNG picture (*.png)"),
            partial(self._copy_frame, name),
        )

    def _copy_frame(self, source: Path, target: Path) -> None:
        self._studio.copy_file(source, target)

    def open_export(self, name: str = "") -> None:
        """Show how a clip can be saved: the one of that name, else the one on the stage."""
        record = self._library.record(name) if name else self.shown
        if record is None or not record.info.num_frames:
            text = self.tr("There is no finished clip to export. Choose one in the library.")
            self._window.notices.show_notice(Notice(text=text))
            return
        self._window.export_sheet.show_clip(record)
        self._window.show_export()

    def predict(self, name: str, save: SaveRequest, max_bytes: int | None) -> None:
        """Foretell how large a file will be."""
        answered = partial(self._on_predicted, was_fitted=max_bytes is not None)
        self._studio.predict_export(name, save, max_bytes, answered)

    def _on_predicted(self, event: Event, *, was_fitted: bool) -> None:
        sheet = self._window.export_sheet
        if isinstance(event, ExportPredicted):
            sheet.show_prediction(event.num_bytes, event.save, was_fitted=was_fitted)
        elif isinstance(event, Failed):
            sheet.show_problem(error_text(event.code, event.message))

    def export(self, name: str, save: SaveRequest, ending: str) -> None:
        """Ask for the name of the file, and save."""
        record = self._library.record(name)
        if record is None:
            return
        suggestion = self._save_folder / f"{_file_name(record)}{ending}"
        kinds = f"{ending.strip('.').upper()} (*{ending})"
        chosen = partial(self._save_as, name, save, ending)
        self._ask_name(self.tr("Export the clip"), suggestion, kinds, chosen)

    def _save_as(self, name: str, save: SaveRequest, ending: str, path: Path) -> None:
        if path.suffix.lower() != ending:
            path = path.with_name(path.name + ending)
        self._window.export_sheet.show_busy(is_busy=True)
        # The dialog has asked whether a file of that name may be replaced. A sequence of pictures
        # has other names than the one that was chosen.
        wanted = replace(save, path=str(path), overwrite=ending != FileKind.PNG)
        self._studio.export(name, wanted, self._on_exported)

    def _on_exported(self, event: Event) -> None:
        sheet = self._window.export_sheet
        sheet.show_busy(is_busy=False)
        if isinstance(event, Finished):
            self._window.notices.show_notice(
                Notice(
                    text=self.tr("Saved as {name}.").format(name=Path(event.output).name),
                    tone=Tone.FITS,
                    action=SHOW_EXPORT,
                    action_text=self.tr("Show in folder"),
                )
            )
            self._window.show_stage()
        elif isinstance(event, Failed):
            sheet.show_problem(error_text(event.code, event.message))

    def show_export(self) -> None:
        """Show the folder of the file that was saved last in the file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._save_folder)))

    def choose_clips_folder(self) -> None:
        """Ask where clips are to be kept from now on."""
        dialog = QFileDialog(self._window, self.tr("Keep clips in"), str(self._library.clips))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._on_clips_folder_chosen)
        self._open_dialog(dialog)

    def _on_clips_folder_chosen(self, path: str) -> None:
        self._settings.change(clips_folder=path)

    def _ask_name(
        self, title: str, suggestion: Path, kinds: str, on_chosen: Callable[[Path], None]
    ) -> None:
        dialog = QFileDialog(self._window, title, str(suggestion.parent), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(suggestion.name)
        dialog.setDefaultSuffix(suggestion.suffix.strip("."))
        dialog.fileSelected.connect(partial(self._on_name_chosen, on_chosen))
        self._open_dialog(dialog)

    def _on_name_chosen(self, on_chosen: Callable[[Path], None], path: str) -> None:
        self._save_folder = Path(path).parent
        on_chosen(Path(path))

    def _open_dialog(self, dialog: QFileDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # Dropped videos

    def offer_video(self, video: VideoOpened) -> None:
        """Offer what can be done with a video that was dropped."""
        first = frame_path(video.folder, video.num_frames, 0)
        last = frame_path(video.folder, video.num_frames, video.num_frames - 1)
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if video.request is not None:
            request = video.request
            menu.addAction(self.tr("Use its settings"), lambda: self._form.restore(request))
        open_picture = self._studio.open_picture
        menu.addAction(self.tr("Continue from its last frame"), lambda: open_picture(str(last)))
        menu.addAction(self.tr("Start from its first frame"), lambda: open_picture(str(first)))
        if self.shown is not None:
            words = self.tr("Compare with the clip that is shown")
            menu.addAction(words, partial(self._compare_video, video))
        menu.addAction(self.tr("Show"), partial(self._show_video, video))
        menu.popup(QCursor.pos())

    def offer_clip(self, name: str) -> None:
        """Offer what can be done with a clip of the library that was dropped on the form."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Use its settings"), partial(self.restore, name, None))
        words = self.tr("Continue from its last frame")
        menu.addAction(words, partial(self._studio.continue_from, name))
        words = self.tr("Compare with the clip that is shown")
        menu.addAction(words, partial(self.compare_with_shown, name))
        menu.popup(QCursor.pos())

    def _show_video(self, video: VideoOpened) -> None:
        self._window.stage.show_clip(_playable_video(video))
        self._window.show_stage()

    def _compare_video(self, video: VideoOpened) -> None:
        shown = self.shown
        if shown is not None:
            self._window.compare.show_clips(playable(shown), _playable_video(video), [])
            self._window.show_compare()


def _playable_video(video: VideoOpened) -> Clip:
    count = video.num_frames
    request: GenerateRequest | None = video.request
    return Clip(
        frames=tuple(frame_path(video.folder, count, index) for index in range(count)),
        frames_per_second=video.frames_per_second,
        name="",
        title=request.prompt if request is not None else "",
    )


def _file_name(record: ClipRecord) -> str:
    """A name from the prompt; without the time, which the folder's name begins with."""
    return record.name.split("-", 2)[-1] if record.name[:8].isdigit() else record.name
