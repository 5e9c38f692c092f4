"""Nobody but root can put bytes of his own where others read: not even for a moment."""
import errno
import mmap
import os
import signal
import subprocess

import pytest

from limited import Task, error_of, eventually, read, within
from mounted import as_user
from origin import noise

NOBODY = 65534


def shell_as(uid, command):
    return subprocess.run(as_user(uid) + ["sh", "-c", command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20, check=False)


@pytest.mark.parametrize("options", [["allow_other"], ["allow_other", "umask=022"],
                                     ["allow_other", "takeover"]], ids=str)
def test_others_cannot_open_for_writing(make_mount, origin, options):
    """OPEN is not sent: who could open a file for writing could map it, and write there."""
    mount = make_mount(origin.url, *options)
    origin.fresh("/a.txt", b"right")
    assert read(mount / "a.txt") == b"right"
    for how in "3<>", "3>", "3>>":
        done = shell_as(NOBODY, f"exec {how} {mount.dir}/a.txt")
        assert done.returncode and "denied" in done.stdout, done.stdout
    assert read(mount / "a.txt") == b"right"


def scribble(path, body):
    """Writes to the pages that the kernel keeps of a file, as root can."""
    fd = os.open(path, os.O_RDWR)
    try:
        with mmap.mmap(fd, len(body), mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as pages:
            pages[:] = body
    finally:
        try:
            os.close(fd)
        except OSError:
            pass


def test_what_root_wrote_goes_however_many_files_it_were(make_mount, origin):
    mount = make_mount(origin.url, "allow_other")
    files = [f"{n}.txt" for n in range(300)]
    for name in files:
        origin.fresh(f"/{name}", b"right")
        assert read(mount / name) == b"right"

    def all_at_once():
        for name in files:
            scribble(mount / name, b"wrong")
    within(all_at_once)

    def right(name):
        try:
            return read(mount / name) == b"right"
        except OSError as error:
            return error.errno != errno.EIO
    eventually(lambda: all(right(name) for name in files), "all as the origin sent them")


def test_it_ends_although_a_file_was_written_to_that_is_still_arriving(make_mount, origin):
    """The pages that are to be dropped belong to READs that wait for the origin."""
    mount = make_mount(origin.url)
    body = noise(4 << 20)
    origin.fresh("/a.bin", body, gates={1 << 20: "stalls"})
    readers = [Task(read, mount / "a.bin") for _ in range(3)]
    origin.wait_reached("stalls")
    eventually(lambda: mount.stat("parked") > 0, "somebody waits for the rest")
    fd = within(os.open, mount / "a.bin", os.O_RDWR)
    assert error_of(os.pwrite, fd, b"x", 0) == errno.EROFS
    eventually(lambda: "folio_lock" in waiting(mount), "its pages are waited for")
    mount.process.send_signal(signal.SIGTERM)
    assert mount.wait() == 0
    for reader in readers:
        assert error_of(reader.result) in (errno.ENOTCONN, errno.EINTR, errno.ECONNABORTED,
                                           errno.EIO)
    os.close(fd)
    origin.release("stalls")


def waiting(mount):
    """What the daemon's threads wait for in the kernel."""
    found = []
    place = f"/proc/{mount.process.pid}/task"
    for thread in os.listdir(place):
        with open(f"{place}/{thread}/wchan", encoding="ascii") as file:
            found.append(file.read())
    return " ".join(found)
