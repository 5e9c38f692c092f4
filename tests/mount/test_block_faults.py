"""A block device that fails: the cache directory is on a real filesystem, on a loop
device whose file is on a disk that has no room left, or that is cut short."""
import functools
import os

import pytest

import disks
from disks import becomes_well, check, fill, health
from limited import eventually, run
from mounted import NotMounted
from origin import noise, text

MIB = 1 << 20


def mixed(size, number):
    """One in four compresses."""
    return (text if number % 4 == 0 else noise)(size, number)


offer = functools.partial(disks.offer, content=mixed)


@pytest.fixture
def store(place):
    """A small disk; files on it are the devices."""
    path = place / "store"
    path.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=24M", "webcachefs-test", path)
    yield path
    run("umount", "-l", path)


def make_device(store, place, size, *options):
    """A filesystem on a file that takes what is written to it alone."""
    device, disk = store / "device", place / "disk"
    with open(device, "wb") as file:
        file.truncate(size)
    run("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=1", *options, device)
    disk.mkdir()
    done = run("mount", "-o", "loop", device, disk, check=False)
    if done.returncode:
        pytest.skip(f"no loop device: {done.stderr}")
    return device, disk


@pytest.fixture
def failing(store, place):
    """Without a journal: errors of the device are not remembered by the filesystem."""
    device, disk = make_device(store, place, 40 * MIB, "-O", "^has_journal", "-e", "continue")
    yield store, disk
    run("umount", "-l", disk, check=False)


def write_back(disk):
    """What is in memory alone is written, or fails to be, and forgotten."""
    run("sync", "-f", disk, check=False)
    for folder, _, names in os.walk(disk):
        for name in names:
            try:
                fd = os.open(os.path.join(folder, name), os.O_RDONLY)
            except OSError:
                continue
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def test_a_device_that_fails_when_it_is_written(make_mount, origin, failing):
    """What the page cache took is lost later, without a word to who wrote it."""
    store, disk = failing
    mount = make_mount(origin.url, "size=32M", cache=disk / "cache")
    old = offer(origin, 40, "old", 50_000) | offer(origin, 6, "oldlarge", 700_000)
    check(mount, old)
    fill(store)
    new = offer(origin, 60, "new", 50_000) | offer(origin, 12, "newlarge", 700_000)
    for _ in range(2):
        check(mount, new)
        write_back(disk)
    check(mount, old)
    mount.ended_well = False
    mount.stop()
    os.unlink(store / "other")
    write_back(disk)
    try:
        mount.start()
    except NotMounted as error:
        # Not even the directories are left.
        assert error.status == 1 and "cache directory" in error.stderr
        return
    check(mount, old)
    check(mount, new)
    check(mount, offer(origin, 10, "last", 50_000))
    becomes_well(mount)


def test_a_device_that_fails_when_it_is_read(make_mount, origin, failing):
    """The end of it is gone: EIO for what stands there."""
    store, disk = failing
    mount = make_mount(origin.url, "size=32M", cache=disk / "cache")
    bodies = offer(origin, 60, "", 100_000) | offer(origin, 8, "large", 700_000)
    check(mount, bodies)
    assert mount.stop() == 0
    write_back(disk)
    os.truncate(store / "device", 9 * MIB)
    try:
        mount.start()
    except NotMounted as error:
        # The index stands there, too.
        assert error.status == 1 and "cache directory" in error.stderr
        return
    check(mount, bodies)
    check(mount, bodies)
    mount.ended_well = False
    mount.stop()


def test_a_filesystem_that_gave_up(make_mount, origin, store, place):
    """After an error it takes no more writes, from who has files open neither."""
    _, disk = make_device(store, place, 20 * MIB)
    try:
        mount = make_mount(origin.url, "size=16M", cache=disk / "cache")
        old = offer(origin, 40, "old", 50_000) | offer(origin, 4, "oldlarge", 700_000)
        check(mount, old)
        run("mount", "-o", "remount,abort", disk, check=False)
        # It is noticed by who writes.
        eventually(lambda: " ro" in run("findmnt", "-no", "FS-OPTIONS", disk).stdout or
                   os.system(f"touch {disk}/x 2>/dev/null"), "read-only")
        new = offer(origin, 20, "new", 50_000) | offer(origin, 3, "newlarge", 700_000)
        check(mount, new)
        check(mount, old)
        assert health(mount).startswith("degraded: ")
        mount.ended_well = False
        mount.stop()
        run("umount", disk)
        run("mount", "-o", "loop", store / "device", disk)
        mount.start()
        check(mount, old)
        check(mount, new)
        becomes_well(mount)
        assert mount.stop() == 0
    finally:
        run("umount", "-l", disk, check=False)


def test_a_full_device(make_mount, origin, store, place):
    """The filesystem itself has no room, and blocks of its own that it needs."""
    _, disk = make_device(store, place, 20 * MIB)
    try:
        mount = make_mount(origin.url, "size=12M", cache=disk / "cache")
        old = offer(origin, 20, "old", 100_000)
        check(mount, old)
        fill(disk)
        check(mount, offer(origin, 30, "new", 100_000) | offer(origin, 4, "large", 900_000))
        check(mount, old)
        assert health(mount).startswith("degraded: ")
        os.unlink(disk / "other")
        becomes_well(mount)
        check(mount, offer(origin, 5, "last", 100_000))
        assert mount.stop() == 0
    finally:
        run("umount", "-l", disk, check=False)
