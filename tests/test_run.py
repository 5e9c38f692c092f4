"""./run, as a user types it: the demonstration, and a URL on a directory."""

import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN = os.path.join(ROOT, "run")
FACTOR = float(os.environ.get("WEBCACHEFS_TIME_FACTOR", "1"))


def run(*args, **kwargs):
    return subprocess.run(
        [RUN, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=50 * FACTOR, **kwargs,
    )


def mounts_below(path):
    with open("/proc/self/mountinfo") as file:
        return [line for line in file if f" {path}" in line]


def counts(output):
    """The numbers of upstream requests that the demonstration prints, in order."""
    return [int(n) for n in re.findall(r"(\d+) upstream requests?$", output, re.M)]


def test_demonstration(tmp_path):
    shown = run(env={**os.environ, "TMPDIR": str(tmp_path)})
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert counts(shown.stdout) == [1, 0, 1]
    stats = json.loads(shown.stdout[shown.stdout.index("{") :])
    assert stats["upstream_requests"] == 2
    assert stats["errors"] == 0
    assert os.listdir(tmp_path) == []
    assert mounts_below(tmp_path) == []


def test_demonstration_kept_until_interrupted(tmp_path):
    shown = subprocess.Popen(
        [RUN, "--keep"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)}, text=True, start_new_session=True,
    )
    lines = []
    for line in shown.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    assert mounts_below(tmp_path), "".join(lines)
    os.killpg(shown.pid, signal.SIGINT)  # as a terminal does
    shown.stdout.close()
    assert shown.wait(20 * FACTOR) == 130
    assert mounts_below(tmp_path) == []
    assert os.listdir(tmp_path) == []


@pytest.fixture
def tiny_origin():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"hello\n"
            self.send_response(200 if self.path == "/site/hello.txt" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "max-age=60")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/site"
    server.shutdown()
    server.server_close()


def test_url_on_a_directory(tiny_origin, tmp_path):
    directory = tmp_path / "new" / "mount"
    shown = run(tiny_origin, str(directory), f"cache_dir={tmp_path}/cache")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    try:
        assert (directory / "hello.txt").read_bytes() == b"hello\n"
    finally:
        line = next(line for line in shown.stdout.splitlines() if "ends it" in line)
        unmount = line.split()[: line.split().index(str(directory)) + 1]
        subprocess.run(unmount, check=True, timeout=20)
    assert mounts_below(tmp_path) == []
    # The daemon has left the cache when another one can have it.
    deadline = time.monotonic() + 20 * FACTOR
    while run(tiny_origin, str(directory), f"cache_dir={tmp_path}/cache").returncode != 0:
        assert time.monotonic() < deadline
    subprocess.run(["umount", str(directory)], check=True, timeout=20)


def test_wrong_arguments_say_how():
    shown = run("one")
    assert shown.returncode != 0
    assert "usage:" in shown.stderr


def test_an_origin_that_is_no_url_is_refused(tmp_path):
    shown = run("not-a-url", str(tmp_path / "mount"))
    assert shown.returncode != 0
    assert shown.stderr.strip()
    assert mounts_below(tmp_path) == []
