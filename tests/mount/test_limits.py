"""The cache directory never takes more than it may."""
import errno
import os
import random
import threading

import pytest

from limited import Task, error_of, eventually, pread_all, read, read_at, together, within
from origin import FRESH, Response, noise, text

MIB = 1 << 20


class Watch:
    """Samples what the cache takes on disk. The daemon stands still meanwhile, so that it
    needs time of its own in between."""

    def __init__(self, mount):
        self.mount, self.most, self.samples = mount, 0, 0
        self._ends = threading.Event()
        self._task = Task(self._sample)

    def _sample(self):
        while not self._ends.is_set():
            self.most = max(self.most, self.mount.disk_use())
            self.samples += 1
            self._ends.wait(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._task.result()


@pytest.mark.parametrize("size, make", [(100_000, noise), (700_000, noise), (700_000, text)],
                         ids=["small", "larger", "compressible"])
def test_du_never_passes_the_limit(make_mount, origin, size, make):
    mount = make_mount(origin.url, "size=32M")
    bodies = {f"{n}.bin": make(size, n) for n in range(120 * MIB // size // 2)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body)
    listed = list(bodies)
    with Watch(mount) as watch:
        assert all(together([lambda part=part: all(read(mount / name) == bodies[name]
                                                   for name in listed[part::3])
                             for part in range(3)], limit=60))
    assert watch.samples > 10
    assert watch.most <= 32 * MIB
    stats = mount.stats()
    assert stats["bytes_stored"] <= stats["bytes_limit"] == 32 * MIB
    if make is noise:
        assert stats["evictions"] > 0
    for name in listed[::10]:  # what was evicted is fetched again
        assert read(mount / name) == bodies[name]


def test_du_never_passes_the_limit_while_large_bodies_arrive_side_by_side(make_mount, origin):
    mount = make_mount(origin.url, "size=32M")
    bodies = [noise(12 * MIB, n) for n in range(8)]
    for number, body in enumerate(bodies):
        origin.fresh(f"/{number}.bin", body)
    with Watch(mount) as watch:
        got = together([lambda n=n: read(mount / f"{n}.bin") for n in range(8)], limit=60)
    assert got == bodies
    assert watch.most <= 32 * MIB


def read_and_purge(mount, bodies, seed):
    draw = random.Random(seed)
    for _ in range(150):
        name = draw.choice(list(bodies))
        body = bodies[name]
        what = draw.random()
        if what < 0.1:
            mount.purge(f"/{name}")
        elif what < 0.6 and len(body) > MIB:
            at = draw.randrange(len(body) - 65536)
            assert read_at(mount / name, at, 65536) == body[at:at + 65536], name
        else:
            assert read(mount / name) == body, name


@pytest.mark.parametrize("seed", [1, 2])
def test_du_never_passes_the_limit_whatever_is_done(make_mount, origin, seed):
    """Packed, compressed, moved, kept in part, purged and evicted, all side by side."""
    mount = make_mount(origin.url, "size=12M")
    bodies = {"long.bin": noise(5 * MIB), "long.txt": text(5 * MIB)}
    for number in range(60):
        size = (700, 30_000, 300_000, 900_000)[number % 4]
        bodies[f"{number}.bin"] = (text if number % 3 else noise)(size, number)
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"', ranges=True)
    with Watch(mount) as watch:
        together([lambda part=part: read_and_purge(mount, bodies, f"{seed}/{part}")
                  for part in range(4)], limit=60)
    assert watch.samples > 50
    assert watch.most <= 12 * MIB
    assert mount.stat("evictions") > 0


def test_a_body_larger_than_the_cache_is_served(make_mount, origin):
    mount = make_mount(origin.url, "size=16M")
    body = noise(48 * MIB)
    origin.fresh("/large.bin", body, etag='"1"', ranges=True)
    with Watch(mount) as watch:
        assert read(mount / "large.bin") == body
    assert watch.most <= 16 * MIB


def test_a_body_larger_than_the_cache_is_served_to_two_readers(make_mount, origin):
    mount = make_mount(origin.url, "size=16M")
    body = noise(40 * MIB)
    origin.fresh("/large.bin", body, etag='"1"', ranges=True)
    with Watch(mount) as watch:
        assert together([lambda: read(mount / "large.bin") == body] * 2, limit=60) == [True, True]
    assert watch.most <= 16 * MIB


def test_what_is_in_use_stays(make_mount, origin):
    """Names that are looked up again and again outlive those that are not."""
    mount = make_mount(origin.url, "size=32M", "kernel_ttl=0")
    origin.fresh("/hot.bin", noise(500_000))
    for number in range(150):
        origin.fresh(f"/{number}.bin", noise(500_000, number + 1))
    for number in range(150):
        read(mount / "hot.bin")
        read(mount / f"{number}.bin")
    assert mount.stat("evictions") > 0
    assert origin.count("/hot.bin") == 1


def test_an_open_file_is_right_though_it_was_evicted(make_mount, origin):
    mount = make_mount(origin.url, "size=16M")
    body = noise(4 * MIB)
    origin.fresh("/open.bin", body, etag='"1"', ranges=True)
    fd = within(os.open, mount / "open.bin", os.O_RDONLY)
    try:
        assert within(pread_all, fd, 0, MIB) == body[:MIB]
        for number in range(60):
            origin.fresh(f"/{number}.bin", noise(500_000, number + 1))
            read(mount / f"{number}.bin")
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert within(pread_all, fd, 0, len(body)) == body
    finally:
        os.close(fd)


def test_the_limit_holds_after_a_remount_with_a_smaller_one(make_mount, origin, place):
    cache = place / "one-cache"
    mount = make_mount(origin.url, "size=64M", cache=cache)
    for number in range(80):
        origin.fresh(f"/{number}.bin", noise(500_000, number))
        read(mount / f"{number}.bin")
    assert mount.stop() == 0
    smaller = make_mount(origin.url, "size=16M", cache=cache)
    for number in range(80, 90):
        origin.fresh(f"/{number}.bin", noise(500_000, number))
        assert read(smaller / f"{number}.bin") == noise(500_000, number)
    eventually(lambda: smaller.disk_use() <= 16 * MIB, "shrunk below the new limit")


def test_thousands_of_tiny_files_stay_below_the_limit(make_mount, origin):
    mount = make_mount(origin.url, "size=16M")
    origin.route(None, lambda request: Response(request.target.encode() * 20, headers=FRESH))
    with Watch(mount) as watch:
        together([lambda part=part: [read(mount / f"d/{n}.txt") for n in range(part, 3000, 3)]
                  for part in range(3)], limit=60)
    assert watch.most <= 16 * MIB
    assert mount.stat("objects") > 1000


@pytest.mark.parametrize("encoded", [False, True], ids=["plain", "gzip"])
def test_what_has_no_length_and_no_room_is_an_error_and_nobody_waits(make_mount, origin, encoded):
    mount = make_mount(origin.url, "size=16M")
    origin.set("/large.bin", noise(32 * MIB), headers=FRESH, framing="chunked", gzip=encoded)
    assert error_of(read, mount / "large.bin") == errno.EFBIG
    origin.set("/small.bin", noise(5 * MIB), headers=FRESH, framing="chunked", gzip=encoded)
    assert read(mount / "small.bin") == noise(5 * MIB)
    assert mount.stat("parked") == 0


def test_a_body_larger_than_the_cache_is_served_again_without_a_validator(make_mount, origin):
    mount = make_mount(origin.url, "size=16M", "kernel_ttl=0")
    body = noise(40 * MIB)
    origin.fresh("/large.bin", body)
    for _ in range(2):
        assert read(mount / "large.bin") == body
        fd = within(os.open, mount / "large.bin", os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
