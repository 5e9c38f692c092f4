"""Files to read, and disks that have no room, for tests of what goes wrong with a disk."""
from limited import eventually, read
from origin import noise


def offer(origin, n, prefix="", size=100_000, content=noise):
    """n files, whose bytes are content(size, number)."""
    bodies = {f"{prefix}{number}.bin": content(size, number) for number in range(n)}
    for name, body in bodies.items():
        origin.fresh(f"/{name}", body, etag='"1"', ranges=True)
    return bodies


def check(mount, bodies):
    """They are read as they were offered, and the daemon lives."""
    for name, body in bodies.items():
        assert read(mount / name) == body, name
    assert mount.process.poll() is None


def fill(disk):
    """Somebody else's file, disk/other, takes all that is left."""
    with open(disk / "other", "wb", buffering=0) as file:
        try:
            while file.write(bytes(65536)):
                pass
        except OSError:
            pass


def health(mount):
    return read(mount.control / "health").decode()


def becomes_well(mount):
    eventually(lambda: health(mount) == "ok\n", "health ok")
