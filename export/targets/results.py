"""Result files of the app on a phone, read strictly: self-test and benchmark."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from export.errors import DeviceError
from hierattn.common.json_text import DoubleNameError, parse_model
from hierattn.common.quantities import Count, Megabytes, Milliseconds, Threads
from hierattn.errors import first_problem

LONGEST_WORDS = 300
MOST_FILES = 2
"""Model files of a bundle: one, and one to fall back on."""


def _one_line(text: str) -> str:
    """Make text of a phone fit for tables: one line of printable characters."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:LONGEST_WORDS]


Words = Annotated[str, AfterValidator(_one_line)]


class _Part(BaseModel):
    # A newer app may add fields; the known ones must be of the right type, and finite.
    model_config = ConfigDict(frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


class PhoneRuntime(_Part):
    """The runtime of the model; no version where it could not be loaded."""

    name: Words
    version: Words | None


class PhoneArtefact(_Part):
    """The model's file in the app."""

    file: Words
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    format: str
    precision: str


class PhoneDevice(_Part):
    """Properties of the phone, as it reports them; Android's are None on an iPhone."""

    manufacturer: Words | None
    model: Words | None
    chip: Words | None
    android: Words | None
    sdk: int | None
    abi: Words | None
    cores: int
    system: Words | None = None

    @property
    def name(self) -> str:
        """Manufacturer and model, with chip and Android version."""
        maker, model = self.manufacturer or "", self.model or "unknown model"
        whole = model if model.lower().startswith(maker.lower()) else f"{maker} {model}"
        known = [self.chip, f"Android {self.android}" if self.android else self.system]
        facts = ", ".join(fact for fact in known if fact)
        return f"{whole.strip()} ({facts})" if facts else whole.strip()


class PhoneResult(_Part):
    """Fields of both results."""

    version: Literal[1] = Field(alias="schema")
    token: str
    reason: Words | None
    app_version: Words
    runtime: PhoneRuntime
    artefact: PhoneArtefact | None
    device: PhoneDevice


class PhoneImage(_Part):
    """Result of one golden image; a logit that is not a number is None."""

    file: str
    differing_bytes: int = Field(ge=0)
    logits: list[float | None]
    max_relative: float | None
    passed: bool


class PhoneTried(_Part):
    """A model file of the bundle that the app tested and timed, to choose one.

    ``reason`` is why it is not used on this phone, ``why`` the same for the app's own screens
    in any language (absent in earlier apps); ``p50_ms`` is None where it was not timed.
    """

    file: Words
    precision: Words
    chosen: bool
    reason: Words | None
    why: dict[str, Any] | None = None
    p50_ms: float | None

    @property
    def words(self) -> str:
        """For a line of the report."""
        if self.reason is not None or self.p50_ms is None:
            return f"{self.precision} not used: {self.reason or 'not timed'}"
        return f"{self.precision} {self.p50_ms:.2f} ms{' (chosen)' if self.chosen else ''}"


class PhoneSelfTest(PhoneResult):
    """``selftest-TOKEN.json``; its logits are checked again here, its status is not trusted.

    ``tried`` is empty where the bundle has one model file.
    """

    status: Literal["passed", "failed", "error"]
    images: list[PhoneImage]
    tried: list[PhoneTried] = Field(default_factory=list)


class PhoneThermal(_Part):
    """Android's thermal status before and after; None where it is not known."""

    before: Words | None
    after: Words | None


class PhoneBattery(_Part):
    """Charge in percent, whether it charges, degrees Celsius; None where not known."""

    percent: float | None
    charging: bool | None
    temperature_c: float | None


class PhoneSelfTestSummary(_Part):
    """Result of the self-test before the timed runs."""

    status: Words
    max_relative: float | None


class PhoneBenchmark(PhoneResult):
    """``benchmark-TOKEN.json``; figures are None where ``status`` is ``error``; milliseconds.

    ``files``: model files of the bundle, of which this is one.
    """

    status: Literal["done", "error"]
    files: int = Field(default=1, ge=1, le=MOST_FILES)
    threads: Threads | None
    warmup: Count
    runs: Count
    load_ms: Milliseconds | None
    first_ms: Milliseconds | None
    latencies_ms: list[Milliseconds] | None
    peak_rss_mb: Megabytes | None
    thermal: PhoneThermal
    battery: PhoneBattery
    selftest: PhoneSelfTestSummary | None

    @model_validator(mode="after")
    def _whole(self) -> PhoneBenchmark:
        if self.status == "error":
            return self
        if self.load_ms is None or self.first_ms is None or not self.latencies_ms:
            raise ValueError("a benchmark that is done has load_ms, first_ms and latencies_ms")
        if len(self.latencies_ms) != self.runs:
            raise ValueError(f"latencies_ms: {len(self.latencies_ms)} of {self.runs} runs")
        if min(self.latencies_ms) <= 0:
            raise ValueError("latencies_ms: a run that took no time")
        if self.selftest is None or self.selftest.status != "passed":
            raise ValueError("selftest: without a passed self-test there is no latency")
        return self


Result = TypeVar("Result", bound=PhoneResult)


def parse_result(kind: type[Result], content: bytes, token: str) -> Result:
    """Read a result file.

    Raises:
        DeviceError: damaged, cut off, or of another run; names the field.
    """
    try:
        result = parse_model(kind, content)
    except (ValidationError, DoubleNameError) as error:
        reason = first_problem(error) if isinstance(error, ValidationError) else error
        raise DeviceError(
            f"the app's result cannot be read: {reason}; is the app of this version?"
        ) from error
    if result.token != token:
        raise DeviceError(f"the app's result is of another run (token {result.token[:64]!r})")
    return result
