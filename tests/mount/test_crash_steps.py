"""Killed at each step that brings a body to rest or takes it away, and mounted again:
what is shown is right, and what was left behind goes."""
import json
import os
import random
import sqlite3

import pytest

from limited import Task, eventually, read, read_at, run, stat, wait_for_exit
from mounted import BUILD, NotMounted
from origin import noise, text

MIB = 1 << 20
SIZE = 12 * MIB
PARTIAL, FILE = 2, 4  # kinds of rows


def load(origin):
    """Bodies of all kinds: packed, files of their own, plain or not, partial."""
    bodies = {}
    for number in range(60):
        size = (700, 30_000, 300_000, 900_000)[number % 4]
        bodies[f"{number}.bin"] = (text if number % 3 else noise)(size, number)
    bodies["long.bin"] = noise(5 * MIB)
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"', ranges=True)
    return bodies


def work(mount, bodies, seed):
    """Reads and purges at random, until the daemon is gone."""
    draw = random.Random(seed)
    names = sorted(bodies)
    try:
        while True:
            name = draw.choice(names)
            body = bodies[name]
            if draw.random() < 0.1:
                fd = os.open(mount.control / "purge", os.O_WRONLY)
                try:
                    os.write(fd, f"/{name}\n".encode())
                finally:
                    os.close(fd)
            elif len(body) > MIB and draw.random() < 0.9:
                with open(mount / name, "rb", buffering=0) as file:
                    at = draw.randrange(len(body) - 70_000)
                    got = os.pread(file.fileno(), 65536, at)
                assert got == body[at:at + 65536]
            else:
                with open(mount / name, "rb", buffering=0) as file:
                    got = file.readall()
                assert got == body, name
    except OSError:
        if mount.process.poll() is None:
            eventually(lambda: mount.process.poll() is not None, "dead, or no error")


def work_until_dead(mount, bodies):
    tasks = [Task(work, mount, bodies, part) for part in range(3)]
    eventually(lambda: mount.process.poll() is not None or any(task.done for task in tasks),
               "killed by itself")
    for task in tasks:
        task.result()
    assert wait_for_exit(mount.process) == -9
    mount.kill()


def rows(cache):
    """Kind of each row by inode number."""
    db = sqlite3.connect(f"file:{cache / 'index.db'}?mode=ro", uri=True, timeout=5)
    try:
        return dict(db.execute("SELECT ino, kind FROM version"))
    finally:
        db.close()


def leftovers(cache):
    """Files that no row names as what they are."""
    kinds = rows(cache)
    found = [name for name in os.listdir(cache / "partial") if kinds.get(int(name)) != PARTIAL]
    for folder, _, files in os.walk(cache / "blobs"):
        found += [name for name in files if not name.startswith(("seg-", "raw-")) and
                  not (name.isdigit() and kinds.get(int(name)) == FILE)]
    return found


def check_offline(cache):
    """A kill leaves things behind, but nothing that is wrong."""
    found = json.loads(run(BUILD / "ctl" / "webcachectl", "check", "--json", cache,
                           check=False).stdout)
    wrong = {name for name in found if name.startswith(("damaged", "missing", "wrong"))
             and found[name]}
    assert found["state"] in ("clean", "repaired") and not wrong, found
    return found


@pytest.mark.parametrize("at", [
    "partial", "arrive:40", "append:20", "segment", "compress:7", "rename:5", "renamed:5",
    "rename-in-place:2", "renamed-in-place:2", "stored:30", "commit:20", "committed:20", "evict",
    "evicted:2", "delete:9", "checkpoint", "checkpointed"])
def test_killed_at(make_mount, origin, at):
    bodies = load(origin)
    mount = make_mount(origin.url, f"size={SIZE}", env={"WEBCACHEFS_CRASH_AT": at})
    work_until_dead(mount, bodies)
    assert mount.disk_use() <= SIZE
    del mount.env["WEBCACHEFS_CRASH_AT"]
    mount.start()
    for name, body in bodies.items():
        assert read(mount / name) == body, name
    assert mount.disk_use() <= SIZE
    assert read(mount.control / "health") == b"ok\n"
    # Those of this run may be on their way; none of the last one is.
    mount.remount()
    eventually(lambda: not leftovers(mount.cache), "files without rows are gone")
    for name, body in bodies.items():
        assert read(mount / name) == body, name


@pytest.mark.parametrize("at", ["evict:3", "rename:3", "commit:15", "append:30", "delete:4"])
def test_checked_after_it_was_killed_at(make_mount, origin, at):
    bodies = load(origin)
    mount = make_mount(origin.url, f"size={SIZE}", env={"WEBCACHEFS_CRASH_AT": at})
    work_until_dead(mount, bodies)
    check_offline(mount.cache)
    assert not leftovers(mount.cache)
    assert check_offline(mount.cache)["state"] == "clean"
    del mount.env["WEBCACHEFS_CRASH_AT"]
    mount.start()
    for name, body in bodies.items():
        assert read(mount / name) == body, name


@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("at", ["save", "saved"])
def test_killed_while_a_part_of_a_body_is_saved(make_mount, origin, at, before):
    """By the first run that has some of it, or by one that takes it up."""
    body = noise(12 * MIB)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    mount = make_mount(origin.url)
    for turn in range(before):
        assert read_at(mount / "a.bin", turn * 5 * MIB, 65536) == body[turn * 5 * MIB:][:65536]
        mount.remount()
    assert mount.stop() == 0
    mount.env["WEBCACHEFS_CRASH_AT"] = at
    mount.start()
    assert read_at(mount / "a.bin", 10 * MIB, 300_000) == body[10 * MIB:][:300_000]
    mount.umount()
    assert wait_for_exit(mount.process) == -9
    mount.process = None
    del mount.env["WEBCACHEFS_CRASH_AT"]
    check_offline(mount.cache)
    mount.start()
    for place in (0, 5 * MIB, 300_000, 11 * MIB):
        assert read_at(mount / "a.bin", place, 65536) == body[place:place + 65536]
    assert read(mount / "a.bin") == body
    assert mount.stat("corrupt") == 0


@pytest.mark.parametrize("at", ["compact", "compacted"])
def test_killed_while_a_segment_is_emptied(make_mount, origin, at):
    bodies = {f"{number}.bin": noise(50_000, number) for number in range(60)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"')
    mount = make_mount(origin.url)
    for name, body in bodies.items():
        assert read(mount / name) == body
    assert mount.stop() == 0
    mount.env["WEBCACHEFS_CRASH_AT"] = at
    mount.start()
    gone = sorted(bodies)[:50]
    mount.purge(*(f"/{name}" for name in gone))
    eventually(lambda: mount.process.poll() is not None, "killed by itself")
    assert wait_for_exit(mount.process) == -9
    mount.kill()
    del mount.env["WEBCACHEFS_CRASH_AT"]
    check_offline(mount.cache)
    mount.start()
    asked = origin.count()
    for name, body in bodies.items():
        if name not in gone:
            assert read(mount / name) == body
    assert origin.count() == asked
    mount.remount()
    assert check_offline_of(mount)["state"] == "clean"


def check_offline_of(mount):
    assert mount.stop() == 0
    return check_offline(mount.cache)


def test_killed_while_inode_numbers_are_taken(make_mount, origin):
    """The kernel may have seen any of those before: they are not given out again."""
    def show(prefix):
        found = set()
        for number in range(20):
            origin.fresh(f"/{prefix}{number}.bin", b"x")
            found.add(stat(mount / f"{prefix}{number}.bin").st_ino)
        return found
    mount = make_mount(origin.url)
    seen = show("before")
    assert mount.stop() == 0
    mount.env["WEBCACHEFS_CRASH_AT"] = "inos"
    with pytest.raises(NotMounted) as error:
        mount.start()
    assert error.value.status == -9
    del mount.env["WEBCACHEFS_CRASH_AT"]
    mount.start()
    assert not seen & show("after")
