"""The left column: what to make, from top to bottom, and the button that makes it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal, SignalInstance
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QFileDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from engine.api import Fps, Motion
from kvdesk.crop import reshaped
from kvdesk.form_fields import field_help, field_label, field_text, motion_text
from kvdesk.form_rules import Preset, preset_text
from kvdesk.ui.controls import LabelledField, Segments, follow_layout, set_look
from kvdesk.ui.drops import DropKind, classify, picture_filter, pixels_of
from kvdesk.ui.generate_bar import GenerateBar
from kvdesk.ui.more_settings import MoreSettings
from kvdesk.ui.picture_slot import PictureSlot
from kvdesk.ui.plain_text import tip
from kvdesk.ui.prompt_box import PromptBox
from kvdesk.ui.seed_chip import SeedChip
from kvdesk.ui.size_picker import SizePicker
from kvdesk.ui.theme import PANEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent

    from engine.api import CropBox, FrameSize, ModelInfo
    from kvdesk.form import Form, FormValues
    from kvdesk.form_questions import PlanView
    from kvdesk.prompt_history import PromptHistory

_MIN_WIDTH = 320


class ComposePanel(QWidget):
    """Shows the form and edits it.

    Attributes:
        generate_requested: the form is to become a clip, or to be saved in the job it came from.
        cousins_requested: it is to become four clips that differ in their seed.
        key_frames_requested: it is to become four pictures to pick one from.
        motion_map_requested: it is to become drafts of every motion.
        cancel_editing_requested: the job that is edited stays as it was.
        picture_path_chosen: the clip is to start from this picture (str).
        pictures_dropped: each of these pictures is to become a clip (list of str).
        picture_pasted: the clip is to start from this picture (bytes of a file, or a QImage).
        text_file_dropped: a file with a prompt a line (str).
        video_dropped: a video file (str).
        clip_dropped: a clip of the library, by its name (str).
        token_count_wanted: the prompt is another (str).
        more_open_changed: the further settings were opened or closed.
    """

    generate_requested = Signal()
    cousins_requested = Signal()
    key_frames_requested = Signal()
    motion_map_requested = Signal()
    cancel_editing_requested = Signal()
    picture_path_chosen = Signal(str)
    pictures_dropped = Signal(list)
    picture_pasted = Signal(object)
    text_file_dropped = Signal(str)
    video_dropped = Signal(str)
    clip_dropped = Signal(str)
    token_count_wanted = Signal(str)
    more_open_changed = Signal(bool)

    def __init__(self, form: Form, history: PromptHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._prompt_text = ""
        self._content = QWidget()
        self._scroll = QScrollArea(self)
        self.presets = Segments([(each, preset_text(each)) for each in Preset], self._content)
        self.prompt = PromptBox(history, self._content)
        self.picture = PictureSlot(self._content)
        self.size_picker = SizePicker(self._content)
        self.smoothness = Segments([(each, "") for each in Fps], self._content)
        self.motion = Segments([(each, motion_text(each)) for each in Motion], self._content)
        self.more = MoreSettings(form, self._content)
        self.seed = SeedChip(self._content)
        self.bar = GenerateBar(self)
        self._fields = {
            "picture": LabelledField("", self.picture),
            "size": LabelledField("", self.size_picker),
            "fps": LabelledField("", self.smoothness),
            "motion": LabelledField("", self.motion),
        }
        self._build_ui()
        self._connect()
        self._retranslate()
        if form.model is not None:
            self._on_model_changed(form.model)
        follow_layout(self)

    def _build_ui(self) -> None:
        set_look(self, surface="panel")
        self.setAcceptDrops(True)
        self._content.setObjectName("content")
        self.more.add_to_header(self.seed)
        column = QVBoxLayout(self._content)
        column.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        column.setSpacing(PANEL)
        for part in (self.presets, self.prompt, *self._fields.values(), self.more):
            column.addWidget(part)
        column.addStretch(1)
        self._scroll.setWidget(self._content)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        line = QFrame(self)
        line.setFixedHeight(1)
        set_look(line, surface="line")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._scroll, stretch=1)
        rows.addWidget(line)
        rows.addWidget(self.bar)
        self._content.installEventFilter(self)

    def _connect(self) -> None:
        self._form.changed.connect(self._show_values)
        self._form.model_changed.connect(self._on_model_changed)
        self.presets.value_changed.connect(self._form.use_preset)
        self.prompt.text_edited.connect(self._on_prompt_edited)
        self.prompt.mime_pasted.connect(self._take)
        self.picture.choose_requested.connect(self._on_choose_requested)
        self.picture.crop_changed.connect(self._on_crop_changed)
        self.picture.removed.connect(self._on_picture_removed)
        self.size_picker.size_changed.connect(self._on_size_changed)
        self.smoothness.value_changed.connect(self._on_fps_chosen)
        self.motion.value_changed.connect(self._on_motion_chosen)
        self.more.open_changed.connect(self.more_open_changed)
        self.more.model_requested.connect(self._form.use_model)
        self.seed.seed_changed.connect(self._on_seed_typed)
        self.seed.lock_changed.connect(self._on_lock_changed)
        self.seed.roll_requested.connect(self._form.roll_seed)
        self.bar.cancel_editing_requested.connect(self.cancel_editing_requested)
        for wanted, answer in (
            (self.bar.generate_requested, self.generate_requested),
            (self.bar.cousins_requested, self.cousins_requested),
            (self.bar.key_frames_requested, self.key_frames_requested),
            (self.bar.motion_map_requested, self.motion_map_requested),
        ):
            wanted.connect(lambda answer=answer: self._ask_for(answer))

    # What others show here

    def show_tokens(self, count: int, limit: int) -> None:
        """Show how many tokens the prompt has, of which `limit` are read."""
        self.prompt.show_tokens(count, limit)

    def show_plan(self, plan: PlanView | None) -> None:
        """Show whether the clip fits and how long it takes."""
        self.bar.show_plan(plan)

    def show_examples(self, examples: Sequence[str]) -> None:
        """Offer `examples` while the prompt is empty."""
        self.prompt.show_examples(tuple(examples))

    def set_models(self, models: Sequence[ModelInfo]) -> None:
        """Offer `models`."""
        self.more.set_models(models)

    def set_busy(self, is_busy: bool) -> None:
        """Say on the button whether a clip starts at once or waits for its turn."""
        self.bar.set_busy(is_busy)

    def show_editing(self, is_editing: bool) -> None:
        """Offer to save the job whose settings the form holds."""
        self.bar.show_editing(is_editing)

    def set_more_open(self, is_open: bool) -> None:
        """Show the further settings or not."""
        self.more.set_open(is_open)

    # A focus proxy would be a stop of its own, out of order, on the way of Tab.
    def setFocus(  # noqa: N802
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Lead to the prompt."""
        self.prompt.setFocus(reason)

    def request_generate(self) -> None:
        """What a press of the button does; for the application's shortcut."""
        self._ask_for(self.generate_requested)

    def paste(self) -> None:
        """Take what is on the clipboard, if it is something for the panel."""
        self._take(QGuiApplication.clipboard().mimeData())

    # Events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay wide enough for the words, whose size and language may change."""
        if watched is self._content and event.type() is QEvent.Type.LayoutRequest:
            bar = self._scroll.verticalScrollBar().sizeHint().width()
            words = self._content.minimumSizeHint().width() + bar
            self.setMinimumWidth(max(_MIN_WIDTH, words))
        return super().eventFilter(watched, event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Say whether what is held over the panel can be used."""
        kind = classify(event.mimeData()).kind
        if kind is not DropKind.NOTHING:
            self.picture.show_dropping(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """It went elsewhere."""
        self.picture.show_dropping(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take what is dropped."""
        self.picture.show_dropping(False)
        if self._take(event.mimeData()):
            event.acceptProposedAction()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Paste, wherever the focus is."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    # Showing

    def _retranslate(self) -> None:
        self.presets.set_options([(each, preset_text(each)) for each in Preset])
        self.presets.setAccessibleName(self.tr("How much time to take"))
        for index, words in enumerate(
            (
                self.tr("Few frames and few steps, to try things out"),
                self.tr("What the model is usually used with"),
                self.tr("Four times as many frames; takes longest"),
            )
        ):
            self.presets.button(index).setToolTip(tip(words))
        self.smoothness.set_options(
            [
                (Fps.LOW, self.tr("2 fps draft")),
                (Fps.MEDIUM, self.tr("8 fps")),
                (Fps.HIGH, self.tr("32 fps")),
            ]
        )
        self.motion.set_options([(each, motion_text(each)) for each in Motion])
        for name, field in self._fields.items():
            field.set_texts(field_label(name), field_help(name))
        self._fields["picture"].set_texts(self.tr("Start from a picture"), field_help("picture"))
        self._show_values(self._form.values)

    def _show_values(self, values: FormValues) -> None:
        self.presets.set_value(self._form.preset())
        self.prompt.show_text(values.prompt)
        self.picture.show_picture(values.picture, values.size)
        self.size_picker.show_size(values.size)
        self.smoothness.set_value(values.fps)
        self.motion.set_value(values.motion)
        self.seed.show_seed(values.seed, is_locked=values.seed_is_locked)
        self.more.show_values(values)
        self._fields["picture"].set_value_text("" if values.picture else self.tr("optional"))
        self._fields["size"].set_value_text(field_text(values, "size"))
        seconds = values.fps.num_frames / values.fps.frames_per_second
        frames = self.tr("%n frame(s), {seconds} s", "", values.fps.num_frames)
        self._fields["fps"].set_value_text(frames.format(seconds=f"{seconds:.1f}"))
        self._show_cautions()
        self._refresh_problems()
        if values.prompt != self._prompt_text:
            self._prompt_text = values.prompt
            self.token_count_wanted.emit(values.prompt)

    def _show_cautions(self) -> None:
        cautions = {caution.field: caution.text for caution in self._form.cautions()}
        for name, field in self._fields.items():
            field.set_caution(cautions.get(name, ""))
        for name in self.more.fields:
            self.more.show_caution(name, cautions.get(name, ""))

    def _field(self, name: str) -> LabelledField | None:
        if name == "prompt":
            return self.prompt.field
        # A model that is not there yet is nothing to look for among the settings.
        return None if name == "model" else self._fields.get(name) or self.more.fields.get(name)

    def _refresh_problems(self) -> None:
        """Take away what is put right; a problem appears when the button is pressed only."""
        left = {problem.field: problem.text for problem in self._form.problems()}
        for name in ("prompt", *self._fields, *self.more.fields):
            field = self._field(name)
            if field is not None and field.problem:
                field.set_problem(left.get(name, ""))
        if self.bar.problem and self.bar.problem not in left.values():
            self.bar.show_problem("")

    def _ask_for(self, answer: SignalInstance) -> None:
        problems = self._form.problems()
        for problem in reversed(problems):
            field = self._field(problem.field)
            if field is None:
                self.bar.show_problem(problem.text)
                continue
            if problem.field in self.more.fields:
                self.more.set_open(True)
            field.set_problem(problem.text)
            field.control.setFocus(Qt.FocusReason.OtherFocusReason)
            self._scroll.ensureWidgetVisible(field)
        if not problems:
            answer.emit()

    # What a person does

    def _on_model_changed(self, model: ModelInfo) -> None:
        self.size_picker.use_model(model)
        self.show_examples(model.defaults.examples)
        self._show_values(self._form.values)

    def _on_prompt_edited(self, text: str) -> None:
        self._form.edit(field_label("prompt"), merge="prompt", prompt=text)

    def _on_size_changed(self, size: FrameSize) -> None:
        picture = self._form.values.picture
        if picture is not None and picture.crop is not None and picture.is_opened:
            aspect = size.width / size.height
            crop = reshaped(picture.crop, picture.width, picture.height, aspect)
            picture = replace(picture, crop=crop)
        self._form.edit(field_label("size"), merge="size", size=size, picture=picture)

    def _on_crop_changed(self, crop: CropBox | None) -> None:
        picture = self._form.values.picture
        if picture is not None:
            self._form.edit(
                self.tr("Part of the picture"), merge="crop", picture=replace(picture, crop=crop)
            )

    def _on_picture_removed(self) -> None:
        self._form.edit(self.tr("Remove the picture"), picture=None)

    def _on_fps_chosen(self, fps: object) -> None:
        self._form.edit(field_label("fps"), fps=fps)

    def _on_motion_chosen(self, motion: object) -> None:
        self._form.edit(field_label("motion"), motion=motion)

    def _on_seed_typed(self, seed: object) -> None:
        self._form.edit(field_label("seed"), seed=seed)

    def _on_lock_changed(self, is_locked: bool) -> None:
        what = self.tr("Keep the seed") if is_locked else self.tr("Let the seed change")
        self._form.edit(what, seed_is_locked=is_locked)

    def _on_choose_requested(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a picture"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        # GTK's dialog shows a preview: it would decode a stranger's picture in this process.
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog, sys.platform == "linux")
        words = self.tr("Pictures ({endings})").format(endings=picture_filter())
        dialog.setNameFilters([words, self.tr("All files (*)")])
        dialog.filesSelected.connect(self._take_pictures)
        dialog.open()

    def _take(self, mime: QMimeData) -> bool:
        """Pass on what `mime` brings; whether there was something."""
        drop = classify(mime)
        match drop.kind:
            case DropKind.NOTHING:
                return False
            case DropKind.CLIP:
                self.clip_dropped.emit(drop.clip)
            case DropKind.PIXELS:
                if (picture := pixels_of(mime)) is not None:
                    self.picture_pasted.emit(picture)
            case DropKind.TEXT_FILE:
                self.text_file_dropped.emit(drop.paths[0])
            case DropKind.VIDEO:
                self.video_dropped.emit(drop.paths[0])
            case DropKind.PICTURES | DropKind.FRAME:
                self._take_pictures(list(drop.paths))
        return True

    def _take_pictures(self, paths: list[str]) -> None:
        if len(paths) == 1:
            self.picture_path_chosen.emit(paths[0])
        elif paths:
            self.pictures_dropped.emit(paths)
