"""The admin's nginx of mount-helpers/contrib: numbers and purges over HTTP for those who
may. Its own files are what is tested, with other paths."""
import http.client
import json
import os
import pathlib
import subprocess

import pytest

from limited import LIMIT, eventually, read, run, wait_for_exit
from mounted import BUILD, ROOT

CONTRIB = ROOT / "mount-helpers" / "contrib"
OWNER, WWW_DATA = 65534, 33
HOUR = ("Cache-Control", "max-age=3600")


@pytest.fixture
def mount(make_mount, origin):
    return make_mount(origin.url, "allow_other", f"uid={OWNER}", f"gid={WWW_DATA}",
                      "control_mode=0750")


@pytest.fixture
def fcgiwrap(place):
    """As the units have it: runs as the mount's owner, for nginx alone."""
    script = place / "purge.cgi"
    script.write_text((CONTRIB / "purge.cgi").read_text())
    script.chmod(0o755)
    program = place / "webcachectl"
    program.write_bytes((BUILD / "ctl" / "webcachectl").read_bytes())
    program.chmod(0o755)
    folder = place / "run"
    folder.mkdir()
    os.chown(folder, OWNER, WWW_DATA)
    socket = folder / "purge.sock"
    process = subprocess.Popen(
        ["setpriv", f"--reuid={OWNER}", f"--regid={WWW_DATA}", "--clear-groups", "--pdeathsig",
         "KILL", "--", "sh", "-c", 'umask 0117; exec fcgiwrap -s "unix:$0" -p "$1"', socket,
         script], stdin=subprocess.DEVNULL)
    eventually(socket.exists, "fcgiwrap listens")
    yield socket, script, program
    process.terminate()
    wait_for_exit(process)


@pytest.fixture
def nginx(make_nginx, mount, fcgiwrap):
    socket, script, program = fcgiwrap
    extra = (CONTRIB / "nginx-admin.conf").read_text()
    for ours, theirs in (("/mnt/posters", mount.dir), ("/usr/local/lib/webcachefs/purge.cgi", script),
                         ("/run/webcachefs-purge.sock", socket)):
        assert ours in extra
        extra = extra.replace(ours, str(theirs))
    # Not where users have it.
    extra = extra.replace("fastcgi_pass", f"fastcgi_param WEBCACHECTL {program};\n\tfastcgi_pass")
    return make_nginx(mount.dir, extra=extra)


def ask(nginx, method, target, body=None, address="127.0.0.1", **headers):
    """Status and text of the answer to who has that address."""
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=LIMIT,
                                            source_address=(address, 0))
    try:
        connection.request(method, target, body, {name.replace("_", "-"): value
                                                  for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace"), answer.headers
    finally:
        connection.close()


@pytest.fixture
def filled(mount, origin):
    paths = ["/a.jpg", "/b%20c.jpg", "/d/e.jpg", "/d/f.jpg", "/s*r.jpg", "/all"]
    for path in paths:
        tag = "odd" if path in ("/a.jpg", "/d/f.jpg") else "even"
        origin.set(path, path.encode(), etag='"x"', headers=(HOUR, ("Surrogate-Key", f"x {tag}")))
    for name in ("a.jpg", "b c.jpg", "d/e.jpg", "d/f.jpg", "s*r.jpg", "all"):
        read(mount / name)
    return mount


def test_numbers_for_who_may(nginx, mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    for _ in range(5):
        status, text, headers = ask(nginx, "GET", "/stats")
        assert (status, headers["Content-Type"]) == (200, "application/json")
        assert headers["Cache-Control"] == "no-store" and headers["ETag"] is None
        assert json.loads(text)["objects"] == 1
    assert ask(nginx, "GET", "/health")[:2] == (200, "ok\n")
    status, text, headers = ask(nginx, "GET", "/metrics")
    assert status == 200 and "\nwebcachefs_objects 1\n" in text
    assert headers["Content-Type"] == "text/plain; version=0.0.4"


@pytest.mark.parametrize("page, file", [("/status", "status.html"), ("/history", "history")])
def test_pages_that_a_mount_may_have(nginx, mount, page, file):
    there = (mount.control / file).exists()
    assert ask(nginx, "GET", page)[0] == (200 if there else 404)


def test_nobody_else_may(nginx, filled):
    for page in ("/stats", "/health", "/metrics", "/status", "/history"):
        assert ask(nginx, "GET", page, address="127.0.0.2")[0] == 403, page
    assert ask(nginx, "PURGE", "/a.jpg", address="127.0.0.2")[0] == 403
    assert ask(nginx, "POST", "/purge", "all\n", address="127.0.0.2")[0] == 403
    assert filled.stat("purged") == 0
    # Everything else is open.
    assert ask(nginx, "GET", "/a.jpg", address="127.0.0.2")[:2] == (200, "/a.jpg")


def test_control_is_not_there(nginx):
    for path in ("/.control/stats", "/.control/", "/.control", "//.control/stats",
                 "/x/../.control/purge", "/%2econtrol/stats"):
        assert ask(nginx, "GET", path)[0] == 404, path


def test_workers_of_nginx_can_read_and_not_purge(filled):
    worker = ["setpriv", f"--reuid={WWW_DATA}", f"--regid={WWW_DATA}", "--clear-groups", "--"]
    assert json.loads(run(*worker, "cat", filled.control / "stats").stdout)["objects"] == 6
    assert run(*worker, "sh", "-c", f"echo all > {filled.control}/purge", check=False).returncode
    assert filled.stat("purged") == 0


@pytest.mark.parametrize("target, gone", [
    ("/a.jpg", ["a.jpg"]), ("/b%20c.jpg", ["b c.jpg"]), ("/all", ["all"]),
    ("/d/*", ["d/e.jpg", "d/f.jpg"]), ("/s*r.jpg", ["s*r.jpg"]), ("/none.jpg", []),
    ("/*", ["a.jpg", "b c.jpg", "d/e.jpg", "d/f.jpg", "s*r.jpg", "all"])])
def test_purge_of_a_path(nginx, filled, origin, target, gone):
    status, text, _ = ask(nginx, "PURGE", target)
    assert (status, text) == (200, f"{len(gone)} matched\n")
    asked = origin.count()
    for name in ("a.jpg", "b c.jpg", "d/e.jpg", "d/f.jpg", "s*r.jpg", "all"):
        read(filled / name)
    assert origin.count() - asked == len(gone)


def test_purge_of_tags(nginx, filled):
    assert ask(nginx, "PURGE", "/", Surrogate_Key="odd none *")[1] == "2 matched\n"
    assert filled.stat("purged") == 2


def test_purge_of_a_path_of_web(make_mount, origin, fcgiwrap):
    _, script, program = fcgiwrap
    mount = make_mount("web", "allow=127.0.0.1", "allow_private")
    origin.fresh("/a%20b.jpg?x=1", b"x")
    path = f"/{origin.url.replace('//', '/')}/a%20b.jpg?x=1"
    read(f"{mount.dir}{path.replace('%20', ' ')}")
    done = run(script, env={"WEBCACHECTL": str(program), "WEBCACHEFS_MOUNT": str(mount.dir),
                            "REQUEST_METHOD": "PURGE", "REQUEST_URI": path})
    assert done.stdout.endswith("1 matched\n"), done.stdout


def test_a_soft_purge_keeps_it(nginx, filled, origin):
    assert ask(nginx, "PURGE", "/a.jpg", Fastly_Soft_Purge="1")[1] == "1 matched\n"
    read(filled / "a.jpg")
    assert filled.stat("purged") == 0
    assert filled.stat("revalidated") == 1


def test_a_list_of_targets(nginx, filled):
    lines = "".join(f"/nothing/{n}.jpg\n" for n in range(10_000)) + "/a.jpg\ntag:even\n"
    assert ask(nginx, "POST", "/purge", lines)[:2] == (200, "5 matched\n")
    assert ask(nginx, "POST", "/purge", "dry-run all\n")[:2] == (200, "1 matched\n")
    assert filled.stat("purged") == 5
    assert ask(nginx, "POST", "/purge", "all")[:2] == (200, "1 matched\n")


def test_what_is_wrong_purges_nothing(nginx, filled):
    assert ask(nginx, "PURGE", "/d/../../all")[0] == 400
    assert ask(nginx, "PURGE", "/d//e.jpg")[:2] == (200, "0 matched\n")
    assert ask(nginx, "POST", "/purge", "/a.jpg\na/../b\n")[0] == 400
    assert ask(nginx, "PURGE", "/a.jpg%0aall")[:2] == (200, "0 matched\n")
    assert ask(nginx, "PURGE", "/$(touch$IFS/tmp/x)`id`;'\"")[1] == "0 matched\n"
    assert ask(nginx, "GET", "/purge")[0] == 403
    assert filled.stat("purged") == 0


def test_purge_shows_at_once(nginx, mount, origin):
    for number in range(10):
        origin.fresh("/a.jpg", b"%d" % number)
        assert ask(nginx, "PURGE", "/a.jpg")[0] == 200
        assert ask(nginx, "GET", "/a.jpg")[1] == str(number)


def test_the_script_alone(mount, fcgiwrap):
    """What another web server might hand it."""
    _, script, program = fcgiwrap

    def cgi(**env):
        env.setdefault("WEBCACHEFS_MOUNT", str(mount.dir))
        return run(script, env={"WEBCACHECTL": str(program), **env}).stdout.splitlines()[0]
    assert cgi(REQUEST_METHOD="GET", REQUEST_URI="/a") == "Status: 405 Method Not Allowed"
    assert cgi(REQUEST_METHOD="PURGE", REQUEST_URI="all") == "Status: 400 Bad Request"
    assert cgi(REQUEST_METHOD="PURGE", REQUEST_URI="/p/a", WEBCACHEFS_PREFIX="/p") == "Status: 200 OK"
    assert cgi(REQUEST_METHOD="PURGE", REQUEST_URI="/q/a", WEBCACHEFS_PREFIX="/p") == \
        "Status: 400 Bad Request"
    assert cgi(REQUEST_METHOD="POST") == "Status: 411 Length Required"
    assert cgi(REQUEST_METHOD="PURGE", REQUEST_URI="/a", WEBCACHEFS_MOUNT="/nowhere") == \
        "Status: 500 Internal Server Error"
    assert pathlib.Path(script).stat().st_mode & 0o111
