"""Killed at each step that brings a body to rest or takes it away, and mounted again:
what is shown is right, and what was left behind goes."""
import os
import random
import sqlite3

import pytest

from limited import Task, eventually, read, wait_for_exit
from mounted import disk_use
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
        found += [name for name in files if not name.startswith("seg-") and
                  not (name.isdigit() and kinds.get(int(name)) == FILE)]
    return found


@pytest.mark.parametrize("at", [
    "partial", "arrive:40", "append:20", "segment", "compress:7", "rename:5", "renamed:5",
    "rename-in-place:2", "renamed-in-place:2", "stored:30", "commit:20", "committed:20", "evict",
    "evicted:2", "delete:9", "checkpoint", "checkpointed"])
def test_killed_at(make_mount, origin, at):
    bodies = load(origin)
    mount = make_mount(origin.url, f"size={SIZE}", env={"WEBCACHEFS_CRASH_AT": at})
    work_until_dead(mount, bodies)
    assert disk_use(mount.cache) <= SIZE
    del mount.env["WEBCACHEFS_CRASH_AT"]
    mount.start()
    for name, body in bodies.items():
        assert read(mount / name) == body, name
    assert disk_use(mount.cache) <= SIZE
    assert read(mount.control / "health") == b"ok\n"
    # Those of this run may be on their way; none of the last one is.
    mount.remount()
    eventually(lambda: not leftovers(mount.cache), "files without rows are gone")
    for name, body in bodies.items():
        assert read(mount / name) == body, name
