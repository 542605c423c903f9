import pytest
from drawn_clips import drawn_clip
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication

from kvdesk.play_clock import PlayClock, PlayMode
from kvdesk.player import Player
from kvdesk.ui.theme import ThemeChoice
from kvdesk.ui.transport import Transport

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def clock():
    clock = PlayClock()
    clock.set_length(12, 2.0)
    return clock


@pytest.fixture
def transport(qtbot, clock):
    transport = Transport(clock)
    qtbot.addWidget(transport)
    transport.resize(900, 40)
    transport.show()
    return transport


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_play_button_plays_and_pauses(qtbot, transport, clock):
    click(qtbot, transport.play_button)
    assert clock.is_playing
    assert transport.play_button.accessibleName() == "Pause"
    click(qtbot, transport.play_button)
    assert not clock.is_playing
    assert transport.play_button.accessibleName() == "Play"


def test_the_mode_button_goes_through_all_modes(qtbot, transport, clock):
    names = set()
    for _ in PlayMode:
        click(qtbot, transport.mode_button)
        names.add((clock.mode, transport.mode_button.accessibleName()))
    assert {mode for mode, _ in names} == set(PlayMode)
    assert len({name for _, name in names}) == len(PlayMode)


def test_the_counter_follows_the_clock(transport, clock):
    clock.seek(4)
    assert transport.counter.text() == "5 / 12"
    assert transport.slider.value() == 4


def test_counting_moves_nothing(transport, clock):
    clock.set_length(177, 32.0)
    QApplication.processEvents()
    width = transport.slider.width()
    clock.seek(176)
    QApplication.processEvents()
    assert transport.slider.width() == width


def test_a_click_on_the_line_goes_there_and_plays_on(qtbot, transport, clock):
    clock.play()
    place = QPoint(transport.slider.x_of(7), transport.slider.height() // 2)
    qtbot.mousePress(transport.slider, Qt.MouseButton.LeftButton, pos=place)
    assert clock.index == 7
    assert not clock.is_playing
    qtbot.mouseRelease(transport.slider, Qt.MouseButton.LeftButton, pos=place)
    assert clock.is_playing


def test_arrow_keys_on_the_line_step(qtbot, transport, clock):
    transport.slider.setFocus()
    qtbot.keyClick(transport.slider, Qt.Key.Key_Right)
    assert clock.index == 1
    qtbot.keyClick(transport.slider, Qt.Key.Key_End)
    assert clock.index == 11


def test_the_wheel_does_nothing(transport, clock):
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(transport.slider, event)
    assert clock.index == 0
    assert not event.isAccepted()


def test_every_pixel_of_the_line_belongs_to_the_frame_whose_tick_is_nearest(transport):
    slider = transport.slider
    assert [slider.value_at(slider.x_of(value)) for value in range(12)] == list(range(12))


def test_steps_go_one_frame(qtbot, transport, clock):
    click(qtbot, transport.step_on_button)
    click(qtbot, transport.step_on_button)
    click(qtbot, transport.step_back_button)
    assert clock.index == 1


def test_the_speed_menu_sets_the_speed(transport, clock):
    actions = transport.speed_button.menu().actions()
    assert [action.text() for action in actions] == ["0.25×", "0.5×", "1×", "2×"]
    actions[0].trigger()
    assert clock.speed == 0.25
    assert transport.speed_button.text() == "0.25×"
    assert [action.isChecked() for action in actions] == [True, False, False, False]


@pytest.mark.parametrize(
    ("button", "signal"),
    [
        ("compare_button", "compare_requested"),
        ("use_frame_button", "use_frame_requested"),
        ("save_frame_button", "save_frame_requested"),
        ("export_button", "export_requested"),
        ("full_screen_button", "full_screen_requested"),
    ],
)
def test_buttons_say_what_is_wanted(qtbot, transport, button, signal):
    with qtbot.waitSignal(getattr(transport, signal)):
        click(qtbot, getattr(transport, button))


def test_a_running_job_can_be_paused_and_cancelled_twice(qtbot, transport):
    transport.show_job(132.0, is_cancelling=False)
    assert transport.time_left.text() == "about 2 min 10 s left"
    with qtbot.waitSignal(transport.pause_requested):
        click(qtbot, transport.pause_button)
    with qtbot.waitSignal(transport.cancel_requested):
        click(qtbot, transport.cancel_button)
    transport.show_job(132.0, is_cancelling=True)
    assert transport.cancel_button.text() == "Stop now"
    assert "Press again" in transport.cancel_button.toolTip()
    assert not transport.pause_button.isEnabled()
    with qtbot.waitSignal(transport.cancel_requested):
        click(qtbot, transport.cancel_button)
    transport.hide_job()
    assert not transport.cancel_button.isVisible()
    assert transport.cancel_button.accessibleName() == "Cancel the clip that is made"


def test_time_left_only_becomes_less_until_another_estimate_comes(qtbot, transport):
    left = transport.time_left
    transport.show_job(9.0, is_cancelling=False)
    qtbot.wait(1200)
    assert left.text() == "about 8 s left"
    transport.show_job(9.0, is_cancelling=False)  # another event, the same estimate
    assert left.seconds_left() < 8
    transport.show_job(30.0, is_cancelling=False)
    assert left.text() == "about 30 s left"


def test_an_unknown_time_is_said_and_one_that_is_over_is_not_negative(qtbot, transport):
    transport.show_job(None, is_cancelling=False)
    assert transport.time_left.text() == "Time left not known yet"
    transport.show_job(0.1, is_cancelling=False)
    qtbot.wait(150)
    assert transport.time_left.seconds_left() == 0
    assert transport.time_left.text() == "Almost done"


def test_a_still_picture_has_nothing_to_play(transport, clock):
    clock.set_length(1, 1.0)
    assert not transport.play_button.isEnabled()
    assert not transport.slider.isEnabled()
    assert transport.export_button.isEnabled()


def test_another_clock_is_followed_and_the_first_one_no_more(transport, clock, tmp_path):
    player = Player()
    player.open(drawn_clip(tmp_path, 3))
    transport.set_clock(player)
    player.seek(2)
    assert transport.counter.text() == "3 / 3"
    clock.seek(7)
    assert transport.counter.text() == "3 / 3"


def test_every_button_tells_its_name_and_takes_the_keyboard(transport):
    transport.show_job(10.0, is_cancelling=False)
    for button in transport.findChildren(QAbstractButton):
        assert button.accessibleName()
        assert button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus


@pytest.mark.parametrize("width", [480, 700, 1200])
@pytest.mark.parametrize("percent", [100, 200])
def test_everything_is_to_be_seen_at_any_width(transport, themed, width, percent):
    themed.use(ThemeChoice.LIGHT, text_percent=percent)
    transport.show_job(132.0, is_cancelling=True)
    QApplication.processEvents()
    transport.resize(width, transport.heightForWidth(width))
    QApplication.processEvents()
    assert transport.minimumSizeHint().width() <= 480
    for control in (*transport.findChildren(QAbstractButton), transport.time_left):
        place = control.rect().translated(control.mapTo(transport, QPoint(0, 0)))
        assert transport.rect().contains(place), control.accessibleName()
        assert control.width() >= control.minimumSizeHint().width()
        assert control.height() >= control.minimumSizeHint().height()
