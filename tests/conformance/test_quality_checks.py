"""What every quality check does, whichever it is."""

import pickle

import numpy as np
import pandas as pd
import pytest

from fullshot.core.boxes import Picture
from fullshot.core.settings import load
from fullshot.curation.quality import QUALITY_CHECKS, QualityCheck, Reductions
from fullshot.curation.quality.checks import KEPT_ANYWAY, measure

LIMITS = load().curate


@pytest.fixture(params=QUALITY_CHECKS.names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def check(name: str) -> QualityCheck:
    return QUALITY_CHECKS.get(name)()


def pictures() -> list[Picture]:
    random = np.random.default_rng(5)
    shapes = [(1, 1), (1, 700), (700, 1), (2, 3), (40, 60), (512, 384), (601, 449)]
    noise = [random.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    return noise + [np.full((*shape, 3), 200, np.uint8) for shape in shapes]


def rows() -> pd.DataFrame:
    """Pictures with their measures, as curation hands them to a check."""
    return pd.DataFrame(
        [{"width": one.shape[1], "height": one.shape[0], "products": 1, **measure(one)} for one in pictures()]
    )


def test_it_is_called_in_the_tables_as_in_the_registry(check: QualityCheck, name: str) -> None:
    assert check.name == name
    assert len(check.name.split()) == 1
    assert check.words
    assert not set(check.measures) & set(KEPT_ANYWAY)


def test_every_measure_of_every_picture_is_a_number(check: QualityCheck) -> None:
    for picture in pictures():
        measures = check.measure(Reductions(picture))
        assert set(measures) == set(check.measures)
        assert np.isfinite(np.array(list(measures.values()), np.float32)).all()


def test_the_same_picture_measures_the_same_and_stays_as_it_is(check: QualityCheck) -> None:
    for picture in pictures():
        before = picture.copy()
        view = np.ascontiguousarray(picture[::-1, ::-1])[::-1, ::-1]
        assert check.measure(Reductions(picture)) == check.measure(Reductions(view))
        np.testing.assert_array_equal(picture, before)


def test_each_picture_fails_or_passes_by_itself(check: QualityCheck) -> None:
    together = rows().set_index(np.arange(100, 114))
    failed = check.failed(together, LIMITS).astype(bool)
    assert failed.index.equals(together.index)
    for row in together.index:
        assert bool(check.failed(together.loc[[row]], LIMITS).iloc[0]) == failed[row]
    assert not len(check.failed(together.iloc[:0], LIMITS))


def test_a_worker_process_gets_the_same_one(check: QualityCheck) -> None:
    picture = pictures()[5]
    copy = pickle.loads(pickle.dumps(check))  # noqa: S301
    assert copy.measure(Reductions(picture)) == check.measure(Reductions(picture))
