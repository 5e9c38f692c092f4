import pytest

from play import Stage


@pytest.fixture(scope="module")
def stage():
    stage = Stage()
    yield stage
    stage.close()
