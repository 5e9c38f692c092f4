"""What is known not to be as it should be, each with its reason. When one of these is
mended its test fails, and moves to where it belongs. Rows of the table are in KNOWN of
cases.py."""
import errno

import pytest

from limited import error_of, read
from origin import Response


@pytest.mark.xfail(strict=True, reason="the kernel asks anew when a name it knew fails "
                   "(fs/fuse/dir.c, fuse_dentry_revalidate), and only files are given as "
                   "the same answer again (revisit.h)")
def test_a_name_that_was_known_and_fails_costs_one_request(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "retries=0", "stale_if_error=0")
    origin.sequence("/a.txt", Response(b"1", headers=[("Cache-Control", "max-age=100")]),
                    Response(status=500))
    assert read(mount / "a.txt") == b"1"
    mount.advance(200)
    assert error_of(read, mount / "a.txt") == errno.EIO
    assert origin.count("/a.txt") == 2
