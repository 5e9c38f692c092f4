"""Each unit test program and each replay of a fuzz corpus is one test here."""

import json
import os
import subprocess

import pytest

BUILD = os.environ.get("WEBCACHEFS_BUILD", "build")
FACTOR = float(os.environ.get("WEBCACHEFS_TIME_FACTOR", "1"))


def programs():
    listed = subprocess.run(
        ["meson", "introspect", "--tests", BUILD], check=True, capture_output=True, text=True
    )
    tests = json.loads(listed.stdout)
    # One program may stand in several suites; its path is what tells two apart.
    return sorted(tests, key=lambda test: test["cmd"][0])


def identity(test):
    return test["cmd"][0].rpartition("/tests/")[2]


@pytest.mark.parametrize("test", programs(), ids=map(identity, programs()))
def test_program(test, tmp_path):
    ended = subprocess.run(
        test["cmd"],
        cwd=tmp_path,
        env={**os.environ, **test["env"]},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=50 * FACTOR,
    )
    assert ended.returncode == 0, ended.stdout


def test_unit_tests_were_found():
    folders = {identity(test).split("/")[1].split("-")[0] for test in programs() if "unit" in str(test["suite"])}
    assert folders == {"base", "index", "fetch", "fs"}
