"""A scripted HTTP/1.1 origin on loopback, which sends exactly what a test says.

    origin.set("/a.jpg", b"body", headers=[("Cache-Control", "max-age=60")])
    origin.set("/slow.bin", body, gates={0: "headers sent", 4096: "more"})
    origin.raw("/odd", b"HTTP/1.1 200 OK\r\nContent-Le", gate("x"), b"ngth: 3\r\n\r\nabc")
    origin.sequence("/b", Response(status=503), Response(b"now"))

Gates replace sleeps: the origin stops at one until the test calls release(name),
and the test can wait until the origin has arrived there. Every request is kept in
origin.requests with its headers, arrival time and how many bytes of a body were
sent for it.

No Date is sent unless a test asks for it, so that the daemon's clock can be shifted
without the origin contradicting it. Threads: one per connection.
"""
import dataclasses
import email.utils
import gzip
import http.client
import random
import re
import socket
import ssl
import struct
import threading
import time

from limited import LIMIT, Stuck

CRLF = b"\r\n"
FRESH = (("Cache-Control", "max-age=3600"),)


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def noise(size, seed=1):
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(f"{seed}/{size}").randbytes(size)


def text(size, seed=1):
    """Bytes that compress well, every 16 of them different."""
    lines = b"".join(b"%07d %06d\n" % (seed, i) for i in range(size // 15 + 1))
    return lines[:size]


class Gate:
    """A place where the origin stops until the test lets it go on."""

    def __init__(self, name):
        self.name = name
        self._changed = threading.Condition()
        self._arrived = 0
        self._open = False

    def wait(self):
        """The origin's side."""
        with self._changed:
            self._arrived += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._open)

    def wait_reached(self, times=1, limit=None):
        """The test's side: until the origin stood here that often."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._arrived >= times, limit or LIMIT):
                raise Stuck(f"gate {self.name!r}: reached {self._arrived} times, not {times}")

    @property
    def reached(self):
        with self._changed:
            return self._arrived

    def release(self):
        with self._changed:
            self._open = True
            self._changed.notify_all()


@dataclasses.dataclass
class Pass:
    """In a raw script: stop at this gate."""
    name: str


class Hang:
    """In a raw script: send nothing more, until the origin is closed."""


class Reset:
    """In a raw script: end the connection with RST."""


@dataclasses.dataclass
class Request:
    number: int
    method: str
    target: str
    headers: dict  # names in lower case
    time: float  # monotonic
    sent: int = 0  # bytes of the body handed to the kernel
    connection: int = 0
    done: bool = False  # the answer was sent, or could not be

    @property
    def path(self):
        return self.target.partition("?")[0]


@dataclasses.dataclass
class Response:
    """What is sent. Framing: "length", "chunked", "close" (neither; the end of the
    connection is the end of the body) or "bare" (only the headers given)."""
    body: bytes = b""
    status: int = 200
    headers: tuple = ()
    framing: str = "length"
    length: int = None  # what Content-Length says, if not the truth
    reason: str = None
    etag: str = None  # with its quotes
    last_modified: float = None
    conditional: bool = True  # answer 304 when etag or last_modified match
    ranges: bool = False  # answer 206
    gzip: bool = False  # the body is encoded
    gate: str = None  # stop before the status line
    gates: dict = dataclasses.field(default_factory=dict)  # offset in what is sent: gate
    cut: int = None  # end the connection after so many bytes of the body
    reset: bool = False  # ... with RST
    interim: tuple = ()  # e.g. (b"HTTP/1.1 103 Early Hints\r\n\r\n",)
    close: bool = False
    chunk: int = 16384

    def encoded(self):
        return gzip.compress(self.body, 1) if self.gzip else self.body


def redirect(location, status=302):
    return Response(b"elsewhere", status, headers=(("Location", location),))


class Raw:
    """Steps: bytes, Pass, Hang, Reset. Then the connection is closed."""

    def __init__(self, *steps):
        self.steps = steps


class Connection:
    """The origin's end of one; used by its thread alone."""

    def __init__(self, origin, sock, number):
        self.origin, self.sock, self.number = origin, sock, number
        self.buffer = b""
        self.within = False  # a request

    def line(self):
        while CRLF not in self.buffer:
            data = self.sock.recv(65536)
            if not data or not (self.buffer + data)[:1].isalpha() and not self.within:
                return None  # the end, or no HTTP at all
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(CRLF)
        return line.decode("latin-1")

    def request(self):
        self.within = False
        first = self.line()
        if not first:
            return None
        self.within = True
        method, target, _ = first.split(" ", 2)
        headers = {}
        while True:
            line = self.line()
            if line is None:
                return None
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return self.origin.log(Request(0, method, target, headers, time.monotonic(),
                                       connection=self.number))

    def serve(self):
        while True:
            request = self.request()
            if request is None:
                return
            try:
                if not self.answer(request):
                    return
            finally:
                request.done = True

    def answer(self, request):
        """True: the connection goes on."""
        response = self.origin.choose(request)
        if isinstance(response, Raw):
            return self.play(response)
        return self.respond(request, response)

    def play(self, raw):
        for step in raw.steps:
            if isinstance(step, Pass):
                self.origin.gate(step.name).wait()
            elif isinstance(step, Hang):
                self.origin.gate("\0end").wait()
            elif isinstance(step, Reset):
                self.reset()
            else:
                self.sock.sendall(step)
        return False

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def respond(self, request, response):
        if response.gate is not None:
            self.origin.gate(response.gate).wait()
        for interim in response.interim:
            self.sock.sendall(interim)
        status, body, extra = select(request, response)
        headers = list(extra) + list(response.headers)
        framing = response.framing
        if status == 304 or status == 204:
            body, framing = b"", "bare"
        if framing == "length":
            headers.append(("Content-Length", str(len(body) if response.length is None
                                                  else response.length)))
        elif framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        ends = response.close or framing == "close" or response.cut is not None
        if ends:
            headers.append(("Connection", "close"))
        reason = response.reason or http.client.responses.get(status, "Odd")
        head = f"HTTP/1.1 {status} {reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        self.sock.sendall(head.encode("latin-1"))
        if request.method != "HEAD":
            self.body(request, response, body, framing == "chunked")
        if response.reset:
            self.reset()
        return not ends and not response.reset

    def body(self, request, response, body, chunked):
        end = len(body) if response.cut is None else min(response.cut, len(body))
        stops = sorted(at for at in response.gates if at <= end)
        view, at = memoryview(body), 0
        while True:
            while stops and stops[0] == at:
                self.origin.gate(response.gates[stops.pop(0)]).wait()
            if at == end:
                break
            upto = min(at + response.chunk, stops[0] if stops else end, end)
            piece = view[at:upto]
            self.sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            at = upto
            request.sent = at
        if chunked and response.cut is None:
            self.sock.sendall(b"0\r\n\r\n")


def select(request, response):
    """Status, body and headers that follow from the request's conditions."""
    headers = []
    body, status = response.encoded(), response.status
    if response.etag is not None:
        headers.append(("ETag", response.etag))
    if response.last_modified is not None:
        headers.append(("Last-Modified", http_date(response.last_modified)))
    if response.gzip:
        headers.append(("Content-Encoding", "gzip"))
    if response.ranges:
        headers.append(("Accept-Ranges", "bytes"))
    if status != 200 or request.method not in ("GET", "HEAD"):
        return status, body, headers
    if response.conditional and not_modified(request, response):
        return 304, b"", headers
    if response.ranges and "range" in request.headers and if_range(request, response):
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers["range"])
        if match and any(match.groups()):
            first, last = match.groups()
            if not first:
                start, end = max(0, len(body) - int(last)), len(body)
            else:
                start, end = int(first), min(int(last or len(body)) + 1, len(body))
            if start >= len(body) or end <= start:
                return 416, b"", headers + [("Content-Range", f"bytes */{len(body)}")]
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{len(body)}"))
            return 206, body[start:end], headers
    return status, body, headers


def not_modified(request, response):
    asked = request.headers.get("if-none-match")
    if asked is not None:
        tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        return response.etag is not None and (asked == "*" or
                                              response.etag.removeprefix("W/") in tags)
    since = request.headers.get("if-modified-since")
    if since is not None and response.last_modified is not None:
        return email.utils.parsedate_to_datetime(since).timestamp() >= int(response.last_modified)
    return False


def if_range(request, response):
    asked = request.headers.get("if-range")
    if asked is None:
        return True
    if asked.startswith('"'):
        return asked == response.etag
    return response.last_modified is not None and asked == http_date(response.last_modified)


class Origin:
    def __init__(self, tls=None, address="127.0.0.1"):
        """tls: (certificate file, key file)."""
        self._lock = threading.Lock()
        self._routes, self._gates, self._connections = {}, {}, set()
        self.requests = []
        self.accepted = 0
        self.failures = []  # of the tests' own code in here
        self._tls = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self._listener = socket.create_server((address, 0), backlog=1024)
        # Small buffers: what was "sent" is then close to what was received.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        self.address = address
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{address}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    # --- what is sent ---

    def set(self, path, body=b"", **kwargs):
        """This and all further requests for path (with its ?query) get this."""
        response = body if isinstance(body, (Response, Raw)) else Response(body, **kwargs)
        self.route(path, lambda request: response)
        return response

    def fresh(self, path, body=b"", **kwargs):
        """The same, and it need not be asked again for an hour."""
        headers = FRESH + tuple(kwargs.pop("headers", ()))
        return self.set(path, body, headers=headers, **kwargs)

    def raw(self, path, *steps):
        self.set(path, Raw(*steps))

    def sequence(self, path, *responses):
        """The first request gets the first, and so on; the last one stays."""
        left = list(responses)

        def choose(request):
            with self._lock:
                return left.pop(0) if len(left) > 1 else left[0]
        self.route(path, choose)

    def route(self, path, choose):
        """choose(request) returns a Response or Raw; path None: all other paths."""
        with self._lock:
            self._routes[path] = choose

    def remove(self, path):
        with self._lock:
            self._routes.pop(path, None)

    def choose(self, request):
        with self._lock:
            choose = self._routes.get(request.target) or self._routes.get(None)
        if choose is None:
            return Response(b"no such thing\n", 404)
        try:
            return choose(request)
        except Exception as error:  # shown by the fixture
            self.failures.append(error)
            return Response(status=599)

    # --- gates ---

    def gate(self, name):
        with self._lock:
            return self._gates.setdefault(name, Gate(name))

    def wait_reached(self, name, times=1):
        self.gate(name).wait_reached(times)

    def release(self, name):
        self.gate(name).release()

    # --- what was asked ---

    def log(self, request):
        with self._lock:
            request.number = len(self.requests)
            self.requests.append(request)
        return request

    def asked(self, target=None, method=None):
        """Requests for target so far."""
        with self._lock:
            return [r for r in self.requests if (target is None or r.target == target)
                    and (method is None or r.method == method)]

    def count(self, target=None, method=None):
        return len(self.asked(target, method))

    def sent(self, target=None):
        """Bytes of bodies."""
        return sum(r.sent for r in self.asked(target))

    # --- life ---

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(sock)
                self.accepted += 1
                number = self.accepted
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        tls = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                tls = self._tls.wrap_socket(sock, server_side=True)
            Connection(self, tls, number).serve()
        except OSError:
            pass  # the client went away, or did not like our certificate
        except Exception as error:  # shown by the fixture
            self.failures.append(error)
        finally:
            with self._lock:
                self._connections.discard(sock)
            tls.close()

    def drop_connections(self):
        """As when the server is restarted."""
        with self._lock:
            connections = list(self._connections)
        for sock in connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        """Also ends what stands at a gate: no client waits for us any more."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.drop_connections()
        with self._lock:
            gates = list(self._gates.values())
        for gate in gates:
            gate.release()
        self.gate("\0end").release()
