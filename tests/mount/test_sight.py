"""What .control shows of transfers and of single names."""
import errno
import json
from urllib.parse import quote

from limited import Task, error_of, eventually, names, read, run, stat
from origin import noise


def transfers(mount):
    return json.loads(read(mount.control / "transfers"))


# --- transfers ---

def test_no_transfers(mount):
    assert read(mount.control / "transfers") == b"[]\n"


def test_a_transfer_shows_its_progress(mount, origin):
    body = noise(300_000)
    origin.fresh("/a.bin", body, gates={100_000: "some"})
    task = Task(read, mount / "a.bin")
    origin.wait_reached("some")
    eventually(lambda: [t["bytes"] for t in transfers(mount)] == [100_000])
    (shown,) = transfers(mount)
    assert shown["url"] == f"{origin.url}/a.bin"
    assert (shown["kind"], shown["state"], shown["length"]) == ("get", "running", len(body))
    assert (shown["from"], shown["retries"]) == (0, 0)
    assert 0 <= shown["age_ms"] < 600_000
    origin.release("some")
    assert task.result() == body
    eventually(lambda: transfers(mount) == [])


def test_transfers_that_wait_for_a_slot(make_mount, origin):
    mount = make_mount(origin.url, "max_transfers=1")
    for name in ("a", "b"):
        origin.fresh(f"/{name}.txt", b"x", gate="held")
    tasks = [Task(read, mount / "a.txt")]
    origin.wait_reached("held")
    tasks.append(Task(read, mount / "b.txt"))
    eventually(lambda: len(transfers(mount)) == 2)
    shown = {t["url"].rpartition("/")[2]: t for t in transfers(mount)}
    assert (shown["a.txt"]["state"], shown["b.txt"]["state"]) == ("running", "queued")
    assert shown["a.txt"]["length"] is None
    origin.release("held")
    assert [task.result() for task in tasks] == [b"x", b"x"]


# --- explain ---

def explain(mount, name):
    return json.loads(read(mount.control / "explain" / quote(name, safe="")))


def test_explain_a_name_never_seen(mount, origin):
    shown = explain(mount, "/d/a b.jpg")
    assert (shown["url"], shown["is"]) == (f"{origin.url}/d/a%20b.jpg", "unknown")
    assert shown["open"].startswith("fetched")
    assert origin.count() == 0


def test_explain_a_file_fresh_and_stale(mount, origin):
    origin.set("/a.jpg", b"12345", etag='"one"', headers=(("Cache-Control", "max-age=60"),
                                                          ("Content-Type", "image/jpeg")))
    read(mount / "a.jpg")
    for name in ("/a.jpg", "a.jpg", f"{origin.url}/a.jpg"):
        shown = explain(mount, name)
        assert (shown["is"], shown["fresh"], shown["status"]) == ("file", True, 200)
        assert (shown["etag"], shown["length"], shown["content_type"]) == ('"one"', 5, "image/jpeg")
        assert shown["expires"] - shown["fetched"] in (59, 60, 61)
        assert shown["open"] == "served from the cache"
        assert shown["why"]
    mount.advance(100)
    shown = explain(mount, "/a.jpg")
    assert not shown["fresh"] and shown["age_s"] >= 100
    assert shown["open"].startswith("revalidated")
    assert origin.count("/a.jpg") == 1


def test_explain_directories_and_what_is_absent(mount, origin):
    origin.fresh("/d/a.txt", b"x")
    read(mount / "d/a.txt")
    assert explain(mount, "/d")["is"] == "directory"
    assert explain(mount, "/")["is"] == "directory"
    origin.set("/no.txt", status=404, headers=(("Cache-Control", "max-age=60"),))
    assert error_of(read, mount / "no.txt") == errno.ENOENT
    shown = explain(mount, "/no.txt")
    assert (shown["is"], shown["status"]) == ("absent", 404)


AUTOINDEX = """<html><head><title>Index of /d/</title></head><body><h1>Index of /d/</h1><hr><pre>
<a href="../">../</a>
<a href="big%20one.bin">big one.bin</a>    01-Mar-2026 10:00    3M
<a href="empty.bin">empty.bin</a>    01-Mar-2026 10:00    0
<a href="sub/">sub/</a>    01-Mar-2026 10:00    -
</pre><hr></body></html>"""
JSON_INDEX = [{"name": "a.txt", "type": "file", "mtime": "Sun, 01 Mar 2026 10:00:00 GMT", "size": 7},
              {"name": "v1", "type": "directory", "mtime": "Sun, 01 Mar 2026 10:00:00 GMT"}]


def listed(shown):
    return {name[7:]: value for name, value in shown.items() if name.startswith("listed_")}


def test_explain_what_was_listed(make_mount, origin):
    """Exactly or rounded, which directory said so, and when."""
    mount = make_mount(origin.url, "listing=auto")
    an_hour = ("Cache-Control", "max-age=3600")
    origin.set("/d/", AUTOINDEX.encode(), headers=(an_hour, ("Content-Type", "text/html")))
    origin.set("/j/", json.dumps(JSON_INDEX).encode(),
               headers=(an_hour, ("Content-Type", "application/json")))
    assert listed(explain(mount, "/d/big one.bin")) == {}
    assert names(mount / "d") == ["big one.bin", "empty.bin", "sub"]
    assert names(mount / "j") == ["a.txt", "v1"]
    mount.advance(100)
    asked = origin.count()

    shown = explain(mount, "/d/big one.bin")
    said = listed(shown)
    assert (shown["is"], shown["open"]) == ("file", "fetched: nothing is stored")
    assert said["in"] == f"{origin.url}/d/" and said["as"] == "file"
    assert 100 <= said["age_s"] < 160 and said["fresh"] is True
    assert said["length"] == 3 << 20 and said["exact"] is False
    shown = explain(mount, "/j/a.txt")
    said = listed(shown)
    assert (said["length"], said["modified"], said["exact"]) == (7, 1772359200, True)
    for name in ("/d/sub", "/d/sub/", "/j/v1"):
        shown = explain(mount, name)
        assert (shown["is"], listed(shown)["as"]) == ("directory", "directory")
        assert shown["open"] == "opened as a directory" and "length" not in listed(shown)
    shown = explain(mount, "/d/no.bin")
    assert (shown["is"], listed(shown)["as"]) == ("unknown", None)
    for name in ("/d/sub/x.bin", "/", "/x"):
        assert listed(explain(mount, name)) == {}
    assert origin.count() == asked

    mount.advance(4000)
    assert listed(explain(mount, "/j/a.txt"))["fresh"] is False
    mount.purge("all")
    assert listed(explain(mount, "/j/a.txt")) == {}


def test_explain_of_what_is_no_name(mount):
    for name in ("%", "%zz", "a%00b", "..%2Fa", "https%3A%2F%2F%5B"):
        assert error_of(read, mount.control / "explain" / name) == errno.EINVAL


def test_explain_is_a_directory_without_names(mount):
    assert "explain" in names(mount.control)
    assert names(mount.control / "explain") == []
    assert run("ls", "-lR", mount.control).returncode == 0
    assert stat(mount.control / "explain").st_mode & 0o777 == 0o700


# --- offline ---

def test_offline_can_be_changed(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0")
    offline = mount.control / "offline"
    origin.set("/a.txt", b"one", headers=(("Cache-Control", "max-age=10"),))
    origin.fresh("/b.txt", b"b")
    assert read(mount / "a.txt") == b"one"
    assert read(offline) == b"0\n"
    mount.write("offline", "1\n")
    assert read(offline) == b"1\n"
    mount.advance(100)
    assert read(mount / "a.txt") == b"one"
    assert error_of(read, mount / "b.txt") == errno.ENETDOWN
    assert "offline" in explain(mount, "/b.txt")["open"]
    assert origin.count() == 1
    mount.write("offline", "0")
    assert read(mount / "b.txt") == b"b"
    read(mount / "a.txt")
    assert origin.count("/a.txt") == 2


def test_offline_is_one_or_zero(mount):
    for wrong in ("2", "10", "yes\n", "\n", "1\n1\n"):
        assert error_of(mount.write, "offline", wrong) == errno.EINVAL
    assert read(mount.control / "offline") == b"0\n"
