from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierattn.data.folder import read_data_folder
from hierattn.data.groups import group_keys
from hierattn.data.splits import assign_splits
from hierattn.data.synth.dataset import write_synthetic
from hierattn.data.synth.lesion import paint_lesion
from hierattn.data.synth.painter import SKIN_TONES, paint, photograph, sample_view
from hierattn.data.synth.traits import CLASSES, MELANOMA, NEVUS, Traits, classify, sample_traits
from hierattn.errors import ConfigError, DataError, UnknownNameError


def files_of(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CLASSES), st.integers(0, 10_000))
def test_the_rule_finds_every_label_in_its_traits(label: str, seed: int) -> None:
    traits = sample_traits(label, np.random.default_rng(seed))
    assert classify(traits) == label
    assert 0 <= traits.suspicion <= 1


def test_no_single_trait_tells_melanoma_from_nevus() -> None:
    rng = np.random.default_rng(0)
    drawn = {name: [sample_traits(name, rng) for _ in range(200)] for name in (MELANOMA, NEVUS)}
    for trait in ("asymmetry", "border", "colours", "diameter_mm"):
        melanoma, nevus = (
            np.array([getattr(t, trait) for t in drawn[name]]) for name in (MELANOMA, NEVUS)
        )
        best = max(
            ((melanoma >= cut).mean() + (nevus < cut).mean()) / 2
            for cut in np.concatenate([melanoma, nevus])
        )
        assert 0.6 < best < 0.93


def test_rule_at_its_thresholds() -> None:
    plain = Traits(0.5, 0.5, 0.5, 8.0, vessels=0, scar=0, cysts=0, lacunae=0)
    assert plain.suspicion == pytest.approx(0.5)
    assert classify(plain) == MELANOMA
    assert classify(Traits(0.49, 0.5, 0.5, 8.0, 0.49, 0, 0, 0)) == NEVUS
    assert classify(Traits(1, 1, 1, 13.0, 0.5, 0, 0, 0)) == "painted_basal_cell"
    assert classify(Traits(1, 1, 1, 13.0, 0.5, 0, 0.6, 0.55)) == "painted_keratosis"


@pytest.mark.parametrize("label", CLASSES)
@pytest.mark.parametrize("size", [16, 65])
def test_paints_any_class_at_any_size(label: str, size: int) -> None:
    photo = paint(label, np.random.default_rng(1), size)
    assert (photo.mode, photo.size) == ("RGB", (size, size))
    assert np.asarray(photo).std() > 3
    again = paint(label, np.random.default_rng(1), size)
    assert photo.tobytes() == again.tobytes()
    assert photo.tobytes() != paint(label, np.random.default_rng(2), size).tobytes()


def test_lesion_is_darker_than_skin_and_skin_tones_darken_in_order() -> None:
    maps = paint_lesion(
        sample_traits(NEVUS, np.random.default_rng(3)), np.random.default_rng(3), 64
    )
    view = sample_view(np.random.default_rng(4))
    brightness = []
    for tone in SKIN_TONES:
        photo = np.asarray(photograph(maps, tone, view, np.random.default_rng(5)), dtype=float)
        middle, rim = photo[26:38, 26:38].mean(), photo[:8].mean()
        assert middle < rim
        brightness.append(rim)
    assert brightness == sorted(brightness, reverse=True)


def test_pigments_stay_inside_the_lesion_and_are_finite() -> None:
    for label in CLASSES:
        rng = np.random.default_rng(6)
        maps = paint_lesion(sample_traits(label, rng), rng, 48)
        for plane in (maps.melanin, maps.blood, maps.pale, maps.blue, maps.horn):
            assert plane.shape == (48, 48)
            assert np.isfinite(plane).all()
            assert plane.min() >= 0
            assert plane[0, 0] == 0


def test_writes_the_same_bytes_by_seed_and_a_full_manifest(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "a", per_class=6, size=24, seed=5)
    write_synthetic(tmp_path / "b", per_class=6, size=24, seed=5)
    write_synthetic(tmp_path / "c", per_class=6, size=24, seed=6)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    assert files_of(tmp_path / "a") != files_of(tmp_path / "c")
    assert folder.classes == CLASSES
    assert set(Counter(record.label for record in folder.records).values()) == {6}
    for record in folder.records:
        assert record.lesion_id and record.patient_id and record.image_id and record.site
        assert record.skin_tone in SKIN_TONES
        assert record.sex in {"female", "male"}
        assert record.age is not None and 15 <= record.age <= 90
        assert "not real" in str(record.licence)
    tones = {record.patient_id: record.skin_tone for record in folder.records}
    assert all(tones[record.patient_id] == record.skin_tone for record in folder.records)


def test_photos_of_a_lesion_share_its_patient_and_can_be_split(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "a", per_class=15, size=16)
    per_lesion = Counter(record.lesion_id for record in folder.records)
    assert set(per_lesion.values()) <= {1, 2, 3}
    assert max(per_lesion.values()) > 1
    assert len(set(group_keys(folder))) < len(per_lesion)
    assert len(assign_splits(folder)) == len(folder.records)


def test_progress_counts_every_photo(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_synthetic(tmp_path / "a", per_class=2, size=16, progress=lambda *s: seen.append(s))
    assert seen == [(done, 12) for done in range(1, 13)]


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'painted_nevus'"):
        paint("nevus", np.random.default_rng(0))
    with pytest.raises(ConfigError, match="size 8"):
        write_synthetic(tmp_path / "a", size=8)
    with pytest.raises(ConfigError, match="per_class 0"):
        write_synthetic(tmp_path / "a", per_class=0)
    with pytest.raises(ConfigError, match="seed -1"):
        write_synthetic(tmp_path / "a", seed=-1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("kept")
    with pytest.raises(DataError, match="not an empty folder"):
        write_synthetic(tmp_path / "full", per_class=1, size=16)
    assert (tmp_path / "full" / "x").read_text() == "kept"
    assert not (tmp_path / "a").exists()


def test_interrupted_painting_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_synthetic(tmp_path / "a", per_class=3, size=16, progress=stop)
    assert list(tmp_path.iterdir()) == []
    write_synthetic(tmp_path / "a", per_class=3, size=16)
    assert len(read_data_folder(tmp_path / "a").records) == 18
