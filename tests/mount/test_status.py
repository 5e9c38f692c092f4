"""The history, and the page that draws it."""
import html.parser
import json
import re
import shutil
import subprocess

import pytest

from limited import LIMIT, eventually, read

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)


def history(mount):
    return json.loads(read(mount.control / "history"))


def latest(mount):
    shown = history(mount)
    return dict(zip(shown["names"], shown["samples"][-1]))


class Page(html.parser.HTMLParser):
    """What it refers to, and the data in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.scripts, self.tags, self.data = [], 0, [], ""
        self.within = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.links += [(tag, attrs[name]) for name in ("src", "href") if name in attrs]
        self.scripts += tag == "script"
        self.within = tag == "script" and attrs.get("type") == "application/json"

    def handle_endtag(self, tag):
        self.within = False

    def handle_data(self, data):
        self.data += data if self.within else ""


def page(mount):
    return Page(read(mount.control / "status.html").decode())


# --- history ---

def test_history_begins_with_a_sample(mount):
    eventually(lambda: history(mount)["samples"])
    shown = history(mount)
    sample = latest(mount)
    assert shown["names"][0] == "time" and shown["interval_s"] == 10
    assert abs(shown["time"] - sample["time"]) < 600
    assert {name for name in sample if name != "time"} - {"ttfb_count", "ttfb_sum_ms"} <= \
        set(mount.stats())


def test_history_grows_while_things_change(make_mount, make_nginx, origin, place):
    """The next sample comes within its interval, and a browser draws it."""
    mount = make_mount(origin.url, "allow_other", "control_mode=0755")
    origin.fresh("/a.txt", b"x" * 1000)
    eventually(lambda: history(mount)["samples"], "the first sample, of before")
    assert latest(mount)["misses"] == 0
    read(mount / "a.txt")
    eventually(lambda: len(history(mount)["samples"]) >= 2 and latest(mount)["misses"] == 1)
    sample = latest(mount)
    assert (sample["upstream_requests"], sample["upstream_bytes"]) == (1, 1000)
    assert (sample["objects"], sample["ttfb_count"]) == (1, 1)
    times = [s[0] for s in history(mount)["samples"]]
    assert times == sorted(times)
    if CHROMIUM:
        draw(mount, make_nginx(mount.dir), place, origin)
    mount.write("reset", "1\n")
    assert len(history(mount)["samples"]) >= len(times)


# --- the page ---

def test_the_page_needs_nothing_but_itself(mount):
    shown = page(mount)
    outside = [link for _, link in shown.links if re.match(r"(?!data:)(\w+:|/)", link)]
    assert outside == [] and "img" not in shown.tags
    assert all(tag in ("a", "link") for tag, _ in shown.links)
    data = json.loads(shown.data)
    assert {"source", "time", "health", "stats", "transfers", "history"} <= set(data)
    assert data["health"] == "ok\n" and data["stats"]["version"] == mount.stat("version")


def test_the_page_has_its_exact_size(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    text = read(mount.control / "status.html").decode()
    assert text.endswith("</html>\n")


def test_no_name_ends_the_script(make_mount, origin):
    mount = make_mount(f"{origin.url}/</script><img src=x onerror=1>/")
    shown = page(mount)
    assert "img" not in shown.tags and shown.scripts == 2
    assert "</script>" in json.loads(shown.data)["source"]


def test_a_web_server_shows_the_page_and_its_numbers(make_mount, make_nginx, origin):
    mount = make_mount(origin.url, "allow_other", "gid=www-data", "control_mode=0750")
    server = make_nginx(mount.dir, extra=f"location /status/ {{ alias {mount.control}/; "
                                         "index status.html; }")
    status, headers, body = server.get("/status/")
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert "history" in json.loads(Page(body.decode()).data)
    for name in ("stats", "history", "transfers"):
        status, _, body = server.get(f"/status/{name}")
        assert status == 200
        json.loads(body)


# --- in a browser ---

def browse(url, place, seconds=12):
    """What the browser makes of it so long after, and what it complained of."""
    done = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         f"--user-data-dir={place}/browser", "--enable-logging=stderr", "--timeout=20000",
         f"--virtual-time-budget={seconds * 1000}", "--no-proxy-server", "--dump-dom", url],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        timeout=2 * LIMIT, check=True)
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, complaints


def draw(mount, server, place, origin):
    """It asks again for what is beside it."""
    shown, complaints = browse(f"{server.url}/.control/status.html", place)
    assert complaints == []
    assert shown.count("<figure") == 6 and shown.count("<rect") > 0
    assert ">Healthy<" in shown and "Hit rate" in shown
    assert f"<td>{origin.url}</td>" in shown
    assert "Nothing is being fetched." in shown
    asked = [target for _, status, _, target in server.requests() if status == 200]
    for name in ("stats", "history", "transfers", "health"):
        assert f"/.control/{name}" in asked


needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no Chromium")


@needs_browser
def test_the_page_alone_in_a_browser(make_mount, make_nginx, origin, place):
    """Where nothing else is served it asks for itself."""
    mount = make_mount(origin.url, "allow_other", "control_mode=0755")
    server = make_nginx(mount.dir, extra=f"location = /s {{ alias {mount.control}/status.html; "
                                         "default_type text/html; } location / { return 403; }")
    shown, _ = browse(f"{server.url}/s", place)
    assert ">Healthy<" in shown and ">no answer" not in shown
    assert [target for _, status, _, target in server.requests() if status == 200].count("/s") > 1


@needs_browser
def test_the_page_as_a_file(mount, place):
    copy = place / "status.html"
    copy.write_bytes(read(mount.control / "status.html"))
    shown, complaints = browse(f"file://{copy}", place, seconds=2)
    assert ">Healthy<" in shown and complaints == []
