"""What was fetched outlives the mount."""
import os

from limited import error_of, names, read, read_at, stat, within
from origin import noise, text


def test_files_are_served_after_a_remount_without_a_request(mount, origin):
    bodies = {f"{n}.bin": noise(n * 1000, n) for n in range(1, 200)}
    bodies["large.bin"] = noise(3 << 20)
    bodies["large.txt"] = text(3 << 20)
    bodies["empty.txt"] = b""
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, last_modified=1_500_000_000)
        assert read(mount / name) == body
    asked = origin.count()
    mount.remount()
    for name, body in bodies.items():
        assert stat(mount / name).st_mtime == 1_500_000_000
        assert read(mount / name) == body
    assert names(mount.dir) == sorted(bodies)
    assert origin.count() == asked == len(bodies)


def test_everything_is_served_while_the_origin_is_gone(mount, origin):
    origin.fresh("/a/b/c.txt", b"kept")
    assert read(mount / "a/b/c.txt") == b"kept"
    origin.close()
    mount.remount()
    assert read(mount / "a/b/c.txt") == b"kept"


def test_a_remembered_404_is_remembered_after_a_remount(make_mount, origin):
    mount = make_mount(origin.url, "negative_ttl=1h")
    assert error_of(read, mount / "no.txt") == 2
    mount.remount()
    assert error_of(read, mount / "no.txt") == 2
    assert origin.count("/no.txt") == 1


def test_pages_are_known_as_files_after_a_remount(mount, origin):
    origin.fresh("/docs/intro", b"page")
    assert read(mount / "docs/intro") == b"page"
    mount.remount()
    assert stat(mount / "docs/intro").st_size == 4
    assert read(mount / "docs/intro") == b"page"
    assert origin.count("/docs/intro") == 1


def test_declared_directories_are_there_after_a_remount(mount):
    os.mkdir(mount / "declared.d")
    mount.remount()
    assert stat(mount / "declared.d").st_mode & 0o40000
    assert names(mount.dir) == ["declared.d"]


def test_ten_remounts_in_a_row(mount, origin):
    origin.fresh("/a.txt", b"x" * 1000)
    for _ in range(10):
        assert read(mount / "a.txt") == b"x" * 1000
        mount.remount()
    assert origin.count("/a.txt") == 1


def test_a_download_that_a_remount_cut_short_is_right_afterwards(mount, origin):
    body = noise(8 << 20)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True, gates={6 << 20: "late"})
    assert read_at(mount / "a.bin", 0, 1000) == body[:1000]
    mount.remount()
    origin.release("late")
    assert read(mount / "a.bin") == body


def test_no_compression_gives_the_same_bytes(make_mount, origin):
    mount = make_mount(origin.url, "compress=none")
    body = text(2 << 20)
    origin.fresh("/a.txt", body)
    assert read(mount / "a.txt") == body
    mount.remount()
    assert read(mount / "a.txt") == body
    assert origin.count("/a.txt") == 1


def test_a_body_under_way_is_taken_up_after_an_unmount(make_mount, origin):
    """What had arrived of a large body when the mount ended is not asked for again."""
    mount = make_mount(origin.url)
    body = noise(24 << 20, 5)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    fd = os.open(mount / "a.bin", os.O_RDONLY)
    try:
        assert within(os.pread, fd, 65536, 3 << 20) == body[3 << 20:][:65536]
    finally:
        os.close(fd)
    mount.remount()
    assert read(mount / "a.bin") == body
    assert "range" in origin.asked("/a.bin")[-1].headers
    assert origin.asked("/a.bin")[-1].sent < len(body) - (2 << 20)
