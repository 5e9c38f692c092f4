"""The bytes, size and times of a file are those of the response."""
import gzip
import hashlib
import os
import shutil
import subprocess

import pytest

from limited import Task, eventually, pread_all, read, read_at, run, stat, within
from mounted import stats_below
from origin import noise, text

MIB = 1 << 20


def test_a_small_file_reads_as_sent(mount, origin):
    origin.fresh("/a.txt", b"hello\n")
    assert read(mount / "a.txt") == b"hello\n"
    assert origin.count("/a.txt", "GET") == 1
    assert origin.count() == 1


def test_a_stored_body_that_was_cut_is_fetched_again(mount, origin):
    """Also one that is read already, and was right then: its readers see no early end."""
    body = noise(3 * MIB)
    origin.fresh("/a.bin", body, etag='"1"', ranges=True)
    assert read(mount / "a.bin") == body
    stored, = eventually(lambda: [path for path, st in stats_below(mount.cache, "blobs/??/*").items()
                                  if st.st_size > MIB and path.suffix != ".tmp"], "stored")
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert within(pread_all, fd, 0, len(body)) == body  # compared with its sums
        os.truncate(stored, MIB)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert within(pread_all, fd, 0, len(body)) == body
    finally:
        os.close(fd)
    assert mount.stat("corrupt") == 1


def test_an_empty_file_is_empty(mount, origin):
    origin.fresh("/empty.txt", b"")
    assert read(mount / "empty.txt") == b""
    assert stat(mount / "empty.txt").st_size == 0


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 65536, 131071, 131073, 262144, 262145,
                                  MIB + 1, 5 * MIB])
def test_sizes_at_the_edges_of_pages_and_chunks(mount, origin, size):
    body = noise(size)
    origin.fresh("/x.bin", body)
    assert stat(mount / "x.bin").st_size == size
    assert read(mount / "x.bin") == body
    assert origin.count("/x.bin", "GET") == 1


def test_compressible_bodies_come_back_the_same_after_a_remount(mount, origin):
    body = text(5 * MIB)
    origin.fresh("/x.log", body)
    assert read(mount / "x.log") == body
    mount.remount()
    assert read(mount / "x.log") == body
    assert origin.count("/x.log") == 1


def test_64_mib_with_large_holes_of_zeroes(mount, origin):
    body = bytearray(64 * MIB)
    for at in range(0, len(body), 7 * MIB):
        body[at:at + 1000] = noise(1000, at)
    origin.fresh("/sparse.bin", bytes(body))
    assert hashlib.sha256(read(mount / "sparse.bin")).digest() == hashlib.sha256(body).digest()
    assert origin.count("/sparse.bin") == 1


def test_a_body_without_length_is_fetched_whole_before_its_size_is_told(mount, origin):
    body = noise(3 * MIB)
    origin.fresh("/stream.bin", body, framing="close", gates={2 * MIB: "two thirds"})
    looking = Task(os.stat, mount / "stream.bin")
    origin.wait_reached("two thirds")
    assert not looking.done
    origin.release("two thirds")
    assert looking.result().st_size == len(body)
    assert read(mount / "stream.bin") == body
    assert origin.count("/stream.bin") == 1


@pytest.mark.parametrize("size", [0, 5, 100_000, 2 * MIB])
def test_a_chunked_body(mount, origin, size):
    body = noise(size)
    origin.fresh("/c.bin", body, framing="chunked", chunk=7919)
    assert read(mount / "c.bin") == body
    assert stat(mount / "c.bin").st_size == size


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_gzip_coded_body_is_decoded(mount, origin, framing):
    body = text(MIB)
    origin.fresh("/z.txt", body, gzip=True, framing=framing)
    assert read(mount / "z.txt") == body
    assert stat(mount / "z.txt").st_size == len(body)


def test_a_gz_file_without_content_encoding_stays_as_it_is(mount, origin):
    body = gzip.compress(text(100_000))
    origin.fresh("/z.txt.gz", body, headers=[("Content-Type", "application/gzip")])
    assert read(mount / "z.txt.gz") == body


def test_interim_responses_are_not_the_answer(mount, origin):
    origin.fresh("/a.txt", b"final", interim=(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\nContent-Length: 77\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n"))
    assert read(mount / "a.txt") == b"final"


@pytest.mark.parametrize("offset, length", [
    (0, 1), (1, 1), (4095, 2), (131072, 131072), (1_000_003, 65_537), (3 * MIB - 1, 1),
    (3 * MIB - 1, 100), (3 * MIB, 100), (3 * MIB + 50, 100)])
def test_bytes_at_an_offset(mount, origin, offset, length):
    body = noise(3 * MIB)
    origin.fresh("/x.bin", body)
    assert read_at(mount / "x.bin", offset, length) == body[offset:offset + length]


def test_reading_backwards_gives_the_same_bytes(mount, origin):
    body = noise(2 * MIB)
    origin.fresh("/x.bin", body)

    def backwards():
        with open(mount / "x.bin", "rb", buffering=0) as file:
            return [pread_all(file.fileno(), at, 10_000)
                    for at in reversed(range(0, len(body), 10_000))]
    assert b"".join(reversed(within(backwards))) == body


def test_a_mapped_file_has_the_bytes(mount, origin):
    """In a process of its own: bytes that do not come are a SIGBUS."""
    body = noise(MIB)
    origin.fresh("/x.bin", body)
    code = ("import hashlib, mmap, sys\n"
            "with open(sys.argv[1], 'rb') as file:\n"
            "\tview = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
            "\tprint(hashlib.sha256(view).hexdigest())\n")
    said = run("/usr/bin/python3", "-c", code, mount / "x.bin").stdout.strip()
    assert said == hashlib.sha256(body).hexdigest()


def test_direct_io_reads_the_bytes(mount, origin):
    body = noise(MIB)
    origin.fresh("/x.bin", body)
    done = run("dd", f"if={mount / 'x.bin'}", "iflag=direct", "bs=64k", "status=none", text=False)
    assert done.stdout == body


def test_sendfile_and_copy_file_range_copy_the_bytes(mount, origin, place):
    body = noise(MIB)
    origin.fresh("/x.bin", body)
    within(shutil.copyfile, mount / "x.bin", place / "copy")
    assert (place / "copy").read_bytes() == body


def test_mtime_is_last_modified(mount, origin):
    origin.fresh("/a.txt", b"x", last_modified=1_234_567_890)
    assert stat(mount / "a.txt").st_mtime == 1_234_567_890


def test_files_are_read_only_regular_files_of_who_mounted(mount, origin):
    origin.fresh("/a.txt", b"x")
    st = stat(mount / "a.txt")
    assert oct(st.st_mode) in ("0o100444", "0o100644")
    assert (st.st_uid, st.st_gid, st.st_nlink) == (os.getuid(), os.getgid(), 1)


def test_uid_gid_and_umask_options_set_the_owner(make_mount, origin):
    mount = make_mount(origin.url, "uid=33", "gid=34", "umask=077")
    origin.fresh("/a.txt", b"x")
    st = stat(mount / "a.txt")
    assert (st.st_uid, st.st_gid) == (33, 34)
    assert st.st_mode & 0o077 == 0 and st.st_mode & 0o400


def test_a_second_read_costs_neither_a_request_nor_a_read(mount, origin):
    body = noise(300_000)
    origin.fresh("/a.bin", body)
    assert read(mount / "a.bin") == body
    mount.stats()
    before = mount.stats()
    between = mount.stats()  # what asking costs
    assert read(mount / "a.bin") == body
    after = mount.stats()
    assert after["reads"] - between["reads"] == between["reads"] - before["reads"]
    assert after["upstream_requests"] == before["upstream_requests"] == 1
    assert origin.count() == 1


def test_pages_dropped_by_the_kernel_come_from_the_cache(mount, origin):
    body = text(MIB)
    origin.fresh("/a.bin", body)
    assert read(mount / "a.bin") == body
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        assert within(pread_all, fd, 0, len(body)) == body
    finally:
        os.close(fd)
    assert origin.count("/a.bin") == 1


def test_an_open_file_keeps_its_bytes_when_the_origin_changes(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    old, new = noise(400_000, 1), noise(500_000, 2)
    origin.fresh("/a.bin", old)
    assert read(mount / "a.bin") == old
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    try:
        origin.fresh("/a.bin", new)
        mount.purge("/a.bin")
        assert read(mount / "a.bin") == new
        assert within(pread_all, fd, 0, 500_000) == old
        assert within(os.fstat, fd).st_size == len(old)
    finally:
        os.close(fd)


def test_headers_of_the_mount_are_sent(make_mount, origin):
    mount = make_mount(origin.url, "header=X-Token: a b c", "user_agent=tester/1")
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    headers = origin.asked("/a.txt")[0].headers
    assert headers["x-token"] == "a b c"
    assert headers["user-agent"] == "tester/1"


def test_header_file_is_sent(make_mount, origin, place):
    (place / "headers").write_text("Authorization: Bearer secret\nX-B: 2\n")
    mount = make_mount(origin.url, f"header_file={place / 'headers'}")
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    headers = origin.asked("/a.txt")[0].headers
    assert headers["authorization"] == "Bearer secret" and headers["x-b"] == "2"


def test_connections_are_kept_and_used_again(mount, origin):
    for number in range(20):
        origin.fresh(f"/{number}.txt", b"x")
        assert read(mount / f"{number}.txt") == b"x"
    assert origin.accepted == 1


def test_cmp_and_sha256sum_read_the_file(mount, origin, place):
    body = noise(700_000)
    origin.fresh("/a.bin", body)
    (place / "copy").write_bytes(body)
    run("cmp", mount / "a.bin", place / "copy")
    sum_ = run("sha256sum", mount / "a.bin").stdout.split()[0]
    assert sum_ == hashlib.sha256(body).hexdigest()


def test_xattrs_tell_url_status_etag_and_type(mount, origin):
    origin.fresh("/a.jpg", b"x", etag='"v1"', headers=[("Content-Type", "image/jpeg")])
    read(mount / "a.jpg")

    def attribute(name):
        return within(os.getxattr, mount / "a.jpg", name).decode()
    assert attribute("user.webcachefs.url") == f"{origin.url}/a.jpg"
    assert attribute("user.webcachefs.status") == "200"
    assert attribute("user.webcachefs.etag") == '"v1"'
    assert attribute("user.mime_type") == "image/jpeg"
    assert attribute("user.xdg.origin.url") == f"{origin.url}/a.jpg"
    assert "user.webcachefs.url" in within(os.listxattr, mount / "a.jpg")


def test_sixty_processes_read_sixty_files(mount, origin):
    bodies = {f"{n}.bin": noise(50_000 + n, n) for n in range(60)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body)
    cats = {name: subprocess.Popen(["cat", mount / name], stdout=subprocess.PIPE)
            for name in bodies}
    for name, cat in cats.items():
        assert within(cat.communicate)[0] == bodies[name]
    assert origin.count() == 60
