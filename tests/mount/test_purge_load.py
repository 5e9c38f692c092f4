"""Purges while several processes open as fast as they can: no open that begins after the
write has returned sees what was there before. With epochs, and as on older kernels."""
import json
import subprocess
import sys
import time

import pytest

from limited import LIMIT, eventually, read, together, within
from origin import Response

PROCESSES, CHANGES, CHANGES_OLD = 4, 40, 5
# Older kernels count the time of an entry from when who asked for it is scheduled, which
# may be any time on a machine that is busy. It is less than the time they are trusted.
TRUSTED, GRACE = 800, 0.5
HOUR = ("Cache-Control", "max-age=3600")

# Opens names in turn until its standard input ends. Prints when the last open began that
# saw a number, the number, and how many opens there were; all processes have one clock.
HAMMER = r"""
import errno, os, select, sys, time
names, last, turn = sys.argv[1:], {}, 0
while not select.select([0], [], [], 0)[0]:
    for _ in range(50):
        name = names[turn % len(names)]
        turn += 1
        begun = time.monotonic()
        try:
            fd = os.open(name, os.O_RDONLY)
        except OSError as error:
            # The kernel walks again once; a page may be purged once more meanwhile.
            if error.errno != errno.ESTALE or "." in os.path.basename(name):
                raise
            continue
        number = int(os.read(fd, 64))
        os.close(fd)
        # The last open of each number is the one that may be too late.
        if name in last and last[name][1] != number:
            print(*last[name])
        last[name] = (begun, number, turn)
for entry in last.values():
    print(*entry)
"""


class Hammer:
    def __init__(self, paths):
        self.process = subprocess.Popen([sys.executable, "-c", HAMMER, *map(str, paths)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end(self):
        """(when it was begun, what it saw, how many there were) of the opens that count."""
        out, _ = self.process.communicate(timeout=LIMIT)
        assert self.process.returncode == 0
        found = [(float(when), int(number), int(turn))
                 for when, number, turn in map(str.split, out.decode().splitlines())]
        self.turns = max(turn for _, _, turn in found)
        return found


@pytest.fixture
def make(make_mount, origin):
    """A mount of a counter that each name shows, and who hammers them."""
    hammers = []

    def start(names, *options, **env):
        mount = make_mount(origin.url, *options, env=env)
        mount.number = 0
        origin.route(None, lambda request: Response(
            b"%d" % mount.number, etag=f'"{mount.number}"', conditional=False,
            headers=(HOUR, ("Cache-Tag", "t"))))
        paths = [mount / name for name in names]
        together([lambda p=path: read(p) for path in paths])
        hammers.extend(Hammer(paths) for _ in range(PROCESSES))
        return mount, hammers
    yield start
    for hammer in hammers:
        if hammer.process.poll() is None:
            hammer.process.kill()
            hammer.process.wait()


def change(mount, file, text, name="a.txt"):
    """The origin has something new, then the order. When it was in force."""
    mount.number += 1
    mount.write(file, text)
    returned = time.monotonic()
    if not mount.env.get("WEBCACHEFS_NO_EPOCH"):
        assert int(read(mount / name)) == mount.number
        return returned
    eventually(lambda: int(read(mount / name)) == mount.number)
    return returned + GRACE


def assert_none_is_late(hammers, returned):
    """returned[i]: when the order after change i + 1 returned."""
    opens = [entry for hammer in hammers for entry in hammer.end()]
    late = []
    for begun, number, _ in opens:
        least = sum(when < begun for when in returned)
        if number < least:
            late.append((begun, number, least))
    assert not late, f"{len(late)} of {len(opens)}, the first: {late[0]}"
    # It was a hammer: most changes were seen, and each by several opens.
    assert len({number for _, number, _ in opens}) > len(returned) / 4
    assert sum(hammer.turns for hammer in hammers) > 5 * len(returned)


KERNELS = [pytest.param({}, id="epochs"),
           pytest.param({"WEBCACHEFS_NO_EPOCH": "1"}, id="old-kernel")]


@pytest.mark.parametrize("env", KERNELS)
@pytest.mark.parametrize("file, target", [("purge", "/a.txt"), ("refresh", "tag:t"),
                                          ("purge", "/d/*\n/*.txt")])
def test_no_open_after_a_purge_sees_what_was(make, env, file, target):
    mount, hammers = make(["a.txt"], *([f"kernel_ttl={TRUSTED}ms"] if env else []), **env)
    returned = [change(mount, file, f"{target}\n") for _ in range(CHANGES_OLD if env else CHANGES)]
    assert_none_is_late(hammers, returned)
    assert (mount.stat("epochs") > 0) == (not env)


@pytest.mark.parametrize("env", KERNELS)
def test_thousands_of_targets_in_one_write(make, env):
    names = ["a.txt", "d/b.txt", "d/e/c.txt"]
    mount, hammers = make(names, *([f"kernel_ttl={TRUSTED}ms"] if env else []), **env)
    others = "".join(f"/other/{n}.txt\n" for n in range(3000))
    text = f"/a.txt\n{others}/d/b.txt\n/d/e/c.txt\n"
    returned = [change(mount, "purge", text) for _ in range(CHANGES_OLD if env else 15)]
    assert_none_is_late(hammers, returned)
    shown = json.loads(read(mount.control / "purged"))[0]
    assert shown["targets"] == 3003


def test_thousands_of_writes_at_the_same_time(make):
    """From several threads, each for its own name, while all names are hammered."""
    mount, hammers = make([f"{n}.txt" for n in range(4)])
    before = mount.stat("purged")

    def write_many(name):
        for _ in range(500):
            mount.write("purge", f"/{name}\n")
    together([lambda n=n: write_many(f"{n}.txt") for n in range(4)], limit=2 * LIMIT)
    mount.number = 1
    mount.write("purge", "all\n")
    returned = time.monotonic()
    within(lambda: eventually(lambda: all(read(mount / f"{n}.txt") == b"1" for n in range(4))))
    for hammer in hammers:
        assert all(number == 1 for begun, number, _ in hammer.end() if begun > returned)
    assert mount.stat("purged") > before


@pytest.mark.parametrize("env", KERNELS)
def test_a_page_that_is_a_directory_until_it_is_opened(make, env):
    """It is also found by the walk that ESTALE makes, which has to see the new one."""
    mount, hammers = make(["docs"], *([f"kernel_ttl={TRUSTED}ms"] if env else []), **env)
    returned = [change(mount, "purge", "/docs\n", "docs") for _ in range(CHANGES_OLD if env else CHANGES)]
    assert_none_is_late(hammers, returned)
