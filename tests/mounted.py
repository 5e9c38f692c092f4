"""A real mount of the real daemon, for one test.

Teardown never leaves a mount or a process behind: what does not end when asked is
detached, its FUSE connection aborted and its process killed. It then fails the test,
as does an exit status other than 0 or a sanitizer's report.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.parse

from limited import LIMIT, Stuck, eventually, read, run, wait_for_exit, within

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("WEBCACHEFS_BUILD", ROOT / "build")).absolute()
DAEMON = BUILD / "fs" / "webcachefs"

REPORTS = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"Assertion .* failed|stack smashing|malloc\(\)|free\(\):|double free)")


class NotMounted(AssertionError):
    def __init__(self, status, stderr):
        super().__init__(f"exit status {status}: {stderr}")
        self.status, self.stderr = status, stderr


def mount_entry(directory):
    """(type, connection number) of what is mounted on directory, or None."""
    wanted = str(directory)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        found = None
        for line in lines:
            words = line.split()
            path = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), words[4])
            if path == wanted:
                found = (words[words.index("-") + 1], int(words[2].partition(":")[2]))
        return found


def processes_naming(directory):
    """Ids of processes one of whose arguments is that directory."""
    wanted = os.fsencode(str(directory))
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            words = pathlib.Path("/proc", entry, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in words:
            found.append(int(entry))
    return found


def disk_use(directory):
    """Bytes that the directory and all below takes on disk, as du sees them. Of one instant
    only while nobody writes there: see Mount.disk_use()."""
    total, seen = 0, set()
    for folder, _, files in os.walk(directory):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            try:
                st = os.lstat(path)
            except FileNotFoundError:
                continue
            if st.st_ino not in seen:
                seen.add(st.st_ino)
                total += st.st_blocks * 512
    return total


def stats_below(directory, pattern):
    """path -> os.stat_result of the files that match and are still there when looked at."""
    found = {}
    for path in pathlib.Path(directory).glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            found[path] = path.stat()
    return found


class Mount:
    def __init__(self, url, place, options=(), *, cache=None, user=None, env=None, prefix=(),
                 start=True):
        """place: a directory of this mount's own. options: "name=value" or "name".
        user: an uid; then the daemon is this user's, and mounts with fusermount3.
        prefix: a command that executes the daemon."""
        self.url, self.place, self.options, self.user = url, place, list(options), user
        # Scripted origins list nothing, and tests count what they are asked: whoever
        # wants directories to be asked for says so.
        if not any(option.startswith("listing=") for option in self.options):
            self.options.append("listing=off")
        self.dir = place / "mnt"
        self.cache = cache or place / "cache"
        self.clock = place / "clock"
        self.stderr_path = place / "stderr"
        self.env = {name: value for name, value in os.environ.items()
                    if not name.lower().endswith("_proxy")}
        self.env.update(env or {}, WEBCACHEFS_CLOCK_SHIFT=str(self.clock))
        self.prefix = list(prefix)
        self.shift = 0
        self.process = None
        self.connection = None
        self.ended_well = True  # teardown asserts exit status 0
        self.dir.mkdir(parents=True, exist_ok=True)
        self.clock.write_text("0\n")
        if user is not None:
            for path in (place, self.dir):
                os.chown(path, user, -1)
        if start:
            self.start()

    # --- paths ---

    def __truediv__(self, name):
        return self.dir / name

    @property
    def control(self):
        return self.dir / ".control"

    # --- life ---

    def command(self, *more):
        words = [DAEMON, self.url, self.dir, "-f",
                 "-o", ",".join([f"cache_dir={self.cache}"] + self.options), *more]
        words = [str(word) for word in words]
        if self.user is not None:
            words = as_user(self.user) + words
        # Not even a run that crashes leaves a daemon behind.
        return ["setpriv", "--pdeathsig", "KILL", "--"] + self.prefix + words

    def start(self):
        assert DAEMON.exists(), f"{DAEMON} is not built"
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=stderr, stderr=stderr, env=self.env, cwd="/")

        def mounted_or_ended():
            self.connection = (mount_entry(self.dir) or (None, None))[1]
            return self.connection is not None or self.process.poll() is not None
        eventually(mounted_or_ended, "mounted")
        if self.connection is None:
            status, self.process = self.process.returncode, None
            raise NotMounted(status, self.stderr())
        # In the foreground nobody says when INIT was answered. What is looked up before holds
        # the lock of its directory (session.c), and others would queue behind it.
        with contextlib.suppress(OSError):
            within(os.statvfs, self.dir)
        return self

    def umount(self):
        if self.user is None:
            run("umount", self.dir)
        else:
            run(*as_user(self.user), "fusermount3", "-u", self.dir)

    def stop(self):
        """Unmounts; the daemon's exit status."""
        self.umount()
        return self.wait()

    def terminate(self, number=signal.SIGTERM):
        """Asks the daemon to end; its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self):
        status = wait_for_exit(self.process)
        self.process = None
        self.check(status)
        return status

    def remount(self):
        """Ends it, and begins anew with the same cache."""
        assert self.stop() == 0
        return self.start()

    def kill(self):
        """As a crash: SIGKILL, and the dead mount is taken away."""
        self.process.kill()
        wait_for_exit(self.process)
        self.process = None
        run("umount", "-l", self.dir)

    def close(self):
        """Teardown. Ends everything, then complains."""
        if self.process is None:
            self.tear_down()
            self.check(None)
            return
        status = problem = None
        try:
            if mount_entry(self.dir):
                self.umount()
            status = wait_for_exit(self.process)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            problem = error
        self.tear_down()
        if problem:
            raise Stuck(f"did not end when unmounted: {problem}\n{self.stderr()}") from problem
        self.check(status)

    def tear_down(self):
        while mount_entry(self.dir):
            subprocess.run(["umount", "-l", self.dir], check=False, stderr=subprocess.DEVNULL,
                           timeout=LIMIT)
        if self.process and self.process.poll() is None:
            self.abort()
            self.process.kill()
            self.process.wait(LIMIT)
        self.process = None

    def abort(self):
        """Everyone who waits for this mount gets an error."""
        try:
            pathlib.Path(f"/sys/fs/fuse/connections/{self.connection}/abort").write_text("1")
        except OSError:
            pass

    def check(self, status):
        stderr = self.stderr()
        assert not REPORTS.search(stderr), f"the daemon reported:\n{stderr}"
        if status is not None and self.ended_well:
            assert status == 0, f"the daemon ended with {status}:\n{stderr}"

    def stderr(self):
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    # --- the cache directory ---

    @contextlib.contextmanager
    def frozen(self):
        """The daemon does nothing meanwhile: what is looked at one by one is of one instant."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            within(os.waitid, os.P_PID, self.process.pid,
                   os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def disk_use(self):
        """Bytes that the cache takes on disk, at one instant. Looked at while the daemon
        works, a body that was moved or packed in between would count twice, and so would
        the room that it left and the body that took it."""
        if self.process is None:
            return disk_use(self.cache)
        with self.frozen():
            return disk_use(self.cache)

    # --- time ---

    def advance(self, seconds):
        """The daemon's wall clock goes on by so much."""
        self.shift += seconds
        aside = self.clock.with_suffix(".new")
        aside.write_text(f"{self.shift}\n")
        aside.rename(self.clock)

    # --- control files ---

    def stats(self):
        return json.loads(read(self.control / "stats"))

    def stat(self, name):
        return self.stats()[name]

    def write(self, name, text):
        """Writes to a control file with one write()."""
        def write():
            fd = os.open(self.control / name, os.O_WRONLY)
            try:
                return os.write(fd, os.fsencode(text))
            finally:
                os.close(fd)
        return within(write)

    def purge(self, *targets):
        self.write("purge", "".join(f"{target}\n" for target in targets))

    def url_of(self, name):
        return f"{self.url.rstrip('/')}/{urllib.parse.quote(str(name))}"


def as_user(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]


def remove(place):
    shutil.rmtree(place, ignore_errors=True)
