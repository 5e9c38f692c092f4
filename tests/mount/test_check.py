"""webcachectl check: whatever is wrong with a cache is found, taken away and said; what is
right stays."""
import json
import os
import pty
import random
import shutil
import sqlite3

import pytest

from limited import Task, error_of, eventually, read, read_at, run
from mounted import BUILD
from origin import noise, text

MIB = 1 << 20
CTL = BUILD / "ctl" / "webcachectl"
FAULTS = ("damaged_index", "damaged_rows", "damaged_bodies", "missing_bodies", "leftover_rows",
          "orphan_files", "wrong_counters")


def offer(origin):
    """Packed, plain files, compressed files, and one that is not fetched to its end."""
    bodies = {}
    for number in range(24):
        size = (700, 30_000, 300_000, 900_000)[number % 4]
        bodies[f"{number}.bin"] = (text if number // 4 % 2 else noise)(size, number)
    bodies["long.bin"] = noise(9 * MIB)
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"', ranges=True)
    return bodies


def fill(mount, bodies):
    for name, body in bodies.items():
        if name == "long.bin":
            assert read_at(mount / name, 0, 65536) == body[:65536]
        else:
            assert read(mount / name) == body, name


def check_reads(mount, bodies):
    for name, body in bodies.items():
        assert read(mount / name) == body, name


@pytest.fixture
def bodies(origin):
    return offer(origin)


@pytest.fixture
def mount(make_mount, origin, bodies):
    mount = make_mount(origin.url)
    fill(mount, bodies)
    return mount


def check(*args):
    """Exit status, and what was wrong."""
    done = run(CTL, *args, "check", "--json", check=False) if args and args[0] == "-m" else \
        run(CTL, "check", "--json", *args, check=False)
    if not done.stdout:
        return done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert found["elapsed_ms"] >= 0
    return done.returncode, {name: found[name] for name in FAULTS if found[name]}


def files(cache, folder="blobs"):
    return sorted(os.path.join(where, name) for where, _, names in os.walk(cache / folder)
                  for name in names)


def flip(path, at):
    with open(path, "r+b", buffering=0) as file:
        byte = os.pread(file.fileno(), 1, at)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 16]), at)


def in_index(cache, sql, *args):
    db = sqlite3.connect(cache / "index.db", timeout=20)
    try:
        rows = db.execute(sql, args).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def is_segment(path):
    return os.path.basename(path).startswith(("seg-", "raw-"))


def large(cache):
    return [path for path in files(cache) if not is_segment(path)]


def segments(cache):
    return [path for path in files(cache) if is_segment(path) and os.path.getsize(path)]


def test_a_clean_cache(mount, bodies):
    done = run(CTL, "-m", mount.dir, "check")
    assert done.stdout.startswith("clean: ")
    assert json.loads(read(mount.control / "check"))["bodies"] >= len(bodies) - 1
    assert mount.stop() == 0
    done = run(CTL, "check", mount.cache)
    assert done.stdout.startswith(f"clean: {len(bodies)} rows, {len(bodies)} bodies, ")
    assert done.stderr == ""


def damage_a_row(cache):
    in_index(cache, "UPDATE version SET etag = '\"2\"' WHERE ino ="
             " (SELECT ino FROM version WHERE key LIKE '%/5.bin')")


def damage_a_segment(cache):
    (segment, at), = in_index(cache, "SELECT blob_id, blob_offset FROM version"
                              " WHERE key LIKE '%/8.bin'")
    path, = (cache / "blobs").glob(f"*-{segment:08}")
    flip(path, at + 50)


def damage_all_files(cache):
    for path in large(cache):
        flip(path, os.path.getsize(path) // 2)


def cut_a_file(cache):
    os.truncate(large(cache)[0], 100_000)


def delete_a_file(cache):
    os.unlink(large(cache)[1])


def delete_the_segments(cache):
    for path in segments(cache):
        os.unlink(path)


def add_orphans(cache):
    (cache / "blobs" / "07").mkdir(exist_ok=True)
    orphans = [cache / "blobs" / "07" / "1799", cache / "blobs" / "07" / "7.tmp",
               cache / "partial" / "77", cache / "blobs" / "seg-00000099"]
    shutil.copy(large(cache)[0], orphans[0])
    orphans[1].write_bytes(b"x")
    orphans[2].write_bytes(b"x" * 1000)
    shutil.copy(segments(cache)[0], orphans[3])


def miscount(cache):
    in_index(cache, "UPDATE value SET data = x'0500000000000000" "0500000000000000"
             "0500000000000000' WHERE name = 'sums'")


def damage_a_partial(cache):
    path, = files(cache, "partial")
    flip(path, 200_000)


def delete_a_partial(cache):
    path, = files(cache, "partial")
    os.unlink(path)


def damage_the_index(cache):
    with open(cache / "index.db", "r+b") as file:
        file.seek(4096)
        file.write(noise(os.path.getsize(cache / "index.db") - 4096))


DAMAGES = {
    damage_a_row: {"damaged_rows": 1},
    damage_a_segment: {"damaged_bodies": 1},
    damage_all_files: {"damaged_bodies": 12},
    cut_a_file: {"damaged_bodies": 1},
    delete_a_file: {"missing_bodies": 1},
    delete_the_segments: {"missing_bodies": 12},
    # The highest segment is emptied, not deleted.
    add_orphans: {"orphan_files": 4},
    miscount: {"wrong_counters": 1},
    damage_a_partial: {"damaged_bodies": 1},
    delete_a_partial: {"missing_bodies": 1},
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_offline(mount, bodies, origin, damage):
    assert mount.stop() == 0
    damage(mount.cache)
    status, found = check(mount.cache)
    # The body of a damaged row goes with it, in the same check or as an orphan.
    found.pop("orphan_files", 0) if damage is damage_a_row else None
    found.pop("wrong_counters", 0) if damage is damage_a_row else None
    assert (status, found) == (1, DAMAGES[damage])
    assert check(mount.cache) == (0, {})
    origin.requests.clear()
    mount.start()
    check_reads(mount, bodies)
    assert mount.stat("corrupt") == 0
    wrong = sum(n for name, n in found.items() if "bodies" in name or "rows" in name)
    assert wrong <= len({request.target for request in origin.requests}) <= wrong + 1


def test_offline_of_a_damaged_index(mount, bodies, origin):
    assert mount.stop() == 0
    damage_the_index(mount.cache)
    status, found = check(mount.cache)
    assert status == 1 and found["damaged_index"] == 1
    assert not large(mount.cache)
    assert check(mount.cache) == (0, {})
    mount.start()
    check_reads(mount, bodies)


def test_offline_after_a_kill(mount, bodies):
    mount.kill()
    status, found = check(mount.cache)
    assert status in (0, 1) and not {"damaged_rows", "damaged_bodies"} & found.keys()
    assert check(mount.cache) == (0, {})
    mount.start()
    check_reads(mount, bodies)


@pytest.mark.parametrize("damage", [damage_a_segment, damage_all_files, delete_a_file,
                                    damage_a_partial], ids=lambda damage: damage.__name__)
def test_online(mount, bodies, damage):
    """Of what was not read since the start."""
    assert mount.stop() == 0
    damage(mount.cache)
    mount.start()
    assert check("-m", mount.dir) == (1, DAMAGES[damage])
    assert mount.stat("corrupt") > 0
    corrupt = mount.stat("corrupt")
    assert check("-m", mount.dir) == (0, {})
    check_reads(mount, bodies)
    assert mount.stat("corrupt") == corrupt
    assert check("-m", mount.dir) == (0, {})


def test_online_of_a_damaged_row(mount, bodies):
    mount.remount()
    damage_a_row(mount.cache)
    status, found = check("-m", mount.dir)
    assert status == 1 and found["damaged_rows"] == 1
    check_reads(mount, bodies)


def test_online_when_all_is_in_use(mount, bodies):
    """Reads and purges go on: what comes and goes meanwhile is no fault."""
    names = sorted(bodies)

    def work(seed):
        draw = random.Random(seed)
        for _ in range(60):
            name = draw.choice(names)
            if draw.random() < 0.3:
                mount.purge(f"/{name}")
            assert read(mount / name) == bodies[name], name
    workers = [Task(work, seed) for seed in range(3)]
    checks = 0
    while not all(worker.done for worker in workers) or checks < 3:
        assert check("-m", mount.dir) == (0, {})
        checks += 1
    for worker in workers:
        worker.result()
    assert mount.stat("corrupt") == 0
    mount.remount()
    check_reads(mount, bodies)


def test_a_directory_in_use_is_checked_through_its_mount(mount, make_mount, origin, place):
    done = run(CTL, "-m", mount.dir, "check", mount.cache)
    assert done.stdout.startswith("clean: ")
    assert json.loads(read(mount.control / "check"))["state"] == "clean"
    other = make_mount(origin.url)
    done = run(CTL, "-m", other.dir, "check", mount.cache, check=False)
    assert done.returncode == 2 and "is in use" in done.stderr


def test_what_is_no_cache(place):
    assert check(place)[0] == 2
    assert check(place / "none") == (2, f"webcachectl: {place / 'none'} is no cache directory\n")
    assert os.listdir(place) == []
    assert run(CTL, "check", "a", "b", check=False).returncode == 2


def test_orders(mount):
    assert json.loads(read(mount.control / "check"))["state"] == "never"
    for order in ("", "stop\n", "start\nstart\n", "starts"):
        if order:
            assert error_of(mount.write, "check", order) is not None
    assert json.loads(read(mount.control / "check"))["state"] == "never"
    mount.write("check", "start")
    eventually(lambda: json.loads(read(mount.control / "check"))["state"] == "clean", "clean")


def test_unmounted_while_it_checks(mount):
    for _ in range(3):
        mount.write("check", "start\n")
        mount.remount()


def test_progress_on_a_terminal(mount):
    assert mount.stop() == 0
    ours, its = pty.openpty()
    try:
        done = run("setpriv", "--", "sh", "-c", f"exec {CTL} check {mount.cache} 2>/dev/fd/{its}",
                   pass_fds=[its])
        assert done.stdout.startswith("clean: ")
        seen = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(its)
    assert "\rchecking: " in seen.replace("\x1b[K", "") and "0 faults" in seen
