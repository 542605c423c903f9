"""What a server's answer means, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.download.answers import (
    Answer,
    FileChanged,
    TryAgain,
    offset_of,
    refusal,
    seconds_to_wait,
)
from engine.errors import DownloadError


def answer(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status=status, headers=named, host="a.b", is_hub=True)


def test_a_part_begins_where_it_was_asked_for():
    partial = answer(206, content_range="bytes 10-99/100", etag='"x"')
    assert offset_of(partial, 10, 100, '"x"') == 10


def test_a_file_begins_at_its_beginning():
    assert offset_of(answer(200, content_length="100"), 10, 100, "") == 0
    assert offset_of(answer(200), 0, 100, "") == 0


@pytest.mark.parametrize(
    "changed",
    [
        answer(206, content_range="bytes 10-99/101"),
        answer(206, content_range="bytes 10-99/100", etag='"y"'),
        answer(200, content_length="99"),
        answer(416),
    ],
)
def test_another_size_or_state_is_another_file(changed):
    with pytest.raises(FileChanged):
        offset_of(changed, 10, 100, '"x"')


@pytest.mark.parametrize(
    "odd",
    [
        answer(206, content_range="bytes 11-99/100"),
        answer(206, content_range="bytes 10-9/100"),
        answer(206, content_range="pages 1-2/3"),
        answer(206),
        answer(200, content_encoding="gzip"),
        answer(429),
        answer(503),
        answer(408),
    ],
)
def test_what_makes_no_sense_is_asked_again(odd):
    with pytest.raises(TryAgain):
        offset_of(odd, 10, 100, "")


@given(st.integers(100, 599), st.text(), st.text(), st.integers(0, 99))
def test_no_answer_is_taken_for_bytes_at_another_place(status, content_range, etag, start):
    try:
        offset = offset_of(
            answer(status, content_range=content_range, etag=etag), start, 100, '"x"'
        )
    except (TryAgain, FileChanged, DownloadError):
        return
    assert offset == (start if status == 206 else 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_of_the_hub_is_final_and_that_of_a_place_it_named_is_not(status):
    assert isinstance(refusal(status, {}, "a.b", is_hub=True), DownloadError)
    elsewhere = refusal(status, {}, "a.b", is_hub=False)
    assert isinstance(elsewhere, TryAgain)
    assert elsewhere.is_doubtful


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "99999999"}, 3600),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:10 GMT",
                "date": "Wed, 21 Oct 2026 07:28:00 GMT",
            },
            10,
        ),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:10 GMT"}, None),
    ],
)
def test_a_server_says_in_seconds_or_by_the_clock_when_to_come_back(said, seconds):
    assert seconds_to_wait(said) == seconds
