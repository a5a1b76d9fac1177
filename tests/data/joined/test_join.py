from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierattn.data.groups import group_keys
from hierattn.data.joined.class_table import ClassTable
from hierattn.data.joined.join import join_folders
from hierattn.data.joined.read import read_labelled, read_unlabelled
from hierattn.data.provenance import describe_data
from hierattn.data.records import DataFolder, Record
from hierattn.data.seen import NEW, recognise
from hierattn.data.split_file import SplitRow
from hierattn.data.splits import Split, assign_splits
from hierattn.errors import ConfigError, DataError
from tests.data.helpers import write_class_folders, write_csv, write_photo

HEADER = "file,class,patient_id,lesion_id,image_id,source,licence"


def make(root: Path, rows: Sequence[str], seed: int) -> Path:
    """A data folder of rows ``file,class,patient,lesion,image,source,licence``."""
    for number, row in enumerate(rows):
        write_photo(root / row.split(",")[0], seed + number)
    write_csv(root / "manifest.csv", HEADER, rows)
    return root


def groups_by_file(folder: DataFolder) -> dict[str, str]:
    return dict(zip((r.file for r in folder.records), group_keys(folder), strict=True))


def test_two_views_of_a_lesion_are_one_group_and_licences_are_joined(tmp_path: Path) -> None:
    one = make(tmp_path / "near", ["MEL/1.png,MEL,,IL_1,,S,CC0", "NV/2.png,NV,,IL_2,,S,CC0"], 0)
    two = make(tmp_path / "far", ["MEL/1.png,MEL,,IL_1,,T,CC BY", "NV/9.png,NV,,IL_9,,T,CC BY"], 9)
    folder = read_labelled([one, two])
    of = groups_by_file(folder)
    assert of["near/MEL/1.png"] == of["far/MEL/1.png"]
    assert len(set(of.values())) == 3
    provenance = describe_data(folder, group_keys(folder))
    assert provenance.name == "near+far"
    assert provenance.licences == {"CC BY": 2, "CC0": 2}
    assert provenance.sources == ["S", "T"]
    assert "joined: photos 2 of near, 2 of far" in folder.remarks


@pytest.mark.parametrize(
    ("sources", "same"), [(("S", "T"), False), (("S", "S"), True), (("", "T"), True)]
)
def test_a_patient_s_name_counts_within_one_source(
    tmp_path: Path, sources: tuple[str, str], same: bool
) -> None:
    roots = [
        make(
            tmp_path / name,
            [f"MEL/1.png,MEL,1,,,{source},", f"NV/2.png,NV,{name},,,{source},"],
            seed,
        )
        for name, source, seed in zip("ab", sources, (0, 9), strict=True)
    ]
    folder = read_labelled(roots)
    of = groups_by_file(folder)
    assert (of["a/MEL/1.png"] == of["b/MEL/1.png"]) is same
    doubt = any("no source tells them apart" in line for line in folder.remarks)
    assert doubt is ("" in sources)
    apart = [line for line in folder.remarks if "in folders of other sources" in line]
    assert bool(apart) is not same and all("1 patient (1)" in line for line in apart)


def test_a_name_is_one_where_its_source_stands_in_the_other_folder(tmp_path: Path) -> None:
    """A data set may name several sources, and a part of it is another folder of the same."""
    one = make(tmp_path / "one", ["MEL/1.png,MEL,1,,,S,", "NV/2.png,NV,2,,,T,"], 0)
    two = make(tmp_path / "two", ["MEL/3.png,MEL,1,,,T,", "NV/4.png,NV,4,,,T,"], 9)
    folder = read_labelled([one, two])
    of = groups_by_file(folder)
    assert of["one/MEL/1.png"] == of["two/MEL/3.png"]
    alone = read_labelled([one])
    rows = [
        SplitRow(r.file, r.label, g, Split.TRAIN, "of another photo", r.source)
        for r, g in zip(alone.records, group_keys(alone), strict=True)
    ]
    more = make(tmp_path / "more", ["MEL/5.png,MEL,1,,,T,", "NV/6.png,NV,6,,,S,"], 50)
    assert recognise(read_labelled([more]), rows).parts.tolist() == [Split.TRAIN, NEW]
    strange = make(tmp_path / "strange", ["MEL/5.png,MEL,1,,,U,", "NV/6.png,NV,6,,,U,"], 70)
    assert recognise(read_labelled([strange]), rows).parts.tolist() == [NEW, NEW]


def test_a_patient_of_a_joined_run_is_known_in_its_own_folder_alone(tmp_path: Path) -> None:
    roots = [
        make(tmp_path / name, [f"MEL/1.png,MEL,1,,,{name},", f"NV/2.png,NV,2,,,{name},"], seed)
        for name, seed in (("a", 0), ("b", 9))
    ]
    folder = read_labelled(roots)
    rows = [
        SplitRow(r.file, r.label, g, Split.TRAIN, "of another photo", r.source)
        for r, g in zip(folder.records, group_keys(folder), strict=True)
        if r.file.startswith("a/")
    ]
    more = [
        make(tmp_path / f"more {n}", [f"MEL/7.png,MEL,1,,,{n},", f"NV/8.png,NV,8,,,{n},"], seed)
        for n, seed in (("a", 50), ("b", 60))
    ]
    assert recognise(read_labelled(more[:1]), rows).parts.tolist() == [Split.TRAIN, NEW]
    assert recognise(read_labelled(more[1:]), rows).parts.tolist() == [NEW, NEW]


def test_a_photo_in_two_folders_is_kept_once_with_the_ids_of_both(tmp_path: Path) -> None:
    one = make(tmp_path / "one", ["MEL/1.png,MEL,,L1,,S,", "NV/2.png,NV,,L2,,S,"], 0)
    two = make(
        tmp_path / "two",
        ["MEL/x.png,MEL,7,,,T,", "MEL/y.png,MEL,7,,,T,", "NV/z.png,NV,8,,,T,"],
        9,
    )
    (two / "MEL/x.png").write_bytes((one / "MEL/1.png").read_bytes())
    folder = read_labelled([one, two])
    of = groups_by_file(folder)
    assert sorted(of) == ["one/MEL/1.png", "one/NV/2.png", "two/MEL/y.png", "two/NV/z.png"]
    assert of["one/MEL/1.png"] == of["two/MEL/y.png"]
    assert any("1 photo (two/MEL/x.png) of which an earlier" in line for line in folder.remarks)


def test_a_photo_of_two_classes_is_refused(tmp_path: Path) -> None:
    one = write_class_folders(tmp_path / "one", {"MEL": 2, "NV": 2})
    two = write_class_folders(tmp_path / "two", {"NV": 2, "MEL": 2})
    with pytest.raises(DataError, match=r"^4 photos \(one/.*several classes"):
        read_labelled([one, two])


def test_another_size_of_an_archive_photo_stays_with_it(tmp_path: Path) -> None:
    one = make(
        tmp_path / "one",
        ["MEL/1.png,MEL,,HAM_1,ISIC_0000001,S,", "NV/2.png,NV,,HAM_2,ISIC_0000002,S,"],
        0,
    )
    two = make(
        tmp_path / "two",
        ["MEL/1.png,MEL,,,ISIC_0000001_downsampled,T,", "NV/2.png,NV,,,ISIC_0000005,T,"],
        9,
    )
    of = groups_by_file(read_labelled([one, two]))
    assert of["one/MEL/1.png"] == of["two/MEL/1.png"]
    assert len(set(of.values())) == 3


def test_a_class_of_one_folder_alone_must_be_named(tmp_path: Path) -> None:
    one = write_class_folders(tmp_path / "one", {"MEL": 2, "NEV": 2})
    two = write_class_folders(tmp_path / "two", {"melanoma": 2, "NV": 2, "DF": 1, "Rash": 1})
    for number, photo in enumerate(sorted(two.rglob("*.png"))):
        write_photo(photo, 100 + number)
    with pytest.raises(
        DataError, match=r"no other folder has classes DF, Rash .*--map-class DF=DF"
    ):
        read_labelled([one, two])
    folder = read_labelled([one, two], ClassTable({"DF": "DF", "Rash": ""}))
    assert folder.classes == ("DF", "MEL", "NEV")
    assert any(line.startswith("two: NV -> NEV (built-in") for line in folder.remarks)
    with pytest.raises(DataError, match="no other folder has classes MEL, NEV"):
        read_labelled([one, two], ClassTable({"DF": "DF", "Rash": ""}, synonyms=False))


def test_a_split_that_only_some_give_is_refused(tmp_path: Path) -> None:
    one = write_class_folders(tmp_path / "one", {"MEL": 2, "NV": 2})
    two = tmp_path / "two"
    for seed, name in enumerate(("train/MEL", "train/NV", "test/MEL", "test/NV")):
        write_photo(two / name / "1.png", 100 + seed)
    with pytest.raises(DataError, match=r"one: gives no train.*two does.*column 'split'"):
        read_labelled([one, two])
    rows = [f"{p.relative_to(one)},{p.parent.name},train" for p in sorted(one.rglob("*.png"))]
    write_csv(one / "manifest.csv", "file,class,split", rows)
    assert {r.split for r in read_labelled([one, two]).records} == {"train", "test"}


@pytest.mark.parametrize("second", ["one", "one/MEL", "other/one"])
def test_folders_that_cannot_be_told_apart_are_refused(tmp_path: Path, second: str) -> None:
    one = write_class_folders(tmp_path / "one", {"MEL": 2, "NV": 2})
    write_class_folders(tmp_path / "other/one", {"MEL": 2, "NV": 2})
    for read in (read_labelled, read_unlabelled):
        with pytest.raises(ConfigError, match=r"second folder called|lies in another"):
            read([one, tmp_path / second])


def test_without_labels_the_folder_is_the_class(tmp_path: Path) -> None:
    one = write_class_folders(tmp_path / "one", {"a": 2, "b": 2})
    two = write_class_folders(tmp_path / "two", {"x": 5, "y": 1})
    folder = read_unlabelled([one, two])
    # The first four are painted alike, whatever they are called.
    assert [(r.file, r.label) for r in folder.records] == [
        *((f"one/{c}/00{n}.png", "one") for c in "ab" for n in range(2)),
        ("two/x/004.png", "two"),
        ("two/y/000.png", "two"),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from([None, "p1", "p2", "p3"]),
            st.sampled_from([None, "HAM_1", "HAM_2", "l1"]),
            st.sampled_from([None, "S", "T"]),
        ),
        min_size=4,
        max_size=24,
    )
)
def test_joining_never_parts_what_belongs_together(
    rows: list[tuple[str, str | None, str | None, str | None]],
) -> None:
    records: dict[str, list[Record]] = {"a": [], "b": []}
    for number, (home, patient, lesion, source) in enumerate(rows):
        path = Path(home) / f"MEL/{number}.png"
        records[home].append(
            Record(path, f"MEL/{number}.png", "MEL", lesion, patient, source=source)
        )
    folders = [DataFolder(Path(name), ("MEL",), tuple(own)) for name, own in records.items()]
    joined = join_folders(folders)
    of = groups_by_file(joined)
    flat = [(f.name, r) for f in folders for r in f.records]
    for home, record in flat:
        for other_home, other in flat:
            same_patient = record.patient_id and record.patient_id == other.patient_id
            near = home == other_home or (record.source and record.source == other.source)
            same_lesion = record.lesion_id and record.lesion_id == other.lesion_id
            archive = same_lesion and str(record.lesion_id).startswith("HAM")
            if archive or (near and (same_patient or same_lesion)):
                assert of[f"{home}/{record.file}"] == of[f"{other_home}/{other.file}"]


@pytest.mark.slow
def test_real_views_of_one_lesion_stay_together(photos_root: Path) -> None:
    roots = [photos_root / "milk10k_dermoscopic", photos_root / "milk10k_clinical"]
    if not all(root.is_dir() for root in roots):
        pytest.skip("no MILK10k")
    folder = read_labelled(roots)
    assert len(folder.records) == 2 * 3813
    splits = assign_splits(folder, folds=5, fold=0)
    of: dict[str | None, set[Split]] = {}
    for record, split in zip(folder.records, splits, strict=True):
        of.setdefault(record.lesion_id, set()).add(split)
    assert len(of) == 3813 and all(len(parts) == 1 for parts in of.values())
