"""Opens what a person chose, dropped or pasted: pictures, videos and text files."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QObject, Signal
from PySide6.QtGui import QImage, QImageWriter

from engine.api import (
    KEY_FRAME_FILE,
    Failed,
    OpenPicture,
    OpenVideo,
    PictureOpened,
    VideoOpened,
    frame_path,
)
from engine.api.files import make_folder, write_atomically
from kvdesk.chosen_files import (
    PromptFile,
    Trouble,
    file_trouble,
    prune_cache,
    read_prompts,
    trouble_text,
)
from kvdesk.error_texts import error_text
from kvdesk.form import PictureChoice
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Event
    from kvdesk.background import Background
    from kvdesk.engine_client import EngineClient
    from kvdesk.folders import Folders
    from kvdesk.form import Form
    from kvdesk.library import Library
    from kvdesk.submitting import Submitter

MAX_PICTURES = 100
"""As many are taken at once: nobody drops more on purpose."""

_ENDINGS = {
    b"\x89PNG": ".png",
    b"\xff\xd8": ".jpg",
    b"BM": ".bmp",
    b"RIFF": ".webp",
    b"GIF": ".gif",
}
"""Of names of pasted pictures, by how the file begins; for people, nothing depends on it."""


class Opener(QObject):
    """Looks at a file in a thread, has the worker open it, and puts what comes where it belongs.

    Attributes:
        picture_opened: with the `PictureChoice` that has just been put into the form.
        video_opened: with a `VideoOpened`.
        notice: with a `Notice`.
    """

    picture_opened = Signal(object)
    video_opened = Signal(object)
    notice = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        form: Form,
        folders: Folders,
        library: Library,
        submitter: Submitter,
        background: Background,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._form = form
        self._previews = folders.cache / "previews"
        self._videos = folders.cache / "videos"
        self._pasted = folders.data / "pasted"
        self._library = library
        self._submitter = submitter
        self._background = background
        self._latest = ""  # the picture that was chosen last, of those that are being opened
        self._looked_at = ""
        form.changed.connect(self._on_form_changed)

    def start(self) -> None:
        """Clear away what earlier sessions have left in the cache."""
        self._background.run(partial(prune_cache, self._previews, self._videos))
        self._on_form_changed(None)

    def open_picture(self, path: str) -> None:
        """Put a picture into the form."""
        self._latest = path

        def done(opened: PictureOpened | Notice) -> None:
            if isinstance(opened, Notice):
                self.notice.emit(opened)
            elif path == self._latest:  # not after one that was chosen later
                choice = _choice(path, opened)
                self._form.edit(self.tr("Choose a picture"), picture=choice)
                self.picture_opened.emit(choice)

        self._open(path, done)

    def open_pictures(self, paths: Sequence[str]) -> None:
        """Put one picture into the form; make a job of each where there are several."""
        if len(paths) == 1:
            self.open_picture(paths[0])
            return
        if len(paths) > MAX_PICTURES:
            text = self.tr("These are more than {limit} pictures. Choose fewer at a time.")
            text = text.format(limit=MAX_PICTURES)
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL))
            return
        opened: dict[int, PictureOpened | Notice] = {}

        def done(number: int, one: PictureOpened | Notice) -> None:
            opened[number] = one
            if len(opened) == len(paths):
                self._submit_opened(paths, [opened[index] for index in range(len(paths))])

        for number, path in enumerate(paths):
            self._open(path, partial(done, number))

    def paste_picture(self, picture: bytes | QImage) -> None:
        """Keep a picture from the clipboard as a file, and put it into the form.

        Bytes of a file are kept as they are: the worker will look at them.
        """
        folder = self._pasted
        # Shares the pixels until somebody draws on them.
        kept = picture if isinstance(picture, bytes) else QImage(picture)

        def done(path: Path | None) -> None:
            if path is not None:
                self.open_picture(str(path))
            else:
                text = self.tr("The picture cannot be kept. Is there room in {folder}?")
                text = text.format(folder=folder)
                self.notice.emit(Notice(text=text, tone=Tone.FAILED))

        self._background.run(partial(_keep_picture, kept, folder), done)

    def open_video(self, path: str) -> None:
        """Take a video apart into frames, for `video_opened`."""
        folder = self._videos / secrets.token_hex(8)

        def looked(trouble: Trouble | None) -> None:
            if trouble is not None:
                self.notice.emit(_trouble_notice(trouble, path))
                return
            question = OpenVideo(job=0, path=path, folder=str(folder))
            self._engine.ask(question, answered)

        def answered(event: Event) -> None:
            if isinstance(event, VideoOpened):
                self.video_opened.emit(event)
            else:
                self.notice.emit(self._refused(path, event))

        self._background.run(partial(_look_and_prepare, path, self._videos), looked)

    def open_text_file(self, path: str) -> None:
        """Make a job of each line of a text file."""

        def done(file: PromptFile) -> None:
            if file.trouble is not None:
                self.notice.emit(_trouble_notice(file.trouble, path))
            else:
                self._submitter.submit_prompts(file.prompts)

        self._background.run(partial(read_prompts, path), done)

    def continue_from(self, clip: str) -> None:
        """Put the last frame of a clip into the form."""
        record = self._library.record(clip)
        if record is None:
            text = self.tr("The clip is not in the library any more.")
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL))
            return
        num_frames = record.info.num_frames
        if num_frames:
            picture = frame_path(record.folder, num_frames, num_frames - 1)
        else:
            picture = record.folder / KEY_FRAME_FILE
        self.open_picture(str(picture))

    def _on_form_changed(self, _values: object) -> None:
        """Open a picture that came into the form with the settings of a clip."""
        picture = self._form.values.picture
        if picture is None or picture.is_opened:
            self._looked_at = ""
        elif picture.path != self._looked_at:
            self._looked_at = path = picture.path

            def done(opened: PictureOpened | Notice) -> None:
                if isinstance(opened, Notice):
                    self.notice.emit(opened)
                else:
                    self._form.picture_opened(
                        path, width=opened.width, height=opened.height, preview=opened.path
                    )

            self._open(path, done)

    def _open(self, path: str, on_done: Callable[[PictureOpened | Notice], None]) -> None:
        preview = self._previews / f"{secrets.token_hex(8)}.png"

        def looked(trouble: Trouble | None) -> None:
            if trouble is not None:
                on_done(_trouble_notice(trouble, path))
                return
            question = OpenPicture(job=0, path=path, preview=str(preview))
            self._engine.ask(question, answered)

        def answered(event: Event) -> None:
            on_done(event if isinstance(event, PictureOpened) else self._refused(path, event))

        self._background.run(partial(_look_and_prepare, path, self._previews), looked)

    def _submit_opened(
        self, paths: Sequence[str], opened: Sequence[PictureOpened | Notice]
    ) -> None:
        choices = [
            _choice(path, one)
            for path, one in zip(paths, opened, strict=True)
            if isinstance(one, PictureOpened)
        ]
        refused = [one for one in opened if isinstance(one, Notice)]
        if choices:
            self._submitter.submit_pictures(choices)
        if refused:
            text = self.tr("%n picture(s) could not be opened. {reason}", "", len(refused))
            text = text.format(reason=refused[0].text)
            detail = "\n".join(f"{each.text}\n{each.detail}".strip() for each in refused)
            self.notice.emit(Notice(text=text, tone=Tone.FAILED, detail=detail))

    def _refused(self, path: str, event: Event) -> Notice:
        if isinstance(event, Failed):
            text = error_text(event.code, event.message)
            return Notice(text=text, tone=Tone.FAILED, detail=event.detail)
        text = self.tr("{name} could not be opened.").format(name=Path(path).name)
        return Notice(text=text, tone=Tone.FAILED)


def _choice(path: str, opened: PictureOpened) -> PictureChoice:
    return PictureChoice(path=path, width=opened.width, height=opened.height, preview=opened.path)


def _trouble_notice(trouble: Trouble, path: str) -> Notice:
    return Notice(text=trouble_text(trouble, path), tone=Tone.FAILED, detail=path)


def _look_and_prepare(path: str, folder: Path) -> Trouble | None:
    """Look at the file at `path`, and make the `folder` that the worker will write to."""
    trouble = file_trouble(path)
    if trouble is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None  # the worker will say why it cannot write there
    return trouble


def _keep_picture(picture: bytes | QImage, folder: Path) -> Path | None:
    """Write the picture to a new file in `folder`; None where that cannot be done."""
    data = picture if isinstance(picture, bytes) else _png_of(picture)
    ending = next((end for begin, end in _ENDINGS.items() if data.startswith(begin)), ".picture")
    path = folder / f"{secrets.token_hex(8)}{ending}"
    try:
        make_folder(folder)
        write_atomically(path, data)
    except OSError:
        return None
    return path


def _png_of(picture: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, b"png").write(picture)
    return bytes(buffer.data().data())
