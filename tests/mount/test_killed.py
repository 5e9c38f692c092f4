"""After SIGKILL under load the cache is used on, and no byte is wrong."""
import os

import pytest

from limited import Task, error_of, eventually, names, read, run
from mounted import NotMounted
from origin import noise, text

MIB = 1 << 20


def load(origin, n):
    """Bodies of all kinds: packed, files of their own, compressible, empty."""
    bodies = {}
    for number in range(n):
        size = (0, 700, 30_000, 300_000, 1_500_000)[number % 5]
        name = f"d{number % 7}/{number}.bin"
        bodies[name] = (text if number % 2 else noise)(size, number)
        origin.fresh(f"/{name}", bodies[name], etag=f'"{number}"', ranges=True)
    return bodies


def read_all(mount, bodies, part, parts):
    for name in list(bodies)[part::parts]:
        try:
            got = read(mount / name)
        except OSError:  # the daemon was killed
            return
        assert got == bodies[name]


@pytest.mark.parametrize("after", [5, 40, 90, 150])
def test_killed_under_load_and_mounted_again(make_mount, origin, after):
    mount = make_mount(origin.url, "size=64M")
    bodies = load(origin, 200)
    origin.fresh("/last.bin", b"")
    tasks = [Task(read_all, mount, bodies, part, 3) for part in range(3)]
    eventually(lambda: origin.count() >= after, "under load")
    mount.kill()
    for task in tasks:
        task.result()
    mount.start()
    assert mount.disk_use() <= 64 * MIB
    for name, body in bodies.items():
        assert read(mount / name) == body, name
    assert mount.disk_use() <= 64 * MIB
    assert read(mount.control / "health") == b"ok\n"


def test_killed_again_and_again_with_a_full_cache(make_mount, origin):
    mount = make_mount(origin.url, "size=16M")
    bodies = load(origin, 100)
    for crash in range(5):
        tasks = [Task(read_all, mount, bodies, part, 2) for part in range(2)]
        before = origin.count()
        eventually(lambda: origin.count() >= before + 10 or all(task.done for task in tasks))
        mount.kill()
        for task in tasks:
            task.result()
        mount.start()
        assert mount.disk_use() <= 16 * MIB, crash
    for name, body in bodies.items():
        assert read(mount / name) == body


def test_what_was_complete_long_ago_survives_a_kill(mount, origin):
    origin.fresh("/a.bin", noise(300_000))
    assert read(mount / "a.bin") == noise(300_000)
    mount.remount()  # all is written now
    mount.kill()
    mount.start()
    assert read(mount / "a.bin") == noise(300_000)
    assert origin.count("/a.bin") == 1


def test_a_purge_survives_a_kill(mount, origin):
    origin.fresh("/a.txt", b"old")
    read(mount / "a.txt")
    origin.fresh("/a.txt", b"new")
    mount.purge("/a.txt")
    mount.kill()
    mount.start()
    assert read(mount / "a.txt") == b"new"


def test_inode_numbers_are_not_used_again_after_a_kill(mount, origin):
    seen = set()
    for number in range(5):
        origin.fresh(f"/{number}.txt", b"x")
        ino = os.stat(mount / f"{number}.txt").st_ino
        assert ino not in seen
        seen.add(ino)
        mount.kill()
        mount.start()


def test_a_damaged_blob_is_fetched_again_and_never_shown(make_mount, origin):
    mount = make_mount(origin.url, "compress=none")
    bodies = {"small.bin": noise(5000), "large.bin": noise(3 * MIB)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"', ranges=True)
        assert read(mount / name) == body
    assert mount.stop() == 0
    damaged = 0
    for folder, _, files in os.walk(mount.cache / "blobs"):
        for name in files:
            with open(os.path.join(folder, name), "r+b") as file:
                size = os.fstat(file.fileno()).st_size
                for at in range(0, size, 1000):
                    file.seek(at)
                    byte = file.read(1)
                    file.seek(at)
                    file.write(bytes([byte[0] ^ 0x55]))
                damaged += 1
    assert damaged
    mount.start()
    for name, body in bodies.items():
        for _ in range(2):
            try:
                assert read(mount / name) == body
            except OSError:
                pass  # once, while it is found out
        assert read(mount / name) == body
    assert mount.stat("corrupt") >= 1


def test_missing_blobs_are_fetched_again(mount, origin):
    bodies = {"small.bin": noise(5000), "large.bin": noise(3 * MIB)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"', ranges=True)
        read(mount / name)
    assert mount.stop() == 0
    run("find", mount.cache / "blobs", "-type", "f", "-delete")
    mount.start()
    for name, body in bodies.items():
        error_of(read, mount / name)
        assert read(mount / name) == body


@pytest.mark.parametrize("damage", ["garbage", "empty", "short"])
def test_a_damaged_index_is_begun_anew(mount, origin, damage):
    origin.fresh("/a.bin", noise(300_000))
    read(mount / "a.bin")
    assert mount.stop() == 0
    index = mount.cache / "index.db"
    whole = index.read_bytes()
    for name in ("index.db-wal", "index.db-shm"):
        (mount.cache / name).unlink(missing_ok=True)
    index.write_bytes({"garbage": noise(len(whole)), "empty": b"",
                       "short": whole[:len(whole) // 2]}[damage])
    mount.start()
    assert read(mount / "a.bin") == noise(300_000)
    assert mount.stats()["objects"] == 1


def test_strange_files_in_the_cache_directory_harm_nothing(mount, origin):
    origin.fresh("/a.bin", noise(3000))
    read(mount / "a.bin")
    assert mount.stop() == 0
    (mount.cache / "notes.txt").write_text("mine")
    (mount.cache / "blobs" / "zz").mkdir(exist_ok=True)
    (mount.cache / "blobs" / "zz" / "odd name").write_text("odd")
    mount.start()
    assert read(mount / "a.bin") == noise(3000)
    assert (mount.cache / "notes.txt").read_text() == "mine"


def test_a_killed_daemon_leaves_readers_with_an_error(mount, origin):
    origin.fresh("/a.txt", b"late", gate="headers")
    task = Task(error_of, read, mount / "a.txt")
    origin.wait_reached("headers")
    mount.kill()
    assert task.result() is not None
    try:
        mount.start()
    except NotMounted as error:
        raise AssertionError("could not be mounted again") from error
    origin.release("headers")
    assert read(mount / "a.txt") == b"late"
    assert names(mount.dir) == ["a.txt"]
