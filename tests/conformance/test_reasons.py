"""Why a response is fresh or not: the same word in .control/explain and in the attribute
that is written like Cache-Status (RFC 9211); and how old it is (RFC 9111 4.2.3)."""
import itertools
import json
import os
import re
import time
import urllib.parse

import pytest

from limited import read, within
from origin import Response
from play import expanded

names = (f"reason{n}.txt" for n in itertools.count())


class File:
    def __init__(self, stage, mount, *headers, status=200):
        self.mount, self.name = mount, next(names)
        headers = tuple((name, expanded(value, mount_time(mount))) for name, value in headers)
        stage.origin.set(f"/{self.name}", b"text", headers=headers, status=status)
        try:
            read(mount / self.name)
        except OSError:
            pass

    def attribute(self, name):
        return within(os.getxattr, self.mount / self.name, f"user.webcachefs.{name}").decode()

    def explain(self):
        name = urllib.parse.quote(f"/{self.name}", safe="")
        return json.loads(read(self.mount / f".control/explain/{name}"))

    def cache_status(self):
        """Its first member's name and parameters."""
        match = re.fullmatch(r'webcachefs((?:; [a-z-]+(?:=(?:-?\d+|[a-z-]+|"[^"]*"))?)*)',
                             self.attribute("cache_status"))
        assert match, self.attribute("cache_status")
        return {name: value.strip('"') for name, _, value in
                (item.partition("=") for item in match[1].split("; ")[1:])}


def mount_time(mount):
    return time.time() + mount.shift


@pytest.mark.parametrize("kind, headers, options, reason, hit", [
    ("private", [("Cache-Control", "max-age=1000")], (), "max-age", True),
    ("shared", [("Cache-Control", "s-maxage=1000, max-age=1")], (), "s-maxage", True),
    ("private", [("Expires", "@1000")], (), "Expires", True),
    ("private", [("Last-Modified", "@-100000")], (), "heuristic", True),
    ("private", [], ("default_ttl=100s",), "default_ttl", True),
    ("private", [("Cache-Control", "max-age=0")], ("ttl=100s",), "ttl", True),
    ("private", [("Cache-Control", "max-age=1000")], ("max_ttl=10s",), "max_ttl", True),
    ("private", [("CDN-Cache-Control", "max-age=1000")], ("targeted=CDN-Cache-Control",),
     "targeted max-age", True),
    ("private", [("Cache-Control", "no-cache"), ("ETag", '"1"')], (), "no-cache", False),
    ("private", [("Expires", "0"), ("ETag", '"1"')], (), "invalid Expires", False),
], ids=lambda value: value if isinstance(value, str) else "")
def test_the_reason_is_the_same_everywhere(stage, kind, headers, options, reason, hit):
    file = File(stage, stage.mount(kind, options), *headers)
    explained = file.explain()
    assert explained["why"] == reason
    assert explained["fresh"] == hit
    status = file.cache_status()
    assert status["detail"] == reason
    assert ("hit" in status) == hit
    assert ("fwd" in status) == (not hit)


def test_a_404_says_why_as_well(stage):
    file = File(stage, stage.mount("private", ("negative_ttl=100s",)), status=404)
    assert file.explain()["why"] == "negative_ttl"
    assert file.explain()["is"] == "absent"


def test_refreshed_is_a_reason(stage):
    mount = stage.mount("private", ())
    file = File(stage, mount, ("Cache-Control", "max-age=1000"), ("ETag", '"1"'))
    before = file.cache_status()
    mount.write("refresh", f"/{file.name}\n")
    explained = file.explain()
    assert not explained["fresh"] and "refresh" in explained["why"] != before["detail"]


def test_stale_has_a_negative_ttl(stage):
    mount = stage.mount("private", ("stale_if_error=1d",))
    file = File(stage, mount, ("Cache-Control", "max-age=100"))
    assert 90 <= int(file.cache_status()["ttl"]) <= 100
    stage.origin.set(f"/{file.name}", status=500)
    mount.advance(200)
    status = file.cache_status()
    assert status["fwd"] == "stale" and -110 <= int(status["ttl"]) <= -100


@pytest.mark.parametrize("headers, age", [
    ([], 0), ([("Age", "500")], 500), ([("Date", "@-700")], 700),
    ([("Date", "@-700"), ("Age", "500")], 700), ([("Date", "@-5"), ("Age", "500")], 500),
    ([("Age", "abc")], 0), ([("Date", "@500")], 0)], ids=str)
def test_age_is_what_it_was_when_it_came_and_the_time_since(stage, headers, age):
    mount = stage.mount("private", ())
    file = File(stage, mount, ("Cache-Control", "max-age=5000"), *headers)
    assert age <= int(file.attribute("age")) <= age + 5
    mount.advance(100)
    assert age + 100 <= int(file.attribute("age")) <= age + 105
    assert age + 100 <= file.explain()["age_s"] <= age + 105


def test_age_begins_anew_with_a_304(stage):
    mount = stage.mount("private", ())
    file = File(stage, mount, ("Cache-Control", "max-age=1000"), ("ETag", '"1"'), ("Age", "500"))
    stage.origin.set(f"/{file.name}", Response(status=304))
    mount.advance(600)
    read(mount / file.name)
    assert int(file.attribute("age")) <= 5
