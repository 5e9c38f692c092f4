"""Random operations, each compared with what a simple model of the cache allows.

WEBCACHEFS_MODEL_STEPS (default 1500) steps for each kind of cache, from WEBCACHEFS_SEED
on. The model knows what the origin has and what was shown of each name, and when. A name
that is fresh shows that without a request, any other what the origin has now, and only a
cache that is too small may forget. Whoever has a file open reads the bytes that it had then,
or an error when the origin has others now."""
import errno
import functools
import json
import os
import random
import time

import pytest

from limited import eventually, pread_all, read, run
from mounted import BUILD
from origin import Response, noise, text

STEPS = int(os.environ.get("WEBCACHEFS_MODEL_STEPS", "1500"))
SEED = int(os.environ.get("WEBCACHEFS_SEED", "1"))
CTL = BUILD / "ctl" / "webcachectl"
MIB = 1 << 20
LIFETIME = 1000  # seconds a response is fresh
UNSURE = 10  # seconds around that which nobody can tell
WHOLE = 4 * MIB  # larger ones come in parts
SIZES = (0, 1, 700, 5000, 30_000, 100_000, 262_144, 262_145, 700_000, 3 * MIB, 9 * MIB)
NAMES = [f"{'ab'[number % 2]}/{number}.bin" for number in range(44)]
GONE = 0  # the generation of a name that the origin does not have
LOST = {errno.ESTALE, errno.EIO}


PIECES = (noise(4096 - 20), text(4096 - 20))


@functools.lru_cache(256)
def body_of(name, generation):
    """Every 4 KiB of it say what they are."""
    number = int(name[2:-4])
    size = SIZES[number % len(SIZES)]
    # Others of the same length, most of the time: sizes then prove nothing.
    size += generation % 3 == 2 and size > 0
    stamp, piece = f"{number:02}.{generation:08}.%08x".encode(), PIECES[number % 3 > 0]
    return b"".join(stamp % at + piece for at in range(0, size, 4096))[:size]


class Shown:
    """What the cache may have of a name."""

    def __init__(self, generation, at):
        self.generation = generation
        self.at = at  # model time of the response
        self.seen = time.monotonic()  # when that was
        self.stale = False  # a refresh came since
        self.sure = True  # it cannot have been lost
        self.other = None  # a Shown that may have replaced it


class World:
    def __init__(self, mount, origin, seed, roomy):
        self.draw = random.Random(seed)
        self.mount, self.origin, self.roomy = mount, origin, roomy
        self.now = {name: 1 for name in NAMES}  # generation at the origin
        self.generation = 1
        self.shown = {}
        self.held = []  # (descriptor, name, generation)
        self.history = []
        self.began = time.monotonic()
        origin.route(None, self.answer)

    # --- the origin ---

    def answer(self, request):
        name = request.path[1:]
        generation = self.now.get(name, GONE)
        if generation == GONE:
            return Response(b"gone\n", 404)
        return Response(body_of(name, generation), etag=f'"{generation}"', ranges=True,
                        headers=(("Cache-Control", f"max-age={LIFETIME}"),))

    def requests(self, name):
        """How often it was asked for since the last call, as a whole."""
        asked = sum(request.path == f"/{name}" and "range" not in request.headers
                    for request in self.origin.requests)
        self.origin.requests.clear()
        return asked

    # --- what the model says ---

    def time(self):
        return time.monotonic() - self.began + self.mount.shift

    def is_fresh(self, name):
        """True, False, or None: nobody can tell."""
        shown = self.shown.get(name)
        if shown is None or shown.stale:
            return False
        age = self.time() - shown.at
        if abs(age - LIFETIME) < UNSURE:
            return None
        return age < LIFETIME

    def is_large(self, name):
        return len(body_of(name, max(1, self.now[name]))) > WHOLE

    def saw(self, name, generation, fresh, asked):
        """The cache showed that generation, after so many requests."""
        current, shown = self.now[name], self.shown.get(name)
        large = self.is_large(name)
        # As long as its transfer has not ended, who comes joins it; and the kernel may ask
        # the same question twice.
        if fresh is False and shown and not shown.stale and \
                (large or time.monotonic() - shown.seen < 0.5):
            fresh = None
        if asked == 0:
            assert shown is not None and fresh is not False, "shown without a request"
            if shown.other and generation == shown.other.generation:
                self.shown[name] = shown = shown.other
            assert generation == shown.generation, "not what was shown before"
            return
        if self.roomy and fresh and shown.sure and not large:
            raise AssertionError("asked for what was fresh")
        if generation == current:
            self.shown[name] = Shown(current, self.time())
        else:
            # A part of a large one that did not have to be asked for as a whole.
            assert large and fresh is not False and generation == shown.generation, \
                "neither new nor what was fresh"

    # --- reading ---

    def open(self, name):
        fd = os.open(self.mount / name, os.O_RDONLY)
        if self.draw.random() < 0.5:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        return fd

    def generation_of(self, name, fd, size, pieces):
        """Which one all these (offset, bytes) are of, as its etag says."""
        generation = int(os.getxattr(fd, "user.webcachefs.etag").strip(b'"'))
        body = body_of(name, generation)
        assert len(body) == size
        for at, data in pieces:
            assert body[at:at + len(data)] == data, f"wrong bytes of {name} {generation}"
        return generation

    def some_place(self, name):
        size = len(body_of(name, max(1, self.now[name])))
        at = self.draw.randrange(size) if size else 0
        return at, self.draw.choice((1, 4096, 65536, 300_000))

    def pieces_of(self, fd, places):
        """What stands there: all of it unless the file ends."""
        size = os.fstat(fd).st_size
        pieces = []
        for at, length in places:
            # One read(2) gives what comes before an error, the next one the error.
            data = pread_all(fd, at, min(length, max(0, size - at)))
            assert len(data) == max(0, min(length, size - at)), "a short read"
            pieces.append((at, data))
        return size, pieces

    def look(self, name, places, hold=False):
        """Opens it and reads there; None: not found."""
        fresh = self.is_fresh(name)
        self.requests(name)
        try:
            fd = self.open(name)
        except FileNotFoundError:
            self.saw(name, GONE, fresh, self.requests(name))
            return
        try:
            size, pieces = self.pieces_of(fd, places)
            generation = self.generation_of(name, fd, size, pieces)
            self.saw(name, generation, fresh, self.requests(name))
        except OSError as error:
            os.close(fd)
            self.could_not_read(name, error)
            return
        except AssertionError:
            os.close(fd)
            raise
        if hold:
            self.held.append((fd, name, generation))
        else:
            os.close(fd)

    def could_not_read(self, name, error):
        """What was fresh and not all there, and has changed."""
        shown = self.shown.get(name)
        assert error.errno in LOST, error
        assert shown and shown.generation not in (GONE, self.now[name]), f"{name}: {error}"
        assert self.is_large(name) or not (self.roomy and shown.sure), f"{name}: {error}"
        self.shown.pop(name)
        self.requests(name)
        # What it is replaced by is shown from now on.
        fd = eventually(lambda: self.open_now(name), f"{name} to be readable again")
        if fd is not True:
            os.close(fd)

    def open_now(self, name):
        fd = None
        try:
            fd = self.open(name)
            got = self.pieces_of(fd, [(0, 1 << 30)])
        except FileNotFoundError:
            assert self.now[name] == GONE
            self.shown[name] = Shown(GONE, self.time())
            return True
        except OSError:
            if fd is not None:
                os.close(fd)
            return None
        assert got[1][0][1] == body_of(name, self.now[name])
        self.shown[name] = Shown(self.now[name], self.time())
        return fd

    def read(self):
        name = self.name()
        self.look(name, [(0, 1 << 30)] if self.draw.random() < 0.9 else [])

    def read_places(self):
        name = self.name()
        self.look(name, [self.some_place(name) for _ in range(self.draw.randrange(1, 4))])

    def hold(self):
        name = self.name()
        self.look(name, [self.some_place(name)], hold=True)
        if len(self.held) > 12:
            os.close(self.held.pop(0)[0])

    def read_held(self):
        if not self.held:
            return
        fd, name, generation = self.draw.choice(self.held)
        self.note(name)
        if self.draw.random() < 0.5:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            size, pieces = self.pieces_of(fd, [self.some_place(name)])
        except OSError as error:
            assert error.errno in LOST and self.now[name] != generation, f"{name}: {error}"
            self.held.remove((fd, name, generation))
            os.close(fd)
            # That it has changed may have been noticed by this.
            self.forget(lambda other: other == name)
            return
        body = body_of(name, generation)
        assert size == len(body)
        for at, data in pieces:
            assert body[at:at + len(data)] == data, f"wrong bytes of {name}, held open"

    def stat(self):
        name = self.name()
        fresh = self.is_fresh(name)
        self.requests(name)
        try:
            size = os.stat(self.mount / name).st_size
        except FileNotFoundError:
            self.saw(name, GONE, fresh, self.requests(name))
            return
        asked = self.requests(name)
        shown = self.shown.get(name)
        if asked == 0:
            self.saw(name, shown.generation if shown else GONE, fresh, 0)
        elif self.now[name] == GONE or (self.is_large(name) and fresh is not False):
            # Of parts that were asked for a stat does not tell whether they are new.
            self.forget(lambda other: other == name)
            if shown:
                shown.other = Shown(self.now[name], self.time())
                shown.other.sure = False
        else:
            self.saw(name, self.now[name], fresh, asked)
        if name in self.shown and self.shown[name].sure and self.shown[name].generation != GONE:
            assert size == len(body_of(name, self.shown[name].generation))

    # --- changes ---

    def name(self):
        # Some are more popular than others.
        name = NAMES[min(self.draw.randrange(len(NAMES)), self.draw.randrange(len(NAMES)))]
        return self.note(name)

    def note(self, what):
        self.history[-1] += f" {what}"
        return what

    def put(self, name, generation):
        """A request for a part of what has not all arrived yet may meet the change."""
        shown = self.shown.get(name)
        if shown and time.monotonic() - shown.seen < 10 and \
                len(body_of(name, max(1, shown.generation))) > MIB:
            shown.sure = False
        self.now[name] = generation

    def change(self):
        self.generation += 1
        self.put(self.name(), self.generation)

    def remove(self):
        self.put(self.name(), GONE)

    def advance(self):
        seconds = self.note(self.draw.choice((50, 300, 300, 3 * LIFETIME)))
        self.mount.advance(seconds)

    def forget(self, which):
        """The cache may have lost them."""
        for name, shown in self.shown.items():
            if which(name):
                shown.sure = False

    def drop(self, which):
        for name in [name for name in self.shown if which(name)]:
            del self.shown[name]

    def purge(self):
        dice = self.draw.random()
        if dice < 0.05:
            self.mount.purge(self.note("all"))
            self.drop(lambda name: True)
        elif dice < 0.15:
            folder = self.draw.choice("ab")
            self.mount.purge(self.note(f"/{folder}/*"))
            self.drop(lambda name: name[0] == folder)
        else:
            names = [self.name() for _ in range(self.draw.randrange(1, 4))]
            self.mount.purge(*(f"/{name}" for name in names))
            self.drop(names.__contains__)

    def unlink(self):
        name = self.name()
        fresh = self.is_fresh(name)
        self.requests(name)
        try:
            os.unlink(self.mount / name)
        except FileNotFoundError:
            self.saw(name, GONE, fresh, self.requests(name))
            return
        self.drop(lambda other: other == name)

    def refresh(self):
        name = self.name()
        self.mount.write("refresh", f"/{name}\n")
        if name in self.shown:
            self.shown[name].stale = True

    # --- the daemon ---

    def close_held(self):
        while self.held:
            os.close(self.held.pop()[0])

    def remount(self):
        self.close_held()
        self.mount.remount()

    def kill(self):
        """What was not stored yet is lost; what was purged stays so."""
        self.close_held()
        self.mount.kill()
        self.forget(lambda name: True)
        self.mount.start()

    def kill_and_check(self):
        self.close_held()
        self.mount.kill()
        self.forget(lambda name: True)
        found = json.loads(run(CTL, "check", "--json", self.mount.cache, check=False).stdout)
        wrong = {name: found[name] for name in found if name.startswith(("damaged", "missing"))
                 and found[name]}
        assert not wrong, wrong
        self.mount.start()

    def check(self):
        found = json.loads(run(CTL, "-m", self.mount.dir, "check", "--json", check=False).stdout)
        wrong = {name: found[name] for name in found
                 if name.startswith(("damaged", "missing", "wrong")) and found[name]}
        assert not wrong, wrong

    def list(self):
        """That a name is gone may be written a moment after it was said."""
        for folder in "ab":
            eventually(lambda where=folder: self.is_listed_right(where), f"names in {folder}")

    def is_listed_right(self, folder):
        try:
            listed = set(os.listdir(self.mount / folder))
        except FileNotFoundError:
            listed = set()
        shown = {name[2:]: shown for name, shown in self.shown.items() if name[0] == folder}
        known = {name for name, what in shown.items()
                 if what.generation != GONE or not what.sure}
        sure = {name for name, what in shown.items() if what.generation != GONE and what.sure}
        return listed <= known and (sure <= listed or not self.roomy)

    def limits(self):
        if not self.roomy:
            assert self.mount.disk_use() <= 24 * MIB
        assert read(self.mount.control / "health") == b"ok\n"
        stats = self.mount.stats()
        assert stats["corrupt"] == 0
        assert stats["bytes_used"] <= stats["bytes_limit"]

    # --- one after the other ---

    OPERATIONS = ((read, 40), (read_places, 18), (stat, 10), (hold, 5), (read_held, 10), (change, 8),
                  (remove, 1), (advance, 2), (purge, 2), (unlink, 1), (refresh, 1), (list, 1),
                  (limits, 0.3), (check, 0.1), (remount, 0.25), (kill, 0.15),
                  (kill_and_check, 0.05))

    def run(self, steps):
        operations, weights = zip(*self.OPERATIONS)
        try:
            for operation in self.draw.choices(operations, weights, k=steps):
                self.history.append(operation.__name__)
                operation(self)
                del self.history[:-200]
        except BaseException:
            print("\n".join(self.history))
            raise
        finally:
            self.close_held()


@pytest.mark.parametrize("kind", ["roomy", "small"])
@pytest.mark.timeout(max(60, STEPS // 10))
def test_agrees_with_a_model(make_mount, origin, kind):
    print(f"seed {SEED}, {STEPS} steps")
    size = "size=1G" if kind == "roomy" else "size=24M"
    mount = make_mount(origin.url, size, "kernel_ttl=0", f"negative_ttl={LIFETIME}s")
    world = World(mount, origin, f"{SEED}/{kind}", kind == "roomy")
    began = time.monotonic()
    world.run(STEPS)
    print(f"{STEPS / (time.monotonic() - began):.0f} steps/s")
    world.limits()
    assert mount.stop() == 0
    found = json.loads(run(CTL, "check", "--json", mount.cache).stdout)
    assert found["state"] == "clean"
