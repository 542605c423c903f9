"""The style sheet of a theme.

Widgets ask for a look by dynamic properties:

- `kind` of a QPushButton or QToolButton: "primary", "plain" (a card with a line), "flat",
  "small" (a flat one in a narrow row), "danger", "segment" (checkable, inside a `Segments` row),
  "chip", "link", "header" (of an `Expander`), "drop" (a zone that takes what is dropped;
  "dropping" is "true" while something is over it);
- `role` of a QLabel: "title", "label" (over a control), "value" (at its right end), "muted",
  "fits", "careful", "failed", "badge"; of a QPlainTextEdit: "prompt";
- `surface` of a QWidget or QFrame: "panel", "card", "window", "line", "notice", "popup",
  "menu" (round, in a window that is translucent);
- `tone` of a notice: "plain", "fits", "careful", "failed";
- `caution` of a field: "true" where its value is unusual.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import kvdesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from kvdesk.ui.tokens import Tokens

_PICTURES = Path(kvdesk.__file__).parents[1] / "resources" / "icons" / "style"


def style_sheet(t: Tokens, px: Callable[[float], int]) -> str:
    """The whole style sheet; `px` scales pixels of the design to the chosen text size."""
    parts = (_surfaces, _labels, _buttons, _special_buttons, _fields, _number_fields, _choices)
    return "".join(part(t, px) for part in (*parts, _sliders, _views, _bars))


def _picture(name: str, colour: str) -> str:
    # A style sheet cannot colour a picture: there is a file for the colour of each theme.
    return f'url("{(_PICTURES / f"{name}-{colour[1:]}.svg").as_posix()}")'


def _surfaces(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QWidget {{ color: {t.text}; }}
QMainWindow, QDialog, QWidget[surface="window"] {{ background: {t.window}; }}
QWidget[surface="panel"] {{ background: {t.panel}; }}
QFrame[surface="card"] {{
    background: {t.card}; border: 1px solid {t.line}; border-radius: 8px;
}}
QFrame[surface="popup"] {{ background: {t.panel}; border: 1px solid {t.line}; }}
QFrame[surface="menu"] {{
    background: {t.panel}; border: 1px solid {t.line}; border-radius: 8px;
}}
QFrame[surface="line"] {{ background: {t.line}; border: none; }}
QFrame[surface="notice"] {{ border-radius: 8px; border: 1px solid {t.line}; background: {t.card}; }}
QFrame[surface="notice"][tone="failed"] {{
    background: {t.failed_soft}; border-color: {t.failed};
}}
QFrame[surface="notice"][tone="careful"] {{
    background: {t.careful_soft}; border-color: {t.careful};
}}
QFrame[surface="notice"][tone="fits"] {{ background: {t.fits_soft}; border-color: {t.fits}; }}
QToolTip {{
    background: {t.card}; color: {t.text}; border: 1px solid {t.line};
    padding: {px(4)}px {px(8)}px;
}}
QSplitter::handle {{ background: {t.window}; }}
QSplitter[surface="panel"]::handle {{ background: transparent; }}
QScrollArea, QScrollArea > QWidget > QWidget#content {{ background: transparent; border: none; }}
"""


def _labels(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QLabel {{ background: transparent; }}
QLabel[role="title"] {{ font-size: {px(15)}px; font-weight: 600; }}
QLabel[role="label"] {{ font-size: {px(12)}px; font-weight: 600; color: {t.muted}; }}
QLabel[role="value"] {{ font-size: {px(12)}px; color: {t.muted}; }}
QLabel[role="muted"] {{ font-size: {px(12)}px; color: {t.muted}; }}
QLabel[role="fits"] {{ color: {t.fits}; font-weight: 600; }}
QLabel[role="careful"] {{ color: {t.careful}; }}
QLabel[role="failed"] {{ color: {t.failed}; }}
QLabel[role="badge"] {{
    background: rgba(0, 0, 0, 160); color: white; border-radius: 6px; padding: 2px 8px;
    font-size: {px(12)}px;
}}
"""


def _buttons(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QPushButton, QToolButton {{
    background: {t.card}; border: 1px solid {t.line}; border-radius: 8px;
    padding: {px(6)}px {px(12)}px; color: {t.text};
}}
QToolButton {{ padding: {px(6)}px; }}
QPushButton:hover, QToolButton:hover {{ background: {t.hover}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; }}
QPushButton:checked, QToolButton:checked {{
    background: {t.accent_soft}; border-color: {t.accent};
}}
QPushButton:checked:focus, QToolButton:checked:focus {{ border: 2px solid {t.accent}; }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[kind="primary"], QToolButton[kind="primary"] {{
    background: {t.accent}; color: {t.on_accent}; border: 1px solid {t.accent};
    font-size: {px(15)}px; font-weight: 600; padding: {px(10)}px {px(16)}px;
}}
QToolButton[kind="primary"] {{ padding: {px(10)}px; }}
QPushButton[kind="primary"]:hover, QToolButton[kind="primary"]:hover {{
    background: {t.accent_hover};
}}
QPushButton[kind="primary"]:focus, QToolButton[kind="primary"]:focus {{
    border: 2px solid {t.text};
}}
QPushButton[kind="primary"]:disabled, QToolButton[kind="primary"]:disabled {{
    background: {t.card}; color: {t.muted}; border-color: {t.line};
}}
QPushButton[kind="flat"], QToolButton[kind="flat"] {{
    background: transparent; border: 1px solid transparent;
}}
QPushButton[kind="flat"]:hover, QToolButton[kind="flat"]:hover {{ background: {t.hover}; }}
QPushButton[kind="flat"]:focus, QToolButton[kind="flat"]:focus {{ border-color: {t.accent}; }}
QPushButton[kind="flat"]:checked, QToolButton[kind="flat"]:checked {{
    background: {t.accent_soft};
}}
QPushButton[kind="small"], QToolButton[kind="small"] {{
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: {px(3)}px {px(4)}px; font-size: {px(12)}px;
}}
QToolButton[kind="small"] {{ padding: {px(3)}px; }}
QPushButton[kind="small"]:hover, QToolButton[kind="small"]:hover {{ background: {t.hover}; }}
QPushButton[kind="small"]:focus, QToolButton[kind="small"]:focus {{ border-color: {t.accent}; }}
QToolButton[kind="small"]:checked {{ background: {t.accent_soft}; }}
QPushButton[kind="danger"] {{ color: {t.failed}; }}
"""


def _special_buttons(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QPushButton[kind="chip"], QToolButton[kind="chip"] {{
    border-radius: {px(11)}px; padding: {px(4)}px {px(10)}px;
}}
QPushButton[kind="segment"], QToolButton[kind="segment"] {{
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: {px(6)}px {px(4)}px; color: {t.muted};
}}
QPushButton[kind="segment"]:hover {{ background: {t.hover}; }}
QPushButton[kind="segment"]:focus {{ border-color: {t.accent}; }}
QPushButton[kind="segment"]:checked {{
    background: {t.accent}; color: {t.on_accent}; font-weight: 600;
}}
QPushButton[kind="segment"]:checked:focus {{ border: 2px solid {t.text}; }}
QPushButton[kind="link"] {{
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: {px(2)}px {px(4)}px; color: {t.accent};
}}
/* The accent has too little contrast on the soft colours of notices. */
QFrame[surface="notice"] QPushButton[kind="link"] {{
    color: {t.text}; text-decoration: underline;
}}
QPushButton[kind="link"]:hover {{ text-decoration: underline; }}
QPushButton[kind="link"]:focus {{ border-color: {t.accent}; }}
QPushButton[kind="link"]:disabled {{ color: {t.muted}; }}
QToolButton[kind="header"] {{
    background: transparent; border: 1px solid transparent; border-radius: 6px;
    padding: {px(4)}px {px(6)}px {px(4)}px 0; color: {t.muted};
}}
QToolButton[kind="header"]:hover {{ color: {t.text}; }}
QToolButton[kind="header"]:focus {{ border-color: {t.accent}; }}
QPushButton[kind="drop"] {{
    background: transparent; border: 1px dashed {t.muted}; color: {t.muted};
}}
QPushButton[kind="drop"]:hover {{ background: {t.card}; color: {t.text}; }}
QPushButton[kind="drop"]:focus {{ border: 1px dashed {t.accent}; color: {t.text}; }}
QPushButton[kind="drop"][dropping="true"] {{
    background: {t.accent_soft}; border: 1px dashed {t.accent}; color: {t.text};
}}
"""


def _fields(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {{
    background: {t.card}; border: 1px solid {t.line}; border-radius: 8px;
    padding: {px(5)}px {px(8)}px; selection-background-color: {t.accent};
    selection-color: {t.on_accent}; placeholder-text-color: {t.muted};
}}
QPlainTextEdit[role="prompt"] {{ font-size: {px(14)}px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QComboBox:focus {{
    border-color: {t.accent};
}}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{
    color: {t.muted};
}}
QLineEdit[caution="true"], QSpinBox[caution="true"], QDoubleSpinBox[caution="true"] {{
    border-color: {t.careful};
}}
QComboBox {{ padding-right: {px(24)}px; }}
QComboBox::drop-down {{
    subcontrol-origin: border; subcontrol-position: center right; border: none;
    width: {px(24)}px;
}}
QComboBox::down-arrow {{
    image: {_picture("chevron-down", t.muted)}; width: {px(11)}px; height: {px(11)}px;
}}
QComboBox QAbstractItemView {{
    background: {t.card}; border: 1px solid {t.line}; padding: 4px; outline: none;
    selection-background-color: {t.accent}; selection-color: {t.on_accent};
}}
QComboBox QAbstractItemView::item {{ min-height: {px(24)}px; }}
"""


def _number_fields(t: Tokens, px: Callable[[float], int]) -> str:
    both = "QSpinBox{0}, QDoubleSpinBox{0}"
    up, down = both.format("::up-button"), both.format("::down-button")
    return f"""
QSpinBox QLineEdit, QDoubleSpinBox QLineEdit {{
    background: transparent; border: none; border-radius: 0; padding: 0 {px(2)}px 0 {px(8)}px;
}}
{up}, {down} {{
    subcontrol-origin: border; width: {px(20)}px; border: none; background: transparent;
}}
{up} {{ subcontrol-position: top right; border-top-right-radius: 8px; margin: 1px 1px 0 0; }}
{down} {{
    subcontrol-position: bottom right; border-bottom-right-radius: 8px; margin: 0 1px 1px 0;
}}
{both.format("::up-button:hover")}, {both.format("::down-button:hover")} {{
    background: {t.hover};
}}
{both.format("::up-arrow")} {{
    image: {_picture("chevron-up", t.muted)}; width: {px(10)}px; height: {px(10)}px;
}}
{both.format("::down-arrow")} {{
    image: {_picture("chevron-down", t.muted)}; width: {px(10)}px; height: {px(10)}px;
}}
"""


def _choices(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QCheckBox, QRadioButton {{ spacing: {px(8)}px; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {t.muted}; }}
QCheckBox::indicator, QRadioButton::indicator {{
    width: {px(16)}px; height: {px(16)}px; background: {t.card}; border: 1px solid {t.muted};
    border-radius: {px(4)}px;
}}
QRadioButton::indicator {{ border-radius: {px(8)}px; }}
QCheckBox::indicator:hover, QRadioButton::indicator:hover {{ background: {t.hover}; }}
QCheckBox::indicator:focus, QRadioButton::indicator:focus {{ border: 2px solid {t.accent}; }}
QCheckBox::indicator:checked {{
    background: {t.accent}; border-color: {t.accent}; image: {_picture("check", t.on_accent)};
}}
QCheckBox::indicator:checked:focus {{ border: 2px solid {t.text}; }}
QRadioButton::indicator:checked {{ background: {t.accent}; border: {px(4)}px solid {t.card}; }}
QRadioButton::indicator:checked:focus {{ border: {px(4)}px solid {t.text}; }}
"""


def _sliders(t: Tokens, px: Callable[[float], int]) -> str:
    handle = px(7)
    groove = px(2)
    return f"""
QSlider {{ min-height: {2 * handle + 4}px; }}
QSlider::groove:horizontal {{
    height: {2 * groove}px; background: {t.line}; border-radius: {groove}px;
}}
QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: {groove}px; }}
QSlider::handle:horizontal {{
    background: {t.accent}; width: {2 * handle}px; height: {2 * handle}px;
    margin: {groove - handle}px 0; border-radius: {handle}px;
}}
QSlider::handle:horizontal:focus {{
    border: 2px solid {t.text}; width: {2 * handle - 4}px; height: {2 * handle - 4}px;
}}
QSlider::groove:horizontal:disabled, QSlider::sub-page:horizontal:disabled,
QSlider::handle:horizontal:disabled {{ background: {t.line}; }}
QProgressBar {{
    background: {t.line}; border: none; border-radius: 2px; max-height: 4px; min-height: 4px;
}}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
"""


def _views(t: Tokens, px: Callable[[float], int]) -> str:
    own_margin = 3  # which Qt adds beside the text of an item, and not in a header
    return f"""
QListView, QTreeView, QTableView {{
    background: transparent; border: none; outline: none;
    selection-background-color: {t.accent_soft}; selection-color: {t.text};
}}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{
    background: transparent; border: none; padding: {px(4)}px {px(8)}px;
    font-size: {px(12)}px; font-weight: 600; color: {t.muted};
}}
QTableView::item {{ padding: {px(4)}px {px(8) - own_margin}px; border: none; }}
QTableView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
QMenu {{ background: {t.card}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: {px(6)}px {px(20)}px; border-radius: 6px; }}
QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
QMenu::item:disabled {{ color: {t.muted}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
"""


def _bars(t: Tokens, px: Callable[[float], int]) -> str:
    return f"""
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.line}; border-radius: 4px; margin: 1px; }}
QScrollBar::handle:vertical {{ min-height: 24px; }}
QScrollBar::handle:horizontal {{ min-width: 24px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QTabBar::tab {{
    padding: {px(8)}px 2px; margin-right: {px(16)}px; color: {t.muted};
    border-bottom: 2px solid transparent; font-weight: 600;
}}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.accent}; }}
QTabWidget::pane {{ border: none; }}
"""
