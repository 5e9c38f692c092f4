"""The document at the URL of a directory, as its index.html."""
import errno
import os
import stat as modes

import pytest

from limited import error_of, names, read, run, stat


def test_the_document_of_a_directory(mount, origin):
    origin.fresh("/docs/", b"<p>front", last_modified=1_000_000_000)
    assert read(mount / "docs/index.html") == b"<p>front"
    assert stat(mount / "docs/index.html").st_size == 8
    assert [r.target for r in origin.requests] == ["/docs/index.html", "/docs/"]
    url = os.getxattr(mount / "docs/index.html", "user.webcachefs.url").decode()
    assert url == f"{origin.url}/docs/"
    assert names(mount / "docs") == ["index.html"]


def test_the_front_page_of_a_site(mount, origin):
    origin.fresh("/", b"front")
    assert read(mount / "index.html") == b"front"
    assert names(mount.dir) == ["index.html"]


def test_a_file_of_that_name_comes_first(mount, origin):
    origin.fresh("/d/", b"directory")
    origin.fresh("/d/index.html", b"file")
    assert read(mount / "d/index.html") == b"file"
    assert origin.count("/d/") == 0
    assert names(mount / "d") == ["index.html"]


def test_a_file_that_comes_later_is_listed_once(mount, origin):
    origin.fresh("/d/", b"directory")
    assert read(mount / "d/index.html") == b"directory"
    origin.fresh("/d/index.html", b"file")
    mount.purge("/d/index.html")
    assert read(mount / "d/index.html") == b"file"
    assert names(mount / "d") == ["index.html"]
    run("rm", "-r", mount / "d")
    assert names(mount.dir) == []


@pytest.mark.parametrize("status", [404, 403, 401])
def test_neither_of_both(mount, origin, status):
    origin.set("/d/", status=status)
    assert error_of(os.stat, mount / "d/index.html") == errno.ENOENT
    assert origin.count("/d/") == 1


def test_an_origin_that_fails_is_no_404(make_mount, origin):
    mount = make_mount(origin.url, "retries=0")
    origin.set("/d/", status=500)
    assert error_of(os.stat, mount / "d/index.html") == errno.EIO
    origin.set("/e/index.html", status=500)
    assert error_of(os.stat, mount / "e/index.html") == errno.EIO
    assert origin.count("/e/") == 0


def test_other_names_do_not_fall_back(mount, origin):
    origin.fresh("/d/", b"directory")
    for name in ("index.htm", "INDEX.HTML", "index.html?", "other.html"):
        assert error_of(os.stat, mount / "d" / name) == errno.ENOENT
    assert origin.count("/d/") == 0


def test_it_is_kept_and_asked_again_as_http_says(mount, origin):
    headers = [("Cache-Control", "max-age=60")]
    origin.set("/d/index.html", status=404, headers=headers)
    origin.set("/d/", b"one", headers=headers, etag='"1"')
    for _ in range(3):
        assert read(mount / "d/index.html") == b"one"
    assert origin.count() == 2
    origin.set("/d/", b"two", headers=headers, etag='"2"')
    mount.advance(70)
    mount.remount()
    assert read(mount / "d/index.html") == b"two"
    assert origin.count() == 4


def test_rm_purges_the_document(mount, origin):
    origin.fresh("/d/", b"one")
    read(mount / "d/index.html")
    run("rm", mount / "d/index.html")
    origin.fresh("/d/", b"two")
    assert read(mount / "d/index.html") == b"two"
    run("rm", "-r", mount / "d")
    assert names(mount.dir) == []


def test_a_redirect_that_only_adds_a_slash_makes_a_directory(mount, origin):
    for path in ("/docs", "/x.dir", "/v2"):
        origin.set(path, status=301, headers=[("Location", f"{path}/")])
        origin.fresh(f"{path}/", b"front")
        origin.fresh(f"{path}/a.txt", b"below")
        assert modes.S_ISDIR(stat(mount / path[1:]).st_mode)
        assert error_of(open, mount / path[1:]) == errno.EISDIR
        assert read(mount / path[1:] / "index.html") == b"front"
        assert read(mount / path[1:] / "a.txt") == b"below"
        assert modes.S_ISDIR(stat(mount / path[1:]).st_mode)
        assert names(mount / path[1:]) == ["a.txt", "index.html"]


def test_a_page_that_became_a_directory(mount, origin):
    origin.set("/docs", b"page", headers=[("Cache-Control", "max-age=60")])
    assert read(mount / "docs") == b"page"
    origin.set("/docs", status=301, headers=[("Location", "/docs/")])
    mount.advance(70)
    mount.purge("all")
    assert modes.S_ISDIR(stat(mount / "docs").st_mode)
    assert error_of(open, mount / "docs") == errno.EISDIR
