"""Which intent of the window goes where, and which news is shown where."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices

from kvdesk.batches import BatchKind
from kvdesk.getting_notices import SHOW_MODEL_PAGE, missing_model_notice
from kvdesk.jobs import JobState, WaitsFor
from kvdesk.notice import Notice, Tone
from kvdesk.ui.clip_actions import SHOW_EXPORT
from kvdesk.ui.drops import DropKind, classify
from kvdesk.ui.first_start_actions import FirstStartActions
from kvdesk.ui.model_actions import ModelActions
from kvdesk.ui.report_actions import ReportActions
from kvdesk.ui.shortcuts import Command
from kvdesk.ui.theme import ThemeChoice, theme

if TYPE_CHECKING:
    from engine.api import MachineDescribed, ModelInfo, Motion
    from kvdesk.app import Desk
    from kvdesk.run_progress import RunProgress
    from kvdesk.settings import Settings


def connect(desk: Desk) -> None:
    """Wire all parts of `desk`."""
    Wiring(desk)


class Wiring(QObject):
    """Holds the connections that are more than a signal and a method; lives with the window."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.window)
        self._desk = desk
        self._batch = ""
        self._seconds = 0.0  # since the running job began to be shown
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._on_second)
        self._reports = ReportActions(
            window=desk.window, queue=desk.queue, settings=desk.settings, folders=desk.folders
        )
        self._model = ModelActions(
            window=desk.window, getting=desk.studio.getting, settings=desk.settings
        )
        self._connect_compose()
        self._connect_stage()
        self._connect_queue()
        self._connect_library()
        self._connect_pages()
        self._connect_studio()
        self._use_settings(desk.settings.values)
        # After all that is connected above: it shows what the settings have led to.
        self._first_start = FirstStartActions(
            window=desk.window,
            settings=desk.settings,
            library=desk.library,
            form=desk.form,
            studio=desk.studio,
            clip_actions=desk.actions,
            model_actions=self._model,
        )

    def _connect_compose(self) -> None:
        compose, studio, actions = self._desk.window.compose, self._desk.studio, self._desk.actions
        compose.generate_requested.connect(studio.submit)
        compose.cousins_requested.connect(studio.submit_cousins)
        compose.key_frames_requested.connect(studio.submit_key_frames)
        compose.motion_map_requested.connect(studio.submit_motion_map)
        compose.cancel_editing_requested.connect(studio.stop_editing)
        compose.picture_path_chosen.connect(studio.open_picture)
        compose.pictures_dropped.connect(studio.open_pictures)
        compose.picture_pasted.connect(studio.paste_picture)
        compose.text_file_dropped.connect(studio.open_text_file)
        compose.video_dropped.connect(studio.open_video)
        compose.clip_dropped.connect(actions.offer_clip)
        compose.token_count_wanted.connect(studio.count_tokens)
        compose.more_open_changed.connect(partial(self._set, "more_is_open"))
        studio.tokens_counted.connect(compose.show_tokens)
        studio.plan_changed.connect(compose.show_plan)
        studio.editing_changed.connect(self._on_editing_changed)

    def _connect_stage(self) -> None:
        stage, studio, actions = self._desk.window.stage, self._desk.studio, self._desk.actions
        stage.cancel_requested.connect(partial(self._with_running, studio.cancel))
        stage.pause_requested.connect(partial(self._with_running, studio.pause))
        stage.files_dropped.connect(self._on_files_dropped)
        stage.clip_dropped.connect(actions.show)
        stage.example_chosen.connect(self._on_example_chosen)
        stage.empty.model_requested.connect(self._desk.window.show_model_page)
        stage.save_frame_requested.connect(actions.save_frame)
        stage.frame_to_form_requested.connect(studio.open_picture)
        stage.compare_requested.connect(actions.compare_shown)
        stage.export_requested.connect(actions.open_export)
        stage.smooth_requested.connect(actions.smooth_shown)

    def _connect_queue(self) -> None:
        view, studio = self._desk.window.queue_view, self._desk.studio
        view.pause_requested.connect(studio.pause)
        view.resume_requested.connect(studio.resume)
        view.cancel_requested.connect(studio.cancel)
        view.retry_requested.connect(studio.retry)
        view.edit_requested.connect(studio.edit_job)
        view.remove_requested.connect(self._desk.queue.remove)
        view.hold_requested.connect(studio.hold)
        view.job_chosen.connect(self._on_job_chosen)
        view.model_requested.connect(self._on_model_requested)

    def _connect_library(self) -> None:
        view, studio, actions = (
            self._desk.window.library_view,
            self._desk.studio,
            self._desk.actions,
        )
        view.clip_chosen.connect(actions.show)
        view.restore_requested.connect(actions.restore)
        view.continue_requested.connect(studio.continue_from)
        view.smooth_requested.connect(studio.smooth)
        view.animate_requested.connect(studio.animate)
        view.compare_requested.connect(actions.compare_with_shown)
        view.pair_compare_requested.connect(actions.compare)
        view.export_requested.connect(actions.open_export)
        view.show_folder_requested.connect(actions.show_folder)
        view.first_clip_wanted.connect(self._on_first_clip_wanted)
        details = self._desk.window.details
        details.restore_requested.connect(actions.restore)
        details.closed.connect(self._desk.window.hide_details)

    def _connect_pages(self) -> None:
        window, actions, studio = self._desk.window, self._desk.actions, self._desk.studio
        window.command_given.connect(self._on_command)
        window.notices.action_requested.connect(self._on_notice_action)
        window.top_bar.model_chosen.connect(studio.use_model)
        window.export_sheet.prediction_wanted.connect(actions.predict)
        window.export_sheet.export_requested.connect(actions.export)
        window.batch.clip_chosen.connect(actions.show)
        window.batch.animation_chosen.connect(self._on_key_frame_chosen)
        window.batch.values_chosen.connect(self._on_values_chosen)
        page, settings = window.settings_page, self._desk.settings
        page.setting_changed.connect(self._set)
        page.folder_choice_requested.connect(actions.choose_clips_folder)
        page.folder_requested.connect(self._on_clips_folder_requested)
        settings.changed.connect(self._use_settings)

    def _connect_studio(self) -> None:
        studio, window = self._desk.studio, self._desk.window
        studio.notice.connect(window.notices.show_notice)
        self._desk.library.failed.connect(self._on_library_failed)
        self._desk.engine.state_changed.connect(window.top_bar.show_state)
        studio.progress_changed.connect(self._on_progress)
        studio.clip_finished.connect(self._on_clip_finished)
        studio.models_changed.connect(self._on_models)
        studio.machine_changed.connect(self._on_machine)
        studio.video_opened.connect(self._desk.actions.offer_video)
        studio.batches.changed.connect(self._on_batch_added)
        studio.getting.ready.connect(self._on_model_ready)
        studio.getting.store.changed.connect(self._keep_awake)
        self._desk.form.model_changed.connect(self._on_model)

    # What a person does

    def _set(self, name: str, value: object) -> None:
        self._desk.settings.change(**{name: value})

    def _with_running(self, intent: object) -> None:
        running = self._desk.queue.running
        if running is not None and callable(intent):
            intent(running.id)

    def _on_command(self, command: Command) -> None:
        desk, window = self._desk, self._desk.window
        match command:
            case Command.GENERATE:
                window.compose.request_generate()
            case Command.UNDO:
                desk.undo_stack.undo()
            case Command.REDO:
                desk.undo_stack.redo()
            case Command.PROMPT:
                window.show_form()
            case Command.PICTURE:
                window.compose.picture.choose_requested.emit()
            case Command.SEARCH:
                window.show_right_column()
                window.library_view.focus_search()
            case Command.QUEUE:
                window.show_right_column()
                window.queue_view.view.setFocus()
            case Command.CLIP | Command.BACK:
                window.show_stage()
            case Command.PAUSE:
                self._with_running(desk.studio.pause)
            case Command.CANCEL:
                self._with_running(desk.studio.cancel)
            case Command.EXPORT:
                desk.actions.open_export()
            case Command.COMPARE:
                desk.actions.compare_shown()
            case Command.HELP:
                window.show_help()
            case Command.SETTINGS:
                window.show_settings()
            case Command.QUIT:
                window.close()

    def _on_files_dropped(self, paths: list[str]) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
        drop = classify(mime)
        studio = self._desk.studio
        match drop.kind:
            case DropKind.VIDEO:
                studio.open_video(drop.paths[0])
            case DropKind.TEXT_FILE:
                studio.open_text_file(drop.paths[0])
            case _:
                # What is no picture is refused where it is opened, with the reason.
                studio.open_pictures(list(drop.paths) or paths)

    def _on_example_chosen(self, prompt: str) -> None:
        self._desk.form.edit(self.tr("Take an example"), prompt=prompt)
        self._desk.window.compose.request_generate()

    def _on_first_clip_wanted(self) -> None:
        model = self._desk.form.model
        if model is not None and model.defaults.examples and not self._desk.form.values.prompt:
            self._on_example_chosen(model.defaults.examples[0])
        else:
            self._desk.window.compose.setFocus()

    def _on_job_chosen(self, job_id: str) -> None:
        job = self._desk.queue.job(job_id)
        if job is None:
            return
        if job.group and (batch := self._desk.studio.batches.of(job.group)) is not None:
            self._desk.window.batch.show_batch(batch)
            self._desk.window.show_batch()
        elif job.state is JobState.RUNNING:
            self._desk.window.show_stage()
        elif self._desk.queue.waits_for(job) is WaitsFor.MODEL:
            self._desk.window.show_model_page()
        else:
            self._desk.actions.show(job.folder)

    def _on_model_requested(self, _job_id: str) -> None:
        self._desk.window.show_model_page()

    def _on_key_frame_chosen(self, name: str) -> None:
        self._desk.studio.animate(name)
        self._desk.window.show_stage()

    def _on_values_chosen(self, motion: Motion, noise_augmentation: int) -> None:
        self._desk.form.edit(
            self.tr("Take values of the motion map"),
            motion=motion,
            noise_augmentation=noise_augmentation,
        )

    def _on_clips_folder_requested(self) -> None:
        folder = self._desk.library.clips
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _on_notice_action(self, action: str) -> None:
        if action == SHOW_EXPORT:
            self._desk.actions.show_export()
        elif action == SHOW_MODEL_PAGE:
            self._desk.window.show_model_page()
        else:
            self._desk.studio.act(action)

    # News

    def _on_editing_changed(self, job_id: str | None) -> None:
        self._desk.window.compose.show_editing(job_id is not None)

    def _on_batch_added(self) -> None:
        batch = self._desk.studio.batches.latest()
        if batch is not None and batch.id != self._batch:
            self._batch = batch.id
            self._desk.window.batch.show_batch(batch)
            if batch.kind is not BatchKind.COUSINS or not self._desk.queue.is_held:
                self._desk.window.show_batch()

    def _on_progress(self, progress: RunProgress | None) -> None:
        desk = self._desk
        desk.window.stage.show_progress(progress)
        self._show_whether_clips_wait()
        desk.desktop.show_progress(None if progress is None else progress.share_done)
        if progress is None:
            self._clock.stop()
            self._keep_awake()
            desk.window.setWindowTitle("kvdesk")
            return
        if not self._clock.isActive():
            self._seconds = 0.0
            self._clock.start()
            self._keep_awake()
        percent = f"{100 * progress.share_done:.0f} %"
        desk.window.setWindowTitle(f"{percent} – kvdesk")

    def _keep_awake(self) -> None:
        """Keep the computer from sleeping as long as something goes on that takes a while."""
        desk = self._desk
        if desk.studio.is_running:
            desk.keep_awake.hold(self.tr("A clip is being made."))
        elif desk.studio.getting.store.state.is_running:
            desk.keep_awake.hold(self.tr("A model is being fetched and prepared."))
        else:
            desk.keep_awake.release()

    def _show_whether_clips_wait(self) -> None:
        model = self._desk.form.model
        is_missing = model is not None and not model.is_ready
        self._desk.window.compose.set_busy(self._desk.studio.is_running or is_missing)

    def _on_second(self) -> None:
        self._seconds += 1

    def _on_clip_finished(self, name: str) -> None:
        desk = self._desk
        desk.actions.show_finished(name)
        record = desk.library.record(name)
        title = record.title if record is not None else ""
        desk.desktop.tell(self.tr("Your clip is ready"), title, seconds=self._seconds)

    def _on_models(self, models: list[ModelInfo]) -> None:
        self._desk.window.compose.set_models(models)
        self._desk.window.stage.empty.offer_model(any(not each.is_ready for each in models))
        self._desk.window.top_bar.show_models(models, self._desk.form.values.model)

    def _on_model(self, model: ModelInfo) -> None:
        desk = self._desk
        desk.window.top_bar.show_models(desk.studio.models, model.name)
        desk.window.settings_page.show_model(model)
        self._show_whether_clips_wait()
        if desk.player.clip is None:
            desk.window.stage.show_empty(model.defaults.examples)

    def _on_model_ready(self) -> None:
        self._desk.window.notices.withdraw(missing_model_notice())
        self._desk.desktop.tell(self.tr("Kandinsky 1.1 is ready"), "", seconds=math.inf)

    def _on_library_failed(self, text: str, detail: str) -> None:
        notice = Notice(text=text, tone=Tone.FAILED, detail=detail)
        self._desk.window.notices.show_notice(notice)

    def _on_machine(self, machine: MachineDescribed) -> None:
        self._desk.window.top_bar.show_machine(machine)
        self._desk.window.settings_page.show_machine(machine)
        self._reports.know_machine(machine)

    def _use_settings(self, values: Settings) -> None:
        desk, window = self._desk, self._desk.window
        if (theme().choice, theme().text_percent) != (values.theme, values.text_percent):
            theme().use(ThemeChoice(values.theme), text_percent=values.text_percent)
        if desk.translations.wanted != values.language:
            desk.translations.use(values.language)
        window.stage.set_reduced_motion(values.reduce_motion)
        window.compare.set_reduced_motion(values.reduce_motion)
        window.batch.set_reduced_motion(values.reduce_motion)
        window.library_view.set_reduce_motion(values.reduce_motion)
        window.compose.set_more_open(values.more_is_open)
        desk.desktop.notifies = values.notify
        clips = Path(values.clips_folder) if values.clips_folder else desk.folders.clips
        if clips != desk.library.clips:
            desk.library.use_folder(clips)
        window.settings_page.show_settings(values, str(clips))
