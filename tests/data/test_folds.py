import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from hierattn.data.folds import assign_folds


@pytest.mark.parametrize("seed", range(40))
def test_folds_are_those_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    photos, classes, count = (int(random.integers(*ends)) for ends in ((40, 300), (2, 8), (2, 7)))
    labels = np.minimum(random.geometric(0.4, photos) - 1, classes - 1)
    keys = random.integers(0, photos // int(random.integers(1, 4)), photos).astype(str)
    own = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    expected = np.empty(photos, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, inside) in enumerate(own.split(labels, labels, keys)):
            expected[inside] = number
    assert assign_folds(labels, keys, count, seed).tolist() == expected.tolist()


def test_the_method_that_is_replaced_is_called() -> None:
    """Else the folds would be right still, and slow."""
    from hierattn.data import folds

    assert "_find_best_fold" in vars(StratifiedGroupKFold)
    assert "_find_best_fold" in vars(folds._ArrayFolds)
