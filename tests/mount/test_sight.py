"""What .control shows of transfers and of single names."""
import errno
import json

from limited import Task, error_of, eventually, names, read, run, stat
from origin import Response, noise


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
