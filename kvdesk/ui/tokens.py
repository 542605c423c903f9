"""The colours of both themes, by what they are for. Text has a contrast of at least 4.5 to 1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The colours of a theme, by what they are for."""

    window: str
    panel: str
    card: str
    hover: str
    line: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    fits: str
    careful: str
    failed: str
    fits_soft: str
    careful_soft: str
    failed_soft: str
    behind_clip: str


DARK = Tokens(
    window="#15171c",
    panel="#1c1f26",
    card="#242832",
    hover="#2d323e",
    line="#333947",
    text="#e8eaf0",
    muted="#98a0b3",
    accent="#6d8bff",
    accent_hover="#829cff",
    on_accent="#0d1022",
    accent_soft="#2b3352",
    fits="#4cc38a",
    careful="#e5b454",
    failed="#e5687a",
    fits_soft="#1d3129",
    careful_soft="#35301f",
    failed_soft="#38232a",
    behind_clip="#0c0d10",
)
LIGHT = Tokens(
    window="#f3f4f7",
    panel="#ffffff",
    card="#f6f7fa",
    hover="#eceef4",
    line="#dde0e8",
    text="#1d212b",
    muted="#636b7d",
    accent="#3f5fe0",
    accent_hover="#3452c9",
    on_accent="#ffffff",
    accent_soft="#e2e8fd",
    fits="#1a7f53",
    careful="#8f6207",
    failed="#c2374c",
    fits_soft="#e3f3ea",
    careful_soft="#f9f0dc",
    failed_soft="#fae5e8",
    behind_clip="#e6e8ee",
)
