"""Numbers of each origin, and times as histograms: .control/stats and .control/metrics."""
import json
import re
import shutil
import subprocess

import pytest

from limited import LIMIT, error_of, eventually, read, run
from mounted import ROOT
from origin import Response

DASHBOARD = ROOT / "mount-helpers" / "contrib" / "grafana-dashboard.json"
MANUAL = ROOT / "man" / "webcachefs-control.5"


def metrics(mount):
    """Values by name and labels, as they stand in the file."""
    lines = read(mount.control / "metrics").decode().splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


@pytest.fixture
def web(make_mount, make_origin):
    """Two origins below one mount."""
    origins = make_origin(), make_origin()
    mount = make_mount("web", "allow=127.0.0.1", "allow_private", "kernel_ttl=0", "retries=0")
    return mount, *origins


def below(mount, origin, name):
    return mount / "http:" / origin.url.removeprefix("http://") / name


def test_each_origin_is_counted_alone(web):
    mount, one, two = web
    one.fresh("/a.txt", b"x" * 1000)
    two.set("/b.txt", status=500)
    for _ in range(3):
        read(below(mount, one, "a.txt"))
    assert error_of(read, below(mount, two, "b.txt"))
    assert error_of(read, below(mount, two, "no.txt"))
    stats = mount.stats()
    first, second = stats["origins"][one.url], stats["origins"][two.url]
    assert (first["hits"], first["misses"], first["errors"]) == (2, 1, 0)
    assert (first["upstream_requests"], first["upstream_bytes"]) == (1, 1000)
    assert first["hit_rate"] == pytest.approx(2 / 3, abs=1e-3)
    assert (second["hits"], second["misses"], second["errors"]) == (0, 2, 1)
    assert second["upstream_requests"] == 2
    for name in ("hits", "misses", "errors", "upstream_requests", "upstream_bytes"):
        assert stats[name] == first[name] + second[name], name
    samples = metrics(mount)
    assert samples[f'webcachefs_origin_hits_total{{origin="{one.url}"}}'] == 2
    assert samples[f'webcachefs_origin_errors_total{{origin="{two.url}"}}'] == 1


def test_a_redirect_is_counted_where_it_was_asked(web):
    mount, one, two = web
    one.set("/a.txt", status=302, headers=(("Location", f"{two.url}/b.txt"),))
    two.fresh("/b.txt", b"12345")
    assert read(below(mount, one, "a.txt")) == b"12345"
    stats = mount.stats()["origins"]
    assert (stats[one.url]["misses"], stats[one.url]["upstream_requests"]) == (1, 1)
    assert (stats[two.url]["misses"], stats[two.url]["upstream_requests"]) == (0, 1)
    # Readers have their bytes before these are counted.
    eventually(lambda: mount.stats()["origins"][two.url]["upstream_bytes"] == 5, "counted")


def test_there_are_not_endlessly_many_origins(make_mount):
    """None of them answers: port 1 is closed."""
    mount = make_mount("web", "allow=*", "retries=0", "kernel_ttl=0")
    hosts = [f"127.0.{n}.1:1" for n in range(70)]
    for host in hosts:
        assert error_of(read, mount / "http:" / host / "a.txt")
    origins = mount.stats()["origins"]
    assert len(origins) == 65 and list(origins)[-1] == "other"
    assert sum(o["misses"] for o in origins.values()) == mount.stat("misses") == 70
    assert f"http://{hosts[-1]}" in origins and f"http://{hosts[0]}" not in origins


def test_reads_that_fail_are_errors_of_their_origin(make_mount, origin):
    mount = make_mount(origin.url, "retries=0")
    origin.fresh("/a.bin", b"x" * 100_000, cut=50_000)
    assert error_of(read, mount / "a.bin")
    stats = mount.stats()
    assert stats["errors"] == stats["origins"][origin.url]["errors"] > 0


def test_times_are_counted(make_mount, origin):
    mount = make_mount(origin.url)
    origin.fresh("/a.bin", b"x" * 50_000, gate="headers", gates={20_000: "body"})
    process = subprocess.Popen(["cat", mount / "a.bin"], stdout=subprocess.DEVNULL)
    origin.wait_reached("headers")
    assert metrics(mount)["webcachefs_ttfb_seconds_count"] == 0
    origin.release("headers")
    origin.wait_reached("body")
    eventually(lambda: metrics(mount)["webcachefs_ttfb_seconds_count"] == 1)
    assert metrics(mount)["webcachefs_fetch_duration_seconds_count"] == 0
    origin.release("body")
    assert process.wait(LIMIT) == 0
    eventually(lambda: metrics(mount)["webcachefs_fetch_duration_seconds_count"] == 1)
    samples, stats = metrics(mount), mount.stats()
    assert 0 < samples["webcachefs_ttfb_seconds_sum"] < \
        samples["webcachefs_fetch_duration_seconds_sum"]
    assert samples['webcachefs_ttfb_seconds_bucket{le="+Inf"}'] == 1
    assert samples[f'webcachefs_origin_ttfb_seconds_count{{origin="{origin.url}"}}'] == 1
    for name in ("ttfb", "fetch_duration"):
        assert 0 < stats[f"{name}_p50_ms"] <= stats[f"{name}_p90_ms"] <= stats[f"{name}_p99_ms"]


def test_buckets_only_grow(mount, origin):
    for n in range(5):
        origin.fresh(f"/{n}.txt", b"x")
        read(mount / f"{n}.txt")
    buckets = [value for name, value in metrics(mount).items()
               if name.startswith("webcachefs_ttfb_seconds_bucket")]
    assert buckets == sorted(buckets) and buckets[-1] == 5 and len(buckets) > 10


def test_reset_forgets_origins_and_times(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    eventually(lambda: mount.stat("transfers_active") == 0)
    mount.write("reset", "1\n")
    stats = mount.stats()
    assert stats["origins"] == {}
    assert stats["ttfb_p99_ms"] == stats["fetch_duration_p99_ms"] == 0
    assert metrics(mount)["webcachefs_ttfb_seconds_count"] == 0


def test_each_name_of_stats_is_in_the_manual(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    stats = mount.stats()
    told = set(re.findall(r"\w+", MANUAL.read_text().replace("\\-", "-")))
    assert [name for name in [*stats, *stats["origins"][origin.url]] if name not in told] == []


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
@pytest.mark.parametrize("busy", [False, True])
def test_promtool_finds_nothing_wrong(web, busy):
    mount, one, two = web
    if busy:
        one.fresh("/a.txt", b"x")
        two.sequence("/b.txt", Response(status=503), Response(b"y"))
        read(below(mount, one, "a.txt"))
        error_of(read, below(mount, two, "b.txt"))
    done = subprocess.run(["promtool", "check", "metrics"], input=read(mount.control / "metrics"),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
                          check=False)
    assert (done.returncode, done.stdout) == (0, b"")


def test_the_dashboard_names_what_there_is(mount, origin):
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    there = {name.partition("{")[0] for name in metrics(mount)}
    text = DASHBOARD.read_text()
    named = set(re.findall(r"webcachefs_\w+", text))
    assert len(named) > 20
    assert named - there == set()
    panels = json.loads(text)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    """As rules, since those are what promtool reads; JSON is YAML too."""
    exprs = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"]
             for target in panel["targets"]]
    assert len(exprs) > 20
    rules = [{"record": f"a:b{n}", "expr": re.sub(r"\$__\w+", "5m", expr)}
             for n, expr in enumerate(exprs)]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    run("promtool", "check", "rules", path)


def test_webcachectl_shows_values_alone(mount, origin):
    from test_webcachectl import ctl
    origin.fresh("/a.txt", b"x")
    read(mount / "a.txt")
    lines = ctl("stats", mount=mount).stdout.splitlines()
    table = dict(line.split() for line in lines)
    assert len(table) == len(lines)
    assert float(table["ttfb_p50_ms"]) > 0 and table["misses"] == "1"
    assert run("awk", '-F[:,]', '/^ *"misses"/ { print $2 + 0 }',
               mount.control / "stats").stdout == "1\n"
