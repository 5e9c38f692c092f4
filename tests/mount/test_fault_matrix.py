"""Each row of fault_rows.py, on a mount of its own. Whatever the origin does wrong,

- every reader is let go, also those who came while it was under way, and meanwhile
  others read from the same origin;
- nothing of it is kept: the next reader gets what the origin says then;
- no descriptor stays open;
- nothing of it is shown that the origin did not send for that URL.
"""
import errno

import pytest

from descriptors import descriptors, wait_as_before
from fault_rows import READERS, ROWS
from limited import Task, eventually, opening, outcome, read


def matches(shown, expected):
    return shown in expected if isinstance(expected, set) else shown == expected


class Play:
    """One row, on a mount of its own."""

    def __init__(self, row, mount, origin):
        self.row, self.mount, self.origin = row, mount, origin

    def answer_from(self, path, gate=None):
        """The answers of the row, for path and whatever it has as a query."""
        asked = []

        def choose(request):
            before = len(asked)
            asked.append(request)
            answer = self.row.answer
            if callable(answer):
                answer = answer(request, before)
            if gate and before == 0:
                self.origin.gate(gate).wait()
            return answer
        self.origin.route(path, choose)
        self.origin.route(None, choose)
        return asked

    def idle(self):
        stats = self.mount.stats()
        return stats["transfers_active"] == 0 and stats["parked"] == 0

    def readers(self, name, gate, n=READERS):
        """Several of the same name while others read, and what they get."""
        path = f"/{name}"
        self.answer_from(path, gate)
        self.origin.fresh(f"/beside-{name}", b"beside")
        tasks = [Task(outcome, self.mount / name) for _ in range(n)]
        self.origin.wait_reached(gate)
        # Who came behind the first answer would ask again, and be answered otherwise.
        eventually(lambda: opening() >= n, "all of them ask")
        assert read(self.mount / f"beside-{name}") == b"beside"
        self.origin.release(gate)
        results = [task.result() for task in tasks]
        eventually(self.idle, "nobody waits")
        return results

    def run(self):
        before = self.mount.stats()
        results = self.readers("a.txt", "first")
        # One of them may come when it is over; this one does.
        results.append(outcome(self.mount / "a.txt"))
        for result in results:
            assert matches(result, self.row.shown), self.say(result)
        self.counted(before, self.mount.stats())
        self.nothing_is_kept(results)
        self.leaks_no_descriptor()
        self.costs()

    @staticmethod
    def say(result):
        return errno.errorcode.get(result) if isinstance(result, int) else result[:50]

    def counted(self, before, after):
        for name, least in self.row.counters.items():
            assert after[name] - before[name] >= least, name
        failed = isinstance(self.row.shown, int)
        if failed and self.row.shown != errno.ENOENT:
            assert after["errors"] - before["errors"] >= READERS

    def nothing_is_kept(self, results):
        """The next one gets what the origin says next, however this ended."""
        cached = outcome(self.mount / ".cached/a.txt")
        kept = [result for result in results if isinstance(result, bytes)]
        assert cached == errno.ENOENT or (kept and cached == kept[-1]), self.say(cached)
        self.origin.fresh("/a.txt", b"good again")
        self.mount.purge("all")
        assert read(self.mount / "a.txt") == b"good again"

    def leaks_no_descriptor(self):
        read(self.mount / "good.txt")
        before = descriptors(self.mount)
        self.readers("b.txt", "second", 2)
        self.mount.purge("all")
        read(self.mount / "good.txt")
        wait_as_before(self.mount, before, self.reconnect)

    def reconnect(self):
        """The origin hangs up, and the daemon finds out when it asks again."""
        self.origin.drop_connections()
        self.mount.purge("all")
        assert read(self.mount / "good.txt") == b"good"

    def costs(self):
        if self.row.requests is None:
            return
        asked = self.answer_from("/c.txt")
        outcome(self.mount / "c.txt")
        assert len(asked) == self.row.requests


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_fault(make_mount, origin, row):
    origin.fresh("/good.txt", b"good")
    options = ["kernel_ttl=0", "stale_if_error=0", "negative_ttl=0", *row.options]
    if not any(option.startswith("retries") for option in options):
        options.append("retries=0")
    Play(row, make_mount(origin.url, *options), origin).run()
