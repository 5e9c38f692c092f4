"""mount -t webcachefs, umount, fstab; and mounts of ordinary users."""
import os
import pathlib
import subprocess

import pytest

from limited import LIMIT, eventually, read, run, stat, within
from mounted import BUILD, DAEMON, ROOT, as_user, mount_entry, processes_naming

NOBODY = 65534


@pytest.fixture
def installed(place):
    """mount.webcachefs in /sbin and webcachefs in the path, for this test alone."""
    helper = next((path for path in (BUILD / "mount-helpers/mount.webcachefs",
                                     ROOT / "mount-helpers/mount.webcachefs") if path.exists()),
                  None)
    assert helper, "mount.webcachefs is not built"
    sbin = pathlib.Path(os.path.realpath("/sbin"))
    over, before = place / "sbin", place / "sbin.before"
    over.mkdir()
    before.mkdir()
    run("mount", "--bind", sbin, before)
    for name in os.listdir(sbin):
        (over / name).symlink_to(before / name)
    for name, target in (("mount.webcachefs", helper), ("webcachefs", DAEMON)):
        (over / name).unlink(missing_ok=True)
        (over / name).symlink_to(target)
    over.chmod(0o755)
    run("mount", "--bind", over, sbin)
    yield
    subprocess.run([str(before / "umount") if (before / "umount").exists() else "umount", sbin],
                   check=True)
    run("umount", before)


@pytest.fixture
def mnt(place):
    mnt = place / "mnt"
    mnt.mkdir()
    yield mnt
    while mount_entry(mnt):
        subprocess.run(["umount", "-l", mnt], check=True, timeout=LIMIT)
    eventually(lambda: not alive(mnt), "daemons ended")


def alive(mnt):
    found = []
    for pid in processes_naming(mnt):
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                found.append(pid)
        except ChildProcessError:
            found.append(pid)
    return found


def test_mount_t_webcachefs_and_umount(installed, mnt, origin, place):
    origin.fresh("/a.txt", b"there")
    done = run("mount", "-t", "webcachefs", origin.url, mnt, "-o", f"cache_dir={place / 'c'}")
    assert (done.stdout, done.stderr) == ("", "")
    assert read(mnt / "a.txt") == b"there"
    assert run("findmnt", "-n", "-o", "FSTYPE", mnt).stdout.strip() == "fuse.webcachefs"
    run("umount", mnt)
    assert not mount_entry(mnt)


def test_options_of_fstab_are_taken(installed, mnt, origin, place):
    """As systemd and mount -a hand them over."""
    origin.fresh("/a.txt", b"there")
    fstab = place / "fstab"
    fstab.write_text(f"{origin.url}/ {mnt} webcachefs "
                     f"_netdev,nofail,noauto,x-systemd.automount,ro,nosuid,nodev,noexec,"
                     f"size=50M,cache_dir={place / 'c'} 0 0\n")
    run("mount", "-T", fstab, mnt)
    assert read(mnt / "a.txt") == b"there"
    assert os.statvfs(mnt).f_blocks * os.statvfs(mnt).f_frsize == 50 << 20
    run("umount", mnt)


def test_a_configuration_file_through_fstab(installed, mnt, origin, place):
    origin.fresh("/base/a.txt", b"there")
    (place / "conf").write_text(f"[origin here]\nurl = {origin.url}/base\n")
    fstab = place / "fstab"
    fstab.write_text(f"web {mnt} webcachefs config={place / 'conf'},cache_dir={place / 'c'} 0 0\n")
    run("mount", "-T", fstab, mnt)
    assert read(mnt / "here/a.txt") == b"there"
    run("umount", mnt)
    (place / "conf").write_text("[mount]\nttl = soon\n")
    done = run("mount", "-T", fstab, mnt, check=False)
    assert done.returncode != 0 and f"{place / 'conf'}:2: option ttl=soon" in done.stderr
    assert not mount_entry(mnt)


def test_header_with_spaces_through_mount(installed, mnt, origin, place):
    origin.fresh("/a.txt", b"there")
    run("mount", "-t", "webcachefs", origin.url, mnt, "-o",
        f"cache_dir={place / 'c'},header=X-Token: a b")
    read(mnt / "a.txt")
    assert origin.asked("/a.txt")[0].headers["x-token"] == "a b"


def test_options_may_be_given_one_by_one(installed, mnt, origin, place):
    origin.fresh("/a.txt", b"there")
    run("mount.webcachefs", origin.url, mnt, "-o", f"cache_dir={place / 'c'}", "-o", "", "-o", "size=50M,ro",
        "-o", "header=X-Token: a")
    read(mnt / "a.txt")
    assert origin.asked("/a.txt")[0].headers["x-token"] == "a"
    assert os.statvfs(mnt).f_blocks * os.statvfs(mnt).f_frsize == 50 << 20
    run("umount", mnt)


def test_a_daemon_keeps_nothing_open_that_is_not_its_own(installed, mnt, origin, place):
    """Else whoever waits for the end of a pipe, or for a lock, waits for the mount's."""
    ours, theirs = os.pipe()
    subprocess.run(["webcachefs", origin.url, mnt, "-o", f"cache_dir={place / 'c'}"], check=True,
                   pass_fds=[theirs], timeout=LIMIT)
    os.close(theirs)
    assert within(os.read, ours, 1) == b""
    os.close(ours)
    run("umount", mnt)


def test_a_home_in_the_mount_has_no_netrc(installed, mnt, origin, place):
    done = subprocess.run(["webcachefs", origin.url, mnt, "-o", f"netrc,cache_dir={place / 'c'}"],
                          env={**os.environ, "HOME": str(mnt)}, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=LIMIT)
    assert done.returncode != 0 and "netrc" in done.stderr
    assert not mount_entry(mnt)


def test_no_password_is_in_the_list_of_processes(installed, mnt, origin, place):
    url = origin.url.replace("://", "://user:pa,ss@")
    run("webcachefs", url, mnt, "-o", f"cache_dir={place / 'c'}")
    shown = [pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
             for pid in processes_naming(mnt)]
    assert shown and not any(b"ss@" in words or b"user" in words for words in shown)
    run("umount", mnt)


def test_a_failing_mount_says_why(installed, mnt, place):
    done = run("mount", "-t", "webcachefs", "nonsense", mnt, "-o", f"cache_dir={place / 'c'}",
               check=False)
    assert done.returncode != 0
    assert "nonsense" in done.stderr
    assert not mount_entry(mnt)


def test_fuse_type_works_too(installed, mnt, origin, place):
    """mount -t fuse.webcachefs goes through mount.fuse3."""
    origin.fresh("/a.txt", b"there")
    run("mount", "-t", "fuse.webcachefs", origin.url, mnt, "-o", f"cache_dir={place / 'c'}")
    assert read(mnt / "a.txt") == b"there"


def test_an_ordinary_user_mounts_through_fusermount(make_mount, origin, fuse_for_all):
    origin.fresh("/a.txt", b"mine", headers=[("Content-Type", "text/plain")])
    mount = make_mount(origin.url, user=NOBODY)

    def as_nobody(*words):
        return subprocess.run(as_user(NOBODY) + [str(word) for word in words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT, check=False)
    assert as_nobody("cat", mount / "a.txt").stdout == "mine"
    assert as_nobody("stat", "-c", "%u", mount / "a.txt").stdout.strip() == str(NOBODY)
    assert as_nobody("cat", mount.control / "health").stdout == "ok\n"
    origin.fresh("/a.txt", b"again")
    assert as_nobody("sh", "-c", f"echo /a.txt > {mount.control}/purge").returncode == 0
    assert as_nobody("cat", mount / "a.txt").stdout == "again"
    # Without allow_other not even root gets in.
    assert run("cat", mount / "a.txt", check=False).returncode != 0
    assert mount.stop() == 0


def test_a_users_mount_ends_with_sigterm(make_mount, origin, fuse_for_all):
    mount = make_mount(origin.url, user=NOBODY)
    assert mount.terminate() == 0
    assert not mount_entry(mount.dir)


def test_webcachefs_owner_of_the_mount_point(make_mount, origin):
    mount = make_mount(origin.url)
    assert stat(mount.dir).st_uid == os.getuid()
