"""The front for .control."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from limited import LIMIT, eventually, read

PROGRAM = pathlib.Path(os.environ["WEBCACHEFS_BUILD"]) / "ctl" / "webcachectl"


def ctl(*args, mount=None, **kwargs):
    return subprocess.run([PROGRAM, *(["-m", mount.dir] if mount else []), *args], timeout=LIMIT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          **kwargs)


@pytest.fixture
def filled(mount, origin):
    for name in ("a.jpg", "b.jpg", "d/c d.txt"):
        origin.fresh(f"/{name}".replace(" ", "%20"), b"x")
        read(mount / name)
    return mount


def test_stats(filled, origin):
    done = ctl("stats", mount=filled)
    assert (done.returncode, done.stderr) == (0, "")
    table = dict(line.split() for line in done.stdout.splitlines())
    assert (table["objects"], table["misses"]) == ("3", "3")
    whole = json.loads(ctl("stats", "--json", mount=filled).stdout)
    assert (whole["objects"], whole["origins"][origin.url]["misses"]) == (3, 3)


def test_stats_line_by_line(filled):
    done = ctl("stats", "--watch=0.05", "--count", "21", mount=filled)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 23 and lines[0] == lines[21] and lines[0][0] == "time"
    assert all(len(line) >= len(lines[0]) for line in lines)


def test_purge_and_refresh(filled):
    done = ctl("purge", "dry-run /*.jpg", mount=filled)
    assert (done.returncode, done.stdout) == (0, "2 matched\n")
    assert ctl("refresh", "/a.jpg", "/b.jpg", mount=filled).stdout == "2 matched\n"
    assert ctl("purge", "-", mount=filled, input="/a.jpg\n/d/*").stdout == "2 matched\n"
    assert filled.stat("purged") == 2
    assert ctl("purge", "-", mount=filled,
               input="".join(f"/x/{n}.jpg\n" for n in range(10_000)) + "/b.jpg\n").stdout == \
        "1 matched\n"


def test_a_path_below_the_mount_is_one_of_the_mount(filled):
    assert ctl("purge", f"dry-run {filled.dir}/*.jpg", mount=filled).stdout == "2 matched\n"
    assert ctl("refresh", f"{filled.dir}/a.jpg", mount=filled).stdout == "1 matched\n"
    assert ctl("purge", f"{filled.dir}/a.jpg", "/b.jpg", mount=filled).stdout == "2 matched\n"


@pytest.mark.parametrize("words", [["-n"], ["--dry-run"], ["-n", "--"]], ids=str)
def test_a_dry_run_purges_nothing(filled, words):
    assert ctl("purge", *words, "all", mount=filled).stdout == "3 matched\n"
    assert ctl("purge", *words, "-", mount=filled, input="/a.jpg\n").stdout == "1 matched\n"
    assert filled.stat("purged") == 0


@pytest.mark.parametrize("words", [["dry-run", "all"], ["--json", "all"], ["-x", "all"], ["-n"],
                                   ["all", "dry-run"]], ids=str)
def test_what_may_not_be_meant_purges_nothing(filled, words):
    done = ctl("purge", *words, mount=filled)
    assert done.returncode == 2 and done.stderr and not done.stdout
    assert filled.stat("purged") == 0


def test_health_without_a_mount(place):
    done = ctl("-m", place, "health")
    assert done.returncode == 2 and "failing" in done.stderr


def test_a_target_is_one_line(filled):
    done = ctl("purge", "/a.jpg\n/b.jpg", mount=filled)
    assert done.returncode == 2 and "one line" in done.stderr
    assert filled.stat("purged") == 0


def test_a_long_list_says_how_far_it_came(filled):
    some = "".join(f"/x/{n}.jpg\n" for n in range(10_000))
    done = ctl("purge", "-", mount=filled, input="/a.jpg\n" + some + "a/../b\n")
    assert (done.returncode, done.stdout) == (1, "1 matched before that\n")
    assert "nothing was done of the last part" in done.stderr
    assert filled.stat("purged") == 1


def test_a_wrong_target(filled):
    done = ctl("purge", "/a.jpg", "a/../b", mount=filled)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was done" in done.stderr
    assert filled.stat("purged") == 0


def test_explain(filled, origin):
    for name in ("/d/c d.txt", f"{filled.dir}/d/c d.txt", f"{origin.url}/d/c%20d.txt"):
        shown = json.loads(ctl("explain", name, mount=filled).stdout)
        assert (shown["url"], shown["is"]) == (f"{origin.url}/d/c%20d.txt", "file")


def test_health_and_transfers(filled):
    done = ctl("health", mount=filled)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert json.loads(ctl("transfers", mount=filled).stdout) == []


def test_the_mount_is_found(filled):
    assert ctl("health").stdout == "ok\n"
    assert ctl("health", cwd=filled.dir / "d").stdout == "ok\n"


def test_wrong_usage(mount):
    for args in ([], ["nonsense"], ["-x"], ["purge"], ["explain"], ["purge", "-", "/a"]):
        done = ctl(*args, mount=mount)
        assert (done.returncode, done.stdout) == (2, ""), args
        assert done.stderr
    assert ctl("-m", "/nowhere", "stats").returncode == 2
    assert "usage" in ctl("--help").stdout


def test_each_command_has_help():
    commands = re.findall(r"^  ([a-z]+) ", ctl("--help").stdout, re.M)
    assert {"stats", "top", "purge", "refresh", "warm", "explain", "health"} <= set(commands)
    for command in commands:
        shown = ctl(command, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith(f"usage: webcachectl [-m MOUNTPOINT] {command}")
        assert ctl("help", command).stdout == shown.stdout


def test_stats_watch(filled):
    lines = ctl("stats", "--watch=0.1", "--count", "2", mount=filled).stdout.splitlines()
    assert lines[0].split()[:4] == ["time", "hits/s", "misses/s", "hit%"]
    assert len(lines) == 3
    assert all(line.split()[9] == "3" for line in lines[1:])
    for args in (["--count", "2"], ["--watch=x"], ["--watch", "--json"], ["--watch", "--count", "0"]):
        assert ctl("stats", *args, mount=filled).returncode == 2


def test_top_in_a_pipe(filled):
    done = ctl("top", mount=filled)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout and "\r" not in done.stdout
    assert re.search(r"^cache .* 3 objects", done.stdout, re.M)
    assert re.search(r"^TRANSFERS +0$", done.stdout, re.M)


def test_warm_in_a_pipe(mount, origin, place):
    for n in range(30):
        origin.fresh(f"/f{n}.txt", b"x")
    (place / "list").write_text("# list\njobs 2\n\n" +
                                "".join(f"{mount.dir}/f{n}.txt\r\n" for n in range(29)))
    done = ctl("warm", "-f", place / "list", f"{origin.url}/f29.txt", mount=mount)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("30 of 30")
    assert "\x1b" not in done.stdout
    assert origin.count() == 30


def test_warm_says_what_failed(mount, origin):
    origin.fresh("/a.txt", b"x")
    done = ctl("warm", "-f", "-", mount=mount, input="/no.txt\n/a.txt\n")
    assert done.returncode == 1
    assert done.stderr == f"{origin.url}/no.txt: No such file or directory\n"
    assert done.stdout.splitlines()[-1].startswith("2 of 2, 1 failed")


def test_warm_of_thousands(mount, origin):
    """More than one write takes, and all with the options."""
    for n in range(3000):
        origin.fresh(f"/some/long/directory/of/posters/{n}.txt", b"x")
    text = "".join(f"/some/long/directory/of/posters/{n}.txt\n" for n in range(3000))
    done = ctl("warm", "-f", "-", "-j", "20", mount=mount, input=text)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("3,000 of 3,000")
    assert origin.count() == 3000


def test_warm_with_a_delay(mount, origin):
    for n in range(4):
        origin.fresh(f"/f{n}.txt", b"x")
    ctl("warm", "--delay", "200ms", *[f"/f{n}.txt" for n in range(4)], mount=mount)
    times = [request.time for request in origin.requests]
    assert len(times) == 4 and all(b - a > 0.15 for a, b in zip(times, times[1:]))


def test_warm_in_the_background(mount, origin):
    for n in range(3):
        origin.fresh(f"/f{n}.txt", b"x", gate="held")
    done = ctl("warm", "--background", "-j", "1", "/f0.txt", "/f1.txt", "/f2.txt", mount=mount)
    name = re.fullmatch(r"3 queued as (\S+)\n", done.stdout)[1]
    origin.wait_reached("held")
    status = ctl("warm", "--status", mount=mount).stdout
    assert re.search(rf"^{name} +2 +1 +0 +0$", status, re.M)
    assert ctl("warm", "--cancel", name, mount=mount).returncode == 0
    assert re.search(rf"^{name} +0 +1 +0 +0$", ctl("warm", "--status", mount=mount).stdout, re.M)
    origin.release("held")
    eventually(lambda: mount.stat("warmed") == 1)


def test_warm_of_a_wrong_line(mount, origin):
    done = ctl("warm", "/a.txt", "a/../b", mount=mount)
    assert (done.returncode, done.stdout) == (2, "")
    assert "wrong" in done.stderr
    assert ctl("warm", "-j", "many", "/a.txt", mount=mount).returncode == 2
    assert ctl("warm", mount=mount).returncode == 2
    assert ctl("warm", "--cancel", "a/b", mount=mount).returncode == 2
    assert ctl("warm", "-f", "/no/such/list", mount=mount).returncode == 2
    assert origin.count() == 0
