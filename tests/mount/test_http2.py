"""HTTP/2 with an origin behind a real nginx: used when TLS can agree on it, many misses
on few connections, and nothing lost when the server says that it goes (RFC 9113 6.8)."""
import signal

import pytest

from limited import Task, eventually, read, together
from nginx import free_port
from origin import FRESH, Response, noise

N = 100
SERVER = """
		listen 127.0.0.1:{port} ssl {http2};
		ssl_certificate {certificate[0]};
		ssl_certificate_key {certificate[1]};
		access_log {log} protocols;
		keepalive_requests {keepalive};
		location / {{
			proxy_pass {upstream};
			proxy_http_version 1.1;
			proxy_buffer_size 64k;
			proxy_buffers 8 64k;
			proxy_max_temp_file_size 0;
		}}
"""


class Front:
    """nginx between the mount and the scripted origin."""

    def __init__(self, make_nginx, place, origin, certificate, http2="http2", keepalive=10000):
        self.log = place / "protocols.log"
        port = free_port()
        self.nginx = make_nginx(place, workers=1, extra=SERVER.format(
            port=port, certificate=certificate, http2=http2, log=self.log, upstream=origin.url,
            keepalive=keepalive))
        self.url = f"https://127.0.0.1:{port}"

    def served(self):
        """(protocol, connection, status, target) of each request that is over."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [tuple(line.split(" ")) for line in lines]

    def wait_served(self, n):
        eventually(lambda: len(self.served()) >= n, f"{n} requests are logged")
        return self.served()


@pytest.fixture
def make_front(make_nginx, place, origin, certificate):
    def make(**kwargs):
        return Front(make_nginx, place, origin, certificate, **kwargs)
    return make


def test_many_misses_share_a_connection(make_front, make_mount, origin, certificate):
    front = make_front()
    mount = make_mount(front.url, f"cacert={certificate[0]}")
    for number in range(N):
        origin.fresh(f"/{number}.txt", b"%d" % number, gate="all")
    tasks = [Task(read, mount / f"{number}.txt") for number in range(N)]
    origin.wait_reached("all", N)  # all of them are under way at the same time
    origin.release("all")
    assert [task.result() for task in tasks] == [b"%d" % number for number in range(N)]
    served = front.wait_served(N)
    assert {protocol for protocol, *_ in served} == {"HTTP/2.0"}
    assert len({connection for _, connection, *_ in served}) <= 4
    assert len(served) == N


def test_large_bodies_side_by_side(make_front, make_mount, origin, certificate):
    """One that nobody reads on holds up none of the others on its connection."""
    front = make_front()
    mount = make_mount(front.url, f"cacert={certificate[0]}")
    bodies = [noise(8 << 20, number) for number in range(4)]
    for number, body in enumerate(bodies):
        origin.fresh(f"/{number}.bin", body, etag=f'"{number}"', ranges=True)
    with open(mount / "0.bin", "rb", buffering=0) as paused:
        assert paused.read(10) == bodies[0][:10]
        assert together([lambda n=n: read(mount / f"{n}.bin") for n in (1, 2, 3)]) == bodies[1:]
        rest = Task(paused.readall)
        assert rest.result() == bodies[0][10:]
    assert {protocol for protocol, *_ in front.wait_served(4)} == {"HTTP/2.0"}


def test_http_1_when_the_server_has_no_other(make_front, make_mount, origin, certificate):
    front = make_front(http2="")
    mount = make_mount(front.url, f"cacert={certificate[0]}")
    origin.fresh("/a.txt", b"a")
    assert read(mount / "a.txt") == b"a"
    assert {protocol for protocol, *_ in front.wait_served(1)} == {"HTTP/1.1"}


def test_a_server_that_ends_its_connections(make_front, make_mount, origin, certificate):
    """GOAWAY after each tenth request; those that it did not take are sent again."""
    front = make_front(keepalive=10)
    mount = make_mount(front.url, f"cacert={certificate[0]}", "retries=3")
    for number in range(N):
        origin.fresh(f"/{number}.txt", b"%d" % number)
    results = together([lambda n=n: read(mount / f"{n}.txt") for n in range(N)])
    assert results == [b"%d" % number for number in range(N)]
    served = front.wait_served(N)
    assert len({connection for _, connection, *_ in served}) >= N // 10
    assert mount.stat("failed_broken") == 0


def test_a_server_that_is_reloaded_half_way(make_front, make_mount, origin, certificate):
    front = make_front()
    mount = make_mount(front.url, f"cacert={certificate[0]}", "retries=3")
    body = noise(3 << 20)
    origin.fresh("/large.bin", body, gates={1 << 20: "half"})
    origin.fresh("/before.txt", b"before")
    assert read(mount / "before.txt") == b"before"
    large = Task(read, mount / "large.bin")
    origin.wait_reached("half")
    front.nginx.process.send_signal(signal.SIGHUP)
    origin.fresh("/after.txt", b"after")
    assert read(mount / "after.txt") == b"after"
    origin.release("half")
    assert large.result() == body
    assert origin.count("/large.bin") == 1


def test_a_stream_that_is_cut_is_taken_up_again(make_front, make_mount, origin, certificate):
    front = make_front()
    mount = make_mount(front.url, f"cacert={certificate[0]}", "retries=2")
    body = noise(2 << 20)
    origin.sequence("/a.bin", Response(body, headers=FRESH, etag='"1"', ranges=True, cut=900_000),
                    Response(body, headers=FRESH, etag='"1"', ranges=True))
    assert read(mount / "a.bin") == body
    assert origin.asked("/a.bin")[1].headers["if-range"] == '"1"'
    assert {protocol for protocol, *_ in front.wait_served(2)} == {"HTTP/2.0"}
