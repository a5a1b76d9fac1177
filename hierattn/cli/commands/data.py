"""``hierattn data``: inspect, prepare, balance, synth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hierattn.cli.checked import CheckedCommand
from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    command,
    print_json,
    print_passed_over,
    set_up_logging,
    standard_console,
)
from hierattn.cli.next_steps import Foreseen, foresee_photos, foresee_targets, print_training
from hierattn.cli.registry_help import RegistryCommand
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import ConfigError, one_line

if TYPE_CHECKING:
    from hierattn.data.tools.inspect import InspectionReport

app = typer.Typer(help="Read, prepare, balance or paint data folders.", no_args_is_help=True)


@app.command(cls=CheckedCommand)
def inspect(
    folder: Annotated[Path, typer.Argument(help="Data folder.")],
    contact_sheet: Annotated[
        Path | None, typer.Option(help="PNG with photos of each class to draw.")
    ] = None,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Count photos, groups, sizes, licences; name unreadable files; draw a contact sheet.

    Exits 1 if a photo is unreadable.
    """
    set_up_logging(verbose)
    from hierattn.cli.progress import counting
    from hierattn.data.tools.inspect import inspect_folder

    with counting("reading") as progress:
        report = inspect_folder(folder, contact_sheet, progress)
    if json_output:
        print_json(report.model_dump(mode="json"))
        raise typer.Exit(1 if report.unreadable else 0)
    show_inspection(report, folder, None if report.unreadable else foresee_photos(folder))
    raise typer.Exit(1 if report.unreadable else 0)


def show_inspection(report: InspectionReport, folder: Path, foreseen: Foreseen | None) -> None:
    """Print what was found, and what to do next; ``foreseen`` is None where that is to mend it."""
    from hierattn.data.synth.dataset import LICENCE as PAINTED

    console = standard_console()
    things = "painted pictures" if set(report.licences) == {PAINTED} else "photos"
    table = make_table(
        f"{folder}: {report.images} {things}, {report.groups} groups",
        [("class", "left"), ("images", "right"), ("groups", "right")],
    )
    for row in report.classes:
        table.add_row(row.name, str(row.images), str(row.groups))
    print_table(console, table)
    for name, size in (("width", report.width), ("height", report.height)):
        if size is not None:
            console.print(
                f"{name}: {size.smallest} to {size.largest} px, median {size.median:g} px"
            )
    console.print(
        "A group is a patient, else a lesion, else an image; no split cuts one. One with images "
        "of several classes counts in each."
    )
    for licence, count in report.licences.items():
        console.print(f"licence: {licence or 'not given'}: {count} {things}")
    for stratum, count in report.strata.items():
        known = f"known for {count} {things}" if count else "not available"
        console.print(f"{stratum.replace('_', ' ')}: {known}")
    copies = [
        ", ".join(files) + (f" (labels differ: {', '.join(labels)})" if labels else "")
        for files, labels in zip(report.duplicates, report.contradictions, strict=True)
    ]
    _print_names(console, "exact duplicates", copies)
    if any(report.contradictions):
        console.print(
            "Where labels differ, a network learns one photo as both, or is judged by both: find "
            "out which is right, and remove the other copy (and its row of manifest.csv)."
        )
    _print_names(
        console,
        "lesions or duplicates with several classes (look whether a label is wrong)",
        [
            f"{entry.group}: {', '.join(f'{n} {label}' for label, n in entry.images.items())}"
            for entry in report.mixed_groups
            if not entry.group.startswith("patient:")
        ],
    )
    _print_names(console, "unreadable", [f"{e.file}: {e.reason}" for e in report.unreadable])
    print_passed_over(console, report.passed_over)
    if report.contact_sheet is not None:
        from hierattn.metrics.figure_text import substitute_note

        console.print(f"contact sheet: {report.contact_sheet}", soft_wrap=True)
        if note := substitute_note([row.name for row in report.classes]):
            console.print(f"In the sheet {note}.")
    if foreseen is not None:
        print_training(console, foreseen, folder, "--data", folder, "--model", "hierattn_xs")


@app.command(cls=RegistryCommand)
def prepare(
    source: Annotated[Path, typer.Argument(help="The unpacked download.")],
    out: Annotated[Path, typer.Option(help="Data folder to make.")],
    layout: Annotated[
        str | None,
        typer.Option(help="{layouts}; else guessed."),
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Symbolic links, no copies.")] = False,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Turn an official data set's own layout into a data folder with a manifest."""
    set_up_logging(verbose)
    from hierattn.cli.progress import counting
    from hierattn.data.tools.prepare import prepare as run_prepare

    with counting("writing") as progress:
        report = run_prepare(source, out, layout, link, progress)
    if json_output:
        print_json(report.model_dump(mode="json"))
        return
    console = standard_console()
    table = make_table(
        f"Layout '{report.layout}': {sum(report.images.values())} photos, {report.groups} groups",
        [("class", "left"), ("images", "right")],
    )
    for name, count in report.images.items():
        table.add_row(name, str(count))
    print_table(console, table)
    if report.splits:
        counted = ", ".join(f"{count} {split}" for split, count in report.splits.items())
        console.print(f"official split, which training follows: {counted}")
    print_passed_over(console, report.passed_over)
    console.print(f"Data folder: {out}", soft_wrap=True)
    console.print(f"Next: {command('data', 'inspect', out)}", soft_wrap=True)


def _checked_seed(value: int) -> int:
    """A range of ten digits in the help would cut the names of other options off at 80 columns."""
    from hierattn.data.splits import check_seed

    try:
        check_seed(value)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    return value


@app.command(cls=CheckedCommand)
def balance(
    folder: Annotated[Path, typer.Argument(help="Data folder.")],
    out: Annotated[Path, typer.Option(help="Data folder to make.")],
    target: Annotated[
        int, typer.Option(help="Training photos a class.", metavar="N", min=1, max=1_000_000)
    ] = 500,
    fold: Annotated[str | None, typer.Option(help="I/K: leave fold I of K out.")] = None,
    validation_fraction: Annotated[
        float, typer.Option(help="Share for validation.", metavar="SHARE", min=0, max=0.5)
    ] = 0.15,
    test_fraction: Annotated[
        float,
        typer.Option(help="Share for test, without --fold.", metavar="SHARE", min=0, max=0.5),
    ] = 0.15,
    seed: Annotated[int, typer.Option(help="Seed.", metavar="N", callback=_checked_seed)] = 0,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Balance the training part as the paper did, leaving validation and test untouched."""
    set_up_logging(verbose)
    from collections import Counter

    from hierattn.cli.progress import counting
    from hierattn.data.folder import read_data_folder
    from hierattn.data.official import official_splits
    from hierattn.data.splits import Split, assign_splits
    from hierattn.data.tools.balance import write_balanced
    from hierattn.training.recipe.config import build_config

    config = build_config(fold=fold)
    index, count = config.fold_numbers() if fold else (None, None)
    read = read_data_folder(folder)
    splits = (
        None if fold else official_splits(read, validation_fraction=validation_fraction, seed=seed)
    )
    splits = splits or assign_splits(
        read,
        folds=count,
        fold=None if index is None else index - 1,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
    )
    if Split.TRAIN not in splits:
        raise ConfigError("the fractions leave no training part to balance")
    with counting("balancing, in steps") as progress:
        result = write_balanced(read, splits, out, target, seed, progress)
    counts = {
        split.value: dict(
            Counter(
                record.label
                for record, entry in zip(result.folder.records, result.splits, strict=True)
                if entry == split
            )
        )
        for split in Split
    }
    if json_output:
        changed = {"left_out": result.removed, "copies": result.copies}
        print_json({"out": str(out), "target": target, "counts": counts, **changed})
        return
    console = standard_console()
    table = make_table(f"{out}", [("class", "left"), *((split.value, "right") for split in Split)])
    for name in read.classes:
        table.add_row(name, *(str(counts[split.value].get(name, 0)) for split in Split))
    print_table(console, table)
    console.print(
        f"Of the training part {result.removed} photos of classes above {target} are left out, the "
        f"hardest first, and {result.copies} copies made for classes below: cropped, shifted, "
        "turned, of other brightness and contrast, noisy (docs/data.md, Balancing). Its splits.csv "
        "is what training follows."
    )
    foreseen = foresee_targets(read.classes)
    print_training(console, foreseen, out, "--data", out, "--model", "hierattn_xs")


@app.command(cls=CheckedCommand)
def synth(
    out: Annotated[Path, typer.Option(help="Data folder to make.")],
    per_class: Annotated[int, typer.Option(help="Pictures a class.", min=1, max=1_000_000)] = 100,
    size: Annotated[int, typer.Option(help="Side, pixels.", min=16, max=2048)] = 128,
    seed: Annotated[
        int, typer.Option(help="Seed; the same seed gives the same bytes.", min=0, max=2**32 - 1)
    ] = 0,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Paint labelled, lesion-like pictures by formula. They are not photographs."""
    set_up_logging(verbose)
    from hierattn.cli.progress import counting
    from hierattn.data.synth.dataset import write_synthetic

    with counting("painting") as progress:
        folder = write_synthetic(out, per_class=per_class, size=size, seed=seed, progress=progress)
    if json_output:
        print_json(
            {"out": str(out), "images": len(folder.records), "classes": list(folder.classes)}
        )
        return
    console = standard_console()
    console.print(f"{len(folder.records)} painted pictures in {len(folder.classes)} classes: {out}")
    foreseen = foresee_photos(out)
    print_training(console, foreseen, out, "--data", out, "--model", "hierattn_xs")


def _print_names(console: Console, title: str, names: list[str]) -> None:
    if not names:
        return
    console.print(f"{title}: {len(names)}", style="bold")
    for name in names[:10]:
        console.print(f"  {one_line(name)}")
    if len(names) > 10:
        console.print(f"  and {len(names) - 10} more (all with --json)")
