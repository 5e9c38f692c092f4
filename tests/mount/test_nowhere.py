"""Where there is no answer at all: each a mount whose origin cannot be reached."""
import contextlib
import dataclasses
import errno
import socket

import pytest

from descriptors import descriptors, wait_as_before
from limited import Task, eventually, outcome
from nginx import free_port

READERS = 3


@dataclasses.dataclass
class Nowhere:
    """url and options of a mount, and how its daemon is started."""
    url: str
    options: tuple = ()
    prefix: tuple = ()


def refuses(context):
    return Nowhere(f"http://127.0.0.1:{free_port()}")


def has_no_route(context):
    return Nowhere("http://192.0.2.1/", prefix=("unshare", "--net"))


def does_not_accept(context):
    """A listener whose queue is full drops what wants to connect."""
    listener = context.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    for _ in range(2):
        client = context.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
    return Nowhere(f"http://127.0.0.1:{listener.getsockname()[1]}", ("connect_timeout=1s",))


def has_another_certificate(context):
    return Nowhere(context.tls.url)


def has_another_name(context):
    """Trusted, but for another host."""
    return Nowhere(context.tls.url.replace("127.0.0.1", "127.0.0.2"),
                   (f"cacert={context.certificate[0]}",))


def speaks_no_tls(context):
    return Nowhere(context.plain.url.replace("http:", "https:"))


def wants_tls(context):
    return Nowhere(context.tls.url.replace("https:", "http:"))


def is_behind_a_proxy_that_refuses(context):
    return Nowhere("http://example.com/", (f"proxy=http://127.0.0.1:{free_port()}",))


class Context(contextlib.ExitStack):
    def __init__(self, make_origin, certificate):
        super().__init__()
        self.certificate = certificate
        self.tls, self.plain = make_origin(tls=certificate, address="0.0.0.0"), make_origin()
        self.tls.url = self.tls.url.replace("0.0.0.0", "127.0.0.1")


@pytest.mark.parametrize("where, shown, counter", [
    (refuses, errno.ECONNREFUSED, "failed_connect"),
    (has_no_route, errno.EHOSTUNREACH, "failed_connect"),
    (does_not_accept, errno.ETIMEDOUT, "timeouts"),
    (has_another_certificate, errno.EIO, "failed_tls"),
    (has_another_name, errno.EIO, "failed_tls"),
    (speaks_no_tls, errno.EIO, "failed_tls"),
    (wants_tls, errno.EIO, "failed_broken"),
    (is_behind_a_proxy_that_refuses, errno.ECONNREFUSED, "failed_connect"),
])
def test_nowhere(make_mount, make_origin, certificate, where, shown, counter):
    with Context(make_origin, certificate) as context:
        there = where(context)
        mount = make_mount(there.url, "retries=0", "kernel_ttl=0", *there.options,
                           prefix=there.prefix)

        def round_of_readers():
            results = [Task(outcome, mount / "a.txt") for _ in range(READERS)]
            assert [task.result() for task in results] == [shown] * READERS
            eventually(lambda: mount.stat("transfers_active") == 0 == mount.stat("parked"))
        round_of_readers()
        assert mount.stat(counter) >= READERS
        assert mount.stat("errors") >= READERS
        before = descriptors(mount)
        round_of_readers()
        wait_as_before(mount, before)
        assert context.tls.count() == 0
