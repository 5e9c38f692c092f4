"""The help, the manual and README.md say the same, and the layers hold."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("WEBCACHEFS_BUILD", os.path.join(ROOT, "build"))
MAN = os.path.join(ROOT, "man")


def read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()


def run(*argv):
    return subprocess.run(
        argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )


def render(page):
    shown = run("mandoc", "-T", "utf8", os.path.join(MAN, page))
    return re.sub(".\x08", "", shown.stdout)


def tagged(page):
    """Terms that a page's lists define, without their markup: what stands in the
    line behind .TP, or behind .It in mdoc."""
    lines = read("man", page).splitlines()
    terms = []
    for number, line in enumerate(lines):
        if line.startswith((".TP", ".TQ")) and number + 1 < len(lines):
            terms.append(lines[number + 1])
        elif line.startswith(".It"):
            terms.append(line[3:])
    plain = []
    for term in terms:
        term = re.sub(r'^\.(?:BI|BR|IB|RB|B|I|SM)\s+', "", term)
        term = re.sub(r"\\f[BIRP]|\\f\(..|\\f\[[^]]*\]", "", term)
        plain.append(term.replace(r"\-", "-").replace('"', ""))
    return plain


def help_text():
    shown = run(os.path.join(BUILD, "fs/webcachefs"), "--help")
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def help_options():
    """Names of the -o options: how their lines in the help begin."""
    names = set(re.findall(r"^  ([a-z][a-z_]+)(?:=|  |$)", help_text(), re.M))
    assert len(names) > 20, "the help looks different from what this test knows"
    return names


def page_options():
    return {
        match[1]
        for term in tagged("webcachefs.1")
        for word in re.split(r",[\\ ]+", term)
        if (match := re.match(r"(?:-o )?([a-z][a-z_]+)\s*(=|$)", word))
    }


def test_every_option_of_the_help_stands_in_the_manual():
    assert help_options() - page_options() == set()


def test_every_option_of_the_manual_stands_in_the_help():
    in_help = set(re.findall(r"[a-z_]+", help_text()))
    assert page_options() - in_help == set()


def readme_commands():
    """Lines of README's sh blocks, continued ones joined, comments removed."""
    for block in re.findall(r"^```sh\n(.*?)^```", read("README.md"), re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line := re.sub(r"(^|\s)#.*", "", line).strip():
                yield line


OURS = {"webcachefs", "mount", "webcachectl"}


@pytest.mark.parametrize("line", readme_commands())
def test_command_of_the_readme_exists(line):
    command = re.sub(r"^(sudo|time) ", "", line).split()[0]
    if command.startswith(("./", "bench/", ".ci/", "build/")):
        inside = command.removeprefix("./")
        if inside.startswith("build/"):
            assert os.access(os.path.join(BUILD, inside.removeprefix("build/")), os.X_OK)
        else:
            assert os.access(os.path.join(ROOT, inside), os.X_OK)
    elif command in OURS:
        built = [os.path.join(BUILD, "fs", command), os.path.join(BUILD, "mount-helpers", command),
                 os.path.join(BUILD, "ctl", command)]
        assert command == "mount" or any(os.access(path, os.X_OK) for path in built)
    else:
        assert shutil.which(command) or command in ("git", "cd"), command


def test_options_and_control_files_of_the_readme_exist():
    text = read("README.md")
    known = set(re.findall(r"[a-z_]+", help_text()))
    for options in re.findall(r"\s-o (\S+)", text):
        names = [option.partition("=")[0] for option in options.strip("`'\"").split(",")]
        assert [name for name in names if re.fullmatch("[a-z_]+", name) and name not in known] == []
    control = render("webcachefs-control.5")
    for name in re.findall(r"\.control/(\w+)", text):
        assert re.search(rf"\b{name}\b", control), name


def test_layers():
    checked = run(os.path.join(ROOT, ".ci/check-layers"))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_exported_symbols():
    checked = run(os.path.join(ROOT, ".ci/check-symbols"), BUILD)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_check_layers_notices(tmp_path):
    """The check itself, over a tree that breaks each of its rules once."""
    broken = {
        "base/a.c": '#include "../index/index.h"\n',
        "index/b.c": "#include <curl/curl.h>\n",
        "index/index.h": "",
        "index/private.h": "",
        "fetch/c.c": '#include "../index/private.h"\n#include <sqlite3.h>\n',
        "fs/d.c": '#include "../index/index.h"\n#include "missing.h"\n',
        "fs/main.c": "#include <fuse_lowlevel.h>\n",
    }
    for name, text in broken.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".ci").mkdir()
    shutil.copy(os.path.join(ROOT, ".ci/check-layers"), tmp_path / ".ci")
    checked = run(tmp_path / ".ci/check-layers")
    assert checked.returncode == 1
    assert sorted(line.split(":")[0] for line in checked.stderr.splitlines()) == [
        "base/a.c", "fetch/c.c", "fetch/c.c", "fs/d.c", "index/b.c",
    ]


def test_every_source_is_in_a_meson_build():
    missing = []
    for pattern in ("base", "index", "fetch", "fs", "ctl", "tests/unit/*", "tests/fuzz"):
        for path in sorted(pathlib.Path(ROOT).glob(f"{pattern}/*.c")):
            folder = path.parent if (path.parent / "meson.build").exists() else path.parent.parent
            name = re.sub("^(test|fuzz)-(.*)[.]c$", r"\2", path.name)
            if f"{name}'" not in (folder / "meson.build").read_text():
                missing.append(str(path))
    assert not missing


BENCHES = sorted(name for name in os.listdir(os.path.join(ROOT, "bench")) if name.endswith(".c"))


@pytest.mark.parametrize("name", BENCHES)
def test_benches_compile(name):
    """They are built when somebody runs them, which is seldom."""
    flags = run("pkg-config", "--cflags", "fuse3", "libcurl").stdout.split()
    done = run("cc", "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", *flags,
               os.path.join("bench", name))
    assert done.returncode == 0, done.stderr
