"""Where a redirect must not lead."""
import errno

import pytest

from limited import outcome
from origin import redirect

SECRETS = ("header=Authorization: Bearer secret", "header=Cookie: secret", "retries=0")


def test_a_redirect_down_to_http_is_not_followed(make_mount, make_origin, certificate):
    secure, plain = make_origin(tls=certificate), make_origin()
    secure.set("/a.txt", redirect(f"{plain.url}/a.txt"))
    mount = make_mount(secure.url, f"cacert={certificate[0]}", "allow_private", *SECRETS)
    assert outcome(mount / "a.txt") == errno.EACCES
    assert plain.accepted == 0
    assert mount.stat("failed_redirect") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_secrets_stay_with_their_origin(make_mount, make_origin, status):
    """Another port is another origin; back at the own one they are sent again."""
    own, other = make_origin(), make_origin()
    own.set("/a.txt", redirect(f"{other.url}/b.txt", status))
    other.set("/b.txt", redirect(f"{own.url}/c.txt", status))
    own.fresh("/c.txt", b"found")
    mount = make_mount(own.url, "allow_private", *SECRETS)
    assert outcome(mount / "a.txt") == b"found"
    assert "secret" not in str(other.requests)
    assert own.asked("/a.txt")[0].headers["authorization"] == "Bearer secret"
    assert own.asked("/c.txt")[0].headers["authorization"] == "Bearer secret"


def test_a_redirect_to_a_host_that_is_not_allowed(make_mount, make_origin):
    own, other = make_origin(), make_origin()
    own.set("/a.txt", redirect(f"{other.url.replace('127.0.0.1', '127.0.0.2')}/b.txt"))
    mount = make_mount("web", "allow=127.0.0.1", "allow_private", "retries=0")
    path = mount / f"http:/127.0.0.1:{own.port}/a.txt"
    assert outcome(path) == errno.EACCES
    assert other.accepted == 0
    assert mount.stat("refused") == 1 and mount.stat("failed_redirect") == 1
