"""Time limits: nothing that touches a mount may hang the test run.

Limits only end what is really stuck. They are generous, and WEBCACHEFS_TIME_FACTOR
(a number, default 1) stretches all of them for slow machines and sanitizers.
"""
import contextlib
import os
import subprocess
import threading
import time

FACTOR = float(os.environ.get("WEBCACHEFS_TIME_FACTOR", "1"))
LIMIT = 25 * FACTOR


class Stuck(AssertionError):
    """Something did not end, or did not become true, within its limit."""


class Task:
    """fn(*args) in a thread of its own; result() waits for it, within a limit."""

    def __init__(self, fn, *args, **kwargs):
        self._value = self._error = None
        self._name = getattr(fn, "__name__", repr(fn))
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(fn, args, kwargs), daemon=True)
        self._thread.start()

    def _run(self, fn, args, kwargs):
        try:
            self._value = fn(*args, **kwargs)
        except BaseException as error:  # handed to result()
            self._error = error
        finally:
            self._done.set()

    @property
    def done(self):
        return self._done.is_set()

    def result(self, limit=None):
        if not self._done.wait(limit or LIMIT):
            raise Stuck(f"{self._name} did not end within {limit or LIMIT:g} s")
        if self._error is not None:
            raise self._error
        return self._value


def within(fn, *args, limit=None, **kwargs):
    """fn(*args), or Stuck. A thread that is stuck is left behind: the mount's
    teardown aborts the connection, which frees it."""
    return Task(fn, *args, **kwargs).result(limit)


def together(fns, limit=None):
    """All of them at the same time; their results in order."""
    tasks = [Task(fn) for fn in fns]
    end = time.monotonic() + (limit or LIMIT)
    return [task.result(max(0.01, end - time.monotonic())) for task in tasks]


def eventually(condition, what="", limit=None):
    """Waits until condition() is true, and returns what it returned."""
    end = time.monotonic() + (limit or LIMIT)
    while True:
        value = within(condition)
        if value:
            return value
        if time.monotonic() > end:
            raise Stuck(f"did not become true within {limit or LIMIT:g} s: {what or condition}")
        time.sleep(0.01)


def opening():
    """How many threads of this process are in open(2): system call 257, or 56."""
    numbers = "257 ", "56 "
    n = 0
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/self/task/{thread}/syscall", encoding="ascii") as file:
                n += file.read().startswith(numbers[os.uname().machine != "x86_64"])
    return n


def run(*command, limit=None, check=True, **kwargs):
    """A program, to its end. Its output is text unless text=False."""
    kwargs.setdefault("text", True)
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=limit or LIMIT, check=False, **kwargs)
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr}")
    return done


def wait_for_exit(process, limit=None):
    """Exit status of a Popen, or Stuck."""
    try:
        return process.wait(limit or LIMIT)
    except subprocess.TimeoutExpired:
        raise Stuck(f"process {process.args} did not end within {limit or LIMIT:g} s") from None


def read(path, limit=None):
    """All bytes of a file."""
    def read_all():
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    return within(read_all, limit=limit)


def read_at(path, offset, length, limit=None):
    """length bytes from offset on, read with one descriptor."""
    def pread():
        fd = os.open(path, os.O_RDONLY)
        try:
            return pread_all(fd, offset, length)
        finally:
            os.close(fd)
    return within(pread, limit=limit)


def pread_all(fd, offset, length):
    pieces = []
    while length:
        piece = os.pread(fd, length, offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(pieces)


def stat(path, limit=None):
    return within(os.stat, path, limit=limit)


def names(path, limit=None):
    """What readdir says, each as often as it says it."""
    return sorted(within(os.listdir, path, limit=limit))


def error_of(fn, *args):
    """The errno with which fn(*args) fails; None if it does not."""
    try:
        within(fn, *args)
    except OSError as error:
        return error.errno
    return None


def outcome(path):
    """Bytes, or the errno."""
    try:
        return read(path)
    except OSError as error:
        return error.errno
