"""The folders of a person who has never used the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
