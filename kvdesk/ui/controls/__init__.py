"""Small controls that the views are put together from."""

from kvdesk.ui.controls.choice_group import ChoiceGroup
from kvdesk.ui.controls.choice_menu import ChoiceMenu
from kvdesk.ui.controls.elided_button import ElidedButton
from kvdesk.ui.controls.expander import Expander
from kvdesk.ui.controls.growing_text import GrowingText
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.controls.keys import claims_escape
from kvdesk.ui.controls.labelled_field import LabelledField
from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.number_field import NumberField
from kvdesk.ui.controls.popup_list import PopupList
from kvdesk.ui.controls.remark import Remark, RemarkTone
from kvdesk.ui.controls.rows import EvenRows, FlowRows
from kvdesk.ui.controls.segments import Segments
from kvdesk.ui.controls.tab_order import follow_layout
from kvdesk.ui.controls.text_button import ChoiceButton, DropZone
from kvdesk.ui.controls.wheel import leave_wheel_alone

__all__ = [
    "ChoiceButton",
    "ChoiceGroup",
    "ChoiceMenu",
    "DropZone",
    "ElidedButton",
    "EvenRows",
    "Expander",
    "FlowRows",
    "GrowingText",
    "IconButton",
    "LabelledField",
    "NumberField",
    "PopupList",
    "Remark",
    "RemarkTone",
    "Segments",
    "announce",
    "claims_escape",
    "follow_layout",
    "leave_wheel_alone",
    "set_look",
]
