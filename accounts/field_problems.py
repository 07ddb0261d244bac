"""
What is wrong with a field of a request, as a sentence for a person.

pydantic's own messages quote patterns, limits in its own terms, and values: none is passed on.
"""

from collections.abc import Mapping
from typing import Any

# By pydantic's name of the problem; the braces take what its context holds.
_SENTENCES = {
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_too_long": "is too long: at most {max_length} characters",
    "string_too_short": "is too short: at least {min_length} characters",
    "too_long": "is too long: at most {max_length}",
    "too_short": "is too short: at least {min_length}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "one_line": "must be one line of text",
}
# The same for all problems whose name begins so.
_TYPES = {
    "string_type": "must be text",
    "string_unicode": "must be text",
    "bool_": "must be true or false",
    "int_": "must be a whole number",
    "float_": "must be a number",
    "datetime_": "must be a time such as 2026-01-31T12:00:00Z",
    "date_": "must be a date such as 2026-01-31",
    "uuid_": "must be a UUID",
    "list_type": "must be a list",
    "model_": "must be an object",
    "dict_type": "must be an object",
}
_OTHERWISE = "is not written as it must be"


def sentence(problem: Mapping[str, Any]) -> str:  # Any: pydantic's own shape
    """
    One of the problems that django-ninja's ValidationError lists, without the value sent.

    Args:
        problem: with `type`, `loc` and, for some types, `ctx`, as pydantic names them.
    """
    return f"{_name(problem['loc'])} {_what(problem)}."


def _what(problem: Mapping[str, Any]) -> str:
    kind = problem["type"]
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(problem.get("ctx", {}))
    return next((what for start, what in _TYPES.items() if kind.startswith(start)), _OTHERWISE)


def _name(location: tuple[str | int, ...]) -> str:
    # The first part is where the request has it; the second, in a body, our own name for it all.
    if location[0] == "body" and len(location) <= 2:
        return "The body"
    return f"“{location[-1]}”"
