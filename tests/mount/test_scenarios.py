"""Systems that people run in front of slow origins, each walked through with plain tools:
what they do has to work here, and where they stop this goes on."""
import errno
import json
import os
import threading

import pytest

from limited import error_of, eventually, read, run, together, within
from mounted import BUILD
from origin import Response, noise

MIB = 1 << 20
WWW_DATA = 33


def ctl(mount, *words, **kwargs):
    return run(BUILD / "ctl" / "webcachectl", "-m", mount.dir, *words, **kwargs)


def xattr(path, name):
    return within(os.getxattr, path, f"user.{name}").decode()


def write_config(place, text):
    path = place / "webcachefs.conf"
    path.write_text(text)
    return f"config={path}"


# --- a cache of posters: nginx in front, any URL as a path ---


class TestPosters:
    @pytest.fixture
    def mount(self, make_mount):
        return make_mount("web", "allow=127.0.0.1", "allow_private", "allow_other",
                          "kernel_ttl=0")

    @pytest.fixture
    def nginx(self, make_nginx, mount):
        return make_nginx(mount.dir, extra="merge_slashes off;")

    def test_any_url_is_a_path(self, mount, nginx, origin):
        origin.fresh("/t/p/w500/a.jpg", b"poster")
        # As typed, as nginx and the kernel fold it, and by path: one entry.
        for spelling in (f"/{origin.url}", f"/{origin.url.replace('//', '/')}"):
            status, _, body = nginx.get(f"{spelling}/t/p/w500/a.jpg")
            assert (status, body) == (200, b"poster")
        assert read(f"{mount.dir}/{origin.url}/t/p/w500/a.jpg") == b"poster"
        assert origin.count("/t/p/w500/a.jpg") == 1
        assert nginx.get(f"/{origin.url}/t/p/w500/none.jpg")[0] == 404
        assert nginx.get("/https:/elsewhere.example/a.jpg")[0] == 403

    def test_hits_and_misses_are_visible(self, mount, origin):
        origin.fresh("/a.jpg", b"poster")
        path = f"{mount.dir}/{origin.url}/a.jpg"
        read(path)
        assert "hit" in xattr(path, "webcachefs.cache_status")
        eventually(lambda: mount.stat("bytes_logical") == 6, "its row says that it is whole")
        stats = mount.stats()
        assert (stats["objects"], stats["misses"]) == (1, 1)
        assert stats["hits"] >= 1

    def test_it_survives_a_restart(self, mount, origin):
        origin.fresh("/a.jpg", b"poster")
        read(f"{mount.dir}/{origin.url}/a.jpg")
        mount.remount()
        assert read(f"{mount.dir}/{origin.url}/a.jpg") == b"poster"
        assert origin.count("/a.jpg") == 1

    def test_control_is_for_the_admin_alone(self, mount, nginx):
        for name in ("stats", "health", "purge"):
            assert nginx.get(f"/.control/{name}")[0] == 403
        script = f"cat {mount.control}/stats"
        done = run("setpriv", f"--reuid={WWW_DATA}", "--clear-groups", "sh", "-c", script,
                   check=False)
        assert done.returncode and "denied" in done.stderr
        assert ctl(mount, "health").stdout == "ok\n"

    def test_warming_a_list_and_purging_one(self, mount, place, origin):
        names = [f"/t/p/w500/{n}.jpg" for n in range(40)]
        most, running, lock = [0], [0], threading.Lock()

        def answer(request):
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            try:
                return Response(request.path.encode(), headers=(("Cache-Control", "max-age=60"),))
            finally:
                with lock:
                    running[0] -= 1
        origin.route(None, answer)
        listed = place / "list"
        listed.write_text("".join(f"{origin.url}{name}\n" for name in names))
        ctl(mount, "warm", "-f", listed, "-j", "4", "--delay", "5ms")
        assert [origin.count(name) for name in names] == [1] * 40
        assert most[0] <= 4
        assert nginx_free_read(mount, origin, names[7]) == names[7].encode()
        # One goes, the others stay.
        mount.write("purge", f"{origin.url}{names[7]}\n")
        for name in names:
            nginx_free_read(mount, origin, name)
        assert [origin.count(name) for name in names] == [2 if n == 7 else 1 for n in range(40)]


def nginx_free_read(mount, origin, name):
    return read(f"{mount.dir}/{origin.url}{name}")


# --- results of an image processor: URLs within paths ---


class TestImageProcessor:
    PATH = "rs:fit:300:300/plain/https://example.com/cat.jpg"

    def test_an_embedded_url_works_without_configuration(self, mount, make_nginx, origin):
        origin.fresh(f"/{self.PATH}", b"small cat")
        assert read(f"{mount.dir}/{self.PATH}") == b"small cat"
        assert read(f"{mount.dir}/{self.PATH.replace('//', '/')}") == b"small cat"
        assert origin.count(f"/{self.PATH}") == 1

    def test_readers_get_it_while_it_comes_and_it_is_stored_once(self, mount, origin):
        body = noise(4 * MIB)
        origin.fresh("/large.jpg", body, gates={MIB: "rest"})
        got = []

        def begin():
            fd = os.open(mount / "large.jpg", os.O_RDONLY)
            try:
                got.append(os.pread(fd, 1000, 0))
                return read_rest(fd)
            finally:
                os.close(fd)

        def read_rest(fd):
            pieces, at = [], 0
            while piece := os.pread(fd, MIB, at):
                pieces.append(piece)
                at += len(piece)
            return b"".join(pieces)

        def open_then_let_go():
            eventually(lambda: len(got) == 3, "first bytes for all")
            origin.release("rest")
        results = together([begin, begin, begin, open_then_let_go])
        assert results[:3] == [body] * 3
        assert origin.count("/large.jpg") == 1

    def test_only_what_is_good_is_stored_and_what_is_stored_is_bounded(self, make_mount, origin):
        mount = make_mount(origin.url, "size=16M", "negative_ttl=0")
        origin.set("/broken.jpg", b"error", status=500)
        assert error_of(read, mount / "broken.jpg") == errno.EIO
        origin.fresh("/broken.jpg", b"now it works")
        assert read(mount / "broken.jpg") == b"now it works"
        for n in range(40):
            origin.fresh(f"/{n}.jpg", noise(600_000, n))
            assert read(mount / f"{n}.jpg") == noise(600_000, n)
        assert mount.stat("bytes_used") <= 16 * MIB
        assert mount.stat("evictions") > 0

    def test_the_cached_copy_or_the_live_one(self, make_mount, make_nginx, make_origin, origin):
        """A page shows what is cached, and falls back to the live one."""
        live = make_origin()
        live.fresh("/a.jpg", b"live")
        origin.fresh("/a.jpg", b"cached")
        mount = make_mount(origin.url, "allow_other")
        nginx = make_nginx(mount.dir, extra=f"""
            location / {{ try_files /.cached$uri @live; }}
            location @live {{ proxy_pass {live.url}; }}""")
        assert nginx.get("/a.jpg")[2] == b"live"
        assert origin.count("/a.jpg") == 0
        read(mount / "a.jpg")
        eventually(lambda: nginx.get("/a.jpg")[2] == b"cached", "stored")


# --- previews: keys that do not depend on the order of a query ---


class TestPreviews:
    def test_order_and_signatures_do_not_matter(self, make_mount, origin):
        mount = make_mount(origin.url, "sort_query", "ignore_query=sig:utm_*")
        origin.route(None, lambda request: Response(b"preview", headers=(
            ("Cache-Control", "max-age=60"),)))
        for name in ("p?w=1&h=2&sig=abc", "p?h=2&w=1&sig=def", "p?h=2&w=1", "p?utm_x=1&w=1&h=2"):
            assert read(mount / name) == b"preview"
        assert len(origin.requests) == 1
        assert read(mount / "p?w=2&h=2") == b"preview"
        assert len(origin.requests) == 2

    def test_one_fetch_for_all_who_come_at_once(self, make_mount, origin):
        mount = make_mount(origin.url, "sort_query")
        # What is sent is the URL of who came first.
        for query in ("a=1&b=2", "b=2&a=1"):
            origin.fresh(f"/p?{query}", b"preview", gate="slow")

        def let_go():
            # Of a name the kernel asks once, whoever waits for it.
            eventually(lambda: mount.stat("parked") == 2, "both names wait")
            origin.release("slow")
        names = ["p?a=1&b=2", "p?b=2&a=1"] * 10
        results = together([lambda name=name: read(mount / name) for name in names] + [let_go])
        assert results[:20] == [b"preview"] * 20
        assert len(origin.requests) == 1

    def test_each_kind_has_its_ttl(self, make_mount, place, origin):
        mount = make_mount(origin.url, "kernel_ttl=0", write_config(place, f"""
            [origin previews]
            url = {origin.url}
            ttl = 10s
            [rule previews large/*]
            ttl = 1h
            """))
        for name in ("small/a.jpg", "large/a.jpg"):
            origin.set(f"/{name}", b"x", headers=(("Cache-Control", "max-age=5"),))
            read(mount / name)
        mount.advance(60)
        for name in ("small/a.jpg", "large/a.jpg"):
            read(mount / name)
        assert (origin.count("/small/a.jpg"), origin.count("/large/a.jpg")) == (2, 1)


# --- between a proxy and an API ---


class TestApi:
    CONFIG = """
        [origin api]
        url = {url}
        ttl = 120d
        only = /v1/*
        bypass = *preview=true*
        max_object = 50M
        keep = link:x-total-count:content-disposition
        header = Accept: {accept}
        """

    def mount(self, make_mount, place, origin, accept="application/json", **kwargs):
        place.mkdir(exist_ok=True)
        return make_mount(origin.url, "kernel_ttl=0", write_config(
            place, self.CONFIG.format(url=origin.url, accept=accept)), **kwargs)

    def test_only_given_paths_are_cached_and_others_pass(self, make_mount, place, origin):
        mount = self.mount(make_mount, place, origin)
        origin.route(None, lambda request: Response(
            request.headers["accept"].encode(), headers=(("Cache-Control", "max-age=60"),)))
        for name, times in (("v1/list.json", 1), ("v2/list.json", 3),
                            ("v1/list.json?preview=true", 3)):
            for _ in range(3):
                assert read(mount / name) == b"application/json"
            assert origin.count(f"/{name}") >= times
            assert (origin.count(f"/{name}") == 1) == (times == 1), name

    def test_headers_are_kept(self, make_mount, place, origin):
        mount = self.mount(make_mount, place, origin)
        origin.fresh("/v1/list.json", b"[]", headers=(
            ("Link", "</v1/list.json?page=2>; rel=next"), ("X-Total-Count", "40"),
            ("Content-Type", "application/json"), ("Content-Disposition", "inline")))
        read(mount / "v1/list.json")
        path = mount / "v1/list.json"
        mount.remount()
        assert xattr(path, "webcachefs.header.x-total-count") == "40"
        assert xattr(path, "webcachefs.header.link") == "</v1/list.json?page=2>; rel=next"
        assert xattr(path, "mime_type") == "application/json"

    def test_accept_is_part_of_the_key(self, make_mount, place, origin):
        cache = place / "shared"
        origin.route(None, lambda request: Response(
            request.headers["accept"].encode(), headers=(("Cache-Control", "max-age=60"),)))
        for accept in ("application/json", "text/xml"):
            mount = self.mount(make_mount, place / accept.partition("/")[2], origin, accept,
                               cache=cache)
            assert read(mount / "v1/list") == accept.encode()
            assert mount.stop() == 0

    def test_binary_bodies_and_the_limit(self, make_mount, place, origin):
        mount = self.mount(make_mount, place, origin)
        body = bytes(range(256)) * 1000
        origin.fresh("/v1/a.bin", body)
        assert read(mount / "v1/a.bin") == body
        origin.set("/v1/large.bin", Response(b"x", length=51 * MIB, headers=(
            ("Cache-Control", "max-age=60"),)))
        assert error_of(read, mount / "v1/large.bin") == errno.EFBIG

    def test_timeout_and_bad_gateway_differ(self, make_mount, origin):
        mount = make_mount(origin.url, "stall_timeout=300ms", "retries=0")
        origin.set("/gateway.json", b"", status=502)
        origin.set("/timeout.json", b"", status=504)
        origin.set("/slow.json", b"", gate="never")
        assert error_of(read, mount / "gateway.json") == errno.EIO
        assert error_of(read, mount / "timeout.json") == errno.ETIMEDOUT
        assert error_of(read, mount / "slow.json") == errno.ETIMEDOUT

    def test_a_new_release_of_the_data(self, mount, origin):
        origin.fresh("/v1/list.json", b"old", headers=(("Surrogate-Key", "release"),))
        read(mount / "v1/list.json")
        origin.fresh("/v1/list.json", b"new")
        mount.write("purge", "tag:release\n")
        assert read(mount / "v1/list.json") == b"new"


# --- a dashboard: short times, and nobody waits ---


class TestDashboard:
    def test_named_caches_with_times_of_their_own(self, make_mount, make_origin, place):
        servers = {"library": make_origin(), "sessions": make_origin()}
        text = "".join(f"[origin {name}]\nurl = {server.url}\nttl = {ttl}\n"
                       for (name, server), ttl in zip(servers.items(), ("5m", "5s")))
        mount = make_mount("web", "kernel_ttl=0", write_config(place, text))
        assert set(within(os.listdir, mount.dir)) >= {"library", "sessions"}
        for name, server in servers.items():
            server.set("/state.json", name.encode())
            assert read(mount / name / "state.json") == name.encode()
        mount.advance(30)
        for name, server in servers.items():
            read(mount / name / "state.json")
        assert servers["library"].count("/state.json") == 1
        assert servers["sessions"].count("/state.json") == 2
        stats = mount.stats()
        assert stats["hits"] >= 1 and 0 < stats["hit_rate"] < 1
        told = json.dumps(stats["origins"])
        assert all(server.url in told or name in told for name, server in servers.items())
        path = mount / "library" / "state.json"
        assert int(xattr(path, "webcachefs.age")) >= 30
        assert within(os.listdir, mount / "library") == ["state.json"]

    def test_the_old_one_when_the_server_fails(self, make_mount, origin):
        mount = make_mount(origin.url, "kernel_ttl=0", "ttl=5s", "retries=0")
        origin.set("/state.json", b"before")
        read(mount / "state.json")
        mount.advance(60)
        origin.set("/state.json", b"broken", status=500)
        assert read(mount / "state.json") == b"before"
        assert mount.stat("stale_served") == 1

    def test_it_is_renewed_before_it_ends(self, make_mount, origin):
        mount = make_mount(origin.url, "kernel_ttl=0", "ttl=100s", "refresh_ahead=80%")
        origin.set("/state.json", b"first")
        read(mount / "state.json")
        origin.set("/state.json", b"second", gate="slow")
        mount.advance(85)
        assert read(mount / "state.json") == b"first"  # at once
        origin.release("slow")
        eventually(lambda: read(mount / "state.json") == b"second", "renewed behind")
        assert origin.count("/state.json") == 2

    def test_warm_after_a_restart(self, make_mount, place, origin):
        listed = place / "warm.list"
        listed.write_text("state.json\nlibrary.json\n")
        for name in ("state.json", "library.json"):
            origin.fresh(f"/{name}", name.encode())
        mount = make_mount(origin.url, f"warm_file={listed}")
        eventually(lambda: origin.count("/state.json") == origin.count("/library.json") == 1,
                   "warmed at the start")
        eventually(lambda: mount.stat("objects") == 2, "stored")
        assert read(mount / "state.json") == b"state.json"
        assert origin.count("/state.json") == 1

    def test_clearing_and_counting_from_zero(self, mount, origin):
        origin.fresh("/state.json", b"x")
        read(mount / "state.json")
        mount.write("purge", "all\n")
        mount.write("reset", "1\n")
        stats = mount.stats()
        assert (stats["objects"], stats["hits"], stats["misses"], stats["purged"]) == (0, 0, 0, 0)
        read(mount / "state.json")
        assert origin.count("/state.json") == 2

    def test_metrics(self, mount):
        text = read(mount.control / "metrics").decode()
        assert "# TYPE webcachefs_hits_total counter" in text
