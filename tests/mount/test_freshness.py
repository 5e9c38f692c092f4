"""How long a response is given again without asking (RFC 9111), as seen in files.

kernel_ttl=0 has the kernel ask for every name each time, so that a shifted clock
counts at once.
"""
import errno
import time

import pytest

from limited import error_of, eventually, names, read, stat
from origin import Response, http_date


@pytest.fixture
def mount(make_mount, origin):
    return make_mount(origin.url, "kernel_ttl=0", "retries=0")


def told_apart(mount, name, times=5):
    """Read so often, each time what the origin said after we asked."""
    got = [int(read(mount / name)) for _ in range(times)]
    assert got == sorted(set(got)), got


def numbered(origin, path, *headers, **kwargs):
    """Each full answer to path has another body: 1, 2, ..."""
    bodies = iter(range(1, 1000))
    origin.route(path, lambda request: Response(b"%d" % next(bodies), headers=headers, **kwargs))


def test_max_age_is_kept_to(mount, origin):
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=60"))
    assert read(mount / "a.txt") == b"1"
    mount.advance(58)
    assert read(mount / "a.txt") == b"1"
    mount.advance(4)
    assert read(mount / "a.txt") == b"2"
    assert origin.count("/a.txt") == 2


def test_age_counts_against_max_age(mount, origin):
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=60"), ("Age", "50"))
    assert read(mount / "a.txt") == b"1"
    mount.advance(12)
    assert read(mount / "a.txt") == b"2"


def test_expires_is_kept_to(mount, origin):
    now = time.time()
    numbered(origin, "/a.txt", ("Date", http_date(now)), ("Expires", http_date(now + 100)))
    assert read(mount / "a.txt") == b"1"
    mount.advance(90)
    assert read(mount / "a.txt") == b"1"
    mount.advance(20)
    assert read(mount / "a.txt") != b"1"


def test_expires_zero_is_asked_each_time(mount, origin):
    numbered(origin, "/a.txt", ("Expires", "0"))
    told_apart(mount, "a.txt")


@pytest.mark.parametrize("value", ["no-store", "max-age=0", "no-store, max-age=3600",
                                   "NO-STORE", "private=\"x\", no-store"])
def test_asked_each_time(mount, origin, value):
    numbered(origin, "/a.txt", ("Cache-Control", value))
    told_apart(mount, "a.txt")


def test_an_open_of_what_may_not_be_stored_costs_one_request(mount, origin):
    """Although the kernel, shown another file by a name it knew, asks once more."""
    numbered(origin, "/a.txt", ("Cache-Control", "no-store"))
    for number in range(1, 6):
        assert read(mount / "a.txt") == b"%d" % number
        assert origin.count("/a.txt") == number


def test_no_store_is_not_kept_for_a_remount(mount, origin):
    numbered(origin, "/a.txt", ("Cache-Control", "no-store"))
    assert read(mount / "a.txt") == b"1"
    mount.remount()
    assert read(mount / "a.txt") == b"2"


def test_no_cache_is_revalidated_each_time(mount, origin):
    origin.set("/a.txt", b"same", etag='"v1"', headers=[("Cache-Control", "no-cache")])
    for _ in range(4):
        assert read(mount / "a.txt") == b"same"
    first, *others = origin.asked("/a.txt")
    assert "if-none-match" not in first.headers
    assert [request.headers.get("if-none-match") for request in others] == ['"v1"'] * 3
    assert origin.sent("/a.txt") == 4
    assert mount.stat("revalidated") == 3


def test_a_304_makes_it_fresh_again(mount, origin):
    origin.set("/a.txt", b"same", etag='"v1"', headers=[("Cache-Control", "max-age=60")])
    ino = stat(mount / "a.txt").st_ino
    read(mount / "a.txt")
    mount.advance(61)
    assert read(mount / "a.txt") == b"same"
    assert origin.count("/a.txt") == 2
    assert read(mount / "a.txt") == b"same"
    mount.advance(59)
    assert read(mount / "a.txt") == b"same"
    assert origin.count("/a.txt") == 2
    assert stat(mount / "a.txt").st_ino == ino


def test_a_revalidated_response_stays_after_a_remount(mount, origin):
    origin.set("/a.txt", b"same", etag='"v1"', headers=[("Cache-Control", "max-age=60")])
    read(mount / "a.txt")
    mount.advance(61)
    read(mount / "a.txt")
    mount.remount()
    assert read(mount / "a.txt") == b"same"
    assert origin.count("/a.txt") == 2


def test_last_modified_revalidates_when_there_is_no_etag(mount, origin):
    origin.set("/a.txt", b"same", last_modified=1_600_000_000,
               headers=[("Cache-Control", "max-age=60")])
    read(mount / "a.txt")
    mount.advance(61)
    assert read(mount / "a.txt") == b"same"
    assert origin.asked("/a.txt")[1].headers["if-modified-since"] == http_date(1_600_000_000)
    assert origin.sent("/a.txt") == 4


def test_a_changed_response_is_a_new_file(mount, origin):
    origin.set("/a.txt", b"old", etag='"1"', headers=[("Cache-Control", "max-age=60")])
    assert read(mount / "a.txt") == b"old"
    ino = stat(mount / "a.txt").st_ino
    origin.set("/a.txt", b"newer", etag='"2"', headers=[("Cache-Control", "max-age=60")])
    mount.advance(61)
    assert read(mount / "a.txt") == b"newer"
    assert stat(mount / "a.txt").st_size == 5
    assert stat(mount / "a.txt").st_ino != ino


def test_a_tenth_of_the_age_without_explicit_freshness(mount, origin):
    now = time.time()
    numbered(origin, "/a.txt", ("Date", http_date(now)),
             ("Last-Modified", http_date(now - 100_000)))
    assert read(mount / "a.txt") == b"1"
    mount.advance(9_000)
    assert read(mount / "a.txt") == b"1"
    mount.advance(2_000)
    assert read(mount / "a.txt") != b"1"


def test_ttl_forces(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "ttl=1h")
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=0"))
    numbered(origin, "/b.txt", ("Cache-Control", "max-age=86400"))
    assert [read(mount / "a.txt") for _ in range(3)] == [b"1"] * 3
    assert read(mount / "b.txt") == b"1"
    mount.advance(3500)
    assert (read(mount / "a.txt"), read(mount / "b.txt")) == (b"1", b"1")
    mount.advance(200)
    assert (read(mount / "a.txt"), read(mount / "b.txt")) == (b"2", b"2")


def test_default_ttl_when_the_origin_says_nothing(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "default_ttl=5m")
    numbered(origin, "/a.txt")
    numbered(origin, "/b.txt", ("Cache-Control", "max-age=10"))
    assert (read(mount / "a.txt"), read(mount / "b.txt")) == (b"1", b"1")
    mount.advance(200)
    assert (read(mount / "a.txt"), read(mount / "b.txt")) == (b"1", b"2")
    mount.advance(200)
    assert read(mount / "a.txt") == b"2"


def test_max_ttl_caps(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "max_ttl=1m")
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=86400"))
    assert read(mount / "a.txt") == b"1"
    mount.advance(61)
    assert read(mount / "a.txt") == b"2"


def test_a_private_mount_keeps_private_responses(mount, origin):
    numbered(origin, "/a.txt", ("Cache-Control", "private, max-age=60"))
    assert [read(mount / "a.txt") for _ in range(2)] == [b"1", b"1"]


def test_a_shared_mount_does_not_keep_private_responses(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "allow_other")
    numbered(origin, "/a.txt", ("Cache-Control", "private, max-age=60"))
    told_apart(mount, "a.txt")


@pytest.mark.parametrize("options, seconds", [(["allow_other"], 10), ([], 1000)])
def test_s_maxage_is_for_shared_mounts(make_mount, origin, options, seconds):
    mount = make_mount(origin.url, "kernel_ttl=0", *options)
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=1000, s-maxage=10"))
    assert read(mount / "a.txt") == b"1"
    mount.advance(seconds - 2)
    assert read(mount / "a.txt") == b"1"
    mount.advance(4)
    assert read(mount / "a.txt") == b"2"


def test_targeted_cache_control_wins(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "targeted=My-Control:CDN-Cache-Control")
    numbered(origin, "/a.txt", ("Cache-Control", "no-store"),
             ("CDN-Cache-Control", "max-age=60"))
    assert [read(mount / "a.txt") for _ in range(2)] == [b"1", b"1"]
    mount.advance(61)
    assert read(mount / "a.txt") == b"2"


def test_vary_star_is_not_reused(mount, origin):
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=60"), ("Vary", "*"))
    told_apart(mount, "a.txt")


def test_freshness_ends_also_for_a_name_the_kernel_knows(make_mount, origin):
    """With the default kernel_ttl, a name is asked for again soon after it expired."""
    mount = make_mount(origin.url)
    numbered(origin, "/a.txt", ("Cache-Control", "max-age=2"))
    assert read(mount / "a.txt") == b"1"
    eventually(lambda: read(mount / "a.txt") != b"1", "asked again")


def test_a_stat_storm_does_not_ask_the_origin(mount, origin):
    origin.fresh("/a.txt", b"x")
    for _ in range(200):
        stat(mount / "a.txt")
    assert origin.count() == 1
    assert mount.stat("hits") >= 199


# --- stale answers ---

FAILURES = {
    "500": Response(status=500), "503": Response(status=503), "429": Response(status=429),
    "502": Response(status=502), "504": Response(status=504),
    "cut": Response(b"new new", cut=3, headers=(("Cache-Control", "max-age=60"),)),
}


@pytest.mark.parametrize("failure", ["500", "502", "503", "504", "429"])
def test_stale_is_served_while_the_origin_fails(make_mount, origin, failure):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=1h")
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60")])
    assert read(mount / "a.txt") == b"good"
    origin.set("/a.txt", FAILURES[failure])
    mount.advance(100)
    assert read(mount / "a.txt") == b"good"
    assert origin.count("/a.txt") >= 2
    assert mount.stat("stale_served") >= 1


def test_stale_is_served_while_the_origin_is_gone(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=1h")
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60")])
    assert read(mount / "a.txt") == b"good"
    origin.close()
    mount.advance(100)
    assert read(mount / "a.txt") == b"good"
    mount.remount()
    assert read(mount / "a.txt") == b"good"


def test_stale_ends_with_its_window(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=10m")
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60")])
    read(mount / "a.txt")
    origin.set("/a.txt", status=500)
    mount.advance(60 + 590)
    assert read(mount / "a.txt") == b"good"
    mount.advance(20)
    assert error_of(read, mount / "a.txt") == errno.EIO


def test_the_response_sets_its_own_stale_window(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=0s")
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60, stale-if-error=100")])
    read(mount / "a.txt")
    origin.set("/a.txt", status=500)
    mount.advance(150)
    assert read(mount / "a.txt") == b"good"
    mount.advance(20)
    assert error_of(read, mount / "a.txt") == errno.EIO


def test_must_revalidate_is_never_served_stale(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=1h")
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60, must-revalidate")])
    read(mount / "a.txt")
    origin.set("/a.txt", status=500)
    mount.advance(61)
    assert error_of(read, mount / "a.txt") in (errno.EIO, errno.ETIMEDOUT)


def test_a_404_is_believed_though_a_stale_copy_is_there(mount, origin):
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60")])
    read(mount / "a.txt")
    origin.remove("/a.txt")
    mount.advance(61)
    assert error_of(read, mount / "a.txt") == errno.ENOENT


def test_the_origin_is_believed_when_it_recovers(mount, origin):
    origin.set("/a.txt", b"good", headers=[("Cache-Control", "max-age=60")])
    read(mount / "a.txt")
    origin.set("/a.txt", status=500)
    mount.advance(61)
    assert read(mount / "a.txt") == b"good"
    origin.set("/a.txt", b"better", headers=[("Cache-Control", "max-age=60")])
    mount.advance(30)
    assert read(mount / "a.txt") == b"better"


def test_stale_while_revalidate_answers_now_and_asks_behind(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    value = "max-age=60, stale-while-revalidate=600"
    origin.set("/a.txt", b"old", headers=[("Cache-Control", value)])
    assert read(mount / "a.txt") == b"old"
    origin.set("/a.txt", b"new", headers=[("Cache-Control", value)], gate="behind")
    mount.advance(100)
    assert read(mount / "a.txt") == b"old"
    origin.wait_reached("behind")
    assert read(mount / "a.txt") == b"old"
    origin.release("behind")
    eventually(lambda: read(mount / "a.txt") == b"new", "the new one shows")
    assert origin.count("/a.txt") == 2


# --- offline ---

def test_offline_serves_what_is_stored_and_nothing_else(make_mount, origin, place):
    mount = make_mount(origin.url, "kernel_ttl=0", cache=place / "shared-cache")
    origin.set("/a.txt", b"kept", headers=[("Cache-Control", "max-age=60")])
    assert read(mount / "a.txt") == b"kept"
    assert mount.stop() == 0
    offline = make_mount(origin.url, "kernel_ttl=0", "offline", cache=place / "shared-cache")
    offline.advance(10_000)
    assert read(offline / "a.txt") == b"kept"
    assert error_of(read, offline / "b.txt") == errno.ENETDOWN
    assert origin.count() == 1


# --- what is not there ---

@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_remembered(make_mount, origin, status):
    mount = make_mount(origin.url, "kernel_ttl=0", "negative_ttl=60s")
    origin.set("/no.txt", status=status)
    for _ in range(5):
        assert error_of(read, mount / "no.txt") == errno.ENOENT
    assert origin.count("/no.txt") == 1
    assert mount.stat("negative_hits") >= 4
    origin.fresh("/no.txt", b"now")
    mount.advance(61)
    assert read(mount / "no.txt") == b"now"


def test_a_404_says_itself_how_long(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "negative_ttl=1s")
    origin.set("/no.txt", status=404, headers=[("Cache-Control", "max-age=600")])
    assert error_of(read, mount / "no.txt") == errno.ENOENT
    mount.advance(500)
    assert error_of(read, mount / "no.txt") == errno.ENOENT
    assert origin.count("/no.txt") == 1


def test_negative_ttl_zero_asks_each_time(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "negative_ttl=0s")
    for _ in range(3):
        assert error_of(read, mount / "no.txt") == errno.ENOENT
    assert origin.count("/no.txt") == 3


def test_what_is_not_there_does_not_count_as_an_object(mount, origin):
    error_of(read, mount / "no.txt")
    assert mount.stat("objects") == 0
    assert names(mount.dir) == []
