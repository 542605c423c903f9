"""What of the released model is fetched, where to, and what is taken from elsewhere."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.api import DescribeDownload, DownloadDescribed, Failed, models_folder, set_models_folder
from kvdesk.getting import Phase, Step, begun_anew, moved
from kvdesk.getting_notices import folder_notice, in_use_notice, kept_notice
from kvdesk.job import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import Event
    from kvdesk.background import Background
    from kvdesk.engine_client import EngineClient
    from kvdesk.getting import Getting
    from kvdesk.getting_store import GettingStore
    from kvdesk.settings import Settings, SettingsStore


class GettingChoices(QObject):
    """Takes choices as long as nothing is being done, and asks what they come to.

    Attributes:
        described: what there is to fetch: a `DownloadDescribed`, the `Failure` why nobody knows,
            or None while it is asked for.
        folder_changed: models lie in another folder from now on.
        notice: with a `Notice`.
    """

    described = Signal(object)
    folder_changed = Signal()
    notice = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        settings: SettingsStore,
        store: GettingStore,
        background: Background,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._settings = settings
        self._store = store
        self._background = background
        self._question: int | None = None
        self._was_asked = False
        self._mirror = settings.values.mirror
        self._could_choose = store.state.may_choose
        settings.changed.connect(self._on_settings_changed)
        store.changed.connect(self._on_state_changed)

    def describe(self) -> None:
        """Ask the server what there is to fetch, for `described`; not while it is fetched."""
        if not self._store.state.may_choose:
            return
        self._was_asked = True
        self._drop_question()
        self.described.emit(None)
        question = DescribeDownload(
            job=0,
            folder=str(self._store.state.originals),
            also_in=self._store.state.also_in,
            endpoint=self._settings.values.mirror or None,
        )
        self._question = self._engine.ask(question, self._on_described)

    def choose_folder(self, path: str) -> None:
        """Have models lie in the folder `path` from now on; nothing is moved."""
        state = self._store.state
        if not state.may_choose and state.phase is not Phase.READY:
            self.notice.emit(in_use_notice(state.models_folder))
            return

        def done(problem: str) -> None:
            if problem:
                self.notice.emit(folder_notice(path, problem))
                return
            self._store.put(moved(self._store.state, str(models_folder())))
            self.folder_changed.emit()
            self._describe_again()

        self._background.run(partial(_choose, path), done)

    def look_in(self, path: str) -> None:
        """Take files that lie in the folder `path` instead of fetching them."""
        also_in = self._store.state.also_in
        if path not in also_in:
            self._store.change(also_in=(*also_in, path))
            self._describe_again()

    def do_not_look_in(self, path: str) -> None:
        """Leave alone what lies in the folder `path`."""
        also_in = self._store.state.also_in
        self._store.change(also_in=tuple(each for each in also_in if each != path))
        self._describe_again()

    def delete_originals(self, is_wanted: bool) -> None:
        """Say whether official files go as soon as they are prepared."""
        self._store.change(delete_originals=is_wanted)

    def remove(self) -> None:
        """Delete the official files, and a model that is not prepared yet; all begins anew."""
        state = self._store.state
        if state.is_running:
            return
        folders = [state.originals]
        if state.step is Step.PREPARE:
            folders.append(state.prepared)
        self._background.run(partial(_remove_all, folders), self._on_removed)

    def _on_removed(self, problem: str) -> None:
        state = self._store.state
        if problem:
            self.notice.emit(kept_notice(str(state.originals), problem))
        elif state.phase is Phase.READY:
            self._store.change(has_originals=False)
        else:
            self._store.put(begun_anew(state))
            self._describe_again()

    def _on_described(self, event: Event) -> None:
        self._question = None
        if isinstance(event, DownloadDescribed):
            have = event.total_bytes - event.missing_bytes
            if self._store.state.is_stopped:
                self._store.change(done_bytes=have, total_bytes=event.total_bytes)
            self.described.emit(event)
        elif isinstance(event, Failed):
            why = Failure(code=event.code, message=event.message, detail=event.detail)
            self.described.emit(why)

    def _on_settings_changed(self, settings: Settings) -> None:
        if settings.mirror != self._mirror:
            self._mirror = settings.mirror
            self._describe_again()

    def _on_state_changed(self, state: Getting) -> None:
        could, self._could_choose = self._could_choose, state.may_choose
        if state.is_running:
            self._drop_question()  # a download would wait for its answer
        if state.may_choose and not could:
            self._describe_again()

    def _drop_question(self) -> None:
        if self._question is not None:
            self._engine.cancel(self._question)
            self._engine.forget(self._question)
            self._question = None

    def _describe_again(self) -> None:
        """What was described may not hold any more; nobody is asked before a person has."""
        if self._was_asked:
            self.describe()


def _choose(path: str) -> str:
    """Have models lie in `path`; what is in the way of that, or ""."""
    try:
        set_models_folder(Path(path))
    except OSError as error:
        return str(error)
    return ""


def _remove_all(folders: Sequence[Path]) -> str:
    """Delete `folders`; what is in the way of that, or ""."""
    for folder in folders:
        try:
            shutil.rmtree(folder)  # which refuses a link, and deletes those inside as what they are
        except FileNotFoundError:
            continue
        except OSError as error:
            return str(error)
    return ""
