"""What webcachefs(1) says of URLs and names, row by row."""
import errno
import json
import pathlib
import re
from urllib.parse import quote, unquote

import pytest

from limited import error_of, eventually, names, read
from origin import FRESH, Response

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "man" / "webcachefs.1"


def shown(text):
    """As people read it."""
    text = re.sub(r"\\\[u([0-9A-F]{4})\]", lambda code: chr(int(code[1], 16)), text)
    for escape, meant in (("\\&", ""), ("\\-", "-"), ("\\(ti", "~")):
        text = text.replace(escape, meant)
    assert "\\" not in text, text
    return text


def tables():
    """Rows of each table, without its headings."""
    section = re.search(r"^\.SS URLs and names\n(.*?)^\.S[SH] ", PAGE.read_text(), re.M | re.S)[1]
    found = [re.findall(r"^(\S.*?)\t(.*?)(?:\t.*)?$", table.partition("\n_\n")[2], re.M)
             for table in re.findall(r"^\.TS\n(.*?)^\.TE$", section, re.M | re.S)]
    return [[(shown(left), shown(right)) for left, right in rows] for rows in found]


NAMES, PATHS, URLS = tables()
LONGEST = int(re.search(r"would be\s+longer than (\d+) bytes", PAGE.read_text())[1])


def ids(rows):
    return [left for left, _ in rows]


@pytest.fixture
def mount(make_mount, origin):
    """Names are looked up each time. The origin has nothing but what a test gives it."""
    origin.route(None, lambda request: Response(status=404, headers=FRESH))
    return make_mount(origin.url, "kernel_ttl=0")


def found(origin):
    """What was asked for and is there."""
    return [request.target for request in origin.requests if request.target in origin.has]


def give(origin, *urls):
    origin.has = {f"/{url}" for url in urls}
    for url in urls:
        origin.fresh(f"/{url}", b"found")


def is_listed(mount, name):
    """It alone is, in each directory on the way."""
    at = mount.dir
    for part in name.split("/"):
        if names(at) != [part]:
            return False
        at = at / part
    return True


def explain(mount, what):
    return json.loads(read(mount.control / "explain" / quote(what, safe="")))


def last_purge(mount):
    return json.loads(read(mount.control / "purged"))[0]


def test_the_tables_are_whole():
    assert len(NAMES) >= 25 and len(PATHS) >= 3 and len(URLS) >= 7
    for rows in (NAMES, PATHS, URLS):
        assert len(dict(rows)) == len(rows)
    assert len(set(name for _, name in NAMES)) == len(NAMES)


@pytest.mark.parametrize("url, name", NAMES, ids=ids(NAMES))
def test_a_url_and_its_name(mount, origin, url, name):
    """The name asks for the URL and is the one that is listed; the URL purges the name."""
    give(origin, url)
    assert read(mount / name) == b"found"
    assert found(origin) == [f"/{url}"]
    assert is_listed(mount, name)
    if not url.endswith("/"):  # what index.html stands for, only the origin tells
        assert explain(mount, name)["url"] == f"{origin.url}/{url}"
    mount.purge(f"{origin.url}/{url}")
    assert last_purge(mount)["matched"] == 1
    assert not is_listed(mount, name)
    assert read(mount / name) == b"found"
    assert found(origin) == [f"/{url}"] * 2


@pytest.mark.parametrize("written, name", PATHS, ids=ids(PATHS))
def test_other_ways_to_write_a_name(mount, origin, written, name):
    give(origin, name)
    assert read(f"{mount.dir}/{written}") == b"found"
    assert found(origin) == [f"/{name}"]


@pytest.mark.parametrize("written, url", URLS, ids=ids(URLS))
def test_other_ways_to_write_a_url(mount, origin, written, url):
    give(origin, url)
    name = dict(NAMES).get(url, unquote(url))
    assert read(mount / name) == b"found"
    assert explain(mount, f"{origin.url}/{written}")["url"] == f"{origin.url}/{url}"
    mount.purge(f"{origin.url}/{written}")
    assert last_purge(mount)["matched"] == 1
    assert not is_listed(mount, name)


@pytest.mark.parametrize("name", ["n" * (LONGEST - 4) + ".txt", "p?q=" + "n" * (LONGEST - 4)])
def test_the_longest_names(mount, origin, name):
    assert len(name) == LONGEST > 255
    give(origin, name)
    assert read(mount / name) == b"found"
    assert is_listed(mount, name)
    mount.purge(f"{origin.url}/{name}")
    assert names(mount.dir) == []


NAMELESS = ["d//a.txt", "d/" + "n" * (LONGEST - 3) + ".txt"]


@pytest.mark.parametrize("url", NAMELESS, ids=["empty segment", "too long"])
def test_urls_without_a_name(mount, origin, url):
    """They can be kept, but nothing shows them."""
    give(origin, url, "d/b.txt")
    assert read(mount / "d/b.txt") == b"found"
    mount.write("warm", f"{origin.url}/{url}\n")
    eventually(lambda: mount.stat("warmed") + mount.stat("warm_errors") == 1)
    assert mount.stat("warm_errors") == 0 and origin.count(f"/{url}") == 1
    assert names(mount.dir) == ["d"]
    assert names(mount / "d") == ["b.txt"]


def test_a_name_that_is_too_long(mount, origin):
    assert error_of(read, mount / ("n" * (LONGEST - 3) + ".txt")) == errno.ENAMETOOLONG
    assert origin.count() == 0
