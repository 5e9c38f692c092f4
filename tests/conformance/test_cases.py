"""Every row of the table, on a private and on a shared cache."""
import pytest

from cases import CASES, KNOWN
from play import Play


def rows():
    for case in CASES:
        for kind in case.kinds:
            known = KNOWN.get(str(case))
            marks = [pytest.mark.xfail(reason=known, strict=True)] if known else []
            yield pytest.param(case, kind, id=f"{case} ({kind})", marks=marks)


@pytest.mark.parametrize("case, kind", rows())
def test_case(stage, case, kind):
    Play(case, stage, kind).run()


def test_names_are_unique():
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)
    assert set(KNOWN) <= set(names)
