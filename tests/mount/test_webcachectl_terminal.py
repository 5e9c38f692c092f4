"""webcachectl as people see it: on a terminal, and its completion in bash."""
import json
import os
import pathlib
import re
import signal

import pytest

from limited import Task, error_of, eventually, read, run
from origin import Response, noise
from terminal import Terminal

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = pathlib.Path(os.environ["WEBCACHEFS_BUILD"]) / "ctl" / "webcachectl"
COMPLETION = ROOT / "mount-helpers" / "completion" / "webcachectl"
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


@pytest.fixture
def terminal(mount):
    made = []

    def make(*args, **kwargs):
        made.append(Terminal(PROGRAM, "-m", mount.dir, *args, **kwargs))
        return made[-1]
    yield make
    for one in made:
        one.close()


def held(origin, names, size=1_000_000):
    """They stop in the middle of the body."""
    for name in names:
        origin.fresh(f"/{name}", noise(size), gates={size // 2: "held"}, ranges=True, etag='"x"')


def test_warm_draws_a_bar(terminal, mount, origin):
    for n in range(20):
        origin.fresh(f"/f{n}.txt", b"x", gate="held" if n >= 15 else None)
    shown = terminal("warm", "-j", "5", *[f"/f{n}.txt" for n in range(20)], "/no.txt")
    shown.until(r"\[?[█▉▊▋▌▍▎▏░]+ +71% 15 of 21")
    origin.release("held")
    assert shown.wait() == 1
    shown.until(r"█+ 100% 21 of 21, 1 failed.*\r\n")
    assert re.search(r"/no\.txt: No such file or directory", shown.text())
    assert shown.is_as_before()
    assert mount.stat("objects") == 20


def test_warm_on_a_terminal_that_can_little(terminal, origin):
    origin.fresh("/a.txt", b"x")
    shown = terminal("warm", "/a.txt", env={"TERM": "dumb", "LC_ALL": "C"}, columns=40)
    assert shown.wait() == 0
    shown.until(r"#{10,} 100% 1 of 1")
    assert all(byte < "\x7f" for byte in shown.text())


def test_warm_that_is_interrupted_goes_on(terminal, mount, origin):
    for n in range(3):
        origin.fresh(f"/f{n}.txt", b"x", gate="held")
    shown = terminal("warm", "-j", "1", "/f0.txt", "/f1.txt", "/f2.txt")
    shown.until("0 of 3")
    origin.wait_reached("held")
    shown.type("\x03")
    assert shown.wait() == 1
    shown.until("goes on in the background")
    origin.release("held")
    eventually(lambda: mount.stat("warmed") == 3)


def test_top_shows_what_goes_on(terminal, mount, origin):
    held(origin, ["one.bin", "two.bin"])
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    mount.write("warm", "/one.bin\n/two.bin\n/no.txt\n")
    origin.wait_reached("held", 2)
    shown = terminal("top", "-d", "0.2", columns=150)
    shown.until_frame(r"TRANSFERS +2\n")
    lines = shown.frame()
    assert re.match(rf"{re.escape(origin.url)}.* on {mount.dir} +up .* ok", lines[0])
    for pattern in (r"^hit rate .* - now +0\.0% since the start", r"^cache .* of .* objects",
                    r"^warm +0 queued +2 active +0 done +1 failed",
                    r"^[█▉▊▋▌▍▎▏░]{10} +50% +488 KiB .* warm +running .*/one\.bin",
                    r"^SLOWEST ORIGINS +1 .* since the start$", rf"^ .* 2  {origin.url}$"):
        assert any(re.search(pattern, line) for line in lines), (pattern, lines)
    origin.release("held")
    shown.until_frame(r"TRANSFERS +0(\n|$)")
    shown.type("q")
    assert shown.wait() == 0


@pytest.fixture
def three(make_mount, make_origin):
    """(a mount, its origins): a slow one, one that fails, and one that is quick and was hit
    as often as not."""
    slow, failing, quick = (make_origin() for _ in range(3))
    mount = make_mount("web", "allow=127.0.0.1", "allow_private", "retries=0",
                       "kernel_ttl=0")

    def below(origin, name):
        return mount / "http:" / origin.url.partition("://")[2] / name
    quick.fresh("/a.txt", b"x")
    for _ in range(2):
        read(below(quick, "a.txt"))
    failing.set("/no.txt", status=500)
    assert error_of(read, below(failing, "no.txt"))
    slow.fresh("/a.txt", b"x", gate="held")
    task = Task(read, below(slow, "a.txt"))
    slow.wait_reached("held")
    eventually(lambda: json.loads(read(mount.control / "transfers"))[0]["age_ms"] > 1500)
    slow.release("held")
    task.result()
    return mount, (slow, failing, quick)


def slowest(frame):
    """{URL: the words before it}, in their order."""
    at = [n for n, line in enumerate(frame) if line.startswith("SLOWEST ORIGINS")]
    rows = frame[at[0] + 2:] if at else []
    return {line.split()[-1]: line.split()[:-1] for line in rows if line}


def test_top_shows_the_slowest_origins(three):
    mount, origins = three
    shown = Terminal(PROGRAM, "-m", mount.dir, "top", "-d", "0.2", columns=80, rows=24)
    try:
        shown.until_frame("SLOWEST ORIGINS +3 ")
        lines = shown.frame()
        assert len(lines) <= 24 and max(map(len, lines)) <= 80
        rows, stats = slowest(lines), mount.stat("origins")
        assert list(rows)[0] == origins[0].url and sorted(rows) == sorted(o.url for o in origins)
        p90 = [stats[url]["ttfb_p90_ms"] for url in rows]
        assert p90 == sorted(p90, reverse=True)
        for url, (_, time, _, hits, errors, running) in rows.items():
            assert (float(hits[:-1]), int(errors), int(running)) == (
                round(100 * stats[url]["hit_rate"], 1), stats[url]["errors"], 0)
            assert time.endswith("ms") == (stats[url]["ttfb_p90_ms"] < 999.5)
        assert rows[origins[1].url][4] == "1" and rows[origins[2].url][3] == "50.0%"
        # The slowest stay when it becomes small, until there is no room for any.
        for height, n in ((14, 3), (13, 2), (12, 1), (11, 0), (24, 3)):
            shown.resize(80, height)
            eventually(lambda h=height, n=n: len(shown.frame()) <= h and
                       list(slowest(shown.frame())) == list(rows)[:n], height)
        mount.write("reset", "1\n")
        eventually(lambda: slowest(shown.frame()) == {})
        shown.type("q")
        assert shown.wait() == 0
    finally:
        shown.close()


@pytest.mark.parametrize("how", ["q", "\x03", "SIGTERM", "SIGHUP"])
def test_top_gives_the_terminal_back(terminal, how):
    shown = terminal("top")
    shown.until_frame("hit rate")
    assert not shown.is_as_before()
    if how.startswith("SIG"):
        shown.process.send_signal(getattr(signal, how))
    else:
        shown.type(how)
    assert shown.wait() == 0
    eventually(shown.is_as_before)
    eventually(lambda: shown.raw.count(ENTER) == shown.raw.count(LEAVE) == 1)
    assert shown.raw.rindex("\x1b[?25h") > shown.raw.rindex("\x1b[?25l")


def test_top_fits_the_window(terminal, mount, origin):
    names = [f"{'long' * 30}{n}.bin" for n in range(20)]
    held(origin, names)
    mount.write("warm", "".join(f"{line}\n" for line in ["jobs 20"] + names))
    origin.wait_reached("held", 20)
    shown = terminal("top", "-d", "60", columns=120, rows=40)
    shown.until_frame(r"TRANSFERS +20\n")

    def fits(columns, rows):
        lines = shown.frame()
        return lines and len(lines) <= rows and max(map(len, lines)) == columns
    eventually(lambda: fits(120, 40))
    rows = [line for line in shown.frame() if " warm  " in line and "%" in line]
    assert len(rows) == 20 and all(re.search(r" \.\.\S*long\d+\.bin$", row) for row in rows)
    # Drawn again at once, not when the next look is due.
    for columns, rows in ((60, 16), (20, 5), (200, 50), (1, 1)):
        shown.resize(columns, rows)
        eventually(lambda c=columns, r=rows: fits(c, r), (columns, rows))
    shown.type("q")
    assert shown.wait() == 0
    origin.release("held")


def test_top_is_suspended_and_goes_on(terminal):
    shown = terminal("top", "-d", "0.1")
    shown.until_frame("hit rate")
    shown.type("\x1a")
    eventually(lambda: shown.raw.count(LEAVE) == 1)
    eventually(shown.is_as_before)
    shown.process.send_signal(signal.SIGCONT)
    eventually(lambda: shown.raw.count(ENTER) == 2)
    shown.type("q")
    assert shown.wait() == 0


def test_top_of_a_mount_that_goes_away(terminal, mount):
    shown = terminal("top", "-d", "0.1")
    shown.until_frame("hit rate")
    assert mount.terminate() == 0
    assert shown.wait() == 1
    eventually(shown.is_as_before)
    eventually(lambda: LEAVE in shown.raw and "webcachectl: " in shown.raw.rpartition(LEAVE)[2])


def test_names_cannot_drive_the_terminal(terminal, mount, origin):
    mount.write("warm", "/ok.txt\n")
    shown = terminal("warm", "/a\x1b[31mred.txt", env={"TERM": "dumb"})
    assert shown.wait() == 1
    assert "\x1b[31m" not in shown.raw.replace("\x1b[K", "")


# --- completion ---

def complete(*words, cwd="/"):
    script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _webcachectl "$1"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = run("bash", "--norc", "-c", script, "bash", COMPLETION, PROGRAM, *words, cwd=cwd)
    assert done.stderr == ""
    return sorted(filter(None, done.stdout.split("\n")))


def help_of(*args):
    return run(PROGRAM, *args, "--help").stdout


def commands():
    return re.findall(r"^  ([a-z]+) ", help_of(), re.M)


def test_completion_of_commands():
    assert complete("") == sorted(commands() + ["help"])
    assert complete("st") == ["stats"]
    assert complete("help", "pu") == ["purge"]
    assert "--version" in complete("-")


@pytest.mark.parametrize("command", commands())
def test_completion_of_options(command):
    """Those that the help has."""
    text = help_of(command)
    assert text.startswith(f"usage: webcachectl [-m MOUNTPOINT] {command}")
    assert set(complete(command, "--")) == set(re.findall(r"--[a-z]+", text)) | {"--help"}


def test_completion_of_names_asks_nobody(mount, origin):
    origin.set(None, Response(b"x"))
    for name in ("a.txt", "d e/b.txt", "d e/c.txt"):
        origin.fresh(f"/{name}".replace(" ", "%20"), b"x")
        read(mount / name)
    asked = origin.count()
    assert complete("-m", str(mount.dir), "explain", "/") == ["/a.txt", "/d e/"]
    assert complete("purge", "/d e/") == ["/d e/b.txt", "/d e/c.txt"]
    assert complete("purge", "a") == ["/a.txt", "all"]
    assert complete("refresh", "h") == ["host:"]
    assert complete("-m", "/")[0] == str(mount.dir)
    assert origin.count() == asked


def test_completion_of_files(place):
    (place / "posters.list").write_text("")
    assert complete("warm", "-f", "post", cwd=place) == ["posters.list"]
