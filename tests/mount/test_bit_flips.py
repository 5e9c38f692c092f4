"""Bits flip on the disk: what is read is right, or an error, and never wrong.

WEBCACHEFS_FLIPS (default 1000) flips, in rounds of 50, from WEBCACHEFS_SEED on."""
import os
import random

import pytest

from limited import read, read_at
from origin import noise, text

MIB = 1 << 20
FLIPS = int(os.environ.get("WEBCACHEFS_FLIPS", "1000"))
SEED = int(os.environ.get("WEBCACHEFS_SEED", "1"))
ROUND = 50


def offer(origin):
    bodies = {}
    for number in range(60):
        size = (700, 3000, 20_000, 300_000)[number % 4]
        bodies[f"{number}.bin"] = (text if number % 2 else noise)(size, number)
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag=f'"{name}"', ranges=True)
    return bodies


def flip(path, draw, n):
    with open(path, "r+b", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        for _ in range(n if size else 0):
            at = draw.randrange(size)
            byte = os.pread(file.fileno(), 1, at)[0]
            os.pwrite(file.fileno(), bytes([byte ^ 1 << draw.randrange(8)]), at)


def flip_some(paths, draw, n):
    for path in draw.choices(paths, k=n) if paths else ():
        flip(path, draw, 1)


def read_twice(mount, bodies):
    """Right, or an error the first time."""
    errors = 0
    for name, body in bodies.items():
        try:
            assert read(mount / name) == body, name
        except OSError:
            errors += 1
            try:
                assert read(mount / name) == body, name
            except OSError:
                pass
    return errors


def blobs(cache):
    return [os.path.join(folder, name) for folder, _, files in os.walk(cache / "blobs")
            for name in sorted(files)]


@pytest.mark.parametrize("what", ["blobs", "index", "both"])
def test_flips_between_two_mounts(make_mount, origin, what):
    print(f"seed {SEED}")
    draw = random.Random(f"{SEED}/{what}")
    bodies = offer(origin)
    mount = make_mount(origin.url)
    read_twice(mount, bodies)
    for _ in range(max(1, FLIPS // ROUND // 3)):
        assert mount.stop() == 0
        if what != "index":
            flip_some(blobs(mount.cache), draw, ROUND)
        if what != "blobs":
            flip(mount.cache / "index.db", draw, ROUND if what == "index" else 3)
        mount.start()
        read_twice(mount, bodies)
        assert mount.process.poll() is None
    mount.remount()
    assert read_twice(mount, bodies) == 0


def test_flips_while_it_is_mounted(make_mount, origin):
    """In what was not read since the start."""
    draw = random.Random(SEED)
    bodies = offer(origin)
    mount = make_mount(origin.url)
    read_twice(mount, bodies)
    for _ in range(max(1, FLIPS // ROUND // 10)):
        mount.remount()
        flip_some(blobs(mount.cache), draw, ROUND)
        read_twice(mount, bodies)
        assert mount.process.poll() is None


def test_flips_in_the_wal_of_a_killed_daemon(make_mount, origin):
    draw = random.Random(SEED)
    bodies = offer(origin)
    mount = make_mount(origin.url)
    for turn in range(4):
        read_twice(mount, bodies)
        mount.kill()
        wal = mount.cache / "index.db-wal"
        if turn % 2:
            os.truncate(wal, draw.randrange(wal.stat().st_size + 1))
        else:
            flip(wal, draw, 20)
        mount.start()
        read_twice(mount, bodies)
        mount.purge("all")


def partials(cache):
    return sorted(cache / "partial" / name for name in os.listdir(cache / "partial"))


def leave_partials(mount, bodies):
    """Of each body the beginning, and not all, is on disk."""
    mount.purge("all")
    for name, body in bodies.items():
        assert read_at(mount / name, 0, 65536) == body[:65536], name
    assert mount.stop() == 0
    assert len(partials(mount.cache)) == len(bodies)


def test_flips_in_partial_bodies(make_mount, origin):
    """What is read first, far apart or in order, decides what is noticed when."""
    print(f"seed {SEED}")
    draw = random.Random(f"{SEED}/partial")
    bodies = {f"{number}.bin": noise(9 * MIB, number) for number in range(3)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag=f'"{name}"', ranges=True)
    mount = make_mount(origin.url)
    corrupt = 0
    for turn in range(max(2, FLIPS // ROUND // 5)):
        leave_partials(mount, bodies)
        # Many in one, few in another: pieces that are right stay in use.
        flip_some(partials(mount.cache)[:1], draw, ROUND - 4)
        flip_some(partials(mount.cache)[1:], draw, 4)
        mount.start()
        for name, body in bodies.items():
            for _ in range(4 * (turn % 2)):
                at = draw.randrange(len(body) - 65536)
                assert read_at(mount / name, at, 65536) == body[at:at + 65536], name
        # Some are left as they are, to be saved once more.
        if turn % 4 == 3:
            mount.remount()
        for name, body in bodies.items():
            assert read(mount / name) == body, name
        corrupt += mount.stat("corrupt")
        mount.remount()
        for name, body in bodies.items():
            assert read(mount / name) == body, name
    assert corrupt > 0
