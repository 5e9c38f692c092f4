"""config=FILE: named origins, and what sections say, as a user sees it."""
import errno
import json
import os
import urllib.parse

import pytest

from limited import error_of, names, read, run, stat
from mounted import NotMounted
from origin import Response


@pytest.fixture
def write_config(place):
    """The option that names a file with this text."""
    def write(text):
        path = place / "webcachefs.conf"
        path.write_text(text)
        return f"config={path}"
    return write


def explain(mount, name):
    return json.loads(read(mount.control / "explain" / urllib.parse.quote(name, safe="")))


# --- origins ---

def test_an_origin_is_a_directory_at_the_top(make_mount, origin, write_config):
    origin.fresh("/base/d/a.jpg?size=1", b"found")
    mount = make_mount("web", write_config(f"[origin img]\nurl = {origin.url}/base\n"))
    assert names(mount.dir) == ["http:", "https:", "img"]
    assert read(mount / "img/d/a.jpg?size=1") == b"found"
    assert read(f"{mount.dir}/{origin.url}/base/d/a.jpg?size=1") == b"found"
    assert origin.count() == 1, "one entry, whichever way it is called"
    assert names(mount / "img") == ["d"]
    assert stat(mount / "img/d/a.jpg?size=1").st_ino == \
        stat(f"{mount.dir}/{origin.url}/base/d/a.jpg?size=1").st_ino
    run("ls", "-lR", mount.dir)
    mount.remount()
    assert names(mount / "img/d") == ["a.jpg?size=1"]
    assert origin.count() == 1


def test_an_origin_is_all_that_is_allowed(make_mount, make_origin, origin, write_config):
    other = make_origin(address="127.0.0.2")
    for server in (origin, other):
        server.route(None, lambda request: Response(b"found"))
    mount = make_mount("web", write_config(f"[origin img]\nurl = {origin.url}/base/\n"))
    assert read(mount / "img/a.txt") == b"found"
    assert error_of(read, f"{mount.dir}/{other.url}/a.txt") == errno.EACCES
    assert error_of(read, f"{mount.dir}/{origin.url}/elsewhere/a.txt") == errno.EACCES
    assert error_of(read, f"{mount.dir}/{origin.url}/a.txt") == errno.EACCES
    assert error_of(os.stat, mount / "none") == errno.ENOENT
    assert (origin.count(), other.accepted) == (1, 0)


def test_hosts_that_are_allowed_are_there_beside_origins(make_mount, make_origin, origin,
                                                         write_config):
    other = make_origin(address="127.0.0.2")
    other.fresh("/a.txt", b"found")
    config = write_config(f"[mount]\nallow = 127.0.0.2\nallow_private = yes\n"
                          f"[origin img]\nurl = {origin.url}\n")
    mount = make_mount("web", config)
    assert read(f"{mount.dir}/{other.url}/a.txt") == b"found"
    assert names(mount / "http:") == ["127.0.0.2", f"127.0.0.2:{other.port}"]


def test_others_do_not_get_at_an_origin_by_redirects(make_mount, make_origin, origin,
                                                     write_config):
    """What is below its URL they may; its own redirects may go anywhere on it."""
    other = make_origin(address="127.0.0.2")
    for name, to in (("in", "base/b.txt"), ("out", "secret.txt")):
        response = Response(status=302, headers=(("Location", f"{origin.url}/{to}"),))
        for server, path in ((other, f"/{name}.txt"), (origin, f"/base/{name}.txt")):
            server.set(path, response)
    origin.fresh("/base/b.txt", b"found")
    origin.fresh("/secret.txt", b"secret")
    mount = make_mount("web", write_config(
        f"[mount]\nallow = *\n[origin img]\nurl = {origin.url}/base\n"
        f"[origin other]\nurl = {other.url}\n"))
    assert read(mount / "other/in.txt") == b"found"
    assert error_of(read, mount / "other/out.txt") == errno.EACCES
    assert read(mount / "img/in.txt") == b"found"
    assert read(mount / "img/out.txt") == b"secret"


def test_purging_by_the_name_of_an_origin(make_mount, origin, write_config):
    origin.fresh("/base/d/a.jpg", b"found")
    mount = make_mount("web", write_config(f"[origin img]\nurl = {origin.url}/base\n"))
    for times, target in enumerate(("img/d/a.jpg", "/img/d/*", "img/*", "img/d/*.jpg",
                                    f"{origin.url}/base/d/a.jpg"), 1):
        assert read(mount / "img/d/a.jpg") == b"found"
        assert origin.count() == times
        assert read(mount / ".cached/img/d/a.jpg") == b"found"
        mount.purge(target)
        assert error_of(os.stat, mount / ".cached/img/d/a.jpg") == errno.ENOENT
    read(mount / "img/d/a.jpg")
    run("rm", "-r", mount / "img/d")
    read(mount / "img/d/a.jpg")
    assert origin.count() == 7
    assert error_of(os.mkdir, mount / "img") == errno.EEXIST
    assert error_of(os.rmdir, mount / "img") is not None


def test_an_origin_may_need_a_password(make_mount, origin, write_config):
    origin.route(None, lambda request: Response(
        b"found" if request.headers.get("authorization") == "Basic dTpw" else b"who?"))
    url = origin.url.replace("://", "://u:p@")
    mount = make_mount("web", write_config(f"[origin img]\nurl = {url}\n"))
    assert read(mount / "img/a.txt") == b"found"
    assert "u:p@" not in read(mount.control / "config").decode()


def test_an_origin_is_a_directory_and_no_page(make_mount, origin, write_config):
    origin.route(None, lambda request: Response(b"page"))
    mount = make_mount("web", write_config(f"[origin img]\nurl = {origin.url}/base\n"))
    assert error_of(open, mount / "img") == errno.EISDIR
    assert error_of(read, mount / "https:") == errno.EISDIR
    assert origin.count() == 0
    assert read(mount / "img/index.html") == b"page"
    assert read(mount / "img/page") == b"page"


def test_globs_know_both_paths_of_a_file(make_mount, origin, write_config):
    origin.fresh("/base/api/x", b"found")
    for glob in ("img/api/*", r"http\:/*/base/api/*"):
        mount = make_mount("web", f"file={glob}",
                           write_config(f"[origin img]\nurl = {origin.url}/base\n"))
        assert stat(mount / "img/api/x").st_size == 5
        assert stat(f"{mount.dir}/{origin.url}/base/api/x").st_size == 5


# --- the file ---

@pytest.mark.parametrize("text, words", [
    ("[mount]\nttl = soon\n", "webcachefs.conf:2: option ttl=soon: not a duration"),
    ("[origin a]\n", "webcachefs.conf:1: an origin needs url=URL"),
    ("[rule b *]\nttl = 1h\n", "webcachefs.conf:1: no origin has this name"),
    ("nonsense\n", "webcachefs.conf:1: neither"),
])
def test_what_is_wrong_is_said_with_its_line(make_mount, origin, write_config, text, words):
    with pytest.raises(NotMounted, match=words) as failed:
        make_mount(origin.url, write_config(text))
    assert failed.value.status != 0


def test_a_file_that_is_not_there(make_mount, origin, place):
    with pytest.raises(NotMounted, match="none.conf: No such file") as failed:
        make_mount(origin.url, f"config={place}/none.conf")
    assert failed.value.status != 0


def test_options_of_the_mount(make_mount, origin, write_config):
    mount = make_mount(origin.url, "retries=1", write_config(
        "# all of it\n[mount]\numask = 077\nretries = 5\nheader = X-One: 1\nro = yes\n"
        "default_ttl = 1h\n"))
    origin.set("/a.txt", b"found")
    assert read(mount / "a.txt") == read(mount / "a.txt") == b"found"
    assert origin.count() == 1
    assert origin.requests[0].headers["x-one"] == "1"
    assert stat(mount / "a.txt").st_mode & 0o777 == 0o400
    assert error_of(os.unlink, mount / "a.txt") == errno.EROFS
    assert "\nretries=1\n" in read(mount.control / "config").decode()


def test_policies_hold_for_the_url_of_the_mount_too(make_mount, origin, write_config):
    mount = make_mount(f"{origin.url}/base", write_config(
        f"[origin here]\nurl = {origin.url}/base\ndefault_ttl = 1h\n"
        "[rule here *.now]\ndefault_ttl = 0\n"))
    for name in ("a.txt", "a.now"):
        origin.set(f"/base/{name}", b"found")
        read(mount / name)
        read(mount / name)
    assert (origin.count("/base/a.txt"), origin.count("/base/a.now")) == (1, 2)
    assert error_of(os.stat, mount / "here.txt") == errno.ENOENT, "no name at the top"


# --- what sections say ---

def test_the_first_rule_that_matches_counts(make_mount, make_origin, origin, write_config):
    """Freshness of each, as requests show it. Without any rule, nothing is fresh."""
    other = make_origin(address="127.0.0.2")
    mount = make_mount("web", write_config(f"""
[mount]
default_ttl = 0
[origin one]
url = {origin.url}/one
default_ttl = 1h
[origin two]
url = {other.url}
[rule one *.now]
default_ttl = 0
[rule one now/*]
default_ttl = 2h
[rule 127.0.0.2 /x/*]
default_ttl = 1h
[rule * *.late]
default_ttl = 1h
"""))
    asked = {"one/a.txt": 1, "one/a.now": 2, "one/now/a.txt": 1, "one/now/a.now": 2,
             "two/a.txt": 2, "two/x/a.txt": 1, "two/a.late": 1, "two/a.late?n": 1,
             "two/y/x/a.txt": 2}
    for server in (origin, other):
        server.route(None, lambda request: Response(request.target.encode()))
    for name in asked:
        assert read(mount / name) == read(mount / name)
    count = {name: other.count(name[3:]) if name.startswith("two/") else origin.count(f"/{name}")
             for name in asked}
    assert count == asked
    assert explain(mount, "one/now/a.now")["rule"] == "rule one *.now"
    assert explain(mount, "two/x/a.txt")["rule"] == "rule 127.0.0.2 /x/*"
    assert explain(mount, "two/a.txt")["rule"] == "origin two"


def test_each_origin_is_asked_in_its_own_way(make_mount, make_origin, origin, write_config, place):
    other = make_origin(address="127.0.0.2")
    (place / "token").write_text("Authorization: Bearer one\n")
    mount = make_mount("web", write_config(f"""
[mount]
header = X-All: 1
header = Accept: a/b
user_agent = all
[origin one]
url = {origin.url}
header = Accept: c/d
header_file = {place}/token
user_agent = one
max_object = 4
retries = 0
[rule one deep/*]
header = Accept: e/f
max_object = none
[origin two]
url = {other.url}
"""))
    for server in (origin, other):
        server.route(None, lambda request: Response(b"found"))
    assert error_of(read, mount / "one/a.txt") == errno.EFBIG
    assert read(mount / "one/deep/a.txt") == b"found"
    assert read(mount / "two/a.txt") == b"found"

    def fields(request):
        return [request.headers.get(name)
                for name in ("x-all", "accept", "user-agent", "authorization")]
    assert [fields(request) for request in origin.requests] == [
        ["1", "c/d", "one", "Bearer one"], ["1", "e/f", "one", "Bearer one"]]
    assert [fields(request) for request in other.requests] == [["1", "a/b", "all", None]]


def test_sections_are_shown_and_secrets_are_not(make_mount, origin, write_config):
    mount = make_mount("web", write_config(
        f"[origin img]\nurl = {origin.url}\nheader = X-Key: secret\nttl = 90s\n"
        "[rule img a b*]\nonly = *.jpg\n"))
    text = read(mount.control / "config").decode()
    assert f"\n[origin img]\nurl={origin.url}\nheader=X-Key: ***\nttl=90s\n" in text
    assert "\n[rule img a b*]\nonly=*.jpg\n" in text
    assert "secret" not in text
