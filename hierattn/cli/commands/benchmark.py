"""``hierattn benchmark``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierattn.cli.console import (
    DAY_S,
    JsonFlag,
    MapClass,
    NoSynonyms,
    Verbose,
    beside,
    command,
    print_json,
    progress_console,
    set_up_logging,
    standard_console,
)
from hierattn.cli.tables import WideFlag, print_table
from hierattn.common.shell import join
from hierattn.errors import LONGEST_VALUE

if TYPE_CHECKING:
    from benchmarks.run import BenchmarkOutcome, BenchmarkRequest

RUNS, LAUNCHES = 300, 5


def benchmark(
    context: typer.Context,
    exports: Annotated[list[Path], typer.Argument(help="Export folders.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; needed but for --estimate.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Photos to judge every file by, beside its latency.")
    ] = None,
    threads: Annotated[str, typer.Option(help="Thread counts, separated by commas.")] = "1,2",
    device: Annotated[
        str, typer.Option(help="host: this machine; {devices}; or several, separated by commas.")
    ] = "host",
    apk: Annotated[
        Path | None, typer.Option(help="App to install on the phones first; see 'make apk'.")
    ] = None,
    device_timeout: Annotated[
        float, typer.Option(help="Seconds to wait for one result of a phone.", min=1, max=DAY_S)
    ] = 600,
    runtimes: Annotated[
        str | None,
        typer.Option("--runtime", help="Of {runtimes}; separated by commas; default all."),
    ] = None,
    runs: Annotated[
        int, typer.Option(help="Steady runs of each row.", min=1, max=1_000_000)
    ] = RUNS,
    launches: Annotated[
        int,
        typer.Option(
            help="Processes started for each row; more of them, less noise.", min=1, max=10_000
        ),
    ] = LAUNCHES,
    sustained: Annotated[
        float, typer.Option(help="Seconds of sustained load for each row.", min=0, max=DAY_S)
    ] = 0,
    profile: Annotated[
        bool, typer.Option("--profile", help="List the costliest operators of each row.")
    ] = False,
    estimate: Annotated[
        str | None,
        typer.Option(
            help="arm64: what the files cost on a phone, by their shapes alone; runs nothing."
        ),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Latency against image size, threads and batch, too.")
    ] = False,
    gallery: Annotated[
        bool,
        typer.Option(
            "--gallery",
            help="Put the wrong and unsure photos of --data into report.html; without it no photo.",
        ),
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option(help="Earlier results.json: name what got slower or worse, and exit 1."),
    ] = None,
    run: Annotated[
        list[str] | None, typer.Option(help="Run folder or shipped name behind an export.")
    ] = None,
    map_class: MapClass = None,
    no_synonyms: NoSynonyms = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave unreadable photos out.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the order of turns.", min=0, max=2**32 - 1)] = 0,
    wide: WideFlag = False,
    json_output: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Measure latency, memory and accuracy of exported files, in one table one can trust.

    Exit code 0 only if every row that can be run here was measured, and --compare found nothing.
    """
    set_up_logging(verbose)
    if estimate is not None:
        from hierattn.cli.commands.estimate import show_estimate

        show_estimate(context, exports, estimate, wide=wide, json_output=json_output)
        return
    if out is None:
        raise typer.BadParameter("give a folder for the report", param_hint="--out")
    from benchmarks.plan import Plan
    from benchmarks.run import BenchmarkRequest, run_benchmark
    from benchmarks.runtimes.registry import all_runtimes
    from export.targets.task import Timeouts
    from hierattn.cli.progress import turns_progress

    request = BenchmarkRequest(
        tuple(exports),
        out,
        data,
        _counts(threads),
        device,
        all_runtimes() if runtimes is None else _names(runtimes),
        Plan(runs=runs, launches=launches, seed=seed),
        sustained,
        profile,
        sweep,
        compare,
        tuple(run or ()),
        tuple(map_class or ()),
        skip_unreadable,
        command=join(["hierattn", *map(_anonymous, sys.argv[1:])]),
        apk=apk,
        timeouts=Timeouts(task=device_timeout),
        gallery=gallery,
        synonyms=not no_synonyms,
    )
    try:
        with turns_progress() as show:
            outcome = run_benchmark(request, show)
    except KeyboardInterrupt as stop:
        kept = str(stop) or "nothing was measured"
        progress_console().print(f"interrupted; {kept}", soft_wrap=True)
        raise typer.Exit(1) from None
    if json_output:
        print_json(benchmark_document(outcome))
    else:
        show_outcome(outcome, request, wide=wide)
        if outcome.gallery is not None and not outcome.gallery.painted:
            standard_console().print(
                f"{out}/report.html holds photographs: pass it on only where that is allowed"
            )
    if outcome.unmeasured or (outcome.comparison and outcome.comparison.findings):
        raise typer.Exit(1)


def show_outcome(
    outcome: BenchmarkOutcome, request: BenchmarkRequest, *, wide: bool = False
) -> None:
    """Print the tables, what does not fit them, and where the files are."""
    from benchmarks.environment import busy_warning
    from hierattn.cli.benchmark_tables import growth, legend, print_latency, remarks, sweep_table

    console, results = standard_console(), outcome.results
    for environment in results.environments:
        if warning := busy_warning(environment):
            console.print(f"WARNING: {warning}", style="bold red")
    print_latency(console, results, wide=wide)
    for line in legend(results, wide=wide):
        console.print(line)
    for line in remarks(results):
        console.print(line)
    if results.sweep:
        print_table(console, sweep_table(results), wide=wide)
        for line in growth(results):
            console.print(line)
    if outcome.comparison is not None:
        for line in outcome.comparison.remarks:
            console.print(f"compared: {line}")
        for line in outcome.comparison.findings:
            console.print(f"WORSE {line}")
        if not outcome.comparison.findings:
            console.print(f"compared: {outcome.comparison.nothing_worse}")
    out = request.out
    told = command("benchmark", *_same_again(request), "--compare", out / "results.json", "--out")
    console.print(
        f"Written: {out}",
        "      results.json, results.csv, report.html, pareto.png",
        f"Next: look at {out}/report.html",
        "      and after a change to the files:",
        f"      {told} {beside(out, 'again')}",
        sep="\n",
        soft_wrap=True,
    )


def _same_again(request: BenchmarkRequest) -> list[object]:
    """The words that ask for the same measurement again, without where it is written."""
    from benchmarks.run import BenchmarkRequest

    usual = BenchmarkRequest((), request.out)
    options: dict[str, tuple[object, object]] = {
        "--data": (request.data, None),
        "--threads": (_listed(request.threads), _listed(usual.threads)),
        "--device": (request.device, usual.device),
        "--device-timeout": (request.timeouts.task, usual.timeouts.task),
        "--runtime": (_listed(request.runtimes), _listed(usual.runtimes)),
        "--runs": (request.plan.runs, usual.plan.runs),
        "--launches": (request.plan.launches, usual.plan.launches),
        "--sustained": (request.sustained_s, usual.sustained_s),
    }
    given = [word for name, (one, other) in options.items() if one != other for word in (name, one)]
    repeated = {"--run": request.runs, "--map-class": request.class_map}
    given += [word for name, words in repeated.items() for one in words for word in (name, one)]
    flags = {
        "--no-synonyms": not request.synonyms,
        "--skip-unreadable": request.skip_unreadable,
        "--sweep": request.sweep,
    }
    return [*request.exports, *given, *(name for name, asked in flags.items() if asked)]


def _listed(names: Sequence[object]) -> str:
    return ",".join(map(str, names))


def benchmark_document(outcome: BenchmarkOutcome) -> dict[str, object]:
    """For ``--json``."""
    document: dict[str, object] = outcome.results.model_dump(mode="json", by_alias=True)
    comparison = outcome.comparison
    document["comparison"] = (
        {"findings": comparison.findings, "remarks": comparison.remarks} if comparison else None
    )
    return document


def _anonymous(word: str) -> str:
    """For the record, which is passed on: a path's last name, and no phone's serial."""
    from export.targets.fleet import KINDS

    option, value = "", word
    if word.startswith("--") and "=" in word:
        option, _, value = word.partition("=")
    if Path(value).is_absolute():
        value = Path(value).name
    else:
        names = [part.partition(":")[0] for part in value.split(",")]
        if set(names) & set(KINDS):
            value = ",".join(dict.fromkeys(names))
    return f"{option}={value}" if option else value


def _counts(text: str) -> tuple[int, ...]:
    from hierattn.common.quantities import MOST_THREADS

    names = _names(text)
    # A number of many digits is none that Python would read.
    short = all(name.isdecimal() and len(name) <= len(str(MOST_THREADS)) for name in names)
    if not names or not short or not all(0 < int(name) <= MOST_THREADS for name in names):
        raise typer.BadParameter(
            f"'{text[:LONGEST_VALUE]}': give numbers such as 1,2, each up to {MOST_THREADS}",
            param_hint="--threads",
        )
    return tuple(sorted({int(name) for name in names}))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
