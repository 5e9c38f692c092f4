"""However many want it, the origin is asked once."""
import os
import signal
import subprocess

from limited import Task, eventually, pread_all, read, together, wait_for_exit, within
from origin import FRESH, Response, noise

MIB = 1 << 20


def test_a_hundred_readers_share_one_transfer_and_see_bytes_before_it_ends(mount, origin):
    body = noise(64 * MIB)
    origin.fresh("/big.bin", body, gates={32 * MIB: "half"})
    first, rest = [], []

    def reader():
        with open(mount / "big.bin", "rb", buffering=0) as file:
            at = 0
            while piece := file.read(MIB):
                assert body.startswith(piece, at)
                if at == 0:
                    first.append(len(piece))
                at += len(piece)
            rest.append(at)
    tasks = [Task(reader) for _ in range(100)]
    eventually(lambda: len(first) == 100, "all have their first bytes")
    origin.wait_reached("half")
    assert not rest
    origin.release("half")
    for task in tasks:
        task.result(60)
    assert rest == [len(body)] * 100
    assert origin.count("/big.bin") == 1


def test_readers_waiting_for_the_headers_share_one_request(mount, origin):
    origin.fresh("/a.txt", b"shared", gate="headers")
    tasks = [Task(read, mount / "a.txt") for _ in range(50)]
    origin.wait_reached("headers")
    origin.release("headers")
    assert [task.result() for task in tasks] == [b"shared"] * 50
    assert origin.count("/a.txt") == 1


def test_readers_of_a_response_that_may_not_be_stored_all_get_a_whole_one(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    bodies = [noise(300_000, n) for n in range(20)]
    origin.sequence("/a.bin", *(Response(body, headers=(("Cache-Control", "no-store"),))
                                for body in bodies))
    for body in together([lambda: read(mount / "a.bin")] * 20):
        assert body in bodies
    assert 1 <= origin.count("/a.bin") <= 20


def test_the_transfer_survives_its_first_reader(mount, origin):
    body = noise(2 * MIB)
    origin.fresh("/a.bin", body, gate="headers")
    first = subprocess.Popen(["cat", mount / "a.bin"], stdout=subprocess.DEVNULL)
    origin.wait_reached("headers")
    others = [Task(read, mount / "a.bin") for _ in range(5)]
    first.kill()
    assert wait_for_exit(first) == -signal.SIGKILL
    origin.release("headers")
    assert all(task.result() == body for task in others)
    assert origin.count("/a.bin") == 1


def test_the_transfer_survives_its_first_reader_in_the_body(mount, origin):
    body = noise(2 * MIB)
    origin.fresh("/a.bin", body, gates={MIB: "half"})
    first = subprocess.Popen(["cat", mount / "a.bin"], stdout=subprocess.DEVNULL)
    origin.wait_reached("half")
    others = [Task(read, mount / "a.bin") for _ in range(5)]
    first.kill()
    assert wait_for_exit(first) == -signal.SIGKILL
    origin.release("half")
    assert all(task.result() == body for task in others)
    assert origin.count("/a.bin") == 1


def test_a_name_whose_only_reader_left_is_there_later(mount, origin):
    origin.fresh("/a.bin", b"kept", gate="headers")
    only = subprocess.Popen(["cat", mount / "a.bin"], stdout=subprocess.DEVNULL)
    origin.wait_reached("headers")
    only.kill()
    wait_for_exit(only)
    origin.release("headers")
    assert read(mount / "a.bin") == b"kept"
    assert origin.count("/a.bin") == 1


def test_different_names_are_fetched_side_by_side(mount, origin):
    for number in range(20):
        origin.fresh(f"/{number}.txt", b"%d" % number, gate="all")
    tasks = [Task(read, mount / f"{number}.txt") for number in range(20)]
    origin.wait_reached("all", 20)
    origin.release("all")
    assert [task.result() for task in tasks] == [b"%d" % number for number in range(20)]


def test_a_slow_name_does_not_hold_up_its_directory(mount, origin):
    origin.fresh("/d/slow.txt", b"slow", gate="slow")
    origin.fresh("/d/quick.txt", b"quick")
    slow = Task(read, mount / "d/slow.txt")
    origin.wait_reached("slow")
    assert read(mount / "d/quick.txt") == b"quick"
    assert not slow.done
    origin.release("slow")
    assert slow.result() == b"slow"


def test_max_transfers_limits_how_many_run(make_mount, origin):
    mount = make_mount(origin.url, "max_transfers=2")
    for number in range(6):
        origin.set(f"/{number}.txt", b"x", headers=FRESH, gate="all")
    tasks = [Task(read, mount / f"{number}.txt") for number in range(6)]
    origin.wait_reached("all", 2)
    eventually(lambda: mount.stat("parked") >= 6, "all wait")
    assert origin.count() == 2
    origin.release("all")
    assert [task.result() for task in tasks] == [b"x"] * 6


def test_a_thousand_cold_names_at_once(mount, origin):
    bodies = {f"{n:04}.bin": noise(1000 + n, n) for n in range(1000)}
    for name, body in bodies.items():
        origin.fresh(f"/many/{name}", body)
    listed = sorted(bodies)

    def share(start):
        return lambda: all(read(mount / "many" / name) == bodies[name]
                           for name in listed[start:] + listed[:start])
    assert all(together([share(start) for start in range(0, 1000, 250)], limit=60))
    assert origin.count() == 1000


def test_readers_one_behind_the_other_wait_for_the_one_stream(mount, origin):
    body = noise(20 * MIB)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True, gates={512 * 1024: "on"})
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    origin.wait_reached("on")
    readers = []
    for at in range(512 * 1024, 6 * MIB, 256 * 1024):
        readers.append(Task(pread_all, fd, at, 64 * 1024))
        eventually(lambda: mount.stat("parked") >= len(readers), "the next one waits")
    origin.release("on")
    for number, reader in enumerate(readers):
        at = 512 * 1024 + number * 256 * 1024
        assert reader.result() == body[at:at + 64 * 1024]
    os.close(fd)
    assert origin.count("/a.bin") == 1


def test_fifty_readers_of_one_large_object_cost_one_request(mount, origin):
    bodies = [noise(20 * MIB, n) for n in range(3)]
    for number, body in enumerate(bodies):
        origin.fresh(f"/{number}.bin", body, etag=f'"{number}"', ranges=True)
        assert all(together([lambda n=number: read(mount / f"{n}.bin") == bodies[n]] * 50))
        assert origin.count(f"/{number}.bin") == 1
