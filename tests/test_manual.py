"""The manual pages say all that the program has, and are well-formed."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "man").glob("*.[1-8]"))


def page(name):
    return (ROOT / "man" / name).read_text().replace("\\-", "-")


def headings(text):
    """What stands in bold or italics at the beginning of a paragraph with a tag."""
    return {word for line in re.findall(r"^\.TP\n\.[BI]+ (.*)$", text, re.M)
            for word in re.findall(r"[a-z0-9_]+(?:\.[a-z]+)?", line.replace("\\fR", " ").replace("\\fP", " "))}


def names(path, pattern):
    found = re.findall(pattern, (ROOT / path).read_text(), re.M)
    assert found, f"{path}: nothing like {pattern}"
    return found


@pytest.mark.parametrize("path, pattern, manual", [
    ("base/counters.def", r"^(?:COUNTER|GAUGE)\((\w+),", "webcachefs-control.5"),
    ("fs/facts.c", r'\(struct fact\)\{ "(\w+)"', "webcachefs-control.5"),
    ("fs/control.c", r'^\t\{ "([\w.]+)",', "webcachefs-control.5"),
    ("fs/options.c", r'^\t\{ "(\w+)", &kind_', "webcachefs.1"),
])
def test_each_name_has_its_paragraph(path, pattern, manual):
    described = headings(page(manual))
    assert [name for name in names(path, pattern) if name not in described] == []


def section(text, title):
    return re.search(rf'^\.SS "?{title}"?\n(.*?)(?=^\.S[SH] )', text, re.M | re.S)[1]


def test_each_counter_of_an_origin_is_named():
    told = set(re.findall(r"\w+", section(page("webcachefs-control.5"), "Each origin")))
    counters = names("base/origins.def", r"^ORIGIN\((\w+)\)")
    assert [name for name in counters if name not in told] == []
    assert set(counters) <= set(names("base/counters.def", r"^COUNTER\((\w+),"))


def test_each_histogram_is_described():
    text = page("webcachefs-control.5")
    quantiles = names("fs/control_stats.c", r'^\t\{ "(p\d+)", ')
    for name in names("base/histograms.def", r"^HISTOGRAM\((\w+),"):
        assert {f"{name}_{q}_ms" for q in quantiles} <= headings(text)
        assert f"webcachefs_{name}_seconds" in text


def test_each_word_of_the_access_log_is_described():
    told = section(page("webcachefs.1").replace(".SH", ".SS"), "ACCESS LOG")
    words = names("fetch/want.c", r'\[CACHE_\w+\] = "(\w+)"') + ["ERROR", "FETCH"]
    assert [word for word in words if word not in told] == []


def test_each_attribute_is_named():
    text = page("webcachefs.1")
    assert [name for name in names("fs/xattr.c", r'\{ "(user\.[\w.]+)",') if name not in text] == []


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_are_well_formed(path):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], stdout=subprocess.PIPE,
                          text=True, timeout=20, check=False)
    assert done.stdout == ""
