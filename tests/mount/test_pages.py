"""Names that do not tell whether they are a page or a directory."""
import errno
import os
import shutil
import stat as modes

import pytest

from limited import error_of, names, read, run, stat, together, within


def test_a_page_without_extension_opens_at_the_first_try(mount, origin):
    origin.fresh("/docs/intro", b"page")
    assert read(mount / "docs/intro") == b"page"
    assert [request.target for request in origin.requests] == ["/docs/intro"]


def test_a_page_that_is_not_there_is_enoent(mount, origin):
    assert error_of(read, mount / "docs/none") == errno.ENOENT
    assert origin.count("/docs/none") == 1


def test_a_page_in_the_root(mount, origin):
    origin.fresh("/about", b"about us")
    assert read(mount / "about") == b"about us"
    assert modes.S_ISREG(stat(mount / "about").st_mode)


def test_cat_reads_a_page(mount, origin):
    origin.fresh("/docs/intro", b"page")
    assert run("cat", mount / "docs/intro").stdout == "page"


def test_cp_reads_a_page_that_is_known(mount, origin, place):
    """cp asks first what it is. Unasked, the origin has not said yet."""
    origin.fresh("/docs/intro", b"page")
    read(mount / "docs/intro")
    run("cp", mount / "docs/intro", place / "copy")
    assert (place / "copy").read_bytes() == b"page"


@pytest.mark.parametrize("copy", [shutil.copyfile, shutil.copy, shutil.copy2])
def test_shutil_reads_a_page(mount, origin, place, copy):
    origin.fresh("/docs/intro", b"page")
    within(copy, mount / "docs/intro", place / "copy")
    assert (place / "copy").read_bytes() == b"page"


def test_stat_of_an_unknown_name_is_a_directory_and_asks_nobody(mount, origin):
    origin.fresh("/docs/intro", b"page")
    assert modes.S_ISDIR(stat(mount / "docs/intro").st_mode)
    assert origin.count() == 0
    assert read(mount / "docs/intro") == b"page"


def test_stat_of_a_known_page_says_that_it_is_a_file(mount, origin):
    origin.fresh("/docs/intro", b"page")
    read(mount / "docs/intro")
    st = stat(mount / "docs/intro")
    assert modes.S_ISREG(st.st_mode) and st.st_size == 4
    assert origin.count("/docs/intro") == 1


def test_stat_of_a_page_that_is_also_a_prefix_says_that_it_is_a_file(mount, origin):
    origin.fresh("/docs", b"contents")
    origin.fresh("/docs/intro", b"page")
    read(mount / "docs/intro")
    read(mount / "docs")
    for _ in range(3):
        assert modes.S_ISREG(stat(mount / "docs").st_mode)
        assert read(mount / "docs/intro") == b"page"


def test_a_name_can_be_page_and_prefix(mount, origin):
    origin.fresh("/docs", b"contents")
    origin.fresh("/docs/intro", b"page")
    for _ in range(3):
        assert read(mount / "docs") == b"contents"
        assert read(mount / "docs/intro") == b"page"
    assert origin.count("/docs") == 1 and origin.count("/docs/intro") == 1


def test_a_name_can_be_prefix_first_and_page_then(mount, origin):
    origin.fresh("/docs", b"contents")
    origin.fresh("/docs/a/b.txt", b"below")
    assert read(mount / "docs/a/b.txt") == b"below"
    assert read(mount / "docs") == b"contents"
    assert read(mount / "docs/a/b.txt") == b"below"


def test_page_and_prefix_after_a_remount(mount, origin):
    origin.fresh("/docs", b"contents")
    origin.fresh("/docs/intro", b"page")
    read(mount / "docs")
    read(mount / "docs/intro")
    mount.remount()
    assert read(mount / "docs/intro") == b"page"
    assert read(mount / "docs") == b"contents"
    assert origin.count() == 2


def test_page_and_prefix_by_many_threads(mount, origin):
    origin.fresh("/docs", b"contents")
    for number in range(10):
        origin.fresh(f"/docs/{number}", b"%d" % number)

    def page():
        """Another thread's walk can take the name between ours: then the kernel says ESTALE."""
        seen = 0
        while seen < 20:
            try:
                assert read(mount / "docs") == b"contents"
                seen += 1
            except OSError as error:
                assert error.errno == errno.ESTALE
        return True

    def below(number):
        return lambda: all(read(mount / f"docs/{number}") == b"%d" % number for _ in range(20))
    assert all(together([page, page, page] + [below(number) for number in range(10)]))


def test_a_file_with_extension_can_be_a_prefix_as_well(mount, origin):
    origin.fresh("/image.jpg", b"image")
    origin.fresh("/image.jpg/info.json", b"{}")
    assert read(mount / "image.jpg") == b"image"
    mount.purge("all")
    assert error_of(read, mount / "image.jpg/info.json") in (None, errno.ENOTDIR)


def test_a_directory_can_be_opened_as_one_without_a_page(mount, origin):
    origin.fresh("/d/a.txt", b"x")
    read(mount / "d/a.txt")
    assert names(mount / "d") == ["a.txt"]
    assert within(os.path.isdir, mount / "d")


def test_a_page_that_came_into_being_shows_after_the_404_expired(make_mount, origin):
    mount = make_mount(origin.url, "kernel_ttl=0", "negative_ttl=60s")
    assert error_of(read, mount / "docs/intro") == errno.ENOENT
    origin.fresh("/docs/intro", b"page")
    mount.advance(61)
    assert read(mount / "docs/intro") == b"page"


def test_a_page_is_read_through_a_working_directory(mount, origin):
    origin.fresh("/docs/intro", b"page")
    origin.fresh("/docs/more/x.txt", b"x")
    read(mount / "docs/more/x.txt")
    assert run("cat", "intro", "more/x.txt", cwd=mount / "docs").stdout == "pagex"


def test_exists_says_no_for_a_page_that_is_not_there(mount, origin):
    """A program that asks first should not be told that there is something."""
    assert error_of(read, mount / "nothing") == errno.ENOENT
    assert not within(os.path.isfile, mount / "nothing")
