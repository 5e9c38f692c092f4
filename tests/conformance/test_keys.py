"""What is one URL and what is another (RFC 9111 2, RFC 9110 4.2.3)."""
import pytest

from limited import read
from origin import FRESH, Response


@pytest.fixture
def mount(stage):
    stage.origin.route(None, lambda request: Response(request.target.encode(), headers=FRESH))
    return stage.mount("private", ())


@pytest.mark.parametrize("names", [
    ["key1.txt", "key1.txt?", "key1.txt?a=1", "key1.txt?a=2", "key1.txt?b=1&a=1"],
    ["key2.txt", "Key2.txt", "key2.TXT"],
    ["key3.txt?a=b%2Fc", "key3.txt?a=b%3Fc"],
], ids=["queries", "case", "escapes"])
def test_different_urls_are_different_files(mount, stage, names):
    for name in names * 2:
        assert read(mount / name) == f"/{name}".encode()
    for name in names:
        assert stage.origin.count(f"/{name}") == 1
