"""What somebody types who has just mounted the web: names are files and directories, and
every program that reads files works on them, whatever server it is that has them."""
import os
import pathlib
import sys
import zipfile

import pytest

import servers
from limited import names, read, run, within
from origin import noise, text

AUTOINDEX = "autoindex on;"
KINDS = ["nginx", "Apache", "Lighttpd", "Caddy", "PythonServer"]
MIB = 1 << 20


def fill(root):
    for folder in ("", "docs", "docs/img", "releases"):
        (root / folder).mkdir()
    (root / "hello.txt").write_text("hello, world\n")
    (root / "docs/guide.html").write_text("<h1>needle</h1>\n")
    (root / "docs/README").write_text("no extension, needle\n")
    (root / "docs/img/a b.png").write_bytes(noise(70_000, 1))
    (root / "docs/img/Grüße.svg").write_bytes(text(9000, 2))
    with zipfile.ZipFile(root / "releases/tool-1.0.zip", "w") as archive:
        for number in range(6):
            archive.writestr(f"tool/part{number}.bin", noise(4 * MIB, number))
    for number, path in enumerate(sorted(root.rglob("*"))):
        os.utime(path, (1_600_000_000 + number * 61,) * 2)


@pytest.fixture(params=KINDS)
def server(request, place, make_nginx):
    root = place / "root"
    fill(root)
    if request.param == "nginx":
        yield make_nginx(root, extra=AUTOINDEX)
        return
    own = place / "server"
    own.mkdir()
    own.chmod(0o777)
    made = getattr(servers, request.param)(root, own)
    yield made
    made.close()


@pytest.fixture
def root(place):
    return place / "root"


@pytest.fixture
def mount(make_mount, server):
    return make_mount("web", "allow=127.0.0.1", "allow_private", "listing=auto", "allow_other")


@pytest.fixture
def site(mount, server):
    """The server as a directory of a web mount, as it is typed."""
    return pathlib.Path(f"{mount.dir}/{server.url}")


def out(*command, **kwargs):
    return run(*command, limit=120, **kwargs).stdout


def test_a_session(mount, site, root, place):
    assert names(mount.dir) == ["http:", "https:"]
    assert names(mount / "http:") == ["127.0.0.1"]
    assert out("cat", f"{site}/hello.txt") == "hello, world\n"
    assert site.name in names(mount / "http:")
    assert sorted(out("ls", site).split()) == ["docs", "hello.txt", "releases"]
    found = out("find", site, "-type", "f", "-printf", "%P %s\n")
    wanted = out("find", root, "-type", "f", "-printf", "%P %s\n")
    assert sorted(found.splitlines()) == sorted(wanted.splitlines())
    assert out("stat", "-c", "%F %s", f"{site}/docs/README") == "regular file 21\n"
    assert sorted(out("grep", "-rl", "needle", f"{site}/docs").splitlines()) == [
        f"{site}/docs/README", f"{site}/docs/guide.html"]
    assert out(sys.executable, "-c", "import sys; print(len(open(sys.argv[1], 'rb').read()))",
               f"{site}/docs/img/a b.png") == "70000\n"
    for number, command in enumerate((["cp", "-r", f"{site}/docs"], ["rsync", "-a", f"{site}/docs"])):
        copy = place / f"copy{number}"
        copy.mkdir()
        out(*command, copy)
        assert out("diff", "-r", root / "docs", copy / "docs") == ""
    copy = place / "copy-tar"
    copy.mkdir()
    out("sh", "-c", f"tar -C '{site}' -cf - docs | tar -C '{copy}' -xf -")
    assert out("diff", "-r", root / "docs", copy / "docs") == ""
    # And all of it again without the server.
    mount.write("offline", "1\n")
    assert out("diff", "-r", root / "docs", site / "docs") == ""


def test_an_archive_is_looked_into_by_ranges(mount, site, root, server):
    listed = out("unzip", "-Z1", site / "releases/tool-1.0.zip").splitlines()
    assert listed == [f"tool/part{number}.bin" for number in range(6)]
    if not isinstance(server, servers.PythonServer):  # it knows no ranges
        assert mount.stat("upstream_bytes") < 8 * MIB
    out("unzip", "-qt", site / "releases/tool-1.0.zip")
    path = site / "releases/tool-1.0.zip"
    assert within(read, path) == (root / "releases/tool-1.0.zip").read_bytes()


def test_as_another_user(mount, site, root):
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    assert out(*as_nobody, "cat", f"{site}/hello.txt") == "hello, world\n"
    assert out(*as_nobody, "diff", "-r", root, site) == ""
    done = run(*as_nobody, "rm", f"{site}/hello.txt", check=False)
    assert done.returncode and (root / "hello.txt").exists()
    assert run(*as_nobody, "ls", mount.control, check=False).returncode
