"""file= and dir=, and URLs within URLs: what a name means without asking."""
import errno
import os
import stat as modes

import pytest

from limited import error_of, names, read, stat
from mounted import NotMounted


def is_dir(path):
    return modes.S_ISDIR(stat(path).st_mode)


def test_a_file_by_rule_is_asked_for_at_once(make_mount, origin):
    mount = make_mount(origin.url, "file=LICENSE:README*")
    origin.fresh("/LICENSE", b"free")
    assert stat(mount / "LICENSE").st_size == 4
    assert error_of(os.stat, mount / "d/README") == errno.ENOENT
    assert is_dir(mount / "other")
    assert [request.target for request in origin.requests] == ["/LICENSE", "/d/README"]


def test_a_directory_by_rule_is_never_asked_for(make_mount, origin):
    mount = make_mount(origin.url, "dir=*.d:v?.x")
    origin.fresh("/conf.d", b"page")
    origin.fresh("/conf.d/a.txt", b"found")
    assert is_dir(mount / "conf.d")
    assert error_of(open, mount / "conf.d") == errno.EISDIR
    assert read(mount / "conf.d/a.txt") == b"found"
    assert [request.target for request in origin.requests] == ["/conf.d/a.txt"]
    assert names(mount.dir) == ["conf.d"]


def test_globs_with_a_slash_are_about_the_path(make_mount, origin):
    mount = make_mount(f"{origin.url}/base", "file=/api/*", r"dir=with\: colon.jpg:a b/c.d")
    origin.fresh("/base/api/deep/x", b"found")
    assert is_dir(mount / "api")
    assert error_of(os.stat, mount / "api/deep") == errno.ENOENT, "a '*' is any bytes"
    assert is_dir(mount / "with: colon.jpg") and is_dir(mount / "a b/c.d")
    assert is_dir(mount / "other/api")


def test_options_may_be_repeated_and_file_wins(make_mount, origin):
    mount = make_mount(origin.url, "file=a", "file=b", "dir=b", "dir=c.txt")
    for name in ("a", "b"):
        origin.fresh(f"/{name}", b"x")
        assert not is_dir(mount / name)
    assert is_dir(mount / "c.txt")
    assert read(mount.control / "config").decode().count("\nfile=a:b\n") == 1


@pytest.mark.parametrize("option", ["file=", "file=:", "dir=a::b", "dir=/"])
def test_globs_that_are_none(make_mount, origin, option):
    with pytest.raises(NotMounted, match="globs"):
        make_mount(origin.url, option)


def test_rules_of_web_are_about_scheme_host_and_path(make_mount, origin):
    mount = make_mount("web", "allow=*", "allow_private", r"file=http\:/*/LICENSE")
    origin.fresh("/a/LICENSE", b"free")
    assert stat(f"{mount.dir}/{origin.url}/a/LICENSE").st_size == 4


INNER = "rs:fit:300:300/plain/https://example.com/cat.jpg"


@pytest.mark.parametrize("web", [False, True])
def test_a_url_in_a_url_needs_no_configuration(make_mount, origin, web):
    mount = make_mount("web", "allow=*", "allow_private") if web else make_mount(origin.url)
    top = f"{mount.dir}/{origin.url}" if web else f"{mount.dir}"
    origin.fresh(f"/{INNER}", b"cat")
    assert read(f"{top}/{INNER}") == b"cat"
    assert read(f"{top}/{INNER}".replace("//", "/")) == b"cat"
    assert [request.target for request in origin.requests] == [f"/{INNER}"]
    assert names(f"{top}/rs:fit:300:300/plain") == ["https:"]
    assert names(f"{top}/rs:fit:300:300/plain/https:") == ["example.com"]
    assert names(f"{top}/rs:fit:300:300/plain/https:/example.com") == ["cat.jpg"]
    mount.remount()
    assert read(f"{top}/{INNER}") == b"cat"
    os.unlink(f"{top}/{INNER}")
    assert read(f"{top}/{INNER}") == b"cat"
    assert origin.count() == 2


def test_an_inner_host_is_a_directory_until_it_is_opened(mount, origin):
    origin.fresh("/plain/http://example.com", b"page")
    assert is_dir(mount / "plain/http:/example.com")
    assert origin.count() == 0
    assert read(mount / "plain/http:/example.com") == b"page"
    assert error_of(open, mount / "plain/http:") == errno.EISDIR
    origin.fresh("/plain/http://example.com?q", b"query")
    assert read(mount / "plain/http:/example.com?q") == b"query"
    assert origin.count() == 2


def test_an_inner_url_can_be_purged_and_removed(mount, origin):
    origin.fresh(f"/{INNER}", b"cat")
    for target in (f"/{INNER}".replace("//", "/"), f"{origin.url}/{INNER}"):
        read(mount / INNER)
        mount.purge(target)
        assert names(mount.dir) == []
    assert origin.count() == 2
