"""Everything at once, on a cache that is far too small: readers at random places, some
of them killed, purges and remounts, in front of an origin that cuts, stalls, resets,
changes what it has and does without ranges or lengths. Each byte that is read has to be
one of a version that the origin really has, nothing may hang, and nothing may be left.

WEBCACHEFS_STRESS_SECONDS says for how long, WEBCACHEFS_STRESS_SEED with which dice."""
import errno
import functools
import os
import random
import re
import signal
import subprocess
import threading
import time

from limited import LIMIT, Task, eventually, read, wait_for_exit
from origin import Hang, Raw, Response

SECONDS = float(os.environ.get("WEBCACHEFS_STRESS_SECONDS", "3"))
MIB = 1 << 20
# What a failing origin, or one that changes what is read, may make of a read.
EXPECTED = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EBUSY, errno.ENOENT, errno.EFBIG,
            errno.EINTR, errno.ECONNREFUSED}
SIZES = (0, 1, 1000, 40_000, 300_000, 2 * MIB, 6 * MIB, 24 * MIB)
NAMES = 40
PIECE = 2048  # body numbers are found in each piece


@functools.lru_cache(24)
def body_of(name, generation):
    """Bytes of one version of one name: every piece says which."""
    size = SIZES[name % len(SIZES)] + (generation % 7) * 13 if name % 8 else 0
    stamp = b"%03d.%06d.%%08d|" % (name, generation)
    unit = random.Random(name * 1000 + generation % 3).randbytes(PIECE - 20)
    pieces = []
    for at in range(0, size, PIECE):
        pieces.append((stamp % (at // PIECE)) + unit)
    return b"".join(pieces)[:size]


class Changing:
    """An origin that is never kind for long."""

    def __init__(self, origin, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.generation = [0] * NAMES
        self.bodies = {}
        self.kind = True
        origin.route(None, self.answer)

    def body(self, name, generation):
        with self.lock:
            known = self.bodies.get((name, generation))
        if known is None:
            known = body_of(name, generation)
            with self.lock:
                self.bodies[name, generation] = known
                for old in [key for key in self.bodies if key[0] == name and
                            key[1] < generation - 3]:
                    del self.bodies[old]
        return known

    def change(self, name):
        with self.lock:
            self.generation[name] += 1

    def answer(self, request):
        name = int(re.search(r"(\d+)", request.path)[1]) % NAMES
        with self.lock:
            generation, dice = self.generation[name], self.random.random()
            cut = self.random.randrange(1, 3 * MIB)
        body = self.body(name, generation)
        answer = Response(body, headers=(("Cache-Control", "max-age=1"),),
                          etag=f'"{name}.{generation}"', ranges=True)
        style = name % 5
        if style == 1:
            answer.ranges = False
        elif style == 2:
            answer.framing, answer.ranges = "chunked", False
        elif style == 3:
            answer.etag, answer.ranges = None, False
        elif style == 4:
            answer.gzip = name % 10 == 4
            answer.ranges = not answer.gzip
        if not self.kind:
            return answer
        if dice < 0.08:
            answer.cut = cut
        elif dice < 0.12:
            answer.cut, answer.reset = cut, True
        elif dice < 0.14:
            return Response(b"no", status=503)
        elif dice < 0.15:
            return Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc", Hang())
        elif dice < 0.16:
            return Raw(Hang())
        elif dice < 0.20:
            self.change(name)
        return answer


def check(name, offset, data):
    """data lies at offset of some one version of name; which one."""
    seen = set()
    for at in range(-offset % PIECE, len(data) - 20, PIECE):
        assert int(data[at:at + 3]) == name, "bytes of another name"
        seen.add(int(data[at + 4:at + 10]))
    assert len(seen) <= 1, f"{name}: versions {seen} are mixed"
    if seen:
        generation = seen.pop()
        assert body_of(name, generation)[offset:offset + len(data)] == data, "wrong bytes"


def read_some(mount, rng, name):
    fd = os.open(mount / f"{name}.bin", os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        if rng.random() < 0.5:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        if rng.random() < 0.3:
            pieces, at = [], 0
            while piece := os.pread(fd, 256 * 1024, at):
                pieces.append(piece)
                at += len(piece)
            assert at == size, f"{name}: {at} bytes of {size}"
            check(name, 0, b"".join(pieces))
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(max(1, size))
            length = rng.choice((100, 5000, 70_000, 600_000))
            check(name, at, os.pread(fd, length, at))
        if rng.random() < 0.3:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def reader(mount, seed, until, errors):
    rng = random.Random(seed)
    while time.monotonic() < until:
        try:
            read_some(mount, rng, rng.randrange(NAMES))
        except OSError as error:
            errors.append(error.errno)
            if error.errno not in EXPECTED:
                raise


def killer(mount, seed, until):
    rng = random.Random(seed)
    while time.monotonic() < until:
        names = [str(mount / f"{rng.randrange(NAMES)}.bin") for _ in range(3)]
        victims = [subprocess.Popen(["cat", name], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL) for name in names]
        time.sleep(rng.random() * 0.05)  # somewhere within
        for victim in victims:
            victim.send_signal(rng.choice((signal.SIGKILL, signal.SIGTERM)))
        for victim in victims:
            wait_for_exit(victim)


def disturber(mount, changing, seed, until):
    rng = random.Random(seed)
    while time.monotonic() < until:
        dice = rng.random()
        name = rng.randrange(NAMES)
        if dice < 0.1:
            mount.purge("all")
        elif dice < 0.4:
            mount.purge(f"{mount.url.rstrip('/')}/{name}.bin")
        elif dice < 0.8:
            changing.change(name)
        else:
            assert mount.stats()
        time.sleep(0.02)  # so much disturbance, and not more


def descriptors(mount):
    return len(os.listdir(f"/proc/{mount.process.pid}/fd"))


def settled(mount):
    stats = mount.stats()
    # Streams that nobody reads end after 20 s: a short run does not wait for that.
    return stats["parked"] == 0 and (SECONDS < 30 or stats["transfers_active"] == 0)


def round_of(mount, changing, seed, seconds):
    until = time.monotonic() + seconds
    errors = []
    jobs = [Task(reader, mount, seed * 100 + n, until, errors) for n in range(10)]
    jobs += [Task(killer, mount, seed * 100 + 50 + n, until) for n in range(2)]
    jobs.append(Task(disturber, mount, changing, seed * 100 + 60, until))
    for job in jobs:
        job.result(seconds + LIMIT)
    return errors


def test_nothing_breaks_under_everything_at_once(make_mount, origin):
    seed = int(os.environ.get("WEBCACHEFS_STRESS_SEED", "1"))
    changing = Changing(origin, seed)
    mount = make_mount(origin.url, "size=16M", "kernel_ttl=0", "stall_timeout=2s", "retries=2",
                       "negative_ttl=0", cache=None)
    end = time.monotonic() + SECONDS
    rounds = 0
    while time.monotonic() < end or rounds < 2:
        rounds += 1
        before = descriptors(mount)
        errors = round_of(mount, changing, seed + rounds, max(1, min(SECONDS / 2, 20)))
        assert set(errors) <= EXPECTED, errors
        eventually(lambda: settled(mount), "nobody waits, nothing is fetched", 60)
        stats = mount.stats()
        assert stats["errors"] >= 0 and stats["read_bytes"] > 0
        # Connections that are kept, and files of the cache that are kept open.
        assert descriptors(mount) < before + 150
        used, taken = stats["bytes_used"], mount.disk_use()
        assert taken <= 16 * MIB
        # What is reserved for bodies under way is counted before it is written.
        ahead = stats["transfers_active"] * MIB
        assert -4 * MIB < used - taken < 4 * MIB + ahead, f"{used} counted, {taken} taken"
        mount.remount()
    # What is well again is read well again.
    changing.kind = False
    for name in range(NAMES):
        changing.change(name)
    mount.purge("all")
    for name in range(NAMES):
        if name % 5 in (2, 4) and len(changing.body(name, changing.generation[name])) > 8 * MIB:
            continue  # of unknown length, and too large for this cache
        assert read(mount / f"{name}.bin") == changing.body(name, changing.generation[name])
    eventually(lambda: settled(mount), "nobody waits, nothing is fetched", 60)
    assert mount.stop() == 0
