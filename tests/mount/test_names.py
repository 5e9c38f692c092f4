"""Which URL a name stands for, and back."""
import errno
import os

import pytest

from limited import error_of, names, read, stat
from origin import FRESH, Response

TARGETS = [
    ("a.txt", "/a.txt"),
    ("deep/er/and/deeper/x.jpg", "/deep/er/and/deeper/x.jpg"),
    ("a.jpg?size=100", "/a.jpg?size=100"),
    ("api?q=a&b=c", "/api?q=a&b=c"),
    ("a.txt?", "/a.txt?"),
    ("with space.txt", "/with%20space.txt"),
    ("hash#mark.txt", "/hash%23mark.txt"),
    ("percent%.txt", "/percent%25.txt"),
    ("slash%2Fslash.txt", "/slash%2Fslash.txt"),
    ("é.txt", "/%C3%A9.txt"),
    ("日本語.html", "/%E6%97%A5%E6%9C%AC%E8%AA%9E.html"),
    ("new\nline.txt", "/new%0Aline.txt"),
    ("plus+sign~tilde_.txt", "/plus+sign~tilde_.txt"),
    ("semi;colon,comma=1.txt", "/semi;colon,comma=1.txt"),
    ("quote\"'.txt", None),
    ("back\\slash.txt", "/back%5Cslash.txt"),
    ("colon:at@.txt", None),
    ("UPPER.TXT", "/UPPER.TXT"),
    ("...txt", "/...txt"),
    ("x" * 251 + ".txt", "/" + "x" * 251 + ".txt"),
]


@pytest.mark.parametrize("name, target", TARGETS, ids=[repr(n)[:40] for n, _ in TARGETS])
def test_a_name_becomes_one_target_and_is_listed_as_it_was_asked_for(mount, origin, name, target):
    if target:
        origin.fresh(target, b"found")
    else:  # which way such a byte is written is free
        origin.route(None, lambda request: Response(b"found", headers=FRESH))
    assert read(mount / name) == b"found"
    assert origin.count() == 1
    folder, _, last = name.rpartition("/")
    assert names(mount / folder) == [last]


def test_bytes_that_are_not_utf8_are_encoded_as_they_are(mount, origin):
    origin.fresh("/latin%E9.txt", b"found")
    assert read(os.fsencode(str(mount.dir)) + b"/latin\xe9.txt") == b"found"


def test_names_longer_than_255_bytes(mount, origin):
    name = "search.json?q=" + "long" * 150
    origin.fresh(f"/{name}", b"found")
    assert read(mount / name) == b"found"


def test_names_too_long_for_the_kernel(mount, origin):
    assert error_of(read, mount / ("x" * 5000 + ".txt")) == errno.ENAMETOOLONG
    assert origin.count() == 0


def test_case_matters(mount, origin):
    origin.fresh("/a.txt", b"lower")
    origin.fresh("/A.txt", b"upper")
    assert (read(mount / "a.txt"), read(mount / "A.txt")) == (b"lower", b"upper")


def test_queries_are_files_of_their_own(mount, origin):
    for query in ("", "?v=1", "?v=2"):
        origin.fresh(f"/a.jpg{query}", query.encode() or b"none")
    for query in ("", "?v=1", "?v=2"):
        assert read(mount / f"a.jpg{query}") == (query.encode() or b"none")
    assert names(mount.dir) == ["a.jpg", "a.jpg?v=1", "a.jpg?v=2"]


def test_dot_dot_is_resolved_by_the_kernel(mount, origin):
    origin.fresh("/a.txt", b"found")
    assert read(f"{mount.dir}/some/where/../../a.txt") == b"found"
    assert [request.target for request in origin.requests] == ["/a.txt"]


def test_encoded_dots_cannot_climb(make_mount, origin):
    mount = make_mount(f"{origin.url}/base/")
    origin.fresh("/secret.txt", b"secret")
    for name in ("%2e%2e/secret.txt", "..%2fsecret.txt", "%2E%2E%2Fsecret.txt"):
        assert error_of(read, mount / name) is not None
    assert origin.count("/secret.txt") == 0


@pytest.mark.parametrize("base", ["/t/p", "/t/p/"])
def test_a_base_url_with_a_path(make_mount, origin, base):
    mount = make_mount(origin.url + base)
    origin.fresh("/t/p/w500/a.jpg", b"found")
    assert read(mount / "w500/a.jpg") == b"found"
    assert [request.target for request in origin.requests] == ["/t/p/w500/a.jpg"]


def test_walking_to_a_file_costs_one_request(mount, origin):
    origin.fresh("/one/two/three/four/x.jpg", b"found")
    assert read(mount / "one/two/three/four/x.jpg") == b"found"
    assert origin.count() == 1


def test_double_slashes_are_folded(mount, origin):
    origin.fresh("/a/b.txt", b"found")
    assert read(f"{mount.dir}//a///b.txt") == b"found"


def test_the_same_file_has_the_same_inode_number(mount, origin):
    origin.fresh("/d/a.txt", b"x")
    first = stat(mount / "d/a.txt").st_ino
    assert stat(mount / "d/a.txt").st_ino == first
    mount.remount()
    assert stat(mount / "d/a.txt").st_ino == first


def test_inode_numbers_are_not_used_again(mount, origin):
    seen = set()
    for number in range(20):
        origin.fresh("/a.txt", b"%d" % number)
        mount.purge("/a.txt")
        ino = stat(mount / "a.txt").st_ino
        assert ino not in seen
        seen.add(ino)
