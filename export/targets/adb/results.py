"""What the app writes on a phone, read strictly: its self-test, and its benchmark."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from export.targets.adb.errors import DeviceError

LONGEST_WORDS = 300


def _one_line(text: str) -> str:
    """What a phone says is printed in tables: one line, of characters that can be seen."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:LONGEST_WORDS]


Words = Annotated[str, AfterValidator(_one_line)]


class _Part(BaseModel):
    # A newer app may tell more; what is told must be of the right type, and finite.
    model_config = ConfigDict(frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


class PhoneRuntime(_Part):
    """What ran the model; no version where it could not be loaded."""

    name: Words
    version: Words | None


class PhoneArtefact(_Part):
    """The model's file in the app."""

    file: Words
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    format: str
    precision: str


class PhoneDevice(_Part):
    """The phone in its own words."""

    manufacturer: Words | None
    model: Words | None
    chip: Words | None
    android: Words | None
    sdk: int
    abi: Words | None
    cores: int

    @property
    def name(self) -> str:
        """Maker and model, the maker once; with chip and Android version."""
        maker, model = self.manufacturer or "", self.model or "unknown model"
        whole = model if model.lower().startswith(maker.lower()) else f"{maker} {model}"
        known = [self.chip, f"Android {self.android}" if self.android else None]
        facts = ", ".join(fact for fact in known if fact)
        return f"{whole.strip()} ({facts})" if facts else whole.strip()


class PhoneResult(_Part):
    """What both results begin with."""

    version: Literal[1] = Field(alias="schema")
    token: str
    reason: Words | None
    app_version: Words
    runtime: PhoneRuntime
    artefact: PhoneArtefact | None
    device: PhoneDevice


class PhoneImage(_Part):
    """One golden image; a logit that is no number is None."""

    file: str
    differing_bytes: int = Field(ge=0)
    logits: list[float | None]
    max_relative: float | None
    passed: bool


class PhoneSelfTest(PhoneResult):
    """``selftest-TOKEN.json``; its own verdict is not trusted, only its numbers."""

    status: Literal["passed", "failed", "error"]
    images: list[PhoneImage]


class PhoneThermal(_Part):
    """Android's word for how warm it is; None where it does not tell."""

    before: Words | None
    after: Words | None


class PhoneBattery(_Part):
    """Percent, whether it charges, degrees Celsius; None where it does not tell."""

    percent: float | None
    charging: bool | None
    temperature_c: float | None


class PhoneSelfTestSummary(_Part):
    """Of the self-test that came before the runs."""

    status: Words
    max_relative: float | None


class PhoneBenchmark(PhoneResult):
    """``benchmark-TOKEN.json``; figures are None where ``status`` is ``error``; milliseconds."""

    status: Literal["done", "error"]
    threads: int
    warmup: int
    runs: int
    load_ms: float | None
    first_ms: float | None
    latencies_ms: list[float] | None
    peak_rss_mb: float | None
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
        result = kind.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f"field '{place}': " if place else ""
        raise DeviceError(
            f"the app's result cannot be read: {where}{first['msg']}; is the app of this version?"
        ) from error
    if result.token != token:
        raise DeviceError(f"the app's result is of another run (token {result.token[:64]!r})")
    return result
