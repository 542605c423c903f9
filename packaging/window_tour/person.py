"""The folders of a person who has never used the application, or has seen its first steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = ("CONFIG", "DATA", "CACHE", "STATE")
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><alias><family>sans-serif</family>
<prefer><family>Inter</family><family>Noto Sans CJK SC</family></prefer>
</alias></fontconfig>
"""


def environment_of(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Make the folders, and give `environment` with them and nothing of the real person's.

    The fonts are those of most desktops of today, where the machine has them.
    """
    folders = {f"XDG_{kind}_HOME": home / kind.lower() for kind in _KINDS}
    run = home / "run"
    for folder in (*folders.values(), run):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    fonts = folders["XDG_CONFIG_HOME"] / "fontconfig" / "fonts.conf"
    fonts.parent.mkdir(exist_ok=True)
    fonts.write_text(_FONTS, encoding="utf-8")
    return {
        **environment,
        **{name: str(folder) for name, folder in folders.items()},
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(run),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def skip_first_steps(environment: Mapping[str, str]) -> None:
    """Let the person of `environment` have seen the first steps; English is their language."""
    settings = Path(environment["XDG_CONFIG_HOME"]) / "kvdesk" / "settings.json"
    settings.parent.mkdir(exist_ok=True)
    values = {"version": 1, "language": "en", "welcomed": True}
    settings.write_text(json.dumps(values), encoding="utf-8")
