"""What a daemon has open, and that it is no more than before."""
import collections
import os
import re

from limited import Stuck, eventually


def descriptors(mount):
    """What the daemon has open: its files by name, and how many sockets. Not counted is
    what it keeps for the next time, of which there is an end: pipes of each thread for
    splice(), connections to the index, the stored bodies that were read last."""
    place = f"/proc/{mount.process.pid}/fd"
    others, sockets = [], 0
    for number in os.listdir(place):
        try:
            target = os.readlink(f"{place}/{number}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            sockets += 1
        elif not re.match("pipe:|.*/cache/(blobs/|index.db)", target):
            others.append(re.sub(r"\d+", "#", target))
    return sorted(others), sockets


def wait_as_before(mount, before, reconnect=None):
    """Until there is open what was, and at most one connection more. As many may be kept for
    the next time as there were requests side by side: reconnect() has them thrown away."""
    others, sockets = before

    def more():
        now, now_sockets = descriptors(mount)
        found = sorted((collections.Counter(now) - collections.Counter(others)).elements())
        if not found and now_sockets > sockets + 1 and reconnect:
            reconnect()
            now_sockets = descriptors(mount)[1]
        return found + ["socket"] * (now_sockets - sockets - 1)
    try:
        eventually(lambda: not more())
    except Stuck:
        raise AssertionError(f"still open: {more()}") from None
