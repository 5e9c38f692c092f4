"""A stored response is an answer to the request that it came for, and to those that have
the same in the fields that Vary names (RFC 9111 4.1). A mount sends the same fields each
time; the next mount of the same cache may not."""
import errno
import json

import pytest

from limited import error_of, read
from origin import FRESH, Response

SHOWN = ("x-lang", "x-other", "authorization", "user-agent", "accept")


def echo(origin, vary, **kwargs):
    """The body says what was sent."""
    def answer(request):
        sent = ",".join(request.headers.get(name, "-") for name in SHOWN)
        return Response(sent.encode(), headers=FRESH + tuple(("Vary", v) for v in vary), **kwargs)
    origin.route("/a.txt", answer)


@pytest.fixture
def remount(make_mount, origin, place):
    """remount(option, ...): the same cache with other options."""
    before = []

    def make(*options):
        if before:
            assert before.pop().stop() == 0
        before.append(make_mount(origin.url, *options, cache=place / "cache"))
        return before[0]
    return make


@pytest.mark.parametrize("vary, first, second", [
    (["X-Lang"], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    (["x-lAnG"], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    (["X-Other, X-Lang"], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    (["X-Other", "X-Lang"], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    (["X-Lang"], [], ["header=X-Lang: en"]),
    (["X-Lang"], ["header=X-Lang: de"], []),
    (["X-Lang"], ["header=X-Lang: d", "header=X-Other: e"], ["header=X-Lang: de"]),
    (["Authorization"], ["header=Authorization: a"], ["header=Authorization: b"]),
    (["User-Agent"], ["user_agent=one"], ["user_agent=two"]),
    (["Accept"], [], ["header=Accept: text/plain"]),
], ids=str)
def test_another_request_is_asked_for(remount, origin, vary, first, second):
    echo(origin, vary)
    one = read(remount(*first) / "a.txt")
    mount = remount(*second)
    assert read(mount / "a.txt") != one
    assert origin.count("/a.txt") == 2
    # What now is stored is an answer to this one, in the next run as well.
    mount = remount(*second)
    read(mount / "a.txt")
    assert origin.count("/a.txt") == 2


@pytest.mark.parametrize("vary, first, second", [
    (["X-Lang"], ["header=X-Lang: de"], ["header=X-Lang: de"]),
    (["X-Lang"], ["header=X-Lang: de"], ["header=X-Lang:   de", "header=X-Other: 1"]),
    (["X-Lang"], ["header=X-Lang: de"], ["header=x-lang: de"]),
    ([], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    ([""], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    (["X-Other"], ["header=X-Lang: de"], ["header=X-Lang: en"]),
    (["Accept"], [], ["header=Accept: */*"]),
    (["Accept-Encoding"], [], ["user_agent=two"]),
], ids=str)
def test_the_same_request_is_not(remount, origin, vary, first, second):
    echo(origin, vary)
    one = read(remount(*first) / "a.txt")
    assert read(remount(*second) / "a.txt") == one
    assert origin.count("/a.txt") == 1


def test_it_is_not_confirmed_by_a_validator(remount, origin):
    """Its tag is that of another variant."""
    echo(origin, ["X-Lang"], etag='"1"')
    read(remount("header=X-Lang: de") / "a.txt")
    assert read(remount("header=X-Lang: en") / "a.txt").startswith(b"en")
    assert "if-none-match" not in origin.asked("/a.txt")[1].headers


def test_it_does_not_stand_in_for_a_failing_origin(remount, origin):
    echo(origin, ["X-Lang"])
    read(remount("header=X-Lang: de") / "a.txt")
    origin.set("/a.txt", status=500)
    mount = remount("header=X-Lang: en", "stale_if_error=1d", "retries=0")
    assert error_of(read, mount / "a.txt") == errno.EIO


def test_it_is_not_shown_offline_nor_as_cached(remount, origin):
    echo(origin, ["X-Lang"])
    read(remount("header=X-Lang: de") / "a.txt")
    mount = remount("header=X-Lang: en", "offline")
    assert error_of(read, mount / "a.txt") == errno.ENETDOWN
    assert error_of(read, mount / ".cached/a.txt") == errno.ENOENT
    assert "Vary" in json.loads(read(mount / ".control/explain/%2Fa.txt"))["open"]
    mount = remount("header=X-Lang: de", "offline")
    assert read(mount / "a.txt").startswith(b"de")
