"""A pytest plugin: what a sanitizer reports of any process, daemons included,
fails the test that ran meanwhile. ./test has the sanitizers write to files."""

import os
import re
import sys

import pytest


def take_reports():
    """Texts of the reports that nobody has seen yet; their files are removed."""
    where = re.search(r"log_path=([^:]+)/report", os.environ.get("ASAN_OPTIONS", ""))
    if not where:
        return []
    reports = []
    for entry in sorted(os.scandir(where[1]), key=lambda entry: entry.name):
        with open(entry, errors="replace") as file:
            reports.append(f"{entry.name}:\n{file.read()}")
        os.unlink(entry)
    return reports


@pytest.fixture(autouse=True)
def no_sanitizer_report():
    yield
    reports = take_reports()
    if reports:
        # Of several fixtures that fail as they end, pytest shows the first alone: that a
        # daemon ended badly, and not why.
        print("\n".join(reports), file=sys.stderr)
        pytest.fail("\n".join(reports), pytrace=False)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Daemons of the last test may have ended behind it."""
    session.config.late_reports = take_reports()
    if session.config.late_reports and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    for report in getattr(config, "late_reports", []):
        terminalreporter.section("sanitizer report behind the last test")
        terminalreporter.write_line(report)
