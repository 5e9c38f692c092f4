"""The files under .control."""
import errno
import json
import os
import re
import subprocess

import pytest

from limited import LIMIT, Task, error_of, eventually, names, read, run, stat, within
from mounted import as_user
from origin import noise

NOBODY, WWW_DATA = 65534, 33

STABLE = """version uptime_s objects bytes_logical bytes_stored bytes_limit hits misses revalidated
stale_served coalesced negative_hits bypassed errors evictions expired purged upstream_requests
upstream_bytes transfers_active parked hit_rate""".split()


def test_stats_is_json_with_stable_names(mount):
    stats = mount.stats()
    assert [name for name in STABLE if name not in stats] == []
    assert all(isinstance(stats[name], (int, float)) for name in STABLE if name != "version")


def test_stats_has_one_value_a_line(mount):
    lines = read(mount.control / "stats").decode().splitlines()
    assert sum(bool(re.fullmatch(r'\s*"hits": \d+,?', line)) for line in lines) == 1


def test_stats_has_its_exact_size_each_time(mount, origin):
    origin.fresh("/a.txt", b"x")
    for _ in range(50):
        read(mount / "a.txt")
        size = int(run("wc", "-c", mount.control / "stats").stdout.split()[0])
        text = run("cat", mount.control / "stats").stdout
        json.loads(text)
        assert abs(size - len(text)) < 20  # counters went on
        json.loads(read(mount.control / "stats"))


def test_stats_read_a_byte_at_a_time_is_one_picture(mount, origin):
    origin.fresh("/a.txt", b"x")

    def slowly():
        fd = os.open(mount.control / "stats", os.O_RDONLY)
        try:
            size, text = os.fstat(fd).st_size, b""
            while piece := os.read(fd, 7):
                text += piece
                with open(mount / "a.txt", "rb") as file:
                    file.read()
            return size, text
        finally:
            os.close(fd)
    size, text = within(slowly)
    assert len(text) == size
    json.loads(text)


def test_stats_count_hits_and_misses(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    origin.fresh("/a.txt", noise(1000))
    for _ in range(5):
        read(mount / "a.txt")
    error_of(read, mount / "no.txt")
    eventually(lambda: mount.stat("bytes_logical") == 1000, "its row says that it is whole")
    stats = mount.stats()
    assert (stats["misses"], stats["hits"], stats["objects"]) == (2, 4, 1)
    assert stats["upstream_requests"] == 2
    assert stats["upstream_bytes"] >= 1000
    assert stats["transfers_active"] == stats["parked"] == 0


def test_stats_tell_what_is_under_way(mount, origin):
    origin.fresh("/a.txt", b"x", gate="headers")
    task = Task(read, mount / "a.txt")
    origin.wait_reached("headers")
    stats = mount.stats()
    assert (stats["transfers_active"], stats["parked"]) == (1, 1)
    origin.release("headers")
    task.result()
    eventually(lambda: mount.stat("transfers_active") == 0)
    assert mount.stat("parked") == 0


def test_bytes_limit_is_the_size_option(make_mount, origin):
    assert make_mount(origin.url, "size=123M").stat("bytes_limit") == 123 << 20


def test_reset_zeroes_the_counters(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    mount.write("reset", "1\n")
    stats = mount.stats()
    assert stats["misses"] == stats["upstream_requests"] == 0
    assert stats["objects"] == 1


def test_health_is_ok(mount):
    assert read(mount.control / "health") == b"ok\n"


def test_version_is_that_of_the_program(mount):
    text = read(mount.control / "version").decode()
    assert mount.stat("version") in text


def test_config_tells_what_is_in_force(make_mount, origin):
    mount = make_mount(origin.url, "size=100M", "ttl=7d", "header=Authorization: Bearer hidden")
    text = read(mount.control / "config").decode()
    assert re.search(r"^size\s*=\s*100M$", text, re.M), text
    assert re.search(r"^ttl\s*=\s*7d$", text, re.M), text
    assert "hidden" not in text


def test_metrics_are_prometheus_text(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    types, samples = {}, {}
    for line in read(mount.control / "metrics").decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            types[name] = kind
        elif not line.startswith("#") and line:
            match = re.fullmatch(r"(webcachefs_[a-z_]+)(\{.*\})? ([-+.e0-9]+|NaN)", line)
            assert match, line
            samples[match[1]] = float(match[3])
    assert samples["webcachefs_misses_total"] == 1
    assert types["webcachefs_misses_total"] == "counter"
    assert set(samples) <= set(types) or any(kind == "histogram" for kind in types.values())


def test_names_in_control(mount):
    listed = within(os.listdir, mount.control)
    assert {"stats", "metrics", "health", "config", "purge", "version", "reset"} <= set(listed)
    assert error_of(read, mount.control / "nonsense") == errno.ENOENT


def test_control_is_the_owners_alone(mount):
    assert stat(mount.control).st_mode & 0o777 == 0o700
    assert stat(mount.control).st_uid == os.getuid()


def test_nothing_under_control_asks_the_origin(mount, origin):
    for name in ("stats", "nonsense", "nonsense.txt", "a/b.txt"):
        error_of(read, mount.control / name)
    assert origin.count() == 0


# --- who may ---

def shell_as(uid, command):
    done = subprocess.run(as_user(uid) + ["sh", "-c", command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False,
                          env=dict(os.environ, LC_ALL="C"))
    return done.returncode, done.stderr


@pytest.mark.parametrize("uid", [NOBODY, WWW_DATA])
def test_others_may_read_files_but_not_control(make_mount, origin, uid):
    mount = make_mount(origin.url, "allow_other")
    origin.fresh("/a.txt", b"1")
    assert shell_as(uid, f"grep -qx 1 {mount.dir}/a.txt")[0] == 0
    for command in (f"cat {mount.control}/stats", f"ls {mount.control}",
                    f"echo all > {mount.control}/purge", f"echo 1 > {mount.control}/reset"):
        status, said = shell_as(uid, command)
        assert status != 0 and "Permission denied" in said, command
    assert mount.stat("purged") == 0
    assert names(mount.dir) == ["a.txt"]


@pytest.mark.parametrize("uid", [NOBODY, WWW_DATA])
def test_others_may_not_rm_nor_mkdir(make_mount, origin, uid):
    mount = make_mount(origin.url, "allow_other")
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    for command in (f"rm -f {mount.dir}/a.txt", f"mkdir {mount.dir}/x.d"):
        assert shell_as(uid, command)[0] != 0
    assert mount.stat("purged") == 0
    assert names(mount.dir) == ["a.txt"]


def test_without_allow_other_nobody_else_gets_in(mount, origin):
    origin.fresh("/a.txt", b"1")
    read(mount / "a.txt")
    status, said = shell_as(NOBODY, f"cat {mount.dir}/a.txt")
    assert status != 0 and "Permission denied" in said


def test_control_mode_opens_it_for_reading(make_mount, origin):
    mount = make_mount(origin.url, "allow_other", "control_mode=0755")
    assert shell_as(NOBODY, f"cat {mount.control}/stats")[0] == 0
    assert shell_as(NOBODY, f"echo all > {mount.control}/purge")[0] != 0


def test_writing_to_stats_is_refused(mount):
    assert error_of(mount.write, "stats", "x") in (errno.EACCES, errno.EROFS, errno.EPERM,
                                                   errno.EINVAL)
    mount.stats()


def test_creating_a_file_in_control_is_refused(mount):
    assert error_of(lambda: os.open(mount.control / "new", os.O_WRONLY | os.O_CREAT, 0o600)) in (
        errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT)
