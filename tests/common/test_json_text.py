import json

import pytest

from hierattn.common.json_text import DoubleNameError, parse_json


@pytest.mark.parametrize("content", ['{"a": 1, "b": {"a": [2, {"a": null}]}}', "[]", "3"])
def test_what_stands_once_is_read_as_by_json(content: str) -> None:
    assert parse_json(content) == parse_json(content.encode()) == json.loads(content)


@pytest.mark.parametrize("content", ['{"a": 1, "a": 1}', '[{"b": {"c": 1, "a": 2, "a": 3}}]'])
def test_a_name_that_stands_twice_is_refused(content: str) -> None:
    with pytest.raises(DoubleNameError, match="field 'a' stands there twice"):
        parse_json(content)
