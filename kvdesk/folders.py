"""Where the application keeps its files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platformdirs import PlatformDirs, user_videos_path

if TYPE_CHECKING:
    from pathlib import Path

_NAME = "kvdesk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The folders of one person; none of them needs to exist yet.

    Attributes:
        config: settings.
        data: what has to survive: the form, the queue, the prompts used before.
        cache: what can be made again, such as small pictures and the library's index.
        clips: where finished clips are kept.
    """

    config: Path
    data: Path
    cache: Path
    clips: Path

    @property
    def log(self) -> Path:
        """The file of the window's log."""
        return self.cache / "logs" / "kvdesk.log"

    @classmethod
    def usual(cls) -> Folders:
        """The folders that the operating system has for these things."""
        # Windows adds the author's name as a folder of its own unless told not to.
        usual = PlatformDirs(_NAME, appauthor=False)
        return cls(
            config=usual.user_config_path,
            data=usual.user_data_path,
            cache=usual.user_cache_path,
            clips=user_videos_path() / _NAME,
        )

    def with_clips(self, clips: Path) -> Folders:
        """These folders, with finished clips kept in `clips`."""
        return replace(self, clips=clips)


def free_bytes(folder: Path) -> int | None:
    """What is free on the disk that `folder` is on, or would be; None where nobody can tell.

    A disk of another computer may take long to answer.
    """
    for existing in (folder, *folder.parents):
        try:
            return shutil.disk_usage(existing).free
        except OSError:
            continue
    return None
