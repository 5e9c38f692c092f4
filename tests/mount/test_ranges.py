"""Reading a little of a large file."""
import errno
import os
import random

import pytest

from limited import pread_all, read, read_at, within
from origin import FRESH, Response, noise, text

MIB = 1 << 20
BODY = 64 * MIB


@pytest.fixture(scope="module")
def body():
    return noise(BODY)


def test_a_few_random_places_cost_far_less_than_the_object(mount, origin, body):
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    places = random.Random(4).sample(range(0, BODY - 65536), 4)

    def read_there():
        fd = os.open(mount / "a.bin", os.O_RDONLY)
        try:
            return [pread_all(fd, at, 65536) for at in places]
        finally:
            os.close(fd)
    for at, got in zip(places, within(read_there)):
        assert got == body[at:at + 65536]
    assert mount.stat("upstream_bytes") < BODY // 2
    assert any("range" in request.headers for request in origin.asked("/a.bin"))
    assert read(mount / "a.bin") == body  # the holes are filled rightly


def test_the_first_request_brings_little_that_nobody_reads(mount, origin, body):
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    for at in range(MIB * 8, BODY, MIB * 8):
        assert read_at(mount / "a.bin", at, 65536) == body[at:at + 65536]
    asked = sum(1 for request in origin.asked("/a.bin") if "range" in request.headers)
    assert asked == 7
    # 64 KiB for each, what the first one brings, and what its socket holds.
    assert origin.sent("/a.bin") < asked * 65536 + MIB


def test_the_end_of_a_large_file_first(mount, origin, body):
    origin.fresh("/a.zip", body, etag='"1"', ranges=True)
    assert read_at(mount / "a.zip", BODY - 100, 1000) == body[-100:]
    assert mount.stat("upstream_bytes") < BODY // 2


def test_head_of_a_large_file_does_not_fetch_it_all(mount, origin, body):
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    assert read_at(mount / "a.bin", 0, 1000) == body[:1000]
    assert mount.stat("upstream_bytes") < BODY // 2


def test_an_origin_without_ranges(mount, origin, body):
    origin.fresh("/a.bin", body, etag='"1"')
    for at in (50 * MIB, 3 * MIB, BODY - 5):
        assert read_at(mount / "a.bin", at, 65536) == body[at:at + 65536]


def test_an_origin_that_says_ranges_but_sends_all(mount, origin, body):
    origin.fresh("/a.bin", body, etag='"1"', headers=[("Accept-Ranges", "bytes")])
    assert read_at(mount / "a.bin", 40 * MIB, 65536) == body[40 * MIB:][:65536]


def test_places_read_before_a_remount_are_not_fetched_again_or_at_least_right(mount, origin, body):
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    for at in (0, 20 * MIB, 60 * MIB):
        assert read_at(mount / "a.bin", at, 65536) == body[at:at + 65536]
    mount.remount()
    for at in (60 * MIB, 20 * MIB, 0, 41 * MIB):
        assert read_at(mount / "a.bin", at, 65536) == body[at:at + 65536]
    assert origin.sent("/a.bin") < BODY


def test_an_object_that_changed_between_ranges_is_never_mixed(make_mount, origin, body):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0")
    other = noise(BODY, 2)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    try:
        assert within(pread_all, fd, 0, 65536) == body[:65536]
        origin.fresh("/a.bin", other, etag='"2"', ranges=True)
        try:
            assert within(pread_all, fd, 50 * MIB, 65536) == body[50 * MIB:][:65536]
        except OSError as error:
            assert error.errno in (errno.EIO, errno.ESTALE)
    finally:
        os.close(fd)
    assert read_at(mount / "a.bin", 50 * MIB, 65536) == other[50 * MIB:][:65536]
    assert read_at(mount / "a.bin", 0, 65536) == other[:65536]


@pytest.mark.parametrize("validator", [{"last_modified": 1_600_000_000}, {}, {"etag": 'W/"1"'}],
                         ids=["last-modified", "no validator", "weak etag"])
def test_without_a_strong_validator_bytes_are_never_mixed(make_mount, origin, body, validator):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0")
    other = noise(BODY, 2)
    origin.fresh("/a.bin", body, ranges=True, **validator)
    assert read_at(mount / "a.bin", 0, 65536) == body[:65536]
    if "last_modified" in validator:
        validator = {"last_modified": validator["last_modified"] + 10}
    origin.fresh("/a.bin", other, ranges=True, **validator)

    def pieces():
        fd = os.open(mount / "a.bin", os.O_RDONLY)
        try:
            return [pread_all(fd, at, 65536) for at in (0, 50 * MIB)]
        finally:
            os.close(fd)
    try:
        head, far = within(pieces)
    except OSError:
        return
    assert (head, far) in [(whole[:65536], whole[50 * MIB:][:65536]) for whole in (body, other)]


@pytest.mark.parametrize("content_range", ["bytes 0-65535/67108864", "bytes 7-9/67108864",
                                           "bytes 41943040-67108863/99", "nonsense", None])
def test_a_206_for_another_range_is_not_taken(make_mount, origin, body, content_range):
    mount = make_mount(origin.url, "retries=0")

    def answer(request):
        if "range" not in request.headers:
            return Response(body, headers=FRESH + (("Accept-Ranges", "bytes"),), etag='"1"')
        lied = (("Content-Range", content_range),) if content_range else ()
        return Response(bytes(65536), 206, headers=FRESH + lied, etag='"1"')
    origin.route("/a.bin", answer)
    try:
        got = read_at(mount / "a.bin", 40 * MIB, 65536)
    except OSError as error:
        assert error.errno in (errno.EIO, errno.ESTALE)
    else:
        assert got == body[40 * MIB:][:65536]


def test_a_416_is_an_error_and_not_zeroes(make_mount, origin, body):
    mount = make_mount(origin.url, "retries=0")

    def answer(request):
        if "range" not in request.headers:
            return Response(body, headers=FRESH + (("Accept-Ranges", "bytes"),), etag='"1"')
        return Response(b"", 416)
    origin.route("/a.bin", answer)
    try:
        assert read_at(mount / "a.bin", 40 * MIB, 65536) == body[40 * MIB:][:65536]
    except OSError as error:
        assert error.errno in (errno.EIO, errno.ESTALE)


def test_gzip_coded_large_bodies_are_read_anywhere(mount, origin):
    body = text(20 * MIB)
    origin.fresh("/a.log", body, gzip=True, etag='"1"', ranges=True)
    for at in (10 * MIB, 0, 20 * MIB - 10):
        assert read_at(mount / "a.log", at, 65536) == body[at:at + 65536]


def test_places_that_were_read_outlive_the_daemon(mount, origin, body):
    """Also those that came after a restart, and were read at random."""
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    places = (0, 20 * MIB, 60 * MIB, 41 * MIB)
    for at in places:
        assert read_at(mount / "a.bin", at, 65536) == body[at:at + 65536]
        mount.remount()
    asked = origin.count("/a.bin")
    for at in places:
        assert read_at(mount / "a.bin", at, 65536) == body[at:at + 65536]
    assert origin.count("/a.bin") == asked
