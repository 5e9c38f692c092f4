"""Small bodies that resemble each other share a dictionary, which must be there for as
long as they are."""
import random
import sqlite3

import pytest

from limited import eventually, read
from test_bit_flips import flip

N = 300


def card(number):
    draw = random.Random(number)
    return "".join(f'{{"identifier": {draw.randrange(10**9)}, "canonicalTitle": "title {n}", '
                   f'"originalLanguage": "en", "posterPath": "/p/{draw.randrange(10**6)}.jpg"}}\n'
                   for n in range(8)).encode()


@pytest.fixture
def filled(make_mount, origin):
    for number in range(N):
        origin.fresh(f"/{number}.json", card(number),
                     headers=[("Content-Type", "application/json")], etag=f'"{number}"', ranges=True)
    mount = make_mount(origin.url)
    for number in range(N):
        if number == 120:
            eventually(lambda: dictionaries(mount), "trained")
        assert read(mount / f"{number}.json") == card(number)
    eventually(lambda: mount.stat("bytes_stored") and mount.stat("objects") == N, "stored")
    return mount


def asked(origin):
    return sum(origin.count(f"/{number}.json") for number in range(N))


def read_all(mount):
    for number in range(N):
        assert read(mount / f"{number}.json") == card(number)


def dictionaries(mount):
    with sqlite3.connect(mount.cache / "index.db") as index:
        return index.execute("SELECT name, data FROM value WHERE name LIKE 'dictionary.%'"
                             ).fetchall()


def test_they_are_kept_over_a_restart(filled, origin):
    stored = filled.stat("bytes_stored")
    # About 0.40 of it by zstd alone.
    assert stored < 0.33 * N * len(card(0))
    assert len(dictionaries(filled)) == 1
    filled.remount()
    read_all(filled)
    assert asked(origin) == N


def test_they_are_kept_over_a_crash(filled, origin):
    filled.kill()
    filled.start()
    read_all(filled)
    assert asked(origin) < N + 20  # what was not committed yet


def test_a_damaged_one_costs_a_fetch(filled, origin):
    assert filled.stop() == 0
    with sqlite3.connect(filled.cache / "index.db") as index:
        index.execute("UPDATE value SET data = zeroblob(5000) WHERE name LIKE 'dictionary.%'")
    index.close()
    filled.start()
    read_all(filled)
    assert N < asked(origin) <= 2 * N
    read_all(filled)  # what a reader had open was brought back for him alone
    filled.remount()
    before = asked(origin)
    read_all(filled)
    assert asked(origin) == before


def test_flips_in_the_index_give_no_wrong_bytes(filled):
    draw = random.Random(1)
    for _ in range(5):
        assert filled.stop() == 0
        flip(filled.cache / "index.db", draw, 30)
        filled.start()
        for number in range(N):
            try:
                assert read(filled / f"{number}.json") == card(number)
            except OSError:
                pass
    assert filled.stop() == 0


def test_they_outlive_an_index_that_is_begun_anew(filled, origin):
    (filled.cache / "index.db").unlink()
    eventually(lambda: (filled.cache / "index.db").exists(), "begun anew")
    filled.purge("all")
    read_all(filled)
    before = asked(origin)
    filled.remount()
    read_all(filled)
    assert asked(origin) == before
