"""What the benches share: origins, servers, the mount, clients and tables.

Everything lives in one scratch directory and ends with `with Bench() as bench`.
The machine is assumed to be noisy: measure targets in turns, round by round, and
compare within a round.
"""

import asyncio
import contextlib
import json
import mmap
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("WEBCACHEFS_BUILD", ROOT / "build"))
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
{user}
worker_processes {workers};
daemon off;
pid {dir}/pid;
error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {dir}/tmp;
    proxy_temp_path {dir}/tmp;
    fastcgi_temp_path {dir}/tmp;
    uwsgi_temp_path {dir}/tmp;
    scgi_temp_path {dir}/tmp;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""

WRK = """
local paths = {{}}
for line in io.lines("{list}") do paths[#paths + 1] = "/" .. line end
local at = {start}
function request()
    at = at % #paths + 1
    return wrk.format("GET", paths[at])
end
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.005)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def disk_bytes(path):
    """Blocks on disk, directories too, as `du` counts them."""
    total = os.lstat(path).st_blocks * 512
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return total


class Process:
    def __init__(self, argv, **kwargs):
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **kwargs)
        self.pid = self.popen.pid

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def cpu_ms(self):
        """Finer, but without threads that have ended."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6

    def rss_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def stop(self, how=signal.SIGTERM):
        if self.popen.poll() is None:
            self.popen.send_signal(how)
        self.popen.wait(30)


class Mount(Process):
    """webcachefs in the foreground, on bench.dir/NAME."""

    def __init__(self, bench, name, url, cache=None, options=""):
        self.dir = bench.dir / name
        self.dir.mkdir(exist_ok=True)
        self.cache = cache or bench.dir / f"{name}.cache"
        self.started = time.monotonic()
        every = f"allow_other,size=8G,cache_dir={self.cache}" + (f",{options}" if options else "")
        super().__init__(
            [BUILD / "fs/webcachefs", url, self.dir, "-f", "-o", every],
            stderr=open(bench.dir / f"{name}.log", "w"),
        )
        wait_until(lambda: os.path.ismount(self.dir), "the mount")

    def stats(self):
        return json.loads((self.dir / ".control/stats").read_text())

    def stop(self):
        if os.path.ismount(self.dir):
            subprocess.run(["umount", self.dir], check=True)
        super().stop()


class Relay(threading.Thread):
    """Passes connections on to a port; what the client sends is held back for a
    while, so that each request takes that much longer. Counts response bytes, of which
    its own send buffer holds few: what stays in there has not come over the link."""

    def __init__(self, to_port, delay):
        super().__init__(daemon=True)
        self.to_port, self.delay = to_port, delay
        self.bytes = self.requests = 0
        self.port = None
        self.ready = threading.Event()
        self.start()
        self.ready.wait()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        server = await asyncio.start_server(self.connected, "127.0.0.1", 0, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def connected(self, reader, writer):
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 << 10)
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.to_port, limit=1 << 20)
        await asyncio.gather(
            self.copy(reader, to_writer, self.delay), self.copy(to_reader, writer, 0),
            return_exceptions=True,
        )

    async def copy(self, reader, writer, delay):
        try:
            while data := await reader.read(1 << 18):
                if delay:
                    self.requests += 1
                    await asyncio.sleep(delay)
                else:
                    self.bytes += len(data)
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


class Bench(contextlib.ExitStack):
    def __enter__(self):
        super().__enter__()
        if os.geteuid() != 0:
            sys.exit("run it as root: it mounts, and starts nginx with a user of its own")
        subprocess.run([ROOT / ".ci/install-packages", "build", "run", "bench"], check=True)
        if "WEBCACHEFS_BUILD" not in os.environ:
            subprocess.run([ROOT / ".ci/build", BUILD], check=True)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="webcachefs-bench.", dir="/var/tmp"))
        self.dir.chmod(0o755)
        self.callback(shutil.rmtree, self.dir, ignore_errors=True)
        self.random = random.Random(1)
        return self

    def keep(self, process):
        """Stops it at the end, before what was started earlier."""
        self.callback(process.stop)
        return process

    def compile(self, name, package=None):
        program = self.dir / name
        flags = ["-lpthread"]
        if package:
            flags += subprocess.check_output(
                ["pkg-config", "--cflags", "--libs", package], text=True
            ).split()
        subprocess.run(
            ["cc", "-O2", "-D_GNU_SOURCE", "-o", program, ROOT / f"bench/{name}.c", *flags],
            check=True,
        )
        return program

    def floor(self, folder):
        """The least that a FUSE filesystem can be (floor.c): its mount point."""
        directory = self.dir / "floor-mount"
        directory.mkdir()
        self.keep(Process([self.compile("floor", "fuse3"), folder, directory]))
        wait_until(lambda: os.path.ismount(directory), "the mount of the floor")
        return directory

    def nginx(self, name, server, http="", workers=2):
        """Listens on a free port: (process, port)."""
        place = self.dir / f"nginx-{name}"
        (place / "tmp").mkdir(parents=True)
        place.chmod(0o777)
        (place / "tmp").chmod(0o777)
        port = free_port()
        config = place / "nginx.conf"
        config.write_text(NGINX.format(
            user="user www-data;", workers=workers, dir=place, http=http, port=port, server=server,
        ))
        process = Process(["nginx", "-c", config, "-e", place / "error.log"])
        self.keep(process)
        wait_until(lambda: answers(port), f"nginx {name}")
        return process, port

    def files_server(self, name, root, workers=2):
        return self.nginx(name, f"root {root};", workers=workers)[1]

    def origin(self, root, name="origin"):
        server = f"root {root}; add_header Cache-Control max-age=86400;"
        return self.nginx(name, server, workers=2)[1]

    def proxy_cache(self, name, origin_port):
        """nginx as the cache: (port, its cache directory)."""
        cache = self.dir / f"{name}.cache"
        cache.mkdir(mode=0o777)
        cache.chmod(0o777)
        http = f"""
            proxy_cache_path {cache} levels=1:2 keys_zone=cache:20m max_size=8g inactive=1d
                use_temp_path=off;
            upstream origin {{ server 127.0.0.1:{origin_port}; keepalive 64; }}
        """
        server = """
            location / {
                proxy_pass http://origin;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_cache cache;
                proxy_cache_lock on;
            }
        """
        return self.nginx(name, server, http)[1], cache

    def mount(self, name, port, **kwargs):
        return self.keep(Mount(self, name, f"http://127.0.0.1:{port}/", **kwargs))

    def relay(self, port, delay):
        return Relay(port, delay)

    def write_list(self, names):
        path = self.dir / f"list-{self.random.getrandbits(48):x}"
        path.write_text("".join(f"{name}\n" for name in names))
        return path

    def wrk(self, port, names_list, seconds, connections=32):
        """Requests per second, of answers that were all 200."""
        script = self.dir / "wrk.lua"
        script.write_text(WRK.format(list=names_list, start=self.random.randrange(100000)))
        ran = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script,
             f"http://127.0.0.1:{port}/"],
            check=True, capture_output=True, text=True,
        )
        if re.search(r"Non-2xx|Socket errors", ran.stdout):
            sys.exit(f"wrk: {ran.stdout}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", ran.stdout)[1])


def settled(value, seconds=15):
    """The value once it stayed the same for three seconds."""
    deadline = time.monotonic() + seconds
    last, since = value(), time.monotonic()
    while time.monotonic() - since < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
    return last


def median(values):
    return statistics.median(values)


def ratio(values, bases):
    """Median of the ratios within each round."""
    return statistics.median(value / base for value, base in zip(values, bases))


def touch_memory(size):
    """In a virtual machine, memory that was free for seconds is taken back by its host, and
    the first touch of each page costs more than what is measured. So it is touched before,
    in large pages, as files are read into them."""
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1


def drop_page_cache(*paths):
    """Of these files alone; the machine has other users."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        with contextlib.suppress(OSError):  # of a mount, where nothing is written
            os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def table(title, header, rows):
    print(f"\n{title}\n")
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header] + rows) for i in range(len(header))]
    for row in [header] + rows:
        first, rest = row[0].ljust(widths[0]), [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        print("   ".join([first] + rest))
    sys.stdout.flush()
