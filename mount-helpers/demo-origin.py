#!/usr/bin/python3
"""demo-origin.py - a small web site on loopback, for ./run and for trying things.

Says Cache-Control, ETag and Last-Modified, answers conditional and range
requests, keeps connections open, and logs a line for each request.
"""

import argparse
import email.utils
import hashlib
import html
import http.server
import os
import random
import re
import signal
import sys
import threading

LAST_MODIFIED = email.utils.formatdate(1767225600, usegmt=True)  # 2026-01-01


def page(title, body):
    return (
        "<!doctype html><html><head><meta charset=utf-8>"
        f"<title>{html.escape(title)}</title></head>"
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>\n"
    ).encode()


def picture(number):
    """A few circles, different for each number."""
    dice = random.Random(number)
    circles = "".join(
        f'<circle cx="{dice.randrange(320)}" cy="{dice.randrange(200)}" r="{dice.randrange(10, 60)}"'
        f' fill="hsl({dice.randrange(360)} 70% 60%)" opacity=".7"/>'
        for _ in range(12)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200">'
        f'<rect width="320" height="200" fill="#223"/>{circles}</svg>\n'
    ).encode()


def make_site():
    """Path -> (content type, body). The same bytes in every run."""
    site = {}
    for number in range(1, 13):
        site[f"/images/{number}.svg"] = ("image/svg+xml", picture(number))
    for number in range(1, 6):
        text = "".join(f"<p>Paragraph {line} of article {number}.</p>" for line in range(200))
        site[f"/articles/{number}.html"] = ("text/html", page(f"Article {number}", text))
    site["/files/large.bin"] = ("application/octet-stream", random.Random(20).randbytes(20 << 20))
    links = "".join(
        f'<li><a href="{path}">{path}</a> ({len(body)} bytes)</li>'
        for path, (_, body) in sorted(site.items())
    )
    gallery = "".join(f'<img src="/images/{n}.svg" alt="" width="160"> ' for n in range(1, 13))
    site["/index.html"] = ("text/html", page("A demonstration", f"{gallery}<ul>{links}</ul>"))
    site["/"] = site["/index.html"]
    for folder in ("images", "articles", "files"):
        names = [path for path in sorted(site) if path.startswith(f"/{folder}/")]
        items = "".join(f'<a href="{os.path.basename(p)}">{os.path.basename(p)}</a>\n' for p in names)
        site[f"/{folder}/"] = ("text/html", page(f"Index of /{folder}/", f"<pre>{items}</pre>"))
    return {
        path: (kind, body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        for path, (kind, body) in site.items()
    }


def parse_range(value, length):
    """First and last byte of a single range; None: all; () : none of it is there."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", value or "")
    if not match or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, length - int(last)), length - 1
    else:
        start, end = int(first), min(int(last), length - 1) if last else length - 1
        if last and int(last) < start:
            return None
    return (start, end) if start <= end and start < length else ()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo-origin"
    disable_nagle_algorithm = True

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path not in self.server.site:
            return self.answer(404, "text/plain", b"not found\n", {"Cache-Control": "max-age=60"})
        kind, body, etag = self.server.site[path]
        fields = {
            "Cache-Control": "max-age=3600",
            "ETag": etag,
            "Last-Modified": LAST_MODIFIED,
            "Accept-Ranges": "bytes",
        }
        if self.not_modified(etag):
            return self.answer(304, None, b"", fields)
        wanted = None
        if self.headers.get("If-Range", etag) in (etag, LAST_MODIFIED):
            wanted = parse_range(self.headers.get("Range"), len(body))
        if wanted == ():
            fields["Content-Range"] = f"bytes */{len(body)}"
            return self.answer(416, "text/plain", b"no such range\n", fields)
        if wanted:
            first, last = wanted
            fields["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            return self.answer(206, kind, memoryview(body)[first : last + 1], fields)
        return self.answer(200, kind, body, fields)

    do_HEAD = do_GET

    def not_modified(self, etag):
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))
        return self.headers.get("If-Modified-Since") == LAST_MODIFIED

    def answer(self, status, kind, body, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        wanted = self.headers.get("Range", "-")
        self.server.log_line(f"{self.command} {self.path} {int(code)} {wanted}")

    def log_message(self, format, *args):
        """Broken connections and the like: nothing to say."""


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, log):
        super().__init__(("127.0.0.1", port), Handler)
        self.site = make_site()
        self.log = log
        self.log_lock = threading.Lock()
        self.requests = 0

    def log_line(self, line):
        with self.log_lock:
            self.requests += 1
            if self.log:
                print(self.requests, line, file=self.log, flush=True)

    def handle_error(self, request, client_address):
        """A client that went away is no error."""


def main():
    parser = argparse.ArgumentParser(description="a small web site on loopback")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--port-file", help="the port is written here once it answers")
    parser.add_argument("--log", help="a line for each request: its number, method, path, "
                        "status and range (default: standard output)")
    options = parser.parse_args()

    log = open(options.log, "w") if options.log else sys.stdout
    origin = Origin(options.port, log)
    if options.port_file:
        with open(options.port_file + ".new", "w") as file:
            file.write(f"{origin.server_port}\n")
        os.rename(options.port_file + ".new", options.port_file)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        origin.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
