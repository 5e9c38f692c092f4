"""What is found behind a redirect is fresh no longer than the redirect (RFC 9111 4.2):
who asks for the name asks for the first of them."""
import errno
import itertools

import pytest

from limited import error_of, read
from origin import Response

names = (f"redirect{n}" for n in itertools.count())


@pytest.fixture(params=["private", "shared"])
def mount(request, stage):
    return stage.mount(request.param, ())


@pytest.fixture
def origin(stage):
    return stage.origin


class Chain:
    """A name that redirects to another one, whose bodies are numbers."""

    def __init__(self, mount, origin, status, headers, target="max-age=5000", etag=None):
        self.mount, self.origin = mount, origin
        self.name = next(names)
        self.path, self.to = f"/{self.name}.txt", f"/{self.name}-to.txt"
        self.start = mount.shift
        bodies = itertools.count(1)
        origin.set(self.path, b"elsewhere", status=status,
                   headers=(("Location", self.to),) + tuple(headers))
        origin.route(self.to, lambda request: Response(
            b"%d" % next(bodies), headers=(("Cache-Control", target),), etag=etag))

    def at(self, seconds):
        """What is shown then, and how often each was asked so far."""
        self.mount.advance(self.start + seconds - self.mount.shift)
        shown = read(self.mount / self.path[1:])
        return shown, self.origin.count(self.path), self.origin.count(self.to)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_as_long_as_the_redirect_says(mount, origin, status):
    chain = Chain(mount, origin, status, [("Cache-Control", "max-age=1000")])
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(900) == (b"1", 1, 1)
    assert chain.at(1100) == (b"2", 2, 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_longer_than_its_target(mount, origin, status):
    chain = Chain(mount, origin, status, [("Cache-Control", "max-age=5000")], "max-age=1000")
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(900) == (b"1", 1, 1)
    assert chain.at(1100)[0] == b"2"


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_redirect_for_now_is_asked_each_time(mount, origin, status):
    chain = Chain(mount, origin, status, [])
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(1) == (b"2", 2, 2)


@pytest.mark.parametrize("status", [301, 308])
def test_a_redirect_for_ever_lasts_as_long_as_its_target(mount, origin, status):
    chain = Chain(mount, origin, status, [], "max-age=1000")
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(900) == (b"1", 1, 1)
    assert chain.at(1100) == (b"2", 2, 2)


@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("value", ["no-cache", "no-store", "max-age=0"])
def test_a_redirect_that_forbids_is_asked_each_time(mount, origin, status, value):
    chain = Chain(mount, origin, status, [("Cache-Control", value)])
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(1) == (b"2", 2, 2)


def test_the_target_is_confirmed_behind_the_redirect(mount, origin):
    chain = Chain(mount, origin, 302, [], etag='"a"')
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(1) == (b"1", 2, 2)
    assert origin.asked(chain.to)[1].headers["if-none-match"] == '"a"'


def test_ttl_is_about_redirects_too(stage, origin):
    mount = stage.mount("private", ("ttl=1000s",))
    chain = Chain(mount, origin, 302, [])
    assert chain.at(0) == (b"1", 1, 1)
    assert chain.at(900) == (b"1", 1, 1)
    assert chain.at(1100) == (b"2", 2, 2)


def test_304_without_end_is_bounded(mount, origin):
    """Each says that it is about something else, also when nothing was asked."""
    path = f"/{next(names)}.txt"
    origin.sequence(path, Response(b"1", headers=[("ETag", '"a"')]),
                    Response(status=304, headers=[("ETag", '"b"')]))
    assert read(mount / path[1:]) == b"1"
    assert error_of(read, mount / path[1:]) == errno.EIO
    assert origin.count(path) <= 5
