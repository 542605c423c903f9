"""Encoded prompts are kept bit for bit, in little room, and never stop a job."""

import os
import random

import pytest
import torch

from engine import cache_folder, context_cache
from engine.context_cache import ContextCache, contexts_folder
from engine.models.layers import TextContext

MODEL = "ab" * 32
SIZE = 3_000  # more than the file of a context below has, less than two of them have


def context(seed=0, num_tokens=9):
    generator = torch.Generator().manual_seed(seed)
    return TextContext(
        tokens=torch.randn(1, num_tokens, 64, generator=generator),
        mask=torch.arange(num_tokens)[None] < num_tokens - 1,
        length=torch.tensor([num_tokens]),
    )


def is_same(one, other):
    return all(
        torch.equal(getattr(one, name), getattr(other, name))
        and getattr(one, name).dtype is getattr(other, name).dtype
        for name in ("tokens", "mask", "length")
    )


def files(folder):
    return sorted(folder.iterdir())


def test_a_context_comes_back_bit_for_bit(tmp_path):
    kept = context()
    kept.tokens[0, 0, :4] = torch.tensor([torch.nan, -0.0, 1e-45, torch.inf])
    ContextCache(tmp_path / "new" / "folder").keep("a cat", MODEL, kept)
    found = ContextCache(tmp_path / "new" / "folder").find("a cat", MODEL)
    assert torch.equal(found.tokens.view(torch.int32), kept.tokens.view(torch.int32))
    assert torch.equal(found.mask, kept.mask)
    assert torch.equal(found.length, kept.length)


def test_a_slice_of_a_longer_context_takes_its_own_bytes_only(tmp_path):
    longer = context(num_tokens=900)
    cut = TextContext(tokens=longer.tokens[:, :9], mask=longer.mask[:, :9], length=longer.length)
    cache = ContextCache(tmp_path)
    cache.keep("a cat", MODEL, cut)
    assert files(tmp_path)[0].stat().st_size < SIZE
    assert is_same(cache.find("a cat", MODEL), cut)


def test_text_model_and_nothing_else_tell_contexts_apart(tmp_path):
    cache = ContextCache(tmp_path)
    keys = [("a cat", MODEL), ("a cat ", MODEL), ("a cat", "cd" * 32), ("", MODEL), (MODEL, "")]
    keys += [("\ud83d", MODEL), ("é", MODEL), ("e\u0301", MODEL)]
    for seed, (text, model) in enumerate(keys):
        assert cache.find(text, model) is None
        cache.keep(text, model, context(seed))
    for seed, (text, model) in enumerate(keys):
        assert is_same(cache.find(text, model), context(seed))


def test_contexts_of_another_format_are_not_found(tmp_path, monkeypatch):
    cache = ContextCache(tmp_path)
    cache.keep("a cat", MODEL, context())
    monkeypatch.setattr(context_cache, "_FORMAT", "2")
    assert cache.find("a cat", MODEL) is None


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    cache = ContextCache(tmp_path, max_bytes=3 * SIZE)
    for number, text in enumerate("abc"):
        cache.keep(text, MODEL, context(number))
        path = max(files(tmp_path), key=lambda path: path.stat().st_mtime_ns)
        os.utime(path, ns=(0, number * 10**9))
    assert cache.find("a", MODEL) is not None  # which makes `b` the oldest
    cache.keep("d", MODEL, context())
    assert [text for text in "abcd" if cache.find(text, MODEL) is None] == ["b"]
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 3 * SIZE


def test_what_a_killed_write_left_behind_goes_and_what_is_not_ours_stays(tmp_path):
    leftover, foreign = tmp_path / ".kvdesk-0123.tmp", tmp_path / "notes.txt"
    for path in (leftover, foreign):
        path.write_bytes(bytes(2 * SIZE))
        os.utime(path, ns=(0, 0))
    cache = ContextCache(tmp_path, max_bytes=SIZE)
    cache.keep("a cat", MODEL, context())
    assert not leftover.exists()
    assert foreign.exists()
    assert cache.find("a cat", MODEL) is not None


def test_a_context_that_has_no_room_is_not_kept(tmp_path):
    cache = ContextCache(tmp_path, max_bytes=100)
    cache.keep("a cat", MODEL, context())
    assert files(tmp_path) == []


def test_a_damaged_file_is_ignored_and_replaced(tmp_path, caplog):
    cache = ContextCache(tmp_path)
    cache.keep("a cat", MODEL, context())
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    spoiled = random.Random(0)
    wrecks = [b"", whole[:7], whole[:-1], whole + b"0", b"{}", bytes(len(whole)), b"[" * len(whole)]
    for _ in range(40):
        place, bit = spoiled.randrange(len(whole)), 1 << spoiled.randrange(8)
        wrecks.append(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    for wreck in wrecks:
        path.write_bytes(wreck)
        found = cache.find("a cat", MODEL)
        assert found is None or is_same(found, context())  # a changed space in the header
    assert "cannot be used" in caplog.text
    path.write_bytes(whole[:-1])
    cache.keep("a cat", MODEL, context(1))
    assert is_same(cache.find("a cat", MODEL), context(1))


def test_a_file_under_the_name_of_another_is_not_used(tmp_path):
    cache = ContextCache(tmp_path)
    cache.keep("a cat", MODEL, context())
    (cat,) = files(tmp_path)
    cache.keep("a dog", MODEL, context(1))
    (dog,) = set(files(tmp_path)) - {cat}
    cat.replace(dog)
    assert cache.find("a dog", MODEL) is None


@pytest.mark.fault(30)
def test_a_folder_that_cannot_be_used_is_logged_and_stops_nothing(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("here is no folder")
    cache = ContextCache(blocked / "contexts")
    cache.keep("a cat", MODEL, context())
    assert "cannot be kept" in caplog.text
    assert cache.find("a cat", MODEL) is None


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch, caplog):
    cache = ContextCache(tmp_path)
    cache.keep("a cat", MODEL, context())

    def full_disk(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_folder, "write_atomically", full_disk)
    cache.keep("a cat", MODEL, context(1))
    assert "No space left" in caplog.text
    assert is_same(cache.find("a cat", MODEL), context())
    assert len(files(tmp_path)) == 1


def test_the_usual_folder_is_below_the_cache_of_the_user(tmp_path, monkeypatch):
    asked = []

    def user_cache_path(*name: str, **options: object):
        asked.append((name, options))
        return tmp_path

    monkeypatch.setattr("platformdirs.user_cache_path", user_cache_path)
    assert contexts_folder() == tmp_path / "contexts"
    assert asked == [(("kvdesk",), {"appauthor": False})]
