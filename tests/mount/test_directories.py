"""readdir, mkdir, rm, df: what a directory shows and what may be done in it."""
import errno
import os
import stat as modes

import pytest

from limited import Task, error_of, names, read, run, stat, together, within
from origin import noise


def test_readdir_shows_what_is_known(mount, origin):
    for path in ("/a.txt", "/d/b.txt", "/d/e/c.txt"):
        origin.fresh(path, b"x")
        read(mount / path[1:])
    assert names(mount.dir) == ["a.txt", "d"]
    assert names(mount / "d") == ["b.txt", "e"]
    assert names(mount / "d/e") == ["c.txt"]


def test_ls_shows_size_and_time_without_fetching_again(mount, origin):
    origin.fresh("/d/a.bin", noise(12_345), last_modified=1_000_000_000)
    read(mount / "d/a.bin")
    line = run("ls", "-l", "--time-style=+%s", mount / "d").stdout.splitlines()[1].split()
    assert (line[4], line[5], line[6]) == ("12345", "1000000000", "a.bin")
    assert origin.count("/d/a.bin") == 1


def test_find_and_du_walk_the_tree(mount, origin):
    for number in range(30):
        path = f"t/{number % 3}/{number}.bin"
        origin.fresh(f"/{path}", noise(20_000, number))
        read(mount / path)
    found = run("find", mount / "t", "-type", "f").stdout.split()
    assert len(found) == 30
    used = int(run("du", "-s", "--block-size=1", mount / "t").stdout.split()[0])
    assert 500_000 < used < 1_500_000
    apparent = run("du", "-s", "--apparent-size", "--block-size=1", mount / "t").stdout.split()[0]
    assert int(apparent) >= 600_000
    assert origin.count(method="GET") == 30


def test_du_shows_the_compressed_size(mount, origin):
    origin.fresh("/zero.log", bytes(4 << 20))
    read(mount / "zero.log")
    mount.remount()
    assert stat(mount / "zero.log").st_size == 4 << 20
    assert stat(mount / "zero.log").st_blocks * 512 < 1 << 20


def test_a_thousand_names(mount, origin):
    for number in range(1000):
        origin.fresh(f"/d/{number:04}.txt", b"%d" % number)
    wanted = [f"{number:04}.txt" for number in range(1000)]
    together([lambda part=part: [read(mount / "d" / name) for name in wanted[part::4]]
              for part in range(4)], limit=60)
    assert names(mount / "d") == wanted
    mount.remount()
    assert names(mount / "d") == wanted
    assert origin.count() == 1000


def test_names_that_stay_are_listed_once_while_others_come_and_go(mount, origin):
    stay = [f"stay{number:03}.txt" for number in range(300)]
    for name in stay:
        origin.fresh(f"/d/{name}", b"x")
        read(mount / "d" / name)
    for number in range(150):
        origin.fresh(f"/d/go{number}.txt", b"x")
    ended = []

    def come_and_go():
        for number in range(150):
            read(mount / f"d/go{number}.txt")
            if number % 2:
                mount.purge(f"/d/go{number}.txt")
        ended.append(True)
    task = Task(come_and_go)
    rounds = 0
    while not ended or rounds < 5:
        listed = names(mount / "d")
        assert [name for name in listed if name.startswith("stay")] == stay
        assert len(set(listed)) == len(listed)
        rounds += 1
    task.result()


def test_telldir_and_seekdir_by_a_slow_reader(mount, origin):
    """One getdents at a time, with changes in between."""
    for number in range(2000):
        origin.fresh(f"/d/{number:05}.txt", b"")
    together([lambda part=part: [read(mount / f"d/{n:05}.txt") for n in range(part, 2000, 4)]
              for part in range(4)], limit=60)

    def scan():
        seen = []
        with os.scandir(mount / "d") as entries:
            for count, entry in enumerate(entries):
                seen.append(entry.name)
                if count == 500:
                    mount.purge("/d/00001.txt")
        return seen
    seen = within(scan)
    assert len(seen) == len(set(seen)) and len(seen) >= 1999


def test_directories_do_not_ask_the_origin(mount, origin):
    assert within(os.path.isdir, mount / "some") or True
    asked = origin.count()
    for name in ("one/two/three.txt", "one/two/four.txt"):
        origin.fresh(f"/{name}", b"x")
        read(mount / name)
    assert origin.count() == asked + 2


def test_a_trailing_slash_means_the_directory(mount, origin):
    origin.fresh("/docs/a.txt", b"x")
    read(mount / "docs/a.txt")
    assert names(f"{mount.dir}/docs/") == ["a.txt"]


def test_mkdir_declares_a_directory(mount, origin):
    within(os.mkdir, mount / "old.html")
    assert modes.S_ISDIR(stat(mount / "old.html").st_mode)
    origin.fresh("/old.html/a.txt", b"x")
    asked = origin.count()
    assert read(mount / "old.html/a.txt") == b"x"
    assert names(mount.dir) == ["old.html"]
    assert [request.target for request in origin.requests[asked:]] == ["/old.html/a.txt"]


def test_rmdir_takes_a_declaration_back(mount, origin):
    within(os.mkdir, mount / "old.html")
    within(os.rmdir, mount / "old.html")
    assert names(mount.dir) == []


def test_mkdir_of_what_is_there_is_eexist(mount, origin):
    within(os.mkdir, mount / "d.d")
    assert error_of(os.mkdir, mount / "d.d") == errno.EEXIST


def test_a_redirect_to_the_same_name_with_a_slash_makes_a_directory(mount, origin):
    """A folder whose name looks like a file's, as servers of files answer it."""
    origin.set("/5.36.0", status=301, headers=[("Location", f"{origin.url}/5.36.0/")])
    origin.set("/5.36.0/", status=403)
    origin.fresh("/5.36.0/strict.pm", b"1;")
    assert read(mount / "5.36.0/strict.pm") == b"1;"


def test_rm_purges_a_file(mount, origin):
    origin.fresh("/a.txt", b"one")
    assert read(mount / "a.txt") == b"one"
    origin.fresh("/a.txt", b"two")
    run("rm", "-f", mount / "a.txt")
    assert read(mount / "a.txt") == b"two"
    assert mount.stat("purged") == 1


def test_rm_r_purges_what_is_below(mount, origin):
    for path in ("/d/a.txt", "/d/e/b.txt", "/other.txt"):
        origin.fresh(path, b"x")
        read(mount / path[1:])
    run("rm", "-rf", mount / "d")
    assert names(mount.dir) == ["other.txt"]
    assert mount.stat("objects") == 1
    assert read(mount / "d/e/b.txt") == b"x"
    assert origin.count("/d/e/b.txt") == 2
    assert origin.count("/other.txt") == 1


def append(path):
    """open() alone may succeed: the kernel does not ask the daemon about it."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, b"more")
    finally:
        os.close(fd)


def modified(path):
    """Ways to change a file or make one."""
    return {
        "append": lambda: append(path),
        "truncate": lambda: os.truncate(path, 0),
        "chmod": lambda: os.chmod(path, 0o777),
        "chown": lambda: os.chown(path, 1, 1),
        "utime": lambda: os.utime(path, (1, 1)),
        "rename": lambda: os.rename(path, f"{path}.new.txt"),
        "link": lambda: os.link(path, f"{path}.new.txt"),
        "symlink": lambda: os.symlink("x", f"{path}.new.txt"),
        "create": lambda: os.open(f"{path}.new.txt", os.O_WRONLY | os.O_CREAT, 0o644),
        "mknod": lambda: os.mknod(f"{path}.new.txt"),
        "setxattr": lambda: os.setxattr(path, "user.mine", b"x"),
        "removexattr": lambda: os.removexattr(path, "user.mime_type"),
    }


@pytest.mark.parametrize("way", sorted(modified("")))
def test_whatever_else_writes_is_erofs_and_harms_nothing(mount, origin, way):
    origin.fresh("/a.txt", b"kept", headers=[("Content-Type", "text/plain")])
    read(mount / "a.txt")
    assert error_of(modified(mount / "a.txt")[way]) in (errno.EROFS, errno.EACCES)
    for _ in range(2):  # an errno that switches operations off would show now
        assert read(mount / "a.txt") == b"kept"
    assert origin.count("/a.txt") == 1


def test_df_shows_limit_and_use(make_mount, origin):
    mount = make_mount(origin.url, "size=100M", "compress=none")
    origin.fresh("/a.bin", noise(20 << 20))
    before = within(os.statvfs, mount.dir)
    assert before.f_blocks * before.f_frsize == 100 << 20
    read(mount / "a.bin")
    mount.remount()
    after = within(os.statvfs, mount.dir)
    used = (after.f_blocks - after.f_bfree) * after.f_frsize
    assert 20 << 20 <= used < 30 << 20


def test_control_is_not_shown_to_walkers_of_directories_below(mount, origin):
    origin.fresh("/d/a.txt", b"x")
    read(mount / "d/a.txt")
    assert names(mount / "d") == ["a.txt"]
    assert error_of(read, mount / "d/.control/stats") == errno.ENOENT
