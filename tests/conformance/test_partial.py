"""Parts of bodies: asked for with If-Range, and put together only when they are of the
same representation (RFC 9110 13.1.5, 14, 15.3.7; RFC 9111 3.4)."""
import errno
import itertools

import pytest

from limited import error_of, read
from origin import FRESH, Response, http_date, noise

BODY, OTHER = noise(300_000, 1), noise(300_000, 2)
CUT = 100_000
WHEN = 1_600_000_000
names = (f"part{n}" for n in itertools.count())


@pytest.fixture
def mount(stage):
    return stage.mount("private", ("retries=2",))


@pytest.fixture
def origin(stage):
    return stage.origin


class Rest:
    """The answer to a request for the rest of a body that was cut."""

    def __init__(self, mount, origin, validators, second):
        """second(from): the Response to the second request."""
        self.name = f"{next(names)}.bin"
        self.path = f"/{self.name}"

        def choose(request):
            if origin.count(self.path) == 1:
                return Response(BODY, headers=FRESH + tuple(validators) + (
                    ("Accept-Ranges", "bytes"),), cut=CUT)
            return second(int(request.headers.get("range", "=0-").split("=")[1].split("-")[0]))
        origin.route(self.path, choose)
        try:
            self.shown = read(mount / self.name)
        except OSError as error:
            self.shown = error.errno
        self.asked = origin.asked(self.path)

    @property
    def condition(self):
        return self.asked[1].headers.get("if-range")


def part(start, *headers, body=BODY, length=None):
    span = f"bytes {start}-{len(body) - 1}/{length or len(body)}"
    return Response(body[start:], status=206, headers=FRESH + (("Content-Range", span),) + headers)


STRONG, WEAK, BARE = ("ETag", '"a"'), ("ETag", 'W/"a"'), ("ETag", "a")
MODIFIED = ("Last-Modified", http_date(WHEN))


@pytest.mark.parametrize("validators, condition", [
    ([STRONG], '"a"'), ([STRONG, MODIFIED], '"a"'), ([MODIFIED], http_date(WHEN)),
    ([WEAK, MODIFIED], http_date(WHEN)), ([BARE, MODIFIED], http_date(WHEN)),
], ids=["strong", "both", "modified", "weak", "not quoted"])
def test_the_rest_is_asked_for(mount, origin, validators, condition):
    rest = Rest(mount, origin, validators, lambda start: part(start, *validators))
    assert rest.shown == BODY
    assert rest.condition == condition
    assert len(rest.asked) == 2


@pytest.mark.parametrize("validators", [[WEAK], [BARE]], ids=["weak", "not quoted"])
def test_never_by_a_tag_that_is_not_strong(mount, origin, validators):
    rest = Rest(mount, origin, validators, lambda start: part(start, *validators))
    assert all("range" not in request.headers for request in rest.asked)


@pytest.mark.parametrize("other", [("ETag", '"b"'), ("ETag", 'W/"a"')], ids=["another", "weak"])
def test_parts_of_another_tag_are_not_mixed(mount, origin, other):
    rest = Rest(mount, origin, [STRONG], lambda start: part(start, other, body=OTHER))
    assert isinstance(rest.shown, int)


@pytest.mark.parametrize("make", [
    lambda start: part(start, STRONG, length=len(BODY) + 1),
    lambda start: part(start + 1, STRONG),
    lambda start: Response(BODY[start:], status=206, headers=FRESH + (STRONG,)),
    lambda start: Response(BODY[start:], status=206, headers=FRESH + (STRONG, (
        "Content-Range", f"bytes {start}-{start - 1}/{len(BODY)}"))),
    lambda start: Response(BODY[start:], status=206, headers=FRESH + (STRONG, (
        "Content-Type", "multipart/byteranges; boundary=x"))),
], ids=["length", "place", "no range", "backwards", "multipart"])
def test_what_does_not_fit_is_an_error(mount, origin, make):
    rest = Rest(mount, origin, [STRONG], make)
    assert rest.shown in (errno.EIO, errno.ESTALE)


def test_200_with_the_same_tag_is_taken_from_where_it_was_cut(mount, origin):
    rest = Rest(mount, origin, [STRONG], lambda start: Response(BODY, headers=FRESH + (STRONG,)))
    assert rest.shown == BODY


def test_200_with_another_tag_is_another_file(mount, origin):
    rest = Rest(mount, origin, [STRONG],
                lambda start: Response(OTHER, headers=FRESH + (("ETag", '"b"'),)))
    assert rest.shown in (OTHER, errno.EIO, errno.ESTALE)


def test_206_to_whom_asked_for_all_is_an_error(mount, origin):
    name = f"{next(names)}.bin"
    origin.route(f"/{name}", lambda request: part(0, STRONG))
    assert error_of(read, mount / name) == errno.EIO
