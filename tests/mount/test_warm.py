"""Fetching ahead of readers: .control/warm, warm_file and warm_interval."""
import errno
import json
import os

import pytest

from limited import Task, error_of, eventually, read, within
from origin import Response, noise

HOUR = ("Cache-Control", "max-age=3600")


def state(mount):
    return json.loads(read(mount.control / "warm"))


def counts(mount):
    return {name: value for name, value in state(mount).items() if isinstance(value, int)}


def warmed(mount, done, failed=0):
    """Waits until nothing is left to do; it has to have come to this."""
    eventually(lambda: not state(mount)["queued"] and not state(mount)["active"], "warmed")
    assert counts(mount) == {"queued": 0, "active": 0, "done": done, "failed": failed}


def list_of(mount, name):
    found = [entry for entry in state(mount)["lists"] if entry["name"] == name]
    return found[0] if found else None


def files(origin, count, prefix="f"):
    paths = [f"/{prefix}{n}.txt" for n in range(count)]
    for path in paths:
        origin.fresh(path, path.encode())
    return paths


def lines(*parts):
    return "".join(f"{part}\n" for part in parts)


def test_urls_and_paths_are_fetched_once(mount, origin):
    origin.fresh("/a.txt", b"a")
    origin.fresh("/d/b%20c.txt", b"bc")
    origin.fresh("/q.txt?x=1", b"q")
    mount.write("warm", lines("# posters", "", "/a.txt", "d/b c.txt", f"{origin.url}/q.txt?x=1"))
    warmed(mount, 3)
    before = origin.count()
    assert before == 3
    assert [read(mount / name) for name in ("a.txt", "d/b c.txt", "q.txt?x=1")] == [b"a", b"bc", b"q"]
    assert origin.count() == before


def test_what_is_fresh_costs_nothing(mount, origin):
    paths = files(origin, 50)
    mount.write("warm", lines(*paths))
    warmed(mount, 50)
    mount.write("warm", lines("delay 1h", *paths))
    warmed(mount, 100)
    assert origin.count() == 50


def test_what_is_known_not_to_be_there_costs_nothing(mount, origin):
    for _ in range(2):
        mount.write("warm", lines("delay 200ms", "/no.txt", "/no.txt", "/no.txt"))
    warmed(mount, 0, 6)
    assert origin.count() == 1


def test_warming_counts_neither_hits_nor_misses(mount, origin):
    mount.write("warm", lines(*files(origin, 5)))
    warmed(mount, 5)
    mount.write("warm", lines(*files(origin, 5), "/no.txt"))
    warmed(mount, 10, 1)
    stats = mount.stats()
    assert [stats[name] for name in ("hits", "misses", "coalesced", "negative_hits", "errors",
                                     "hit_rate", "warmed", "warm_errors", "objects")] == \
        [0, 0, 0, 0, 0, 0, 10, 1, 5]


def test_large_bodies_come_whole(mount, origin):
    body = noise(24 << 20)
    origin.fresh("/big.bin", body, etag='"b"', ranges=True)
    mount.write("warm", "/big.bin\n")
    warmed(mount, 1)
    asked = origin.count()
    assert read(mount / "big.bin") == body
    assert origin.count() == asked


def test_stale_ones_are_revalidated(mount, origin):
    origin.set("/a.txt", b"a", etag='"a"', headers=(("Cache-Control", "max-age=10"),))
    mount.write("warm", "/a.txt\n")
    warmed(mount, 1)
    mount.advance(20)
    mount.write("warm", "/a.txt\n")
    warmed(mount, 2)
    assert mount.stat("revalidated") == 1


def test_failures_are_told(make_mount, origin):
    mount = make_mount(origin.url, "retries=0")
    origin.fresh("/a.txt", b"a")
    origin.set("/secret.txt", status=403)
    origin.set("/private.txt", b"x", headers=(("Cache-Control", "no-store"),))
    mount.write("warm", lines("list mine", "/a.txt", "/no.txt", "/secret.txt", "/private.txt"))
    warmed(mount, 1, 3)
    told = {f["url"].rpartition("/")[2]: f["why"] for f in state(mount)["failures"]}
    assert told == {"no.txt": "No such file or directory", "secret.txt": "Permission denied",
                    "private.txt": "may not be stored"}
    assert list_of(mount, "mine") == {"name": "mine", "queued": 0, "active": 0, "done": 1,
                                      "failed": 3}


def test_a_stale_copy_of_a_failing_origin_is_a_failure(make_mount, origin):
    mount = make_mount(origin.url, "retries=0")
    origin.set("/a.txt", b"a", headers=(("Cache-Control", "max-age=10"),))
    mount.write("warm", "/a.txt\n")
    warmed(mount, 1)
    origin.set("/a.txt", status=500)
    mount.advance(20)
    mount.write("warm", "/a.txt\n")
    warmed(mount, 1, 1)
    assert "stale copy" in state(mount)["failures"][0]["why"]
    assert read(mount / "a.txt") == b"a"


@pytest.mark.parametrize("line", [
    "a/../b", "https://", "http://other.example/a.txt", "all", "stale", "tag:x", "host:a.example",
    "dry-run /a.txt", "delay soon", "delay 2d", "jobs many", "jobs -1", "list a/b", "list ",
    "cancel", "cancel x"])
def test_a_wrong_line_queues_nothing(mount, origin, line):
    origin.fresh("/a.txt", b"a")
    assert error_of(mount.write, "warm", lines("/a.txt", line)) == errno.EINVAL
    assert counts(mount) == {"queued": 0, "active": 0, "done": 0, "failed": 0}
    assert origin.count() == 0


def test_half_a_line_is_refused(mount, origin):
    text = lines(*[f"/some/long/directory/{n}.txt" for n in range(400)])
    assert error_of(mount.write, "warm", text[:-3]) == errno.EINVAL
    assert error_of(mount.write, "warm", "/a\0b.txt\n") == errno.EINVAL
    assert state(mount)["queued"] == 0


def test_the_others_may_not(make_mount, origin):
    mount = make_mount(origin.url, "allow_other", "control_mode=0755")
    done = within(os.popen, f"setpriv --reuid=33 --regid=33 --clear-groups "
                            f"sh -c 'echo /a.txt > {mount.control}/warm' 2>&1; echo $?").read()
    assert done.strip().endswith(("1", "2"))
    assert origin.count() == 0


def test_thousands_in_one_write_and_in_many(mount, origin):
    origin.route(None, lambda request: Response(request.target.encode(), headers=(HOUR,)))
    mount.write("warm", lines(*[f"/one/{n}.txt" for n in range(3000)]))
    for start in range(0, 2000, 50):
        mount.write("warm", lines(*[f"/many/{n}.txt" for n in range(start, start + 50)]))
    eventually(lambda: not state(mount)["queued"] and not state(mount)["active"], limit=50)
    warmed(mount, 5000)
    assert origin.count() == 5000
    for name in ("one/0.txt", "one/2999.txt", "many/1999.txt"):
        assert read(mount / name) == b"/" + name.encode()
    assert origin.count() == 5000


def test_no_more_at_a_time_than_said(mount, origin):
    paths = files(origin, 12)
    for path in paths:
        origin.fresh(path, b"x", gate="held")
    mount.write("warm", lines("jobs 3", *paths))
    origin.wait_reached("held", 3)
    shown = json.loads(read(mount.control / "transfers"))
    assert {entry["kind"] for entry in shown} == {"warm"} and len(shown) == 3
    assert (state(mount)["active"], state(mount)["queued"]) == (3, 9)
    assert origin.gate("held").reached == 3
    origin.release("held")
    warmed(mount, 12)


def test_half_of_the_transfers_stay_for_readers(make_mount, origin):
    mount = make_mount(origin.url, "max_transfers=4")
    for path in files(origin, 10):
        origin.fresh(path, b"x", gate="held")
    origin.fresh("/reader.txt", b"read")
    mount.write("warm", lines("jobs 100", *[f"/f{n}.txt" for n in range(10)]))
    origin.wait_reached("held", 2)
    assert read(mount / "reader.txt") == b"read"
    assert (state(mount)["active"], origin.gate("held").reached) == (2, 2)
    origin.release("held")
    warmed(mount, 10)


def test_a_delay_between_requests(mount, origin):
    mount.write("warm", lines("delay 300ms", *files(origin, 4)))
    warmed(mount, 4)
    times = [request.time for request in origin.requests]
    assert all(b - a > 0.25 for a, b in zip(times, times[1:]))


def test_a_reader_joins_what_is_warmed(mount, origin):
    origin.fresh("/a.txt", b"a", gate="held")
    mount.write("warm", "/a.txt\n")
    origin.wait_reached("held")
    reader = Task(read, mount / "a.txt")
    eventually(lambda: mount.stat("parked") == 1)
    origin.release("held")
    assert reader.result() == b"a"
    assert origin.count() == 1


def test_it_goes_on_after_a_restart(mount, origin):
    paths = files(origin, 20)
    for path in paths[10:]:
        origin.fresh(path, b"x", gate="held")
    mount.write("warm", lines("list big", "jobs 2", *paths))
    origin.wait_reached("held", 2)
    mount.remount()
    origin.release("held")
    eventually(lambda: list_of(mount, "big")["done"] >= 10)
    warmed(mount, 10)
    assert all(origin.count(path) == 1 for path in paths[:10])
    mount.remount()
    assert counts(mount) == {"queued": 0, "active": 0, "done": 0, "failed": 0}
    assert not (mount.cache / "warm").exists()


def test_it_goes_on_after_a_crash(mount, origin):
    paths = files(origin, 20)
    for path in paths[10:]:
        origin.fresh(path, b"x", gate="held")
    mount.write("warm", lines("jobs 2", *paths))
    mount.write("warm", lines("list more", *files(origin, 5, "m")))
    origin.wait_reached("held", 2)
    mount.kill()
    mount.start()
    origin.release("held")
    eventually(lambda: list_of(mount, "more") and list_of(mount, "more")["done"] == 5)
    warmed(mount, 25)


def test_a_purge_while_it_is_fetched(mount, origin):
    """What was asked before the purge is not kept; the list is about what is there after."""
    origin.fresh("/a.txt", b"old", gate="held")
    mount.write("warm", "/a.txt\n")
    origin.wait_reached("held")
    origin.fresh("/a.txt", b"new")
    mount.purge("all")
    origin.release("held")
    warmed(mount, 1)
    assert origin.count() == 2
    assert read(mount / "a.txt") == b"new"
    assert origin.count() == 2


def test_a_reset_leaves_the_queue(mount, origin):
    paths = files(origin, 4)
    origin.fresh(paths[2], b"x", gate="held")
    mount.write("warm", lines("jobs 1", *paths))
    origin.wait_reached("held")
    mount.write("reset", "1\n")
    assert counts(mount) == {"queued": 1, "active": 1, "done": 0, "failed": 0}
    origin.release("held")
    warmed(mount, 2)


def test_cancel(mount, origin):
    for path in files(origin, 6):
        origin.fresh(path, b"x", gate="held")
    mount.write("warm", lines("list one", "jobs 1", "/f0.txt", "/f1.txt", "/f2.txt"))
    mount.write("warm", lines("list two", "/f3.txt", "/f4.txt"))
    origin.wait_reached("held")
    mount.write("warm", "cancel one\n")
    assert list_of(mount, "one")["queued"] == 0
    assert list_of(mount, "two")["queued"] + list_of(mount, "two")["active"] == 2
    mount.write("warm", "cancel\n")
    assert state(mount)["queued"] == 0
    origin.release("held")
    eventually(lambda: state(mount)["active"] == 0)
    assert origin.count("/f1.txt") == origin.count("/f2.txt") == 0


def test_offline_it_waits(make_mount, origin):
    mount = make_mount(origin.url, "offline")
    mount.write("warm", lines(*files(origin, 3)))
    assert counts(mount) == {"queued": 3, "active": 0, "done": 0, "failed": 0}
    mount.write("offline", "0\n")
    warmed(mount, 3)


def test_no_room(make_mount, origin):
    mount = make_mount(origin.url, "size=4M")
    origin.fresh("/big.bin", noise(24 << 20), etag='"b"', ranges=True)
    origin.fresh("/a.txt", b"a")
    mount.write("warm", lines("/big.bin", "/a.txt"))
    warmed(mount, 1, 1)
    assert state(mount)["failures"][0]["why"] == "no room in the cache"
    assert read(mount / "a.txt") == b"a"


def test_a_file_at_the_start(make_mount, origin, place):
    (place / "list").write_text(lines("# ours", "jobs 2", *files(origin, 5), "a/../b"))
    mount = make_mount(origin.url, f"warm_file={place}/list")
    eventually(lambda: list_of(mount, "warm_file"))
    warmed(mount, 5)
    assert "line 8" in mount.stderr()
    assert f"warm_file={place}/list" in read(mount.control / "config").decode()
    mount.remount()
    eventually(lambda: list_of(mount, "warm_file"))
    warmed(mount, 5)
    assert origin.count() == 5


def test_a_file_at_an_interval(make_mount, origin, place):
    """It is read anew; it may come later."""
    mount = make_mount(origin.url, f"warm_file={place}/list", "warm_interval=200ms")
    assert state(mount)["queued"] == 0
    origin.fresh("/a.txt", b"a")
    (place / "list").write_text("/a.txt\n")
    eventually(lambda: mount.stat("warmed") >= 2)
    assert origin.count() == 1
    origin.fresh("/a.txt", b"b")
    mount.purge("/a.txt")
    eventually(lambda: origin.count() == 2)
    eventually(lambda: not state(mount)["active"])
    assert read(mount / "a.txt") == b"b"


def test_warm_interval_alone(place):
    from mounted import DAEMON
    from limited import run
    (place / "m").mkdir()
    done = run(DAEMON, "https://a.example/", place / "m", "-o", "warm_interval=1h", check=False)
    assert done.returncode == 2 and "warm_file" in done.stderr


def test_many_while_it_is_unmounted(mount, origin):
    """Under way in every state there is."""
    origin.route(None, lambda request: Response(noise(300_000), headers=(HOUR,), ranges=True,
                                                etag='"x"'))
    mount.write("warm", lines("jobs 64", *[f"/x/{n}.bin" for n in range(500)]))
    eventually(lambda: mount.stat("warmed") > 20)
    mount.remount()
    eventually(lambda: not state(mount)["queued"] and not state(mount)["active"], limit=50)
    assert state(mount)["failed"] == 0
