"""``hierattn predict``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hierattn.cli.console import (
    JsonFlag,
    Verbose,
    number,
    print_json,
    set_up_logging,
    standard_console,
)
from hierattn.cli.tables import make_table, print_table
from hierattn.errors import one_line

if TYPE_CHECKING:
    from hierattn.evaluation.predict import Answer, Classifier
    from hierattn.metrics.operating_point import OperatingPoint

_SHOWN = 3
_NOT_A_DEVICE = "A research tool, not a medical device."


def predict(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="RUN_OR_FILE", help="Run, shipped name, or exported file.")
    ],
    photos: Annotated[list[Path], typer.Argument(help="Photos, or folders of photos.")],
    csv: Annotated[Path | None, typer.Option(help="Write a row a photo to this file.")] = None,
    saliency: Annotated[
        Path | None,
        typer.Option(
            help="Folder of PNGs: by how much the answer falls when a part is covered with the "
            "photo's mean colour (occlusion; over 200 answers a photo)."
        ),
    ] = None,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Ask a run or an exported file about photos. Exit code 1 if one could not be read."""
    set_up_logging(verbose)
    from export.formats.registry import suffixes
    from hierattn.cli.progress import counting
    from hierattn.errors import DataError, UnreadableImageError
    from hierattn.evaluation.predict import answer_photos, count_learnt, find_photos
    from hierattn.outputs import check_output, claimed_output, given_path

    read = (given_path(model), *filter(Path.is_dir, photos))
    if csv is not None:
        check_output(csv, *read, option="--csv", file=True)
    if saliency is not None:
        claim = claimed_output(saliency, *read, option="--saliency")
        context.with_resource(claim)
    of_file = Path(model).suffix in suffixes()
    found = find_photos(photos)
    classifier = load_classifier(model)
    learnt = unknown = None
    if classifier.run is not None:
        try:
            learnt = count_learnt(classifier.run, found.photos)
        except DataError as error:
            if not of_file:  # a damaged run beside a file is not what was asked
                raise
            unknown = f"NOTE whether the run learnt from these photos is not known: {error}"
    answers: list[Answer] = []
    unreadable: list[str] = []
    with counting("predicting") as progress:
        for done, answer in enumerate(answer_photos(classifier, found.photos), 1):
            if isinstance(answer, UnreadableImageError):
                unreadable.append(one_line(str(answer)))
            else:
                answers.append(answer)
            progress(done, len(found.photos))
    if csv is not None:
        _write_csv(csv, classifier, answers)
    if saliency is not None:
        from hierattn.evaluation.saliency import draw_saliency
        from hierattn.metrics.figure_text import substitute_note

        with counting("covering parts") as progress:
            for done, answer in enumerate(answers, 1):
                name = f"{done:04d}-{answer.photo.stem}.png"
                draw_saliency(classifier, answer, saliency / name)
                progress(done, len(answers))
        if (note := substitute_note(classifier.classes)) and not json_output:
            standard_console().print(f"In the maps {note}.")
    if json_output:
        print_json(
            {
                "model": model,
                "calibrated": classifier.point.is_fitted,
                "fitted_on": classifier.point.fitted_on,
                "certainty_needed": _certainty_needed(classifier.point),
                "learnt_from": learnt,
                "photos": [_document(classifier, answer) for answer in answers],
                "unreadable": unreadable,
                "passed_over": [str(path) for path in found.passed_over],
            }
        )
    else:
        console = standard_console()
        if answers:
            show_answers(classifier, answers)
        else:
            console.print("no photo could be read")
        if learnt:
            told = f"NOTE the run was trained or calibrated on {learnt} of the {len(found.photos)}"
            console.print(f"{told} asked; of new photos it knows less", style="bold")
        if unknown is not None:
            console.print(unknown, style="bold")
        for reason in unreadable:
            console.print(f"unreadable: {reason}")
        if found.passed_over:
            first = one_line(str(found.passed_over[0]))
            count = len(found.passed_over)
            what = f"1 file that is no photo ({first})"
            if count > 1:
                what = f"{count} files that are no photos ({first} ...)"
            console.print(f"passed over: {what}", soft_wrap=True)
        if written := [str(path) for path in (csv, saliency) if path is not None]:
            console.print(f"Written: {', '.join(written)}", soft_wrap=True)
    if unreadable:
        raise typer.Exit(1)


def load_classifier(model: str) -> Classifier:
    """A run folder, a shipped checkpoint, or an exported file of any format.

    Raises:
        HierAttnError: there is none, or it is damaged.
    """
    from export.formats.registry import suffixes
    from hierattn.evaluation.predict import Classifier

    if Path(model).suffix in suffixes():
        from export.evaluate_artefact import manifest_beside
        from export.formats.load import load_artefact
        from export.run_record import find_run

        artefact = load_artefact(Path(model))
        told = artefact.description
        manifest, _ = manifest_beside(Path(model))
        behind = find_run(Path(model).parent, manifest) if manifest is not None else None
        return Classifier(
            artefact,
            told.preprocessing,
            tuple(told.classes),
            told.operating_point,
            behind.path if behind is not None else None,
        )
    from hierattn.inference import TorchPredictor
    from hierattn.runs import load_run

    run = load_run(model)
    config = run.config
    return Classifier(
        TorchPredictor(run.load_model()),
        config.preprocessing,
        tuple(config.classes),
        config.operating_point,
        run.path,
    )


def show_answers(classifier: Classifier, answers: list[Answer]) -> None:
    """Print a row a photo, and what the figures are worth."""
    from hierattn.metrics.calibration import at_bound

    point, console = classifier.point, standard_console()
    target = point.target_name if point.melanoma_threshold is not None else None
    columns = [("photo", "left"), ("answer", "left"), ("probabilities", "prose")]
    if target:
        columns.append((f"{target} flag", "left"))
    table = make_table("Research only: no diagnosis", columns)
    flags = [(a.target, a.flagged) for a in answers if a.target is not None]
    digits = _digits(flags, point.melanoma_threshold or 0.0)
    highest = _digits([(a.highest, a.sure) for a in answers], point.abstain_threshold)
    for answer in answers:
        ranked = answer.ranked
        best = ", ".join(f"{name}: {share:.{highest}f}" for name, share in ranked[:_SHOWN])
        said = ranked[0][0] if answer.sure else "NOT SURE"
        flagged = "FLAGGED" if answer.flagged else "below"
        flag = [f"{flagged}: {number(answer.target, digits)}"] if target else []
        table.add_row(one_line(str(answer.photo)), said, best, *flag)
    print_table(console, table)
    if target:
        console.print(
            f"{target} flag: its probability is at least {point.melanoma_threshold:.{digits}f}, "
            f"the threshold fitted beforehand ({point.fitted_on}), whatever the answer."
        )
    if len(classifier.classes) > _SHOWN:
        every = f"{len(classifier.classes)} classes"
        console.print(f"The {_SHOWN} highest of {every}; all are in --csv and --json.")
    if point.is_fitted:
        end = " (at the end of the range that was tried)" if at_bound(point) else ""
        console.print(
            f"Probabilities are calibrated{end}. NOT SURE: the highest is below the certainty at "
            f"which the model may answer, {point.abstain_threshold:.{highest}f}. {_NOT_A_DEVICE}"
        )
    else:
        console.print(
            "Probabilities are not calibrated, and no answer is called unsure or flagged: "
            f"{point.fitted_on}. {_NOT_A_DEVICE}"
        )


def _digits(told: Sequence[tuple[float, bool | None]], threshold: float) -> int:
    """As many as show each probability that reaches the threshold at it or above, and no other."""
    for digits in range(3, 17):
        if all((round(p, digits) >= round(threshold, digits)) == reached for p, reached in told):
            return digits
    return 17


def _certainty_needed(point: OperatingPoint) -> float | None:
    """Below which an answer is not sure; None where none was fitted, and no answer is judged."""
    return point.abstain_threshold if point.is_fitted else None


def _document(classifier: Classifier, answer: Answer) -> dict[str, Any]:
    point = classifier.point
    target = None
    if answer.flagged is not None:
        target = {
            "class": point.target_name,
            "threshold": point.melanoma_threshold,
            "probability": answer.target,
            "flagged": answer.flagged,
        }
    return {
        "file": str(answer.photo),
        "answer": answer.ranked[0][0],
        "sure": answer.sure if point.is_fitted else None,
        "probabilities": answer.probabilities,
        "target": target,
    }


def _write_csv(path: Path, classifier: Classifier, answers: list[Answer]) -> None:
    """A row a photo."""
    from hierattn.common.csv_text import report_csv
    from hierattn.common.files import write_text

    names = [f"probability of {name}" for name in classifier.classes]
    rows: list[Sequence[object]] = [
        ["file", "answer", "sure", "certainty_needed", "target_flagged", "target_threshold", *names]
    ]
    point = classifier.point
    for answer in answers:
        flagged = "" if answer.flagged is None else str(answer.flagged).lower()
        shares = (f"{answer.probabilities[name]:.6f}" for name in classifier.classes)
        sure = str(answer.sure).lower() if point.is_fitted else None
        needed, threshold = _certainty_needed(point), point.melanoma_threshold
        said = [str(answer.photo), answer.ranked[0][0], sure, needed, flagged, threshold]
        rows.append([*said, *shares])
    write_text(path, report_csv(rows))
