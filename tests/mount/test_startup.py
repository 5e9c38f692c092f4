"""How the daemon begins, or says in one line why not; and how it ends."""
import errno
import os
import signal
import subprocess

import pytest

from limited import LIMIT, eventually, names, read, run, wait_for_exit, within
from mounted import DAEMON, REPORTS, as_user, mount_entry, processes_naming
from nginx import free_port


class Place:
    def __init__(self, base):
        self.base, self.mnt, self.cache = base, base / "mnt", base / "cache"
        self.mnt.mkdir()


@pytest.fixture
def here(place):
    here = Place(place)
    yield here
    while mount_entry(here.mnt):
        subprocess.run(["umount", "-l", here.mnt], check=True, timeout=LIMIT)
    for pid in processes_naming(here.mnt):
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def webcachefs(*words, uid=None):
    prefix = as_user(uid) if uid is not None else []
    return subprocess.run(prefix + [str(word) for word in (DAEMON, *words)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False)


def refused(here, *words, uid=None):
    """It ends with one clear line and a status, and mounts nothing. The line."""
    done = webcachefs(*words, uid=uid)
    assert done.returncode not in (0, None) and done.returncode > 0, done
    assert done.stdout == ""
    assert done.stderr.startswith("webcachefs: ") and done.stderr.endswith("\n"), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not mount_entry(here.mnt)
    assert not processes_naming(here.mnt)
    return done.stderr


@pytest.mark.parametrize("foreground", [["-f"], []], ids=["foreground", "background"])
@pytest.mark.parametrize("url", ["nonsense", "ftp://example.com/", "http://", "http://[::1", "",
                                 "http://h:0x50/", "http://h:99999/", "https://ex ample.com/",
                                 "http:///path", "file:///etc"])
def test_a_bad_url_is_refused(here, url, foreground):
    refused(here, url, here.mnt, "-o", f"cache_dir={here.cache}", *foreground)
    assert not here.cache.exists()


@pytest.mark.parametrize("option", ["size=nonsense", "size=-5", "ttl=5parsecs", "nonsense",
                                    "nonsense=5", "compress=rar", "retries=x", "max_transfers=0",
                                    "header=no colon", "control_mode=999", "uid=no-such-user",
                                    "header_file=/does/not/exist", "cacert=/does/not/exist"])
def test_a_bad_option_is_refused(here, option):
    line = refused(here, "http://127.0.0.1:9/", here.mnt, "-o", f"cache_dir={here.cache},{option}")
    assert option.partition("=")[0] in line or "/does/not/exist" in line, line


@pytest.mark.parametrize("words", [[], ["http://127.0.0.1:9/"],
                                   ["http://127.0.0.1:9/", "/mnt", "more"], ["--nonsense"]])
def test_bad_usage_is_refused(here, words):
    refused(here, *words)


@pytest.mark.parametrize("foreground", [["-f"], []], ids=["foreground", "background"])
def test_a_missing_mount_point_is_refused(here, foreground):
    line = refused(here, "http://127.0.0.1:9/", here.base / "missing", *foreground,
                   "-o", f"cache_dir={here.cache}")
    assert "missing" in line


def test_a_mount_point_that_is_a_file_is_refused(here):
    (here.base / "file").write_text("x")
    line = refused(here, "http://127.0.0.1:9/", here.base / "file", "-o",
                   f"cache_dir={here.cache}")
    assert "file" in line


def test_a_second_daemon_on_the_same_cache_is_refused(here, make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    line = refused(here, origin.url, here.mnt, "-o", f"cache_dir={mount.cache}")
    assert str(mount.cache) in line
    origin.fresh("/b.txt", b"x")
    assert read(mount / "b.txt") == b"x"


def test_a_cache_below_the_mount_point_is_refused(here):
    refused(here, "http://127.0.0.1:9/", here.mnt, "-o", f"cache_dir={here.mnt}/cache")
    assert os.listdir(here.mnt) == []


def test_the_mount_point_as_cache_is_refused(here):
    refused(here, "http://127.0.0.1:9/", here.mnt, "-o", f"cache_dir={here.mnt}")
    assert os.listdir(here.mnt) == []


def test_a_cache_that_is_a_file_is_refused(here):
    here.cache.write_text("x")
    line = refused(here, "http://127.0.0.1:9/", here.mnt, "-o", f"cache_dir={here.cache}")
    assert str(here.cache) in line


def test_a_cache_where_nothing_can_be_made_is_refused(here):
    line = refused(here, "http://127.0.0.1:9/", here.mnt, "-o", "cache_dir=/proc/nothing/here")
    assert "/proc/nothing/here" in line


def test_a_cache_that_the_user_may_not_write_is_refused(here, fuse_for_all):
    here.cache.mkdir()
    os.chown(here.mnt, 65534, -1)
    line = refused(here, "http://127.0.0.1:9/", here.mnt, "-o", f"cache_dir={here.cache}",
                   uid=65534)
    assert str(here.cache) in line


def test_a_cache_on_a_read_only_disk_is_refused(here):
    here.cache.mkdir()
    run("mount", "--bind", here.cache, here.cache)
    run("mount", "-o", "remount,bind,ro", here.cache)
    try:
        refused(here, "http://127.0.0.1:9/", here.mnt, "-o", f"cache_dir={here.cache}")
    finally:
        run("umount", here.cache)


def test_status_0_means_that_the_mount_answers(here, origin):
    origin.fresh("/a.txt", b"there")
    for _ in range(10):
        done = webcachefs(origin.url, here.mnt, "-o", f"cache_dir={here.cache}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert read(here.mnt / "a.txt") == b"there"
        run("umount", here.mnt)
        eventually(lambda: not running(here.mnt), "the daemon ended")
    assert origin.count() == 1


def running(mnt):
    """Our children that name it and have not ended; those that ended are reaped."""
    alive = []
    for pid in processes_naming(mnt):
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                alive.append(pid)
        except ChildProcessError:
            alive.append(pid)
    return alive


def test_it_starts_though_the_origin_does_not_answer(here):
    done = webcachefs(f"http://127.0.0.1:{free_port()}/", here.mnt, "-o",
                      f"cache_dir={here.cache}")
    assert done.returncode == 0
    assert names(here.mnt) == []


def test_the_daemon_lets_go_of_its_callers_files(here, origin):
    """A shell pipe around it ends when it has gone to the background."""
    done = run("sh", "-c", f"'{DAEMON}' {origin.url} '{here.mnt}' -o cache_dir='{here.cache}' "
                           "2>&1 | cat")
    assert done.stdout == ""
    pids = processes_naming(here.mnt)
    assert len(pids) == 2, "the daemon and its keeper"
    for pid in pids:
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert os.getsid(pid) != os.getsid(0)


@pytest.mark.parametrize("options", [[], ["takeover"]], ids=str)
def test_what_others_mounted_over_it_is_left_alone(make_mount, origin, options):
    mount = make_mount(origin.url, *options)
    origin.fresh("/a.txt", b"there")
    read(mount / "a.txt")
    run("mount", "-t", "tmpfs", "none", mount.dir)
    try:
        (mount.dir / "file").write_text("of somebody else")
        assert mount.terminate() == 0
        assert (mount.dir / "file").read_text() == "of somebody else"
        assert "left alone" in mount.stderr()
    finally:
        run("umount", mount.dir)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_unmounts_cleanly(make_mount, origin, number):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    assert mount.terminate(number) == 0
    assert not mount_entry(mount.dir)
    mount.start()
    assert read(mount / "a.txt") == b"x"
    assert origin.count() == 1


def test_sigterm_ends_also_a_daemon_whose_files_are_open(make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"x")
    fd = within(os.open, mount / "a.txt", os.O_RDONLY)
    try:
        assert mount.terminate() == 0
    finally:
        try:
            os.close(fd)
        except OSError as error:
            assert error.errno == errno.ENOTCONN
    assert not mount_entry(mount.dir)


def test_umount_lazy_ends_the_daemon_when_the_last_file_is_closed(make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"x" * 10)
    file = within(open, mount / "a.txt", "rb")
    run("umount", "-l", mount.dir)
    assert within(file.read) == b"x" * 10
    assert mount.process.poll() is None
    file.close()
    assert mount.wait() == 0


def test_the_mount_shows_its_source_and_type(mount, origin):
    line = run("findmnt", "-n", "-o", "FSTYPE,SOURCE", mount.dir).stdout.split()
    assert line[0] == "fuse.webcachefs"
    assert line[1].startswith(origin.url)


def test_a_password_in_the_url_is_not_shown(make_mount, origin):
    mount = make_mount(origin.url.replace("http://", "http://user:secret@"))
    origin.fresh("/a.txt", b"x")
    assert read(mount / "a.txt") == b"x"
    assert origin.asked("/a.txt")[0].headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert "secret" not in run("findmnt", "-n", mount.dir).stdout
    assert b"secret" not in read(mount.control / "config")
    assert "secret" not in mount.stderr()


def test_help_and_version(place):
    for word in ("-h", "--help"):
        done = webcachefs(word)
        assert done.returncode == 0 and "cache_dir" in done.stdout and done.stderr == ""
    for word in ("-V", "--version"):
        done = webcachefs(word)
        assert done.returncode == 0 and "webcachefs" in done.stdout


def test_two_mounts_with_caches_of_their_own(make_mount, origin, make_origin):
    other = make_origin()
    origin.fresh("/a.txt", b"one")
    other.fresh("/a.txt", b"two")
    first, second = make_mount(origin.url), make_mount(other.url)
    assert (read(first / "a.txt"), read(second / "a.txt")) == (b"one", b"two")


def test_one_cache_for_another_origin_later(make_mount, origin, make_origin, place):
    """Keys are URLs: what one origin said is never shown for another."""
    other = make_origin()
    origin.fresh("/a.txt", b"one")
    other.fresh("/a.txt", b"two")
    first = make_mount(origin.url, cache=place / "one")
    assert read(first / "a.txt") == b"one"
    assert first.stop() == 0
    second = make_mount(other.url, cache=place / "one")
    assert names(second.dir) == []
    assert read(second / "a.txt") == b"two"


def test_the_cache_directory_is_closed_to_others(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    assert os.stat(mount.cache).st_mode & 0o077 == 0


def test_nothing_is_said_in_a_quiet_life(make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    assert mount.stop() == 0
    assert mount.stderr() == ""


def test_debug_says_more(origin, here):
    stderr = here.base / "stderr"
    with open(stderr, "wb") as out:
        process = subprocess.Popen([DAEMON, origin.url, here.mnt, "-d", "-o",
                                    f"cache_dir={here.cache}"], stderr=out, stdout=out)
    try:
        eventually(lambda: mount_entry(here.mnt), "mounted")
        origin.fresh("/a.txt", b"x")
        assert read(here.mnt / "a.txt") == b"x"
        run("umount", here.mnt)
        assert wait_for_exit(process) == 0
    finally:
        process.kill()
    assert "LOOKUP" in stderr.read_text()
    assert not REPORTS.search(stderr.read_text())
