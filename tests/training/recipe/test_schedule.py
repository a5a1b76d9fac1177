import pytest
from hypothesis import given
from hypothesis import strategies as st

from hierattn.training.recipe.config import TrainingConfig, build_config
from hierattn.training.recipe.schedule import learning_rate

PAPER = build_config("paper")


def test_paper_schedule_has_two_warmups_and_ends_at_the_published_rates() -> None:
    assert learning_rate(PAPER, 0) == pytest.approx(2e-4)
    assert learning_rate(PAPER, 15) == pytest.approx(2e-3)
    assert learning_rate(PAPER, 29.999) == pytest.approx(2e-4, rel=1e-3)
    assert learning_rate(PAPER, 30) == pytest.approx(2e-4)
    assert learning_rate(PAPER, 45) == pytest.approx(2e-3)
    assert learning_rate(PAPER, 500) == pytest.approx(2e-4)


@given(
    epochs=st.integers(1, 400),
    warmup=st.floats(0, 1),
    position=st.floats(0, 1),
    peak=st.floats(1e-4, 1e-1),
)
def test_cosine_stays_between_its_bounds(
    epochs: int, warmup: float, position: float, peak: float
) -> None:
    config = TrainingConfig(
        epochs=epochs, warmup_epochs=warmup * epochs, lr=peak, warmup_lr=peak / 10, final_lr=0
    )
    assert 0 <= learning_rate(config, position * epochs) <= peak * (1 + 1e-9)


@given(st.integers(4, 300))
def test_cosine_falls_after_the_warmup(epochs: int) -> None:
    config = TrainingConfig(epochs=epochs, warmup_epochs=2)
    rates = [learning_rate(config, position) for position in range(2, epochs + 1)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(config.lr)
    assert rates[-1] == pytest.approx(config.final_lr)
