"""Small bodies that come faster than they can be packed are stored as they are, and packed
when they have stopped coming; nobody who reads them meanwhile, and no kill, finds out."""
import random

import pytest

from limited import Task, eventually, read, wait_for_exit
from mounted import disk_use, stats_below
from origin import text

FILES = 1500
LATER = {"WEBCACHEFS_PACK_LATER": "1"}


def load(origin):
    draw = random.Random(7)
    bodies = {f"{number}.json": text(draw.randrange(4000, 12_000), number)
              for number in range(FILES)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body)
    return bodies


def loose(mount):
    return [path for path, st in stats_below(mount.cache, "blobs/raw-*").items() if st.st_blocks]


def read_all(mount, bodies, part=0, parts=1):
    """The names that could be read; stops at the end of the daemon."""
    for name in sorted(bodies)[part::parts]:
        try:
            with open(mount / name, "rb", buffering=0) as file:
                got = file.readall()
        except OSError:
            if mount.process.poll() is None:
                eventually(lambda: mount.process.poll() is not None, "dead, or no error")
            return
        assert got == bodies[name], name


def fill(mount, bodies):
    for task in [Task(read_all, mount, bodies, part, 4) for part in range(4)]:
        task.result()


def test_what_was_put_off_is_packed(make_mount, origin):
    bodies = load(origin)
    mount = make_mount(origin.url, env=LATER)
    fill(mount, bodies)
    assert loose(mount), "none of them was put off"
    asked = len(origin.requests)
    # Beside it, and with readers in the middle of it.
    eventually(lambda: read_all(mount, bodies, random.randrange(50), 50) or not loose(mount),
               "all is packed", 30)
    logical = sum(len(body) for body in bodies.values())
    eventually(lambda: disk_use(mount.cache) < logical * 0.6, "it takes less")
    read_all(mount, bodies)
    mount.remount()
    read_all(mount, bodies)
    assert len(origin.requests) == asked


def test_a_few_are_packed_at_once_and_many_in_the_end(make_mount, origin):
    bodies = load(origin)
    mount = make_mount(origin.url)
    for name in list(bodies)[:5]:
        assert read(mount / name) == bodies[name]
    assert not loose(mount)
    fill(mount, bodies)
    eventually(lambda: not loose(mount), "all is packed", 30)
    asked = len(origin.requests)
    mount.remount()
    read_all(mount, bodies)
    assert len(origin.requests) == asked


@pytest.mark.parametrize("at", ["pack", "packed", "pack:4", "packed:3"])
def test_killed_while_packing(make_mount, origin, at):
    bodies = load(origin)
    mount = make_mount(origin.url, env=LATER | {"WEBCACHEFS_CRASH_AT": at})
    fill(mount, bodies)
    eventually(lambda: mount.process.poll() is not None, "killed", 30)
    assert wait_for_exit(mount.process) == -9
    mount.kill()
    asked = len(origin.requests)
    del mount.env["WEBCACHEFS_CRASH_AT"]
    mount.start()
    read_all(mount, bodies)
    assert len(origin.requests) == asked
    # The next run goes on with it.
    eventually(lambda: not loose(mount), "all is packed", 30)
    mount.remount()
    for name, body in bodies.items():
        assert read(mount / name) == body, name
    assert len(origin.requests) == asked
