"""The front for .control."""
import json
import os
import pathlib
import subprocess

import pytest

from limited import LIMIT, read

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


def test_stats(filled):
    table = dict(line.split() for line in ctl("stats", mount=filled).stdout.splitlines())
    assert (table["objects"], table["misses"]) == ("3", "3")
    assert json.loads(ctl("stats", "--json", mount=filled).stdout)["objects"] == 3


def test_purge_and_refresh(filled):
    done = ctl("purge", "dry-run /*.jpg", mount=filled)
    assert (done.returncode, done.stdout) == (0, "2 matched\n")
    assert ctl("refresh", "/a.jpg", "/b.jpg", mount=filled).stdout == "2 matched\n"
    assert ctl("purge", "-", mount=filled, input="/a.jpg\n/d/*").stdout == "2 matched\n"
    assert filled.stat("purged") == 2
    assert ctl("purge", "-", mount=filled,
               input="".join(f"/x/{n}.jpg\n" for n in range(10_000)) + "/b.jpg\n").stdout == \
        "1 matched\n"


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
