"""What the disk does wrong is not the mount's fault: reads go on, health tells, and all
is well again when the disk is."""
import json
import os
import shutil
import sqlite3
import time

import pytest

from disks import becomes_well, check, fill, health, offer
from limited import error_of, eventually, names, read, read_at, run
from mounted import BUILD
from origin import noise

MIB = 1 << 20
CTL = BUILD / "ctl" / "webcachectl"


@pytest.fixture
def disk(place):
    """A small disk for the cache."""
    path = place / "disk"
    path.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=16M", "webcachefs-test", path)
    yield path
    run("umount", "-l", path)


def stores_again(mount, origin, name):
    """What is read now comes from the cache next time."""
    origin.fresh(f"/{name}", noise(300_000), etag='"1"')
    assert read(mount / name) == noise(300_000)
    mount.remount()
    assert read(mount / name) == noise(300_000)
    assert origin.count(f"/{name}") == 1


def test_a_full_disk(make_mount, origin, disk):
    mount = make_mount(origin.url, "size=12M", cache=disk / "cache")
    old = offer(origin, 20, "old")
    check(mount, old)
    fill(disk)
    check(mount, offer(origin, 60, "new"))
    check(mount, offer(origin, 4, "large", 900_000))
    check(mount, old)
    assert health(mount).startswith("degraded: ")
    os.unlink(disk / "other")
    becomes_well(mount)
    check(mount, old)
    stores_again(mount, origin, "again.bin")


def test_purge_on_a_full_disk(make_mount, origin, disk):
    """It may fail, and say so; a purge that says it is done is done."""
    mount = make_mount(origin.url, "size=12M", cache=disk / "cache")
    bodies = offer(origin, 60)
    check(mount, bodies)
    fill(disk)
    for name in list(bodies)[:30]:
        origin.fresh(f"/{name}", b"new", etag='"2"')
        if error_of(mount.purge, f"/{name}") is None:
            assert read(mount / name) == b"new"
    os.unlink(disk / "other")
    becomes_well(mount)
    mount.purge("all")
    for name in list(bodies)[:30]:
        assert read(mount / name) == b"new"


def test_a_full_disk_while_the_cache_is_full_too(make_mount, origin, disk):
    mount = make_mount(origin.url, "size=8M", cache=disk / "cache")
    check(mount, offer(origin, 90, "old"))
    fill(disk)
    for turn in range(3):
        check(mount, offer(origin, 90, f"new{turn}"))
    os.unlink(disk / "other")
    becomes_well(mount)
    check(mount, offer(origin, 90, "last"))
    assert mount.disk_use() <= 8 * MIB
    stores_again(mount, origin, "again.bin")


def test_a_full_disk_at_the_start(make_mount, origin, disk):
    mount = make_mount(origin.url, "size=12M", cache=disk / "cache")
    bodies = offer(origin, 20)
    check(mount, bodies)
    assert mount.stop() == 0
    fill(disk)
    mount.start()
    check(mount, bodies)
    check(mount, offer(origin, 20, "new"))
    os.unlink(disk / "other")
    becomes_well(mount)


def test_min_free_is_left_to_others(make_mount, origin, disk):
    def free():
        st = os.statvfs(disk)
        return st.f_bavail * st.f_frsize
    mount = make_mount(origin.url, "size=15M", "min_free=8M", cache=disk / "cache")
    check(mount, offer(origin, 150))
    eventually(lambda: free() >= 8 * MIB, "room left")
    (disk / "other").write_bytes(bytes(5 * MIB))
    eventually(lambda: free() >= 8 * MIB, "room made")
    check(mount, offer(origin, 10, "new"))
    assert health(mount) == "ok\n"


def test_a_disk_that_becomes_read_only(make_mount, origin, disk):
    mount = make_mount(origin.url, "size=12M", cache=disk / "cache")
    old = offer(origin, 20, "old")
    check(mount, old)
    # Files that are open for writing keep a disk from it: as after an error of the disk,
    # then, and not by remount.
    run("mount", "-o", "remount,ro", disk, check=False)
    check(mount, offer(origin, 20, "new"))
    check(mount, old)
    run("mount", "-o", "remount,rw", disk)
    becomes_well(mount)
    stores_again(mount, origin, "again.bin")


def test_the_cache_directory_is_deleted(make_mount, origin):
    mount = make_mount(origin.url)
    old = offer(origin, 20, "old") | offer(origin, 2, "large", 900_000)
    check(mount, old)
    shutil.rmtree(mount.cache, ignore_errors=True)  # it may be at work in there
    eventually(lambda: health(mount).startswith("degraded: "), "degraded")
    check(mount, offer(origin, 20, "new") | offer(origin, 3, "huge", 3 * MIB))
    for name, body in old.items():
        eventually(lambda n=name, b=body: error_of(read, mount / n) is None and
                   read(mount / n) == b, "read again")
    names(mount.dir)
    assert mount.stop() == 0
    mount.start()
    check(mount, old)
    assert health(mount) == "ok\n"


@pytest.mark.parametrize("how", ["deleted", "moved away"])
def test_the_cache_directory_is_made_again(make_mount, origin, how):
    mount = make_mount(origin.url, "size=32M")
    old = offer(origin, 20, "old") | offer(origin, 12, "large", 1_900_000)
    origin.fresh("/partial.bin", noise(9 * MIB), etag='"1"', ranges=True)
    check(mount, old)
    assert read_at(mount / "partial.bin", 0, 65536) == noise(9 * MIB)[:65536]
    if how == "deleted":
        # It may be at work in there.
        eventually(lambda: shutil.rmtree(mount.cache, ignore_errors=True) or
                   not mount.cache.exists(), "deleted")
        eventually(lambda: health(mount) == "degraded: cache directory is gone\n", "degraded")
        check(mount, offer(origin, 5, "meanwhile"))
    else:
        mount.cache.rename(mount.cache.with_suffix(".old"))
    mount.cache.mkdir()
    eventually(lambda: (mount.cache / "index.db").exists(), "an index")
    becomes_well(mount)
    check(mount, old)
    assert read(mount / "partial.bin") == noise(9 * MIB)
    # What was there before is not counted any more.
    check(mount, offer(origin, 12, "new", 1_900_000))
    assert mount.disk_use() <= 32 * MIB
    asked = origin.count()
    mount.remount()
    for number in range(11, 5, -1):
        assert read(mount / f"new{number}.bin") == noise(1_900_000, number)
    assert origin.count() == asked
    assert mount.stop() == 0
    found = json.loads(run(CTL, "check", "--json", mount.cache).stdout)
    assert found["state"] == "clean"


@pytest.mark.parametrize("damage", ["garbage", "deleted", "short", "wal garbage", "all deleted",
                                    "wal deleted", "wal short"])
def test_the_index_is_damaged_while_it_is_used(make_mount, origin, damage):
    mount = make_mount(origin.url)
    old = offer(origin, 50, "old") | offer(origin, 3, "large", 900_000)
    check(mount, old)
    index, wal = mount.cache / "index.db", mount.cache / "index.db-wal"
    if damage == "garbage":
        with open(index, "r+b") as file:
            file.write(noise(os.fstat(file.fileno()).st_size + 200_000))
    elif damage == "short":
        os.truncate(index, 5000)
    elif damage == "wal short":
        os.truncate(wal, wal.stat().st_size // 2)
    elif damage == "wal garbage":
        with open(wal, "r+b") as file:
            file.write(noise(os.fstat(file.fileno()).st_size))
    else:
        if damage != "deleted":
            wal.unlink()
        if damage != "wal deleted":
            index.unlink()
        if damage == "all deleted":
            (mount.cache / "index.db-shm").unlink()
        eventually(lambda: index.exists() and wal.exists(), "begun anew")
    for turn in range(3):
        check(mount, offer(origin, 20, f"new{turn}"))
    check(mount, old)
    error_of(names, mount.dir)
    error_of(mount.purge, "/old*")
    check(mount, old)
    becomes_well(mount)
    names(mount.dir)
    assert index.exists()
    assert mount.stop() == 0
    mount.start()
    check(mount, old)
    stores_again(mount, origin, "again.bin")


def test_the_index_is_locked_by_somebody_else(make_mount, origin):
    """Longer than anybody would wait: what is read is right, and nothing hangs."""
    mount = make_mount(origin.url)
    old = offer(origin, 20, "old")
    check(mount, old)
    db = sqlite3.connect(mount.cache / "index.db", isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        check(mount, old)
        check(mount, offer(origin, 2, "new"))
        assert health(mount) == "degraded: index: Device or resource busy\n"
        # Not each of them waits for as long as the first.
        began = time.monotonic()
        check(mount, offer(origin, 40, "more"))
        assert time.monotonic() - began < 40
        origin.fresh("/old1.bin", b"other", etag='"2"')
        assert error_of(mount.purge, "/old1.bin") is not None
        db.execute("ROLLBACK")
    finally:
        db.close()
    becomes_well(mount)
    mount.purge("/old1.bin")
    assert read(mount / "old1.bin") == b"other"
    stores_again(mount, origin, "again.bin")
