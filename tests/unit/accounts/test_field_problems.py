from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from accounts.field_problems import sentence


class Shape(BaseModel):
    pass


def problem(kind, value):
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(kind).validate_python(value)
    [found] = refusal.value.errors()
    return found | {"loc": ("query", "field", *found["loc"])}


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (Literal["a", "b"], "moon", "must be 'a' or 'b'"),
        (str, 7, "must be text"),
        (str, b"\xff", "must be text"),
        (Annotated[str, Field(max_length=3)], "moon", "is too long: at most 3 characters"),
        (Annotated[str, Field(min_length=5)], "moon", "is too short: at least 5 characters"),
        (Annotated[SecretStr, Field(max_length=3)], "moon", "is too long: at most 3"),
        (Annotated[list[int], Field(min_length=1)], [], "is too short: at least 1"),
        (Annotated[str, Field(pattern="^[!-~]+$")], "a b", "is not written as it must be"),
        (bool, "moon", "must be true or false"),
        (int, "moon", "must be a whole number"),
        (int, 1.5, "must be a whole number"),
        (float, "moon", "must be a number"),
        (Annotated[int, Field(gt=1)], 1, "must be more than 1"),
        (Annotated[int, Field(ge=1)], 0, "must be at least 1"),
        (Annotated[int, Field(lt=9)], 9, "must be less than 9"),
        (Annotated[int, Field(le=9)], 10, "must be at most 9"),
        (datetime, "moon", "must be a time such as 2026-01-31T12:00:00Z"),
        (date, "moon", "must be a date such as 2026-01-31"),
        (UUID, "moon", "must be a UUID"),
        (list[int], "moon", "must be a list"),
        (dict[str, int], "moon", "must be an object"),
        (Shape, "moon", "must be an object"),
    ],
)
def test_problem_is_told_without_pattern_or_value(kind, value, told):
    assert sentence(problem(kind, value)) == f"“field” {told}."


def test_problem_of_a_kind_not_foreseen_is_told_in_general():
    refused = {"type": "value_error", "loc": ("query", "at"), "msg": "Value error, not 'moon'"}

    assert sentence(refused) == "“at” is not written as it must be."


@pytest.mark.parametrize(
    ("location", "name"),
    [
        (("body",), "The body"),
        (("body", "payload"), "The body"),
        (("body", "payload", "environment"), "“environment”"),
        (("query", "limit"), "“limit”"),
    ],
)
def test_field_is_named_as_the_request_has_it(location, name):
    assert sentence({"type": "missing", "loc": location}) == f"{name} is missing."
