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


def test_explain_of_what_is_no_name(mount):
    for name in ("%", "%zz", "a%00b", "..%2Fa", "https%3A%2F%2F%5B"):
        assert error_of(read, mount.control / "explain" / name) == errno.EINVAL


def test_explain_is_a_directory_without_names(mount):
    assert "explain" in names(mount.control)
    assert names(mount.control / "explain") == []
    assert run("ls", "-lR", mount.control).returncode == 0
    assert stat(mount.control / "explain").st_mode & 0o777 == 0o700
