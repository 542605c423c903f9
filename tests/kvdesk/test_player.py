import time
from random import Random

import pytest
from drawn_clips import drawn_clip, red_of

from kvdesk.blind_vote import BlindVote, Choice
from kvdesk.play_clock import PlayClock, frame_at
from kvdesk.player import LockedPlayer, Player, PlayMode

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def clock():
    clock = PlayClock()
    clock.set_length(5, 50.0)
    return clock


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        (PlayMode.ONCE, [0, 1, 2, 3, 3, 3, 3, 3, 3]),
        (PlayMode.LOOP, [0, 1, 2, 3, 0, 1, 2, 3, 0]),
        (PlayMode.BOOMERANG, [0, 1, 2, 3, 2, 1, 0, 1, 2]),
    ],
)
def test_modes_show_frames_in_their_order(mode, shown):
    assert [frame_at(tick, 4, mode) for tick in range(9)] == shown


def test_one_frame_is_always_shown():
    assert {frame_at(tick, 1, mode) for tick in range(5) for mode in PlayMode} == {0}


def test_thirty_two_frames_a_second_take_their_time_and_come_in_order(qtbot):
    clock = PlayClock()
    clock.set_length(1000, 32.0)
    shown = []
    clock.frame_changed.connect(shown.append)
    begin = time.perf_counter()
    clock.play()
    qtbot.waitUntil(lambda: clock.index >= 40, timeout=5000)
    took = time.perf_counter() - begin
    assert shown == sorted(set(shown))
    # Late by less than two frames after forty: single delays do not add up.
    assert 40 / 32 - 0.005 <= took < 42 / 32 + 0.05


def test_a_busy_window_passes_frames_over_and_keeps_time(qtbot):
    clock = PlayClock()
    clock.set_length(100, 50.0)
    shown = []
    clock.frame_changed.connect(shown.append)
    clock.play()
    time.sleep(0.2)
    qtbot.waitUntil(lambda: bool(shown))
    assert shown[0] >= 9


def test_speed_changes_how_long_a_frame_lasts(qtbot, clock):
    clock.set_length(100, 20.0)
    clock.set_speed(2.0)
    clock.play()
    begin = time.perf_counter()
    qtbot.waitUntil(lambda: clock.index >= 16)
    assert 0.39 <= time.perf_counter() - begin < 0.6


@pytest.mark.parametrize("speed", [0, -1])
def test_a_speed_that_is_not_above_zero_is_refused(clock, speed):
    with pytest.raises(ValueError, match="speed"):
        clock.set_speed(speed)


def test_playing_once_stops_at_the_last_frame_and_begins_anew(qtbot, clock):
    clock.set_mode(PlayMode.ONCE)
    clock.play()
    qtbot.waitUntil(lambda: not clock.is_playing)
    assert clock.index == 4
    clock.play()
    assert clock.index == 0
    assert clock.is_playing


def test_stepping_stands_still_and_goes_round(clock):
    clock.play()
    clock.step(-1)
    assert not clock.is_playing
    assert clock.index == 4
    clock.step(1)
    assert clock.index == 0


def test_seeking_stays_within_the_clip(clock):
    clock.seek(99)
    assert clock.index == 4
    clock.seek(-3)
    assert clock.index == 0


def test_another_mode_keeps_the_frame_that_is_shown(qtbot, clock):
    clock.set_mode(PlayMode.BOOMERANG)
    clock.play()
    qtbot.wait(130)
    clock.pause()
    shown = clock.index
    clock.set_mode(PlayMode.LOOP)
    assert clock.index == shown


def test_a_still_picture_does_not_play():
    clock = PlayClock()
    clock.set_length(1, 1.0)
    clock.play()
    assert not clock.is_playing


def test_a_frame_that_is_not_decoded_is_waited_for(qtbot):
    class Waiting(PlayClock):
        there = 3

        def can_show(self, index):
            return index < self.there

    clock = Waiting()
    clock.set_length(6, 100.0)
    shown = []
    clock.frame_changed.connect(shown.append)
    clock.play()
    qtbot.wait(120)
    assert clock.index == 2
    assert clock.is_playing
    clock.there = 6
    clock.resume_waiting()
    qtbot.waitUntil(lambda: 0 in shown)
    assert shown[: shown.index(0)] == [1, 2, 3, 4, 5]


def test_a_clip_plays_as_soon_as_it_is_open(qtbot, tmp_path):
    player = Player()
    shown = []
    player.frame_changed.connect(lambda index: shown.append(red_of(player.image(index))))
    player.open(drawn_clip(tmp_path, 12, fps=60.0))
    player.play()
    qtbot.waitUntil(lambda: 11 in shown)
    seen = [red for red in shown if red is not None]
    assert seen[: seen.index(11) + 1] == sorted(seen[: seen.index(11) + 1])
    player.close()
    assert player.image(0) is None
    assert player.num_frames == 0
    assert player.clip is None


def test_loaded_frames_are_counted(qtbot, tmp_path):
    player = Player()
    with qtbot.waitSignal(player.loaded_changed, check_params_cb=lambda number: number == 4):
        player.open(drawn_clip(tmp_path, 4))


def test_a_broken_frame_is_known_and_does_not_stop_the_others(qtbot, tmp_path):
    clip = drawn_clip(tmp_path, 4, fps=50.0)
    clip.frames[2].write_text("broken")
    player = Player()
    player.open(clip)
    shown = []
    player.frame_changed.connect(shown.append)
    player.play()
    qtbot.waitUntil(lambda: 3 in shown)
    assert player.has_failed(2)
    assert not player.has_failed(1)


def test_another_clip_goes_on_playing_from_its_first_frame(tmp_path):
    player = Player()
    player.open(drawn_clip(tmp_path, 8, name="one"))
    player.play()
    player.seek(5)
    player.open(drawn_clip(tmp_path, 3, name="two"))
    assert player.is_playing
    assert player.index == 0
    assert player.num_frames == 3


@pytest.mark.parametrize(
    ("tick", "slow"), [(0, 0), (1, 0), (2, 1), (4, 1), (5, 1), (6, 2), (44, 11)]
)
def test_clips_of_other_rates_are_locked_at_the_nearest_frame(tmp_path, tick, slow):
    player = LockedPlayer()
    player.open(
        drawn_clip(tmp_path, 12, fps=2.0, name="slow"),
        drawn_clip(tmp_path, 45, fps=8.0, name="fast"),
    )
    assert player.num_frames == 45
    assert player.frame_of(0, tick) == slow
    assert player.frame_of(1, tick) == tick


def test_the_shorter_clip_stays_at_its_last_frame(tmp_path):
    player = LockedPlayer()
    player.open(
        drawn_clip(tmp_path, 4, fps=8.0, name="short"),
        drawn_clip(tmp_path, 12, fps=2.0, name="long"),
    )
    assert player.num_frames == 45
    assert player.frame_of(0, 44) == 3
    assert player.frame_of(1, 44) == 11


def test_locked_clips_show_what_belongs_together_and_give_memory_back(qtbot, tmp_path):
    player = LockedPlayer()
    player.open(
        drawn_clip(tmp_path, 3, fps=2.0, name="slow"),
        drawn_clip(tmp_path, 9, fps=8.0, name="fast"),
    )
    player.seek(8)
    qtbot.waitUntil(lambda: player.can_show(8))
    assert (red_of(player.image(0)), red_of(player.image(1))) == (2, 8)
    player.close()
    assert player.image(0) is None
    assert player.clips is None


def test_a_blind_vote_names_the_clip_that_stood_there():
    swapped = BlindVote(is_swapped=True)
    plain = BlindVote(is_swapped=False)
    assert swapped.voted(Choice.FIRST).winner == 1
    assert swapped.voted(Choice.SECOND).winner == 0
    assert plain.voted(Choice.FIRST).winner == 0
    assert plain.voted(Choice.SECOND).winner == 1
    assert plain.voted(Choice.NO_DIFFERENCE).winner is None
    assert plain.winner is None


def test_blind_votes_are_shuffled():
    random = Random(0)
    assert {BlindVote.begin(random).is_swapped for _ in range(20)} == {True, False}
