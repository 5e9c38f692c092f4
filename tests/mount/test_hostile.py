"""What origins say that is wrong, torn or meant to harm: found by reading the code with their
eyes. Each of these was believed once."""
import gzip
import os

import pytest

from limited import Task, error_of, eventually, read, read_at, within
from origin import FRESH, Response, http_date, noise

MIB = 1 << 20
OLD, NEW = 1_600_000_000, 1_700_000_000


def leads_to(path, *more):
    return Response(status=302, headers=(("Location", path), ("Cache-Control", "max-age=10"), *more))


@pytest.mark.parametrize("rolled_back", ["redirects to another", "is there itself"])
def test_a_validator_is_about_one_resource(make_mount, origin, rolled_back):
    """Of /v2 it says nothing that /v1 was not changed since, nor /latest itself."""
    mount = make_mount(origin.url, "kernel_ttl=0")
    ages = (("Cache-Control", "max-age=10"),)
    origin.set("/v2", b"version 2", last_modified=NEW, headers=ages)
    origin.set("/v1", b"version 1", last_modified=OLD, headers=ages)
    origin.set("/latest.txt", leads_to("/v2"))
    assert read(mount / "latest.txt") == b"version 2"
    if rolled_back == "redirects to another":
        origin.set("/latest.txt", leads_to("/v1"))
    else:
        origin.set("/latest.txt", b"version 1", last_modified=OLD, headers=ages)
    mount.advance(60)
    assert read(mount / "latest.txt") == b"version 1"


def test_behind_a_redirect_it_is_still_revalidated(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    ages = (("Cache-Control", "max-age=10"),)
    origin.set("/v2", b"version 2", etag='"2"', headers=ages)
    origin.set("/latest.txt", leads_to("/v2"))
    for _ in range(3):
        assert read(mount / "latest.txt") == b"version 2"
        mount.advance(60)
    asked = origin.asked("/v2")
    assert [request.headers.get("if-none-match") for request in asked] == [None, '"2"', '"2"']
    assert not any("if-none-match" in request.headers for request in origin.asked("/latest.txt"))
    assert mount.stat("revalidated") == 2


def test_a_date_of_this_very_second_tears_nothing(mount, origin):
    """It may be changed once more in it, and be as long: such a Last-Modified is no strong
    validator (RFC 9110 8.8.2.2)."""
    now = http_date(NEW)
    bodies = noise(16 * MIB, 1), noise(16 * MIB, 2)
    same = (("Date", now), ("Cache-Control", "max-age=100000"))
    origin.set("/a.bin", bodies[0], last_modified=NEW, ranges=True, headers=same)
    assert read_at(mount / "a.bin", 0, 65536) == bodies[0][:65536]
    mount.remount()
    origin.set("/a.bin", bodies[1], last_modified=NEW, ranges=True, headers=same)
    assert read(mount / "a.bin") in bodies


def test_an_older_date_can_be_resumed(mount, origin):
    body = noise(16 * MIB)
    origin.fresh("/a.bin", body, last_modified=OLD, ranges=True)
    assert read_at(mount / "a.bin", 0, 65536) == body[:65536]
    mount.remount()
    assert read(mount / "a.bin") == body
    assert origin.asked("/a.bin")[1].headers["if-range"] == http_date(OLD)


def test_codings_in_codings_do_not_stop_the_others(mount, origin):
    """291 kB that are 40 GB between two codings, and nothing at the end."""
    empty = gzip.compress(b"", 9, mtime=0)
    inner = gzip.compress(empty * (64 * MIB // len(empty)), 9, mtime=0)
    bomb = gzip.compress(inner * 600, 9, mtime=0)
    assert len(bomb) < MIB
    origin.fresh("/bomb.txt", bomb, headers=[("Content-Encoding", "gzip, gzip, gzip")])
    origin.fresh("/good.txt", b"good")
    task = Task(error_of, read, mount / "bomb.txt")
    eventually(lambda: origin.count("/bomb.txt") == 1)
    assert read(mount / "good.txt") == b"good"
    assert task.result() is not None
    assert mount.stat("failed_broken") >= 1


def test_the_environment_does_not_lead_around_the_proxy(make_mount, origin, make_origin):
    """Nor around the look at addresses, which a proxy makes superfluous."""
    proxy = make_origin()
    proxy.route(None, lambda request: Response(b"by the proxy", headers=FRESH))
    for name in "no_proxy", "NO_PROXY":
        mount = make_mount("web", "allow=127.0.0.1", f"proxy={proxy.url}",
                           env={name: "127.0.0.1,localhost"})
        origin.fresh("/a.txt", b"of its own")
        assert read(mount / f"{origin.url}/a.txt".replace("http://", "http:/")) == b"by the proxy"
        assert origin.count() == 0


@pytest.mark.parametrize("says", ["no-cache", "no-store", "max-age=5"])
def test_who_comes_when_it_is_stale_does_not_get_what_is_on_its_way(make_mount, origin, says):
    mount = make_mount(origin.url, "kernel_ttl=0")
    origin.set("/a.bin", noise(16 * MIB, 1), etag='"1"', ranges=True,
               headers=[("Cache-Control", says)])
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    try:
        assert within(os.pread, fd, 65536, 0) == noise(16 * MIB, 1)[:65536]
        origin.set("/a.bin", noise(16 * MIB, 2), etag='"2"', ranges=True,
                   headers=[("Cache-Control", says)])
        mount.advance(3600)
        assert read_at(mount / "a.bin", 0, 65536) == noise(16 * MIB, 2)[:65536]
    finally:
        os.close(fd)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_where_a_redirect_led_is_not_for_ever(mount, origin, status):
    """As of stores that sign a URL for some minutes."""
    body = noise(16 * MIB)
    origin.set("/a.bin", Response(status=302, headers=(("Location", "/signed?1"),
                                                       ("Cache-Control", "max-age=100000"))))
    for number in (1, 2):
        origin.fresh(f"/signed?{number}", body, etag='"1"', ranges=True)
    assert read_at(mount / "a.bin", 0, 65536) == body[:65536]
    origin.set("/signed?1", Response(status=status))
    origin.set("/a.bin", Response(status=302, headers=(("Location", "/signed?2"),
                                                       ("Cache-Control", "max-age=100000"))))
    assert read_at(mount / "a.bin", 10 * MIB, 65536) == body[10 * MIB:10 * MIB + 65536]
    assert read(mount / "a.bin") == body


def test_what_stands_behind_a_range_is_not_the_body(mount, origin):
    body = noise(16 * MIB)

    def answer(request):
        asked = request.headers.get("range")
        if not asked:
            return Response(body, ranges=True, etag='"1"', headers=FRESH, chunk=65536)
        first, last = (int(part) if part else len(body) - 1
                       for part in asked.removeprefix("bytes=").split("-"))
        return Response(body[first:last + 1] + b"X" * 300_000, status=206, framing="chunked",
                        headers=FRESH + (("ETag", '"1"'), (
                            "Content-Range", f"bytes {first}-{last}/{len(body)}")))
    origin.route("/a.bin", answer)
    fd = within(os.open, mount / "a.bin", os.O_RDONLY)
    try:
        within(os.pread, fd, 65536, 0)
        for at in (8 * MIB, 8 * MIB + 200_000, 12 * MIB):
            try:
                assert within(os.pread, fd, 65536, at) == body[at:at + 65536]
            except OSError:
                pass
    finally:
        os.close(fd)


def test_shorter_ranges_than_asked_for_are_legal(make_mount, origin):
    """Also for who asks for all of the rest (RFC 9110 15.3.7)."""
    mount = make_mount(origin.url, "retries=1")
    body = noise(24 * MIB)

    def answer(request):
        asked = request.headers.get("range")
        if not asked:
            return Response(body, ranges=True, etag='"1"', headers=FRESH)
        first, last = asked.removeprefix("bytes=").split("-")
        end = min(int(first) + 2 * MIB, len(body), int(last or len(body)) + 1)
        return Response(body[int(first):end], status=206, headers=FRESH + (
            ("ETag", '"1"'), ("Content-Range", f"bytes {first}-{end - 1}/{len(body)}")))
    origin.route("/a.bin", answer)
    assert read_at(mount / "a.bin", 0, 65536) == body[:65536]
    mount.remount()
    assert read(mount / "a.bin") == body


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_what_chose_a_redirect_chose_the_response(make_mount, origin, make_origin, place, where):
    there = origin if where == "here" else make_origin()
    asked_with = place / "fields"
    asked_with.write_text("Accept-Language: de\n")
    origin.route("/a.txt", lambda request: Response(status=302, headers=FRESH + (
        ("Location", f"{there.url}/{request.headers['accept-language']}"),
        ("Vary", "Accept-Language"))))
    for language in ("de", "en"):
        there.fresh(f"/{language}", language.encode())
    mount = make_mount(origin.url, f"header_file={asked_with}", "kernel_ttl=0", "allow=127.0.0.1",
                       "allow_private")
    assert read(mount / "a.txt") == b"de"
    assert read(mount / "a.txt") == b"de"
    assert origin.count("/a.txt") == 1
    asked_with.with_suffix(".new").write_text("Accept-Language: en\n")
    asked_with.with_suffix(".new").rename(asked_with)
    assert eventually(lambda: read(mount / "a.txt")) == b"en"


def resident(mount):
    with open(f"/proc/{mount.process.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


def test_names_that_none_can_have_take_no_memory(make_mount, origin):
    mount = make_mount(origin.url, "listing=auto")
    links = "".join(f'<a href="{n}{"x" * 60_000}">x</a>\n' for n in range(300))
    page = f"<html><title>Index of /</title><h1>Index of /</h1><pre>{links}</pre></html>".encode()
    origin.route(None, lambda request: Response(page, headers=FRESH + (
        ("Content-Type", "text/html"),)))
    os.listdir(mount / "0")
    before = resident(mount)
    for number in range(1, 12):
        assert within(os.listdir, mount / f"{number}") == []
    assert resident(mount) < before + 100 * MIB


