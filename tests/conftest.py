"""Fixtures. The whole run lives in a mount namespace of its own: whatever happens,
no mount is left on the machine."""
import ctypes
import itertools
import os
import pathlib
import signal
import stat
import subprocess
import tempfile

import pytest

import mounted
import nginx as nginx_module
from limited import run
from origin import Origin

CLONE_NEWNS = 0x20000
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("these tests mount filesystems: run them as root")
    if LIBC.unshare(CLONE_NEWNS):
        raise pytest.UsageError(f"unshare: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    # Whoever runs us in the background of a script, or with nohup, ignores these, and so
    # would all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Daemons that go to the background become our children.
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.fixture
def place():
    """A directory that other users can reach."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="webcachefs-test-"))
    path.chmod(0o755)
    yield path
    mounted.remove(path)


@pytest.fixture
def make_origin():
    origins = []

    def make(**kwargs):
        origins.append(Origin(**kwargs))
        return origins[-1]
    yield make
    for origin in origins:
        origin.close()
    for origin in origins:
        assert not origin.failures


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate, key) of localhost, signed by itself."""
    place = tmp_path_factory.mktemp("tls")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-keyout", place / "key.pem", "-out", place / "cert.pem", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    yield place / "cert.pem", place / "key.pem"
    mounted.remove(place)


@pytest.fixture
def origin(make_origin):
    return make_origin()


@pytest.fixture
def make_mount(place, make_origin):
    """make_mount(url, "option=value", ..., cache=DIR): a Mount. It depends on
    make_origin so that it is torn down first, while gates may still hold: a
    daemon must end also when its origin hangs."""
    mounts = []
    number = itertools.count()

    def make(url, *options, **kwargs):
        own = place / f"mount{next(number)}"
        own.mkdir()
        mount = mounted.Mount(url, own, options, start=False, **kwargs)
        mounts.append(mount)
        mount.start()
        return mount
    make.mounts = mounts
    yield make
    problems = []
    for mount in mounts:
        try:
            mount.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def mount(make_mount, origin):
    """The origin, mounted with default options."""
    return make_mount(origin.url)


@pytest.fixture
def fuse_for_all(place):
    """/dev/fuse as udev makes it: open to all users."""
    if os.stat("/dev/fuse").st_mode & 0o666 == 0o666:
        yield
        return
    node = place / "fuse"
    os.mknod(node, 0o600 | stat.S_IFCHR, os.makedev(10, 229))
    node.chmod(0o666)
    subprocess.run(["mount", "--bind", node, "/dev/fuse"], check=True)
    yield
    subprocess.run(["umount", "/dev/fuse"], check=True)


@pytest.fixture
def make_nginx(place):
    servers = []

    def make(root, **kwargs):
        servers.append(nginx_module.Nginx(root, place / f"nginx{len(servers)}", **kwargs))
        return servers[-1]
    yield make
    for server in servers:
        server.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its daemons said."""
    report = (yield).get_result()
    make = getattr(item, "funcargs", {}).get("make_mount")
    if report.failed and make:
        for mount in make.mounts:
            if mount.stderr().strip():
                report.sections.append((f"stderr of {mount.dir}", mount.stderr()[-8000:]))
