import pytest
from pydantic import BaseModel, ValidationError

from hierattn import errors
from hierattn.errors import (
    HierAttnError,
    UnknownNameError,
    UnreadableImagesError,
    first_line,
    first_problem,
)


def test_an_unknown_name_gets_the_nearest_and_the_whole_list() -> None:
    error = UnknownNameError("model", "HierAttn-XS", ["mobilenet_v2", "hierattn_xs"])
    assert str(error) == (
        "unknown model 'HierAttn-XS'; did you mean 'hierattn_xs'? "
        "(valid: hierattn_xs, mobilenet_v2)"
    )
    assert (error.kind, error.name, error.valid) == (
        "model",
        "HierAttn-XS",
        ["hierattn_xs", "mobilenet_v2"],
    )


def test_a_message_is_one_line_whatever_names_it_quotes() -> None:
    hostile = "a\nb\r\x1b[2J\u2028\u202etxt.exe"
    for error in (
        HierAttnError(f"{hostile}: no such file"),
        UnknownNameError("class", hostile, [hostile]),
        UnreadableImagesError([f"{hostile}: empty"]),
    ):
        assert "a\\nb\\r\\x1b[2J\\u2028\\u202etxt.exe" in str(error)
        assert len(str(error).splitlines()) == 1 and "\x1b" not in str(error)
    assert str(HierAttnError("M\u00e9lanome: \u9ed1\u8272\u7d20\u7624")) == (
        "M\u00e9lanome: \u9ed1\u8272\u7d20\u7624"
    )


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert "did you mean" not in str(UnknownNameError("model", "zzz", ["hierattn_xs"]))


def test_an_empty_list_is_said_to_be_empty() -> None:
    assert str(UnknownNameError("run", "a", [])).endswith("(valid: none)")


@pytest.mark.parametrize(("count", "start"), [(1, "1 unreadable image:"), (7, "7 unreadable im")])
def test_unreadable_images_are_counted_and_five_are_named(count: int, start: str) -> None:
    reasons = [f"{number}.jpg: truncated" for number in range(count)]
    error = UnreadableImagesError(reasons)
    message = str(error)
    assert message.startswith(start) and "\n" not in message
    assert [reason in message for reason in reasons] == [True] * min(count, 5) + [False] * 2 * (
        count > 5
    )
    assert ("; ... " in message) == (count > 5)
    assert "--skip-unreadable" in message
    assert error.reasons == reasons


def test_every_error_is_caught_by_the_base() -> None:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    ours = [kind for kind in found if issubclass(kind, Exception)]
    assert len(ours) >= 8
    assert all(issubclass(kind, HierAttnError) for kind in ours)
    assert issubclass(UnreadableImagesError, errors.DataError)


class _Record(BaseModel):
    images: list[int]


@pytest.mark.parametrize(
    ("text", "start"),
    [('{"images": [1, "two"]}', "field 'images.1': Input should"), ("{", "Invalid JSON: ")],
)
def test_the_first_problem_names_its_field_where_there_is_one(text: str, start: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _Record.model_validate_json(text)
    assert first_problem(caught.value).startswith(start)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("shape mismatch\nC++ stack:\n..."), "shape mismatch"),
        (RuntimeError("\n  indented"), "indented"),
        (ValueError(), "ValueError"),
        (KeyError("name"), "'name'"),
    ],
)
def test_the_first_line_of_an_error(error: Exception, line: str) -> None:
    assert first_line(error) == line
