"""An origin that says when to come back is not asked before (RFC 9110 10.2.3), within
reason: a minute."""
import errno
import itertools
import time

import pytest

from limited import error_of, eventually, read
from origin import Response, http_date

names = (f"after{n}" for n in itertools.count())


@pytest.fixture(params=["private", "shared"])
def mount(request, stage):
    return stage.mount(request.param, ())


class File:
    def __init__(self, stage, mount, *responses):
        self.mount, self.origin, self.name = mount, stage.origin, f"{next(names)}.txt"
        self.start = mount.shift
        self.origin.sequence(f"/{self.name}", *responses)

    @property
    def asked(self):
        return self.origin.count(f"/{self.name}")

    def at(self, seconds):
        """What is shown then, and how often the origin was asked so far."""
        self.mount.advance(self.start + seconds - self.mount.shift)
        try:
            shown = read(self.mount / self.name)
        except OSError as error:
            shown = error.errno
        return shown, self.asked


def busy(status, after):
    return Response(status=status, headers=[("Retry-After", after)])


@pytest.mark.parametrize("status", [429, 503])
def test_not_asked_before(stage, mount, status):
    file = File(stage, mount, busy(status, "30"), Response(b"ready"))
    assert file.at(0) == (errno.EBUSY, 1)
    assert file.at(1) == (errno.EBUSY, 1)
    assert file.at(28) == (errno.EBUSY, 1)
    assert file.at(32) == (b"ready", 2)


def test_a_date(stage, mount):
    when = http_date(time.time() + mount.shift + 40)
    file = File(stage, mount, busy(503, when), Response(b"ready"))
    assert file.at(0) == (errno.EBUSY, 1)
    assert file.at(20) == (errno.EBUSY, 1)
    assert file.at(45) == (b"ready", 2)


def test_at_most_a_minute(stage, mount):
    file = File(stage, mount, busy(503, "86400"), Response(b"ready"))
    assert file.at(0) == (errno.EBUSY, 1)
    assert file.at(50) == (errno.EBUSY, 1)
    assert file.at(62) == (b"ready", 2)


@pytest.mark.parametrize("after", ["0", "-5", "soon", ""])
def test_what_is_no_time_is_ignored(stage, mount, after):
    file = File(stage, mount, busy(503, after), Response(b"ready"))
    assert file.at(0) == (errno.EBUSY, 1)
    assert file.at(0) == (b"ready", 2)


def test_only_of_these_statuses(stage, mount):
    file = File(stage, mount, busy(500, "30"), Response(b"ready"))
    assert file.at(0) == (errno.EIO, 1)
    assert file.at(0) == (b"ready", 2)


def test_other_names_are_asked_for(stage, mount):
    file = File(stage, mount, busy(503, "30"))
    other = File(stage, mount, Response(b"other"))
    assert file.at(0) == (errno.EBUSY, 1)
    assert other.at(0) == (b"other", 1)


def test_a_stale_copy_is_given_meanwhile(stage):
    """At once, though there are retries, and without asking again."""
    mount = stage.mount("private", ("retries=2",))
    stored = Response(b"stale", headers=[("Cache-Control", "max-age=100, stale-if-error=1000")])
    file = File(stage, mount, stored, busy(503, "30"), Response(b"new"))
    assert file.at(0) == (b"stale", 1)
    assert file.at(200) == (b"stale", 2)
    assert file.at(220) == (b"stale", 2)
    assert file.at(235) == (b"new", 3)


def test_nor_is_it_asked_behind(stage, mount):
    stored = Response(b"stale", headers=[
        ("Cache-Control", "max-age=100, stale-if-error=10, stale-while-revalidate=500")])
    file = File(stage, mount, stored, busy(503, "30"), Response(b"new"))
    file.at(0)
    mount.advance(150)
    before = mount.stat("held")
    assert read(mount / file.name) == b"stale"
    eventually(lambda: file.asked == 2 and mount.stat("transfers_active") == 0, "asked behind")
    assert read(mount / file.name) == b"stale"
    assert file.asked == 2
    assert mount.stat("held") > before


def test_a_purge_forgets_it(stage, mount):
    file = File(stage, mount, busy(503, "30"), Response(b"ready"))
    assert file.at(0) == (errno.EBUSY, 1)
    mount.purge(mount.url_of(file.name))
    assert file.at(0) == (b"ready", 2)


def test_it_is_counted(stage, mount):
    file = File(stage, mount, busy(503, "30"))
    assert error_of(read, mount / file.name) == errno.EBUSY
    before = mount.stat("held")
    assert error_of(read, mount / file.name) == errno.EBUSY
    assert mount.stat("held") == before + 1
