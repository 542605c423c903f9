"""What can happen to this program that should not: the rows of the table of faults.

A test holds a row by its marker: `@pytest.mark.fault(10)`, with several numbers where it holds
several. `table.py` runs those tests and prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row.

    Attributes:
        name: what happens, or what arrives.
        promise: what the person at the screen is owed then.
        no_counterpart: why this program needs no test of it; empty where it does.
    """

    name: str
    promise: str
    no_counterpart: str = ""


FAULTS: dict[int, Fault] = {
    1: Fault(
        name=".pt file that runs code when it is unpickled",
        promise="nothing of it runs; it is refused by name",
    ),
    2: Fault(
        name=".pt file with a dishonest zip archive",
        promise="it is refused before anything in it is used",
    ),
    3: Fault(
        name=".pt file with impossible shapes, offsets or strides",
        promise="it is refused before memory is taken for it",
    ),
    4: Fault(
        name=".pt file that nests without end or asks for all memory",
        promise="it is refused within seconds and within the memory allowed",
    ),
    5: Fault(
        name="file of a model that is something else: a pickle, a web page, nothing",
        promise="it is said what it is",
    ),
    6: Fault(
        name="weights that are cut short or have a wrong bit",
        promise="found before the first step; the file is named and can be replaced alone",
    ),
    7: Fault(
        name="file of a model that changes or goes while it is read",
        promise="an error in words; the window lives",
    ),
    8: Fault(
        name="disk that is full, broken, or may not be written",
        promise="what was there is whole; the job waits and goes on later",
    ),
    9: Fault(
        name="loss of power",
        promise="what was called saved is there",
    ),
    10: Fault(
        name="worker that is killed, at any point",
        promise="the window lives; the job goes on; the clip is the same",
    ),
    11: Fault(
        name="worker that crashes, aborts, or ends without an answer",
        promise="the reason in words, and its last lines",
    ),
    12: Fault(
        name="worker that hangs or is stopped",
        promise="found within ten seconds and ended; the job goes on",
    ),
    13: Fault(
        name="garbage, halves, giants and late lines between window and worker",
        promise="passed over; nothing is taken for what it is not",
    ),
    14: Fault(
        name="worker that prints without end",
        promise="messages still arrive, and what is kept of it is bounded",
    ),
    15: Fault(
        name="window that is killed",
        promise="its worker and what that has started are gone within two seconds",
    ),
    16: Fault(
        name="window that is started again while it runs",
        promise="one stays and comes to the front",
    ),
    17: Fault(
        name="graphics card without memory, or broken",
        promise="the work goes on with less, or in a new worker, or ends in words",
    ),
    18: Fault(
        name="computer with little main memory",
        promise="refused with numbers; the worker goes before the window",
    ),
    19: Fault(
        name="worker that dies again and again",
        promise="it is not started for ever; the job that does it is put aside",
    ),
    20: Fault(
        name="picture that is a bomb, a needle or a point",
        promise="refused by its header; memory stays bounded",
    ),
    21: Fault(
        name="picture of a seldom kind: turned, CMYK, 16 bits, broken profile",
        promise="the right pixels, or a refusal in words",
    ),
    22: Fault(
        name="picture or video that is damaged, mutated, or no picture",
        promise="an error in words; no crash, and no half picture",
    ),
    23: Fault(
        name="drop of a folder, a pipe, a device, a loop of links, ten thousand files",
        promise="refused in words; the window does not stand still",
    ),
    24: Fault(
        name="prompt of any characters and any length",
        promise="words stay words: no file name, argument or markup is made of them",
    ),
    25: Fault(
        name="name that a disk or a system does not take, or takes for another",
        promise="a name that every system takes; nothing is overwritten by it",
    ),
    26: Fault(
        name="file of the program that is newer, damaged, or points elsewhere",
        promise="an error in words; a newer one is never written",
    ),
    27: Fault(
        name="index of the library that is damaged, newer or gone",
        promise="it is made again from the clips' folders",
    ),
    28: Fault(
        name="database whose schema is changed halfway",
        promise="the old schema or the new one",
        no_counterpart=(
            "there is no database that is migrated: an index of another version is dropped and "
            "made again from the folders, which row 27 holds"
        ),
    ),
    29: Fault(
        name="download that stops or lies",
        promise="it goes on, or begins again, and is checked",
    ),
    30: Fault(
        name="clock that jumps, another locale, a home that cannot be written",
        promise="order, numbers and files stay what they are",
    ),
    31: Fault(
        name="output that is opened, replaced or deleted meanwhile",
        promise="nothing of anybody's is lost",
    ),
    32: Fault(
        name="end of the session, SIGTERM, a sleeping computer",
        promise="work is kept; nobody is blamed at the next start",
    ),
    33: Fault(
        name="connection, open port or file elsewhere where nobody asked for a download",
        promise="there is none",
    ),
    34: Fault(
        name="report that tells who made it",
        promise="home, names, paths and prompts are not in it",
    ),
    35: Fault(
        name="two thousand jobs in a row",
        promise="memory, files, threads and objects stay what they were",
    ),
    36: Fault(
        name="decoder or reader that a hostile file has taken over",
        promise="locked up: no files, no network, no other programs, bounded memory",
    ),
    37: Fault(
        name="any of these, on the machine of a person who has doubts",
        promise="kvdesk doctor finds it, and says what to do",
    ),
}
