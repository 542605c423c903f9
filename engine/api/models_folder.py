"""The folder in which prepared models lie, as the person chose it.

Read again at every call, so that all processes of a person agree at once. Importing this is quick.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

_CHOICE_FILE = "models_folder.json"
_KEY = "folder"


def models_folder() -> Path:
    """Where prepared models lie: the folder that was chosen, else the usual one.

    A choice that cannot be read counts as none.
    """
    try:
        choice: object = json.loads((_data_folder() / _CHOICE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        choice = None
    if isinstance(choice, dict):
        folder = cast("dict[str, object]", choice).get(_KEY)
        if isinstance(folder, str) and "\0" not in folder and Path(folder).is_absolute():
            return Path(folder)
    return _data_folder() / "models"


def set_models_folder(folder: Path | None) -> None:
    """Choose where prepared models lie; None chooses the usual folder. Nothing is moved.

    Raises:
        OSError: the choice cannot be written.
    """
    from engine.api.files import make_folder, write_text_atomically  # a worker starts without

    choice = _data_folder() / _CHOICE_FILE
    if folder is None:
        choice.unlink(missing_ok=True)
        return
    make_folder(choice.parent)
    write_text_atomically(choice, json.dumps({_KEY: str(folder.expanduser().absolute())}))


def _data_folder() -> Path:
    import platformdirs  # only who asks for a folder waits for it

    return platformdirs.user_data_path("kvdesk", appauthor=False)
