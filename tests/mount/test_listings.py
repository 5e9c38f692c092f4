"""Directories show what their origin lists, whatever server that is."""
import json
import os
import pathlib
import time
import urllib.parse

import pytest

import servers
from limited import eventually, names, read, run, stat, together, within
from origin import Response, http_date, noise

ODD = ["plain.txt", "a b.txt", "100%.txt", "a%20b.txt", "hash#1.txt", "amp&co.txt",
       "quote'1.txt", 'double"2.txt', "less<than>.txt", "semi;colon.txt", "co:lon.txt", "a+b.txt",
       "Grüße.txt", "日本.txt", "no-extension", "back\\slash.txt", "e=mc2.txt"]
JSON = "autoindex on; autoindex_format json;"
HTML = "autoindex on;"


@pytest.fixture
def root(place):
    """A tree with all kinds of names in it."""
    top = place / "root"
    for folder in ("", "sub", "sub/deeper", "dir.d", "5.36.0", "odd dir%&"):
        (top / folder).mkdir()
    for number, name in enumerate(ODD):
        (top / name).write_bytes(noise(100 + number * 1000, number))
        (top / "odd dir%&" / name).write_bytes(noise(50 + number, number))
    (top / "empty.txt").write_bytes(b"")
    (top / "sub/deeper/big.bin").write_bytes(noise(3_000_000))
    (top / "sub/Makefile").write_bytes(b"all:\n")
    (top / "dir.d/conf").write_bytes(b"x=1\n")
    (top / "5.36.0/strict.pm").write_bytes(b"1;\n")
    for number, path in enumerate(sorted(top.rglob("*"))):
        os.utime(path, (1_600_000_000 + number * 61, 1_600_000_000 + number * 61))
    return top


@pytest.fixture
def make_server(place, make_nginx):
    made = []

    def make(kind, root, **kwargs):
        if kind == "nginx":
            return make_nginx(root, **kwargs)
        own = place / f"server{len(made)}"
        own.mkdir()
        own.chmod(0o777)
        made.append(getattr(servers, kind)(root, own, **kwargs))
        return made[-1]
    yield make
    for server in made:
        server.close()


SERVERS = {
    "nginx-html": ("nginx", {"extra": HTML}),
    "nginx-html-rounded": ("nginx", {"extra": HTML + "autoindex_exact_size off;"}),
    "nginx-json": ("nginx", {"extra": JSON}),
    "apache-plain": ("Apache", {}),
    "apache-fancy": ("Apache", {"extra": "Options +Indexes\nIndexOptions FancyIndexing"}),
    "apache-table": ("Apache", {"extra": "Options +Indexes\nIndexOptions FancyIndexing HTMLTable"}),
    "apache-webdav": ("Apache", {"extra": "Dav On"}),
    "lighttpd": ("Lighttpd", {}),
    "caddy": ("Caddy", {}),
    "python": ("PythonServer", {}),
}


@pytest.fixture(params=sorted(SERVERS))
def server(request, make_server, root):
    kind, kwargs = SERVERS[request.param]
    return make_server(kind, root, **kwargs)


@pytest.fixture
def mount(make_mount, server):
    return make_mount(server.url, "listing=auto")


def tree(top):
    """What is below: name -> kind, size and time of files."""
    found = {}
    for folder, folders, files in os.walk(top):
        relative = pathlib.Path(folder).relative_to(top)
        for name in folders:
            found[str(relative / name)] = "directory"
        for name in files:
            st = os.lstat(os.path.join(folder, name))
            found[str(relative / name)] = (st.st_size, int(st.st_mtime))
    return found


def test_the_tree_is_that_of_the_origin(mount, root):
    """Sizes and times, too, without reading a file."""
    assert within(tree, mount.dir, limit=60) == tree(root)
    assert mount.stat("promises_broken") == 0


def test_each_file_has_the_bytes_of_the_origin(mount, root):
    names(mount.dir)
    for name in ODD:
        assert read(mount / name) == (root / name).read_bytes()
    names(mount / "odd dir%&")
    for name in ODD:
        assert read(mount / "odd dir%&" / name) == (root / "odd dir%&" / name).read_bytes()


@pytest.mark.parametrize("command", ["cp -a", "rsync -a --exclude=.control", "tar"])
def test_copies_equal_the_origin(mount, root, place, command):
    copy = place / "copy"
    copy.mkdir()
    if command == "tar":
        run("sh", "-c", f"tar -C {mount.dir} --exclude=./.control -cf - . | tar -C {copy} -xf -",
            limit=120)
    elif command == "cp -a":
        entries = [mount / name for name in names(mount.dir)]
        run("cp", "-a", *entries, copy, limit=120)
    else:
        run(*command.split(), f"{mount.dir}/", copy, limit=120)
    assert run("diff", "-r", root, copy, check=False).stdout == ""
    assert tree(copy) == tree(root)


# --- what it costs ---

def asked(server):
    """(method, target) of each request."""
    return [(method, target) for method, _, _, target in server.requests()]


def test_ls_l_of_ten_thousand_names_is_one_request(make_mount, make_nginx, place):
    root = place / "root"
    root.mkdir()
    for number in range(10_000):
        (root / f"file-{number:05}.bin").write_bytes(b"x" * (number % 700 + 1))
    nginx = make_nginx(root, extra=JSON)
    mount = make_mount(nginx.url, "listing=auto")
    begun = time.monotonic()
    lines = run("ls", "-l", "--time-style=+%s", mount.dir, limit=120).stdout.splitlines()[1:]
    took = time.monotonic() - begun
    assert asked(nginx) == [("GET", "/")]
    assert [line.split()[6] for line in lines] == sorted(os.listdir(root))
    assert [int(line.split()[4]) for line in lines] == [n % 700 + 1 for n in range(10_000)]
    begun = time.monotonic()
    run("ls", "-l", "--time-style=+%s", root)
    print(f"ls -l of 10,000 names: {took:.3f} s, on disk {time.monotonic() - begun:.3f} s")


def test_looking_at_a_tree_costs_its_listings(make_mount, make_server, root):
    (root / "empty.txt").unlink()
    nginx = make_server("nginx", root, extra=JSON)
    mount = make_mount(nginx.url, "listing=auto")
    run("find", mount.dir, "-type", "f", "-size", "+1", "-newermt", "2000-01-01")
    run("du", "-a", "--apparent-size", mount.dir)
    run("ls", "-lR", mount.dir)
    requests = asked(nginx)
    assert {method for method, _ in requests} == {"GET"}
    assert all(target.endswith("/") for _, target in requests)
    assert len(requests) == len(set(requests)) == 6


def test_listing_names_alone_leaves_the_kernel_what_it_remembers(make_mount, origin):
    many = [(f"{number:03}.bin", 1000) for number in range(300)]
    origin.set("/many/", listing(*many), headers=JSON_TYPE)
    origin.fresh("/hot.bin", noise(100_000))
    mount = make_mount(origin.url, "listing=auto")
    read(mount / "hot.bin")
    asked = mount.stat("read_bytes")
    assert names(mount / "many") == [name for name, _ in many]
    assert len(run("find", mount / "many").stdout.split()) == 301
    assert mount.stat("epochs") == 0
    read(mount / "hot.bin")
    assert mount.stat("read_bytes") == asked


def test_after_the_first_names_ls_l_looks_none_up(make_mount, origin):
    origin.set("/many/", listing(*((f"{n:03}.bin", 1000) for n in range(300))), headers=JSON_TYPE)
    mount = make_mount(origin.url, "listing=auto")
    before = mount.stat("lookups")
    assert len(run("ls", "-l", mount / "many").stdout.splitlines()) == 301
    assert mount.stat("lookups") - before < 20


def test_what_a_page_rounds_is_asked_for_with_head(make_mount, make_server, root):
    (root / "empty.txt").unlink()
    nginx = make_server("nginx", root, extra=HTML)
    mount = make_mount(nginx.url, "listing=auto")
    run("ls", mount.dir)
    assert asked(nginx) == [("GET", "/")]
    run("ls", "-l", mount.dir)
    requests = asked(nginx)[1:]
    assert {method for method, _ in requests} == {"HEAD"}
    assert len(requests) == len(set(requests)) == len([p for p in root.iterdir() if p.is_file()])


def test_heads_are_asked_ahead_and_in_order(make_mount, make_server, place):
    root = place / "root"
    root.mkdir()
    for number in range(200):
        (root / f"{number:03}.bin").write_bytes(b"x" * (number + 1))
    server = make_server("PythonServer", root)
    mount = make_mount(server.url, "listing=auto")
    sizes = within(lambda: {entry.name: entry.stat().st_size for entry in os.scandir(mount.dir)
                            }, limit=60)
    assert sizes == {f"{number:03}.bin": number + 1 for number in range(200)}
    assert {method for method, path in server.requests if path != "/"} == {"HEAD"}
    heads = [int(path[1:4]) for method, path in server.requests if method == "HEAD"]
    # One that comes in just when somebody looks at the name may be sent twice.
    assert len(set(heads)) == 200 and len(heads) < 220
    # Those under way at the same time may overtake each other.
    assert all(abs(number - place) < 60 for place, number in enumerate(heads))


# --- scripted origins ---

JSON_TYPE = [("Content-Type", "application/json")]
WHEN = 1_600_000_000


def listing(*entries):
    """nginx's JSON of (name, size) or of directories' names."""
    return json.dumps([
        {"name": e, "type": "directory", "mtime": http_date(WHEN)} if isinstance(e, str) else
        {"name": e[0], "type": "file", "mtime": http_date(WHEN), "size": e[1]}
        for e in entries]).encode()


@pytest.fixture
def listed(make_mount, origin):
    """A mount whose root lists a.bin, with 1,000 bytes."""
    origin.set("/", listing(("a.bin", 1000), "sub"), headers=JSON_TYPE)
    origin.set("/a.bin", noise(1000), last_modified=WHEN, etag='"1"')
    return make_mount(origin.url, "listing=auto")


def in_one_process(mount, *steps):
    """A python that does these, one after the other, with the mount as its directory."""
    lines = ["import os, sys", f"os.chdir({str(mount.dir)!r})", *steps]
    return run("/usr/bin/python3", "-c", "\n".join(lines)).stdout.split()


def test_who_lists_and_opens_gets_one_request_for_the_file(listed, origin):
    got = in_one_process(listed, "os.listdir('.')", "print(os.stat('a.bin').st_ino)",
                         "f = open('a.bin', 'rb')", "print(os.fstat(f.fileno()).st_ino)",
                         "print(f.read().hex())")
    assert got == [got[0], got[0], noise(1000).hex()]
    assert origin.count("/a.bin") == 1


def test_who_lists_and_reads_at_once_gets_one_request(listed, origin):
    got = in_one_process(listed, "os.listdir('.')", "print(open('a.bin', 'rb').read().hex())")
    assert got == [noise(1000).hex()]
    assert origin.count("/a.bin") == 1


@pytest.mark.parametrize("size", [1, 500, 999, 1001, 70_000])
def test_a_file_that_has_changed_since_is_served_as_it_is(listed, origin, size):
    run("ls", "-l", listed.dir)
    body = noise(size, 2)
    origin.set("/a.bin", body, last_modified=WHEN + 5, etag='"2"')
    assert run("cat", listed / "a.bin", text=False).stdout == body
    assert stat(listed / "a.bin").st_size == size
    assert stat(listed / "a.bin").st_mtime == WHEN + 5


@pytest.mark.parametrize("size", [1, 999, 1001, 70_000])
def test_a_changed_file_is_never_cut_for_who_lists(listed, origin, size):
    body = noise(size, 2)
    origin.set("/a.bin", body, last_modified=WHEN + 5, etag='"2"')
    got = in_one_process(listed, "os.listdir('.')", "os.stat('a.bin')",
                         "print(open('a.bin', 'rb').read().hex())")
    assert got == [body.hex()]


@pytest.mark.parametrize("size", [1, 999, 1001, 70_000])
def test_who_opened_by_the_listing_alone_gets_estale_once(listed, origin, size):
    body = noise(size, 2)
    origin.set("/a.bin", body, last_modified=WHEN + 5, etag='"2"')
    got = in_one_process(listed, "os.listdir('.')", "f = open('a.bin', 'rb', buffering=0)",
                         "try: print(f.readall())", "except OSError as e: print(e.errno)",
                         "print(open('a.bin', 'rb').read().hex())")
    assert got == ["116", body.hex()]
    assert listed.stat("promises_broken") == 1


def test_same_size_and_another_time_is_another_file(listed, origin):
    body = noise(1000, 2)
    origin.set("/a.bin", body, last_modified=WHEN + 5, etag='"2"')
    got = in_one_process(listed, "os.listdir('.')", "print(int(os.stat('a.bin').st_mtime))",
                         "f = open('a.bin', 'rb')", "print(int(os.fstat(f.fileno()).st_mtime))",
                         "print(f.read().hex())")
    assert got == [str(WHEN), str(WHEN + 5), body.hex()]


def test_a_listed_file_that_is_gone_is_not_there(listed, origin):
    origin.remove("/a.bin")
    assert run("ls", listed.dir).stdout.split() == ["a.bin", "sub"]
    assert run("cat", listed / "a.bin", check=False).stderr.endswith("No such file or directory\n")


def test_a_large_file_can_be_read_from_its_end_first(make_mount, origin):
    body = noise(9_000_000)
    origin.set("/", listing(("a.bin", len(body))), headers=JSON_TYPE)
    origin.set("/a.bin", body, last_modified=WHEN, etag='"1"', ranges=True)
    mount = make_mount(origin.url, "listing=auto")
    got = in_one_process(mount, "os.listdir('.')", "f = open('a.bin', 'rb')",
                         "f.seek(-10, 2)", "print(f.read().hex())")
    assert got == [body[-10:].hex()]
    assert origin.sent("/a.bin") < len(body)


def test_names_that_are_not_listed_can_be_opened(listed, origin):
    origin.fresh("/secret.txt", b"x")
    assert names(listed.dir) == ["a.bin", "sub"]
    assert read(listed / "secret.txt") == b"x"
    assert names(listed.dir) == ["a.bin", "secret.txt", "sub"]


def test_a_listing_is_asked_for_once_by_many(make_mount, origin):
    origin.set("/", listing("sub"), headers=JSON_TYPE, gate="wait")
    mount = make_mount(origin.url, "listing=auto")
    origin.gate("wait")
    task = [lambda: names(mount.dir)] * 8

    def release():
        origin.wait_reached("wait")
        eventually(lambda: mount.stat("parked") >= 8, "eight wait")
        origin.release("wait")
    results = together(task + [release])
    assert results[:8] == [["sub"]] * 8
    assert origin.count("/") == 1


def test_a_listing_lasts_as_long_as_it_is_fresh(make_mount, origin):
    origin.set("/", listing("said"), headers=[*JSON_TYPE, ("Cache-Control", "max-age=100")])
    origin.set("/said/", listing("two"), headers=JSON_TYPE)
    mount = make_mount(origin.url, "listing=auto")
    for _ in range(3):
        assert names(mount.dir) == ["said"]
        assert names(mount / "said") == ["two"]
    mount.advance(11)  # what says nothing lasts 10 s
    origin.set("/said/", listing("three"), headers=JSON_TYPE)
    assert names(mount / "said") == ["three"]
    assert names(mount.dir) == ["said"]
    assert (origin.count("/"), origin.count("/said/")) == (1, 2)
    mount.advance(100)
    names(mount.dir)
    assert origin.count("/") == 2


def test_a_purge_makes_it_be_asked_for_again(listed, origin):
    assert names(listed.dir) == ["a.bin", "sub"]
    origin.set("/", listing("new"), headers=JSON_TYPE)
    assert names(listed.dir) == ["a.bin", "sub"]
    listed.purge("all")
    assert names(listed.dir) == ["new"]


@pytest.mark.parametrize("answer", [
    Response(status=403), Response(status=404), Response(status=500),
    Response(b"<html><title>Home</title><h1>Home</h1><ul><li><a href='x.html'>x</a></ul></html>",
             headers=[("Content-Type", "text/html")]),
    Response(b'{"name": "x"}', headers=JSON_TYPE), Response(noise(5000)),
    Response(b"<ListBucketResult><", headers=[("Content-Type", "application/xml")]),
], ids=["403", "404", "500", "page", "json", "binary", "broken"])
def test_without_a_listing_what_is_known_is_shown(make_mount, origin, answer):
    origin.set("/d/", answer)
    origin.fresh("/d/a.txt", b"x")
    mount = make_mount(origin.url, "listing=auto", "retries=0")
    assert read(mount / "d/a.txt") == b"x"
    for _ in range(3):
        assert [name for name in names(mount / "d") if name != "index.html"] == ["a.txt"]
    assert origin.count("/d/", "GET") == 1
    mount.advance(11)
    names(mount / "d")
    assert origin.count("/d/", "GET") == 2


def test_what_could_not_be_a_name_stays_encoded(make_mount, make_server, place):
    root = place / "root"
    root.mkdir()
    for name in ("what?.txt", "100%?.txt", "x" * 240 + ".txt", "-", "~", "...", "\n.txt"):
        (root / name).write_bytes(name.encode())
    nginx = make_server("nginx", root, extra=JSON)
    mount = make_mount(nginx.url, "listing=auto")
    shown = {"what%3F.txt": "what?.txt", "100%25%3F.txt": "100%?.txt", "-": "-", "~": "~",
             "x" * 240 + ".txt": "x" * 240 + ".txt", "\n.txt": "\n.txt"}
    assert [name for name in names(mount.dir) if name != "..."] == sorted(shown)
    for name, there in shown.items():
        assert read(mount / name) == there.encode()


def test_rules_are_stronger_than_what_is_listed(make_mount, origin):
    origin.set("/", listing("x.d", ("y", 5)), headers=JSON_TYPE)
    mount = make_mount(origin.url, "listing=auto", "file=x.d", "dir=y")
    kinds = within(lambda: {e.name: e.is_dir() for e in os.scandir(mount.dir)})
    assert kinds == {"x.d": False, "y": True}


def test_off_asks_for_nothing(make_mount, origin):
    mount = make_mount(origin.url, "listing=off")
    names(mount.dir)
    names(mount / "sub")
    assert origin.count() == 0


def test_only_cached_for_programs_never_ask(make_mount, origin):
    origin.set("/", listing(("a.bin", 5)), headers=JSON_TYPE)
    mount = make_mount(origin.url, "listing=auto", "only_cached_for=find:ls")
    assert run("find", mount.dir, "-path", "*/.control", "-prune", "-o", "-type", "f",
               "-print").stdout == ""
    assert run("ls", "-l", mount.dir).stdout == "total 0\n"
    assert origin.count() == 0
    assert names(mount.dir) == ["a.bin"]
    assert run("ls", mount.dir).stdout == ""
    assert origin.count() == 1


def test_in_the_background_nobody_waits_for_a_listing(make_mount, origin):
    origin.set("/", listing("sub"), headers=JSON_TYPE, gate="wait")
    mount = make_mount(origin.url, "listing=auto", "miss=background")
    assert names(mount.dir) == []
    origin.release("wait")
    eventually(lambda: names(mount.dir) == ["sub"], "the listing is there")
    assert origin.count("/") == 1


def test_a_stored_listing_serves_offline(make_mount, origin):
    origin.set("/", listing(("a.bin", 5)), headers=JSON_TYPE)
    mount = make_mount(origin.url, "listing=auto")
    assert names(mount.dir) == ["a.bin"]
    mount.stop()
    mount.options.append("offline")
    mount.start()
    assert names(mount.dir) == ["a.bin"]
    assert origin.count("/") == 1


def test_who_waits_for_a_listing_can_be_interrupted(make_mount, origin):
    origin.set("/", listing("sub"), headers=JSON_TYPE, gate="wait")
    mount = make_mount(origin.url, "listing=auto")
    done = run("timeout", "-s", "INT", "1", "ls", mount.dir, check=False)
    assert done.returncode == 124
    assert mount.stat("parked") == 0
    origin.release("wait")
    assert names(mount.dir) == ["sub"]


def test_it_ends_while_a_listing_hangs(make_mount, origin):
    origin.set("/", listing("sub"), headers=JSON_TYPE, gate="never")
    mount = make_mount(origin.url, "listing=auto")
    process = within(lambda: os.spawnlp(os.P_NOWAIT, "ls", "ls", str(mount.dir)))
    origin.wait_reached("never")
    mount.terminate()
    os.waitpid(process, 0)


@pytest.mark.parametrize("head", [Response(status=405), Response(b"", framing="bare"),
                                  Response(status=500)], ids=["405", "no length", "500"])
def test_where_head_does_not_help_the_file_is_fetched(make_mount, origin, head):
    page = (b"<html><head><title>Index of /</title></head><body><h1>Index of /</h1><pre>"
            b"<a href='a.bin'>a.bin</a>  13-Sep-2020 12:26  1K\n</pre></body></html>")
    origin.set("/", page, headers=[("Content-Type", "text/html")])
    origin.route("/a.bin", lambda request: head if request.method == "HEAD"
                 else Response(noise(1000), last_modified=WHEN))
    mount = make_mount(origin.url, "listing=auto")
    line = run("ls", "-l", "--time-style=+%s", mount / "").stdout.splitlines()[1].split()
    assert line[4:6] == ["1000", str(WHEN)]
    assert origin.count("/a.bin", "HEAD") == 1
    assert read(mount / "a.bin") == noise(1000)


def test_the_json_of_caddy(make_mount, make_server, root):
    server = make_server("Caddy", root)
    mount = make_mount(server.url, "listing=nginx-json", "header=Accept: application/json")
    assert within(tree, mount.dir, limit=60) == tree(root)


def test_hosts_of_web_are_listed(make_mount, make_server, root):
    nginx = make_server("nginx", root, extra=JSON)
    mount = make_mount("web", "allow=127.0.0.1", "allow_private", "listing=auto")
    top = mount.dir / nginx.url.replace("//", "/")
    assert within(tree, top, limit=60) == tree(root)


# --- buckets ---

XML_TYPE = (("Content-Type", "application/xml"),)


def bucket(origin, path, keys, page=3):
    """ListObjectsV2 as its documentation has it."""
    def value(request, name):
        query = dict(part.partition("=")[::2] for part in
                     request.target.partition("?")[2].split("&"))
        return urllib.parse.unquote(query.get(name, ""))

    def answer(request):
        if "list-type=2" not in request.target:
            return Response(b"<ListBucketResult><Name>b</Name></ListBucketResult>",
                            headers=XML_TYPE) if request.path == path else object_of(request)
        if request.path != path:
            return Response(b"<Error><Code>NoSuchKey</Code></Error>", 404, headers=XML_TYPE)
        prefix, start = value(request, "prefix"), value(request, "continuation-token")
        found = {}
        for key, body in keys.items():
            if key.startswith(prefix):
                folder, slash, _ = key[len(prefix):].partition("/")
                found[prefix + folder + slash] = None if slash else len(body)
        left = [name for name in sorted(found) if name > start.removeprefix("token+/=")]
        parts = [f"<Prefix>{prefix}</Prefix><EncodingType>url</EncodingType>"]
        for name in left[:page]:
            quoted = urllib.parse.quote_plus(name, safe="/")
            parts.append(f"<CommonPrefixes><Prefix>{quoted}</Prefix></CommonPrefixes>"
                         if found[name] is None else
                         f"<Contents><Key>{quoted}</Key><Size>{found[name]}</Size><LastModified>"
                         "2020-09-13T12:26:40.000Z</LastModified></Contents>")
        more = len(left) > page
        parts.append(f"<IsTruncated>{str(more).lower()}</IsTruncated>")
        if more:
            parts.append("<NextContinuationToken>token+/=" + left[page - 1] +
                         "</NextContinuationToken>")
        return Response(('<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
                         "".join(parts) + "</ListBucketResult>").encode(), headers=XML_TYPE)

    def object_of(request):
        key = urllib.parse.unquote(request.path[len(path):])
        if key not in keys:
            return Response(b"<Error><Code>NoSuchKey</Code></Error>", 404, headers=XML_TYPE)
        return Response(keys[key], last_modified=WHEN, etag='"1"')
    origin.route(None, answer)


KEYS = {f"{number}.bin": noise(100 + number) for number in range(7)} | {
    "dir/": b"", "dir/a b&c.txt": b"abc", "dir/e+f.txt": b"ef", "dir/sub/x.bin": noise(2000),
    "dir.txt": b"text", "no-extension": b"none"}
SHOWN = {"dir": "directory", "dir/sub": "directory"} | {
    key.replace("+", "%2B"): (len(body), WHEN) for key, body in KEYS.items() if body}


@pytest.mark.parametrize("path, below, option", [
    ("/", "", "auto"), ("/", "", "s3"), ("/bucket/", "bucket/", "auto"),
    ("/bucket/", "bucket/", "s3")])
def test_buckets(make_mount, origin, path, below, option):
    bucket(origin, path, KEYS)
    mount = make_mount(f"{origin.url}/{below}", f"listing={option}")
    assert within(tree, mount.dir) == SHOWN
    assert {request.method for request in origin.requests} == {"GET"}
    assert all("list-type" in r.target or r.target == path for r in origin.requests)
    for key, body in KEYS.items():
        if body:
            assert read(mount / key.replace("+", "%2B")) == body


def test_a_folder_of_a_bucket(make_mount, origin):
    bucket(origin, "/", KEYS)
    mount = make_mount(f"{origin.url}/dir/", "listing=s3")
    assert names(mount.dir) == ["a b&c.txt", "e%2Bf.txt", "sub"]
    assert names(mount / "sub") == ["x.bin"]
    assert all("list-type=2" in request.target for request in origin.requests)
