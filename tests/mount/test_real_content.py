"""Thousands of real files, from a real nginx, through the mount and back."""
import collections
import os
import urllib.parse

import pytest

from limited import names, read, stat, together

SOURCE = "/usr/share"
FILES = 5000
BYTES = 200 << 20
LARGEST = 1 << 20


def choose():
    """Regular files below SOURCE whose folders do not look like files, by name."""
    chosen, total = {}, 0
    for folder, folders, files in os.walk(SOURCE):
        folders[:] = sorted(name for name in folders if "." not in name)
        for name in sorted(files):
            path = os.path.join(folder, name)
            if os.path.islink(path) or "." not in name.strip(".") or not os.path.isfile(path):
                continue
            size = os.path.getsize(path)
            if size <= LARGEST and os.access(path, os.R_OK) and os.stat(path).st_mode & 4:
                chosen[path[len(SOURCE) + 1:]] = size
                total += size
            if len(chosen) == FILES or total > BYTES:
                return chosen
    return chosen


@pytest.mark.timeout(240)
def test_a_tree_is_mirrored_byte_for_byte_and_asked_for_once(make_nginx, make_mount):
    files = choose()
    if len(files) < 500:
        pytest.skip("/usr/share is too small here")
    server = make_nginx(SOURCE, extra="add_header Cache-Control max-age=86400;")
    mount = make_mount(server.url)
    listed = list(files)

    def compare(part):
        for name in listed[part::4]:
            with open(os.path.join(SOURCE, name), "rb") as original:
                assert read(mount / name) == original.read(), name
        return True

    assert all(together([lambda part=part: compare(part) for part in range(4)], limit=120))
    again = collections.defaultdict(list)
    for request in server.requests():
        again[request[3]].append(request[:3])
    assert {target: each for target, each in again.items() if len(each) > 1} == {}
    asked = collections.Counter(urllib.parse.unquote(target).lstrip("/")
                                for _, _, _, target in server.requests())
    assert {name: asked[name] for name in listed if asked[name] != 1} == {}
    assert sum(asked.values()) == len(files)

    by_folder = collections.defaultdict(list)
    for name in listed:
        by_folder[os.path.dirname(name)].append(os.path.basename(name))
    for folder, inside in by_folder.items():
        below = {other[len(folder):].lstrip("/").split("/")[0] for other in by_folder
                 if folder and other.startswith(folder + "/")}
        assert names(mount / folder) == sorted(set(inside) | below) or not folder
    for name in listed[::50]:
        original = os.stat(os.path.join(SOURCE, name))
        assert stat(mount / name).st_size == original.st_size
        assert int(stat(mount / name).st_mtime) == int(original.st_mtime)

    mount.remount()
    assert all(together([lambda part=part: compare(part) for part in range(4)], limit=120))
    assert len(server.requests()) == len(files)
    stats = mount.stats()
    assert stats["upstream_requests"] == 0
    assert stats["objects"] == len(files)
    assert stats["bytes_logical"] == sum(files.values())
