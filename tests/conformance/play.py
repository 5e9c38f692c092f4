"""What the cases of this folder are made of.

A case is a name, the section it is about, what the origin answers, and what the reads
of one file at certain seconds are to show. Each case has a path of its own on a mount
that it shares with others: only their clock goes on, and it never goes back.
"""
import dataclasses
import email.utils
import itertools
import os
import pathlib
import re
import tempfile
import time

import mounted
from limited import eventually, read
from origin import Origin, Response

PRIVATE, SHARED = "private", "shared"


@dataclasses.dataclass
class Case:
    section: str
    name: str
    answers: tuple  # of the origin, in turn; the last one stays
    steps: tuple
    kinds: tuple = (PRIVATE, SHARED)
    options: tuple = ()

    def __str__(self):
        return f"{self.section}: {self.name}"


@dataclasses.dataclass
class Answer:
    """A Response whose fields may be dates: "@60" is in a minute of the daemon's time,
    "850@60" and "asctime@60" are the same in the obsolete formats."""
    headers: tuple = ()
    status: int = 200
    body: bytes = None  # None: its number, so that each is another one
    interim: tuple = ()
    framing: str = "length"
    cut: int = None  # the connection ends after so many bytes of the body


@dataclasses.dataclass
class Step:
    """What a read at that second after the first one is to show.

    "asked": the origin was asked once and what it says now is shown
    "reused": it was not asked, and what was shown last is shown again
    "confirmed": it was asked, said 304, and what was shown last is shown again
    "asked or confirmed": either of them
    "asked twice": the first answer was not what is shown
    "stood in": it was asked, and what was shown last is shown all the same
    "behind": what was shown last is shown, and the origin is asked meanwhile

    sent: fields that the request must have; None: that it must not have.
    fields: of the file, extended attributes without "user."; None: it has no such one.
    """
    at: float
    what: str
    sent: dict = dataclasses.field(default_factory=dict)
    fields: dict = dataclasses.field(default_factory=dict)


def http_date(seconds, form=""):
    t = time.gmtime(seconds)
    if form == "850":
        return time.strftime("%A, %d-%b-%y %H:%M:%S GMT", t)
    if form == "asctime":
        return time.asctime(t)
    return email.utils.formatdate(seconds, usegmt=True)


def expanded(value, now):
    match = re.fullmatch(r"(|850|asctime)@(-?\d+)", value)
    return http_date(now + int(match[2]), match[1]) if match else value


class Stage:
    """An origin and the mounts of it, one for each kind and set of options."""

    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="webcachefs-test-"))
        self.origin = Origin()
        self.mounts = {}
        self.numbers = itertools.count()

    def mount(self, kind, options):
        key = (kind, options)
        if key not in self.mounts:
            own = self.place / f"mount{len(self.mounts)}"
            own.mkdir()
            words = ["kernel_ttl=0", "stale_if_error=0"]
            words += [word for word in ["retries=0"] if "retries" not in "".join(options)]
            words += ["allow_other"] * (kind == SHARED) + list(options)
            self.mounts[key] = mounted.Mount(self.origin.url, own, words)
        return self.mounts[key]

    def close(self):
        try:
            for mount in self.mounts.values():
                mount.close()
        finally:
            self.origin.close()
            mounted.remove(self.place)
        assert not self.origin.failures


class Play:
    """One case on one mount."""

    def __init__(self, case, stage, kind):
        self.case, self.origin = case, stage.origin
        self.mount = stage.mount(kind, case.options)
        self.path = f"/case{next(stage.numbers)}.txt"
        self.file = self.mount / self.path[1:]
        self.start, self.shown, self.gave = self.mount.shift, None, None
        self.left = list(case.answers)
        self.bodies = itertools.count(1)
        self.origin.route(self.path, self.choose)

    def choose(self, request):
        answer = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        body = answer.body
        if body is None:
            body = b"" if answer.status == 204 else b"%d" % next(self.bodies)
        self.gave = (answer.status, body)
        self.was_cut = answer.cut is not None
        now = time.time() + self.mount.shift
        headers = tuple((name, expanded(value, now)) for name, value in answer.headers)
        return Response(body, status=answer.status, headers=headers, interim=answer.interim,
                        framing=answer.framing, cut=answer.cut)

    def look(self):
        """What a reader gets: bytes, or an errno."""
        try:
            return read(self.file)
        except OSError as error:
            return error.errno

    def step(self, step):
        where = f"at {step.at:g} s: {step.what}"
        before = self.origin.count(self.path)
        ahead = self.start + step.at - self.mount.shift
        if ahead > 0:
            self.mount.advance(ahead)
        self.gave = None
        shown = self.look()
        if step.what == "behind":
            eventually(lambda: self.origin.count(self.path) > before, where)
            eventually(lambda: self.mount.stat("transfers_active") == 0, where)
        asked = self.origin.asked(self.path)[before:]
        expected = {"reused": (0,), "asked twice": (2,)}.get(step.what, (1,))
        assert len(asked) in expected, f"{where}: {len(asked)} requests"
        if step.what in ("asked", "asked twice") or (step.what == "asked or confirmed" and
                                                     self.gave[0] != 304):
            status, body = self.gave
            status = 500 if self.was_cut else status
            assert shown == body if status < 300 else isinstance(shown, int), f"{where}: {shown}"
        else:
            assert shown == self.shown, where
            if step.what == "confirmed":
                assert self.gave[0] == 304, where
        for name, value in step.sent.items():
            assert asked[-1].headers.get(name.lower()) == value, f"{where}: {name}"
        for name, value in step.fields.items():
            assert self.field(name) == value, f"{where}: {name}"
        self.shown = shown

    def field(self, name):
        try:
            return os.getxattr(self.file, f"user.{name}").decode("latin-1")
        except OSError:
            return None

    def run(self):
        for step in self.case.steps:
            self.step(step)
