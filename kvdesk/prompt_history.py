"""The prompts that were used before, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from kvdesk.json_files import DelayedWriter, read_json

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import JsonObject

MAX_PROMPTS = 500

_VERSION = 1
_SAVE_DELAY_MS = 500


class PromptHistory(QObject):
    """At most `MAX_PROMPTS` different prompts, kept in a file whether their clips are or not."""

    changed = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prompts = _stored_prompts(read_json(path) or {})
        self._writer = DelayedWriter(path, self._content, delay_ms=_SAVE_DELAY_MS, parent=self)

    def add(self, prompt: str) -> None:
        """Make `prompt` the newest; one that was there moves up. Blanks are no prompt."""
        prompt = prompt.strip()
        if prompt:
            others = [other for other in self._prompts if other != prompt]
            self._take([prompt, *others][:MAX_PROMPTS])

    def remove(self, prompt: str) -> None:
        """Forget `prompt`."""
        self._take([other for other in self._prompts if other != prompt])

    def clear(self) -> None:
        """Forget all prompts, in the file too, and at once."""
        self._take([])
        self.flush()

    def search(self, words: str) -> list[str]:
        """The prompts that hold each of `words`, or all where there are none; newest first."""
        wanted = words.casefold().split()
        return [
            prompt for prompt in self._prompts if all(word in prompt.casefold() for word in wanted)
        ]

    def flush(self) -> None:
        """Write now what is not written yet."""
        self._writer.flush()

    def _take(self, prompts: list[str]) -> None:
        if prompts != self._prompts:
            self._prompts = prompts
            self._writer.schedule()
            self.changed.emit()

    def _content(self) -> JsonObject:
        return {"version": _VERSION, "prompts": self._prompts}


def _stored_prompts(data: JsonObject) -> list[str]:
    stored: object = data.get("prompts")
    if not isinstance(stored, list):
        return []
    texts = [item for item in cast("list[object]", stored) if isinstance(item, str)]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))[:MAX_PROMPTS]
