"""The daemon dies, another one takes over the mount, and who uses it sees nothing of it."""
import contextlib
import ctypes
import errno
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

import pytest

from limited import (LIMIT, Task, error_of, eventually, opening, outcome, read, run, stat,
                     wait_for_exit, within)
from mounted import DAEMON, as_user, disk_use, mount_entry, processes_naming
from origin import noise, text

MIB = 1 << 20
MNT_DETACH = 2
NOBODY = 65534


def kernel_resends():
    """FUSE_NOTIFY_RESEND is of Linux 6.9."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(filter(str.isdigit, minor)))) >= (6, 9)


pytestmark = pytest.mark.skipif(not kernel_resends(), reason="Linux before 6.9")


def child_of(pid):
    """The one child of that process, or None."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        words = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if words:
            return int(words[0])
    return None


def kill_daemon(keeper, number=signal.SIGKILL):
    """It dies, and is another one when this returns."""
    old = eventually(lambda: child_of(keeper))
    os.kill(old, number)
    eventually(lambda: child_of(keeper) not in (None, old), "another one")


def settle(mount):
    """Until everything has come to rest: what a crash takes then is in memory alone."""
    def arriving():
        db = sqlite3.connect(f"file:{mount.cache / 'index.db'}?mode=ro", uri=True, timeout=5)
        with contextlib.closing(db):
            return db.execute("SELECT count(*) FROM version WHERE kind = 1").fetchone()[0]
    eventually(lambda: arriving() == 0, "stored")


def drop_pages(fd):
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


@pytest.fixture
def kept(make_mount, origin):
    """The origin, mounted with a keeper."""
    return make_mount(origin.url, "takeover")


def pread(fd, length, at):
    return within(os.pread, fd, length, at)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSYS])
def test_a_stored_file_is_read_on(kept, origin, number):
    body = noise(3 * MIB)
    origin.fresh("/a.bin", body)
    assert read(kept / "a.bin") == body
    with open(kept / "a.bin", "rb", buffering=0) as file:
        assert pread(file.fileno(), 1000, 0) == body[:1000]
        settle(kept)
        kill_daemon(kept.process.pid, number)
        drop_pages(file.fileno())
        assert within(file.readall) == body
    assert origin.count("/a.bin") == 1
    assert kept.stat("takeovers") == 1
    assert read(kept / "a.bin") == body
    assert origin.count("/a.bin") == 1


def test_a_packed_and_a_compressed_file_are_read_on(kept, origin):
    bodies = {"small.txt": text(3000), "large.txt": text(MIB), "empty.txt": b""}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body)
        assert read(kept / name) == body
    settle(kept)
    fds = {name: os.open(kept / name, os.O_RDONLY) for name in bodies}
    kill_daemon(kept.process.pid)
    for name, fd in fds.items():
        drop_pages(fd)
        assert pread(fd, 2 * MIB, 0) == bodies[name], name
        assert os.fstat(fd).st_size == len(bodies[name])
        os.close(fd)
    assert [origin.count(f"/{name}") for name in bodies] == [1, 1, 1]


def test_who_waits_for_a_name_gets_it(kept, origin):
    origin.fresh("/a.txt", b"slow", gate="held")
    reader = Task(read, kept / "a.txt")
    origin.wait_reached("held")
    kill_daemon(kept.process.pid)
    eventually(lambda: origin.count("/a.txt") == 2, "asked for again")
    origin.release("held")
    assert reader.result() == b"slow"


def test_many_who_wait_for_a_name_cost_one_request(kept, origin):
    origin.fresh("/a.txt", b"slow", gate="held")
    readers = [Task(read, kept / "a.txt") for _ in range(20)]
    origin.wait_reached("held")
    eventually(lambda: opening() >= 20)
    kill_daemon(kept.process.pid)
    eventually(lambda: origin.count("/a.txt") == 2, "asked for again")
    origin.release("held")
    assert [reader.result() for reader in readers] == [b"slow"] * 20
    assert origin.count("/a.txt") == 2


@pytest.mark.parametrize("ranges", [True, False])
def test_what_was_arriving_is_taken_up_again(kept, origin, ranges):
    body = noise(4 * MIB)
    origin.fresh("/a.bin", body, etag='"1"', ranges=ranges, gates={MIB: "held"})
    with open(kept / "a.bin", "rb", buffering=0) as file:
        reader = Task(file.readall)
        origin.wait_reached("held")
        origin.fresh("/a.bin", body, etag='"1"', ranges=ranges)
        kill_daemon(kept.process.pid)
        assert reader.result() == body
    asked = origin.asked("/a.bin")[1:]
    if ranges:
        assert {request.headers["if-range"] for request in asked} == {'"1"'}
    else:
        assert len(asked) == 1, "one stream is for all who wait"
    origin.release("held")


def test_what_changed_meanwhile_is_not_mixed(kept, origin):
    old, new = noise(4 * MIB, 1), noise(4 * MIB, 2)
    origin.fresh("/a.bin", old, etag='"1"', ranges=True, gates={MIB: "held"})
    with open(kept / "a.bin", "rb", buffering=0) as file:
        assert pread(file.fileno(), 1000, 0) == old[:1000]
        origin.wait_reached("held")
        origin.fresh("/a.bin", new, etag='"2"', ranges=True)
        kill_daemon(kept.process.pid)
        assert error_of(os.pread, file.fileno(), 1000, 3 * MIB) == errno.ESTALE
    origin.release("held")
    assert read(kept / "a.bin") == new


def test_without_a_validator_it_is_stale_and_served_to_who_comes_next(kept, origin):
    body = noise(4 * MIB)
    origin.fresh("/a.bin", body, gates={MIB: "held"})
    with open(kept / "a.bin", "rb", buffering=0) as file:
        assert pread(file.fileno(), 1000, 0) == body[:1000]
        origin.wait_reached("held")
        origin.fresh("/a.bin", body)
        kill_daemon(kept.process.pid)
        assert error_of(os.pread, file.fileno(), 1000, 3 * MIB) == errno.ESTALE
        origin.release("held")
        assert read(kept / "a.bin") == body


def test_what_is_not_stored_is_served_to_who_comes_next(kept, origin):
    origin.set("/a.txt", b"secret" * 100, headers=(("Cache-Control", "no-store"),))
    with open(kept / "a.txt", "rb", buffering=0) as file:
        kill_daemon(kept.process.pid)
        drop_pages(file.fileno())
        assert error_of(os.pread, file.fileno(), 10, 0) == errno.ESTALE
    assert read(kept / "a.txt") == b"secret" * 100


def test_an_old_version_is_read_on(kept, origin):
    old, new = noise(MIB, 1), noise(MIB, 2)
    origin.fresh("/a.bin", old)
    with open(kept / "a.bin", "rb", buffering=0) as file:
        assert within(file.readall) == old
        origin.fresh("/a.bin", new)
        kept.purge("/a.bin")
        assert read(kept / "a.bin") == new
        kill_daemon(kept.process.pid)
        drop_pages(file.fileno())
        got = outcome_at(file.fileno(), 1000, 5000)
        # Its body may have gone with the daemon that kept it for its readers.
        assert got in (old[5000:6000], errno.ESTALE)
    assert read(kept / "a.bin") == new


def outcome_at(fd, length, at):
    try:
        return pread(fd, length, at)
    except OSError as error:
        return error.errno


def test_of_what_nobody_wants_any_more_nothing_is_left(kept, origin):
    origin.fresh("/a.bin", noise(40 * MIB), etag='"1"', ranges=True, gates={30 * MIB: "held"})
    reader = subprocess.Popen(["cat", str(kept / "a.bin")], stdout=subprocess.DEVNULL)
    origin.wait_reached("held")
    eventually(lambda: list((kept.cache / "partial").iterdir()), "in a file")
    os.kill(kept.process.pid, signal.SIGSTOP)
    daemon = child_of(kept.process.pid)
    os.kill(daemon, signal.SIGKILL)
    reader.kill()
    os.kill(kept.process.pid, signal.SIGCONT)
    eventually(lambda: child_of(kept.process.pid) not in (None, daemon), "another one")
    wait_for_exit(reader)
    origin.release("held")
    origin.fresh("/b.txt", b"b")
    assert read(kept / "b.txt") == b"b"

    def agrees():
        saved = list((kept.cache / "partial").iterdir())
        used = kept.stat("bytes_used")
        # Room is reserved for what is fetched ahead.
        return len(saved) <= 1 and abs(used - disk_use(kept.cache)) < 16 * MIB
    eventually(agrees, "what is counted is what is there")


def test_directories_are_the_same(kept, origin):
    origin.fresh("/one/two/a.txt", b"a")
    origin.fresh("/one/b.txt", b"b")
    assert read(kept / "one/two/a.txt") == b"a"
    inside = os.open(kept / "one/two", os.O_RDONLY | os.O_DIRECTORY)
    control = os.open(kept.control, os.O_RDONLY | os.O_DIRECTORY)
    numbers = [stat(kept / name).st_ino for name in ("one", "one/two", ".control")]
    kill_daemon(kept.process.pid)
    # Those that somebody has open.
    assert [stat(kept / name).st_ino for name in ("one", "one/two", ".control")] == numbers
    assert within(os.fstat, inside).st_ino == numbers[1]
    assert "stats" in within(os.listdir, control)
    os.close(control)
    above = within(os.open, "../b.txt", os.O_RDONLY, dir_fd=inside)
    assert os.read(above, 10) == b"b"
    os.close(above)
    assert run("cat", "a.txt", cwd=f"/proc/self/fd/{inside}", pass_fds=[inside]).stdout == "a"
    assert within(os.listdir, inside) == ["a.txt"]
    os.close(inside)


NAMES = [f"name-{number:04}-{'x' * 60}.txt" for number in range(1500)]


def read_names_and_kill(mount):
    with os.scandir(mount / "dir") as entries:
        got = [next(entries).name for _ in range(10)]
        kill_daemon(mount.process.pid)
        got += [entry.name for entry in entries]
    assert sorted(got) == NAMES
    assert mount.stat("takeovers") == 1


def test_a_directory_that_is_being_read_is_read_on(kept, origin):
    for name in NAMES:
        origin.fresh(f"/dir/{name}", b"x")
    for name in NAMES:
        stat(kept / "dir" / name)
    settle(kept)
    read_names_and_kill(kept)


def test_a_directory_of_the_origin_is_read_on(make_mount, make_nginx, place):
    (place / "root/dir").mkdir(parents=True)
    for name in NAMES:
        (place / "root/dir" / name).touch()
    server = make_nginx(place / "root", extra="autoindex on;")
    read_names_and_kill(make_mount(server.url, "takeover", "listing=html"))


def test_a_control_file_that_was_open_is_written(kept, origin):
    origin.fresh("/a.txt", b"old")
    assert read(kept / "a.txt") == b"old"
    settle(kept)
    purge = os.open(kept.control / "purge", os.O_WRONLY)
    stats = os.open(kept.control / "stats", os.O_RDONLY)
    kill_daemon(kept.process.pid)
    origin.fresh("/a.txt", b"new")
    assert read(kept / "a.txt") == b"old"
    assert within(os.write, purge, b"/a.txt\n") == 7
    assert read(kept / "a.txt") == b"new"
    drop_pages(stats)
    assert outcome_at(stats, 100, 0) == errno.ESTALE
    os.close(purge)
    os.close(stats)


def test_what_was_purged_stays_so(kept, origin):
    origin.fresh("/a.txt", b"old")
    assert read(kept / "a.txt") == b"old"
    kept.purge("/a.txt")
    origin.fresh("/a.txt", b"new")
    kill_daemon(kept.process.pid)
    assert read(kept / "a.txt") == b"new"


def test_the_origin_is_down_meanwhile(kept, origin):
    origin.fresh("/a.txt", b"stored")
    assert read(kept / "a.txt") == b"stored"
    settle(kept)
    origin.close()
    kill_daemon(kept.process.pid)
    assert read(kept / "a.txt") == b"stored"
    assert outcome(kept / "b.txt") == errno.ECONNREFUSED
    origin.failures.clear()


def test_who_gives_up_is_let_go(kept, origin):
    origin.fresh("/a.txt", b"slow", gate="held")
    reader = subprocess.Popen(["cat", str(kept / "a.txt")], stderr=subprocess.DEVNULL)
    origin.wait_reached("held")
    kill_daemon(kept.process.pid)
    eventually(lambda: origin.count("/a.txt") == 2, "asked for again")
    reader.send_signal(signal.SIGINT)
    assert wait_for_exit(reader) == -signal.SIGINT
    origin.release("held")


def test_the_index_is_damaged_meanwhile(kept, origin):
    """What is known by its row alone is lost, and all else goes on."""
    origin.fresh("/d/a.bin", noise(MIB))
    with open(kept / "d/a.bin", "rb", buffering=0) as file:
        inside = os.open(kept / "d", os.O_RDONLY)
        within(file.readall)
        os.kill(kept.process.pid, signal.SIGSTOP)
        old = child_of(kept.process.pid)
        os.kill(old, signal.SIGKILL)
        for path in kept.cache.glob("index.db*"):
            path.write_bytes(b"nonsense" * 1000)
        os.kill(kept.process.pid, signal.SIGCONT)
        eventually(lambda: child_of(kept.process.pid) not in (None, old))
        drop_pages(file.fileno())
        assert outcome_at(file.fileno(), 10, 0) == errno.ESTALE
    assert read(f"/proc/self/fd/{inside}/a.bin") == noise(MIB)
    assert read(kept / "d/a.bin") == noise(MIB)
    os.close(inside)


# Each is a place at which a body comes to rest, or goes.
@pytest.mark.parametrize("step", ["arrive", "partial", "compress", "append", "rename", "renamed",
                                  "stored", "commit", "committed"])
def test_killed_at_a_step_nobody_sees_it(make_mount, origin, step):
    mount = make_mount(origin.url, "takeover", env={"WEBCACHEFS_CRASH_AT": step})
    bodies = {f"{n}.bin": (text if n % 2 else noise)((5 * MIB, 900, 300_000)[n % 3], n)
              for n in range(30)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag=f'"{name}"', ranges=True)
    tasks = [Task(read, mount / name) for name in bodies]
    for name, task in zip(bodies, tasks):
        assert task.result() == bodies[name], name
    # What came too fast to be packed is not; some more, one by one.
    for number in range(100):
        if mount.stat("takeovers") == 1:
            break
        bodies[f"more-{number}.txt"] = text(5 * MIB, number)
        origin.fresh(f"/more-{number}.txt", bodies[f"more-{number}.txt"], etag='"1"', ranges=True)
        assert read(mount / f"more-{number}.txt") == bodies[f"more-{number}.txt"]
    assert mount.stat("takeovers") == 1
    for name, body in bodies.items():
        assert read(mount / name) == body


def test_a_web_server_in_front_sees_nothing(make_mount, make_nginx, origin):
    bodies = {f"/{n % 5}/{n}.bin": noise(20_000 + n, n) for n in range(120)}
    for path, body in bodies.items():
        origin.fresh(path, body, etag='"1"', ranges=True)
    mount = make_mount(origin.url, "takeover", "allow_other")
    server = make_nginx(mount.dir, workers=8)

    def get_some(part):
        for path in list(bodies)[part::4]:
            status, _, got = server.get(path)
            assert (status, got) == (200, bodies[path]), path
    tasks = [Task(get_some, part) for part in range(4)]
    eventually(lambda: origin.count() >= 40)
    kill_daemon(mount.process.pid)
    for task in tasks:
        task.result()
    assert mount.stat("takeovers") == 1


def test_what_killed_two_is_not_asked_of_a_third(kept, origin):
    origin.fresh("/good.txt", b"good")
    origin.fresh("/a.txt", b"slow", gate="held")
    reader = Task(outcome, kept / "a.txt")
    origin.wait_reached("held")
    kill_daemon(kept.process.pid)
    eventually(lambda: origin.count("/a.txt") == 2, "asked for again")
    kill_daemon(kept.process.pid)
    assert reader.result() == errno.EIO
    assert origin.count("/a.txt") == 2
    assert read(kept / "good.txt") == b"good"
    origin.release("held")
    assert read(kept / "a.txt") == b"slow"


def test_daemons_that_die_at_once_end_with_a_dead_mount(kept, origin):
    origin.fresh("/a.txt", b"a")
    kept.ended_well = False
    keeper = kept.process.pid
    deaths = time.monotonic()
    for _ in range(5):
        kill_daemon(keeper)
    # Whatever the keeper starts behind this one, as a sanitizer may, is none.
    os.kill(child_of(keeper), signal.SIGKILL)
    eventually(lambda: kept.process.poll() is not None, "given up")
    assert time.monotonic() - deaths > 1, "it waits before it tries again"
    assert kept.process.returncode == 1
    assert "given up" in kept.stderr()
    assert error_of(os.stat, kept / "a.txt") == errno.ENOTCONN
    run("umount", "-l", kept.dir)


def test_the_keeper_dies(kept, origin):
    """Nobody is left behind."""
    origin.fresh("/a.txt", b"a")
    assert read(kept / "a.txt") == b"a"
    kept.ended_well = False
    daemon = child_of(kept.process.pid)
    kept.process.kill()
    eventually(lambda: not mount_entry(kept.dir), "unmounted")
    eventually(lambda: not processes_naming(kept.dir), "ended")
    with contextlib.suppress(ChildProcessError):
        os.waitpid(daemon, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("deaths", [0, 1])
def test_signals_are_passed_on(kept, origin, number, deaths):
    for _ in range(deaths):
        kill_daemon(kept.process.pid)
        assert read(kept.control / "health") == b"ok\n"
    assert kept.terminate(number) == 0
    assert not mount_entry(kept.dir)
    assert not processes_naming(kept.dir)


def test_who_is_told_to_reopen_its_log_while_it_takes_over(make_mount, origin, place):
    mount = make_mount(origin.url, "takeover", f"access_log={place / 'log'}")
    daemon = child_of(mount.process.pid)
    os.kill(daemon, signal.SIGKILL)
    for _ in range(200):
        mount.process.send_signal(signal.SIGHUP)
        time.sleep(0.001)
    assert mount.stat("takeovers") == 1


def test_children_that_nobody_waits_for(make_mount, origin):
    """SIGCHLD that is ignored stays so in who is executed."""
    mount = make_mount(origin.url, "takeover", prefix=[
        "python3", "-c", "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "os.execvp(sys.argv[1], sys.argv[1:])"])
    origin.fresh("/a.txt", b"a")
    kill_daemon(mount.process.pid)
    assert read(mount / "a.txt") == b"a"


def test_it_is_told_to_end_while_the_daemon_is_dead(kept):
    keeper = kept.process.pid
    os.kill(keeper, signal.SIGSTOP)
    os.kill(child_of(keeper), signal.SIGKILL)
    os.kill(keeper, signal.SIGTERM)
    os.kill(keeper, signal.SIGCONT)
    assert kept.wait() == 0
    assert not mount_entry(kept.dir)
    assert not processes_naming(kept.dir)


def test_it_is_unmounted_while_the_daemon_is_dead(kept):
    keeper = kept.process.pid
    os.kill(keeper, signal.SIGSTOP)
    os.kill(child_of(keeper), signal.SIGKILL)
    # umount(8) would ask the daemon first.
    assert ctypes.CDLL(None).umount2(os.fsencode(kept.dir), MNT_DETACH) == 0
    os.kill(keeper, signal.SIGCONT)
    assert wait_for_exit(kept.process) == 0
    assert not processes_naming(kept.dir)


def test_the_log_goes_on(make_mount, origin, place):
    log = place / "log"
    mount = make_mount(origin.url, "takeover", f"access_log={log}")
    origin.fresh("/a.txt", b"a")
    origin.fresh("/b.txt", b"b")
    read(mount / "a.txt")
    eventually(lambda: "/a.txt" in log.read_text())
    log.rename(place / "log.1")
    mount.process.send_signal(signal.SIGHUP)
    eventually(log.exists)
    kill_daemon(mount.process.pid)
    read(mount / "b.txt")
    eventually(lambda: "/b.txt" in log.read_text())
    assert "/b.txt" not in (place / "log.1").read_text()


def test_of_a_user(make_mount, origin, fuse_for_all):
    mount = make_mount(origin.url, "takeover", user=NOBODY)
    origin.fresh("/a.txt", b"a" * 10000)

    def cat():
        return run(*as_user(NOBODY), "cat", mount / "a.txt").stdout
    assert cat() == "a" * 10000
    kill_daemon(mount.process.pid)
    assert cat() == "a" * 10000
    assert mount.terminate() == 0
    assert not mount_entry(mount.dir)


def test_in_the_background_it_is_the_default(place, origin):
    origin.fresh("/a.txt", b"a")
    mnt = place / "mnt"
    mnt.mkdir()
    run(DAEMON, origin.url, mnt, "-o", f"cache_dir={place / 'cache'},listing=off")
    try:
        keeper = eventually(lambda: next((pid for pid in processes_naming(mnt)
                                          if child_of(pid)), None))
        assert read(mnt / "a.txt") == b"a"
        kill_daemon(keeper)
        assert read(mnt / "a.txt") == b"a"
        assert len(processes_naming(mnt)) == 2
        # Nothing of where it was started.
        for pid in processes_naming(mnt):
            for fd in "0", "1", "2":
                assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"
            assert os.readlink(f"/proc/{pid}/cwd") == "/"
    finally:
        run("umount", mnt)
    assert within(os.waitpid, keeper, 0)[1] == 0
    assert not processes_naming(mnt)


@pytest.mark.parametrize("options", ["takeover=no", "-f"])
def test_without_it_the_mount_is_dead(place, origin, options):
    mnt = place / "mnt"
    mnt.mkdir()
    words = [options] if options == "-f" else ["-o", options]
    daemon = subprocess.Popen([DAEMON, origin.url, mnt, "-o", f"cache_dir={place / 'cache'}",
                               *words])
    eventually(lambda: mount_entry(mnt))
    try:
        within(os.statvfs, mnt)
        if options != "-f":
            assert daemon.wait(LIMIT) == 0
        pid, = processes_naming(mnt)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: error_of(os.stat, mnt / "a.txt") == errno.ENOTCONN)
        daemon.wait(LIMIT)
    finally:
        run("umount", "-l", mnt)
