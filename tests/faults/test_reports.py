"""Reports: what of a person is in them, whatever the log, the paths and the names are like."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import engine
from engine.api.redaction import Person, Redactor

if TYPE_CHECKING:
    from fault_rounds import Rounds

pytestmark = pytest.mark.fault(34)

# Letters that no sentence below has together, so that what is found of them was leaked.
ALPHABETS = (
    "qxzjkvw",
    "QXZJKVW",
    "ßøþðæŋ",
    "ЖЩЪЫЮЯ",
    "漢字仮名語",
    "אבגדה",
    "éèêëůñ",
    "0q9x8z7k",
)
SIGNS = " '-_.,+=@()[]#&!%"
ENDINGS = (".png", ".jpg", ".mp4", ".safetensors", ".pt", ".txt", "")
SENTENCES = (
    "{path} cannot be written: No space left on device. Choose another folder.",
    "The disk of {path} is full. Free some space, and go on: what was done so far is kept.",
    'There is no file "{file}". It may have been moved.',
    "FileNotFoundError: [Errno 2] No such file or directory: {repr_path}",
    "2026-11-23 01:40:22,123 WARNING kvdesk.json_files: {path} is damaged (Expecting value)",
    '  File "{path}", line 12, in main',
    "{user}@{host}:~$ kvdesk generate",
    "{host} kvdesk[812]: the engine is gone: killed",
    "opened file://{path}",
    "the clip «{file}» of {user} is 3.4 MB",
    "PATH=/usr/bin:{path}:/bin",
    "{json_path}",
    "“{text}” was not made. There is too little memory.",
    "prompt={text!r} seed=7",
    "{{'picture': {repr_path}, 'seed': 7}}",
    "copy {path} -> {path}",
    "mail from {user}@example.org",
)


def word(rng: random.Random) -> str:
    return "".join(rng.choices(rng.choice(ALPHABETS), k=rng.randint(4, 9)))


def file_name(rng: random.Random) -> tuple[str, list[str]]:
    """A name as people give them, and its words."""
    words = [word(rng) for _ in range(rng.randint(1, 3))]
    name = words[0]
    for more in words[1:]:
        name += rng.choice(SIGNS) + more
    return name + rng.choice(ENDINGS), words


def place(rng: random.Random, home: str) -> tuple[str, str, list[str]]:
    """A path, its last name, and the words in it."""
    names, secrets = [], []
    for _ in range(rng.randint(1, 4)):
        name, words = file_name(rng)
        names.append(name)
        secrets += words
    if "\\" in home:
        start = rng.choice((home, "D:", r"\\NAS\media"))
        return "\\".join([start, *names]), names[-1], secrets
    start = rng.choice((home, "/media/usb", "/mnt", "~"))
    return "/".join([start, *names]), names[-1], secrets


def leaks(text: str, secrets: list[str]) -> list[str]:
    found = unicodedata.normalize("NFC", text).casefold()
    return [each for each in secrets if unicodedata.normalize("NFC", each).casefold() in found]


def test_nothing_of_a_person_is_left_in_any_sentence(rounds: Rounds):
    rng = random.Random(34)
    for _ in range(rounds.wanted(400, 10_000)):
        user, host, prompt = word(rng), f"{word(rng)}-{word(rng)}", f"{word(rng)} {word(rng)}"
        home = rng.choice((f"/home/{user}", f"C:\\Users\\{user}"))
        redactor = Redactor(Person(home=home, names=(user, host)), texts=[prompt])
        path, file, words = place(rng, home)
        text = rng.choice(SENTENCES).format(
            path=path,
            file=file if file.endswith(ENDINGS[:-1]) else f"{file}.png",
            repr_path=repr(path),
            json_path=json.dumps({"path": path, "line": 3}, ensure_ascii=rng.random() < 0.5),
            user=rng.choice((user, user.upper())),
            host=host,
            text=prompt,
        )
        if rng.random() < 0.3:
            text = unicodedata.normalize("NFD", text)
        cleaned = redactor.clean(text)
        secrets = [user, *host.split("-"), *prompt.split(), *words]
        assert not leaks(cleaned, secrets), f"{text!r} became {cleaned!r}"
        rounds.done()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Step 3 of 50 took 1.25 s (and/or 5/6), torch 2.10.0", None),
        ("ValueError: shapes [4, 64, 64] and [4, 32, 32]: they differ", None),
        ("/home/x/some where/clip.json is damaged: no object", "<path>/clip.json: no object"),
        ("a/b/frames_12/0007.png is gone", "0007.png is gone"),
        ("write to x.y@example.org, 192.168.17.4 or hf_abcDEF123456", "write to <address>, "
         "<address> or <token>"),
    ],
)  # fmt: skip
def test_what_says_nothing_of_a_person_stays(text: str, expected: str | None):
    redactor = Redactor(Person(home="/home/x", names=("root",)))
    assert redactor.clean(text) == (expected or text)


def test_the_programs_own_places_stay_below_their_folders():
    source = Path(engine.__file__).parent / "worker.py"
    redactor = Redactor(Person(home=str(Path.home()), names=()))
    assert redactor.clean(f'File "{source}", line 3, in main') == (
        'File "engine/worker.py", line 3, in main'
    )
    library = Path(pytest.__file__).parents[1] / "torch" / "serialization.py"
    assert redactor.clean(f'File "{library}", line 9') == 'File "torch/serialization.py", line 9'


def test_texts_are_found_in_one_line_cut_short_and_with_escapes():
    prompt = 'Ünsere "Katze"\nschläft ' + "zzz " * 40
    redactor = Redactor(Person(home="/home/x", names=()), texts=[prompt])
    one_line = " ".join(prompt.split())
    for form in (prompt, one_line, one_line[:60] + "…", json.dumps(prompt), repr(prompt)):
        cleaned = redactor.clean(f"job: {form} failed")
        assert not leaks(cleaned, ["katze", "schläft", "zzz", "nsere"]), cleaned
        assert cleaned.endswith("failed")


def test_the_person_of_this_process_is_known():
    person = Person.current()
    assert person.home == str(Path.home())
    assert Path.home().name in person.names
