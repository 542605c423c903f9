"""The sections of the help page that are words: how clips are made, what it takes, and ways out."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def about_texts() -> list[str]:
    """How a clip is made."""
    translate = QCoreApplication.translate
    return [
        translate(
            "Help",
            "Say in a sentence what the clip shows, or drop a picture that it begins with, "
            "and press Generate. First a still picture is drawn, then it is set in motion, "
            "and then frames are put in between until it is smooth.",
        ),
        translate(
            "Help",
            "Make a draft at 2 frames a second first: it takes the least time. If you like "
            "it, right-click it in the library and make it smooth. It stays the same clip.",
        ),
        translate(
            "Help",
            "The same settings and the same seed give the same clip again. Change one "
            "setting and lock the seed to see what that setting does.",
        ),
        translate(
            "Help",
            "The demo model is a toy that shows how the application works. It knows "
            "circles, squares and triangles in six colours that move, grow, shrink or "
            "stand still on a black, gray or dark blue background, and nothing else.",
        ),
        translate("Help", "Nothing that you type or make leaves this computer."),
    ]


def needs_texts() -> list[str]:
    """What kvdesk and its models need of a computer. Figures of the real model are planned."""
    translate = QCoreApplication.translate
    return [
        translate(
            "Help",
            "The demo model runs on any computer, and a clip takes seconds. What follows is "
            "about the real model.",
        ),
        translate(
            "Help",
            "Disk: about 40 GB are fetched, and about 30 GB stay. Up to 50 GB are there at once if "
            "the downloaded files are deleted as they are prepared, and 70 GB if they are kept. A "
            "clip of 512 × 512 pixels takes up to 20 MB, 50 MB or 170 MB at 2, 8 or 32 frames a "
            "second.",
        ),
        translate(
            "Help",
            "Graphics card, planned: an NVIDIA card of which 3 GB are free. A draft of 512 × 512 "
            "pixels is planned to take a few minutes there, and less on larger and faster ones. "
            "Two to three GB of main memory are needed beside it.",
        ),
        translate(
            "Help",
            "Without a card, planned: a good 4 GB of main memory, and more than three hours for "
            "the same draft.",
        ),
        translate(
            "Help",
            "“Planned” means computed from the networks and a table of cards, before any card "
            "was tried. Beside Generate you see the same for your own clip and computer; after "
            "the first clips the time is that of clips you made.",
        ),
    ]


def model_texts() -> list[str]:
    """How the real model is got."""
    translate = QCoreApplication.translate
    return [
        translate(
            "Help",
            "The page “Get the model” fetches the files, prepares them and makes a test clip, "
            "one after the other. It says first how much is fetched, where it goes and what "
            "stays. You can pause it, close the window and go on another day; hardly anything is "
            "fetched twice.",
        ),
        translate(
            "Help",
            "If you have the files already, on another drive or from another program, name that "
            "folder under “Take files from”: what is there is not fetched.",
        ),
        translate(
            "Help",
            "Clips of the real model can be added to the queue before it is there. They wait and "
            "start by themselves.",
        ),
    ]


def troubles() -> list[tuple[str, str]]:
    """What can fail, and what to do about it."""
    translate = QCoreApplication.translate
    return [
        (
            translate("Help", "There is too little memory"),
            translate(
                "Help",
                "Close other programs, above all games and browsers, and press “Try again” in the "
                "queue. Or press “Make it smaller” in the notice: it proposes the next smaller "
                "size. Where "
                "8-bit weights would fit, the notice offers them. What is done of the clip is "
                "kept.",
            ),
        ),
        (
            translate("Help", "The disk is full"),
            translate(
                "Help",
                "The clip is paused and the queue held; the notice says how much is missing. Make "
                "room, for example by emptying the bin under the library, and press the button of "
                "the notice. Another folder for clips can be chosen in the settings.",
            ),
        ),
        (
            translate("Help", "The graphics card stopped working"),
            translate(
                "Help",
                "The clip goes on by itself, once. If it happens again, restart the computer and "
                "bring the card's driver up to date. In the settings, “Works on” can be the "
                "processor meanwhile.",
            ),
        ),
        (
            translate("Help", "The graphics card is not used"),
            translate(
                "Help",
                "The part of the program that computes, PyTorch, may be the one for processors. "
                "The report below says so, and so does “kvdesk doctor” in a terminal, with the "
                "command that fetches the right one.",
            ),
        ),
        (
            translate("Help", "The download stopped"),
            translate(
                "Help",
                "Nothing is lost. Look whether the computer is connected, and press “Try again” "
                "on the page “Get the model”. If the server cannot be reached from where you are, "
                "name a mirror in the settings.",
            ),
        ),
        (
            translate("Help", "A picture or video is refused"),
            translate(
                "Help",
                "Pictures may be PNG, JPEG, WebP and others, and up to a size that no camera "
                "reaches. Open it in another program and save it as PNG. The notice says what is "
                "wrong with the file.",
            ),
        ),
        (
            translate("Help", "A file of the model is damaged"),
            translate(
                "Help",
                "The notice names the file and says what replaces it; all others stay. While the "
                "model is being prepared, “Fetch files again …” on the page “Get the model” does "
                "it. “kvdesk doctor --full” in a terminal compares every byte.",
            ),
        ),
        (
            translate("Help", "A clip was interrupted, or the engine does not stay alive"),
            translate(
                "Help",
                "What is done is kept, and “Try again” in the queue goes on from there. After two "
                "ends of the same clip the queue is held: try it smaller, or remove it. If "
                "nothing helps, save a report.",
            ),
        ),
        (
            translate("Help", "The clip shows something else, or only a blur"),
            translate(
                "Help",
                "Say more plainly what is to be seen, in English, and try other seeds: “Four "
                "cousins” beside Generate makes four at once. Sizes much smaller than the "
                "model's own come out badly.",
            ),
        ),
        (
            translate("Help", "Nothing is to be seen in the window"),
            translate(
                "Help",
                "Columns fold away where the window is narrow: the buttons at the ends of the top "
                "bar bring them back. Esc leads back to the clip from any page. Your clips are in "
                "the folder that the settings name.",
            ),
        ),
    ]
