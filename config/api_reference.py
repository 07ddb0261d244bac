"""
The API's documentation as a plain page: what its OpenAPI document says, put in order for a reader.

Made on the server and without a script, so that it lives under the same rules as every other page.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Any, TypeAlias

from django.http import HttpRequest, HttpResponse
from django.template import loader
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

Schema: TypeAlias = Mapping[str, Any]  # Any: JSON, as OpenAPI has it

_METHODS = ("get", "put", "post", "delete", "patch")
_TEXTS = {
    "date-time": "time in UTC, such as 2026-01-31T12:00:00Z",
    "date": "date, such as 2026-01-31",
    "uuid": "UUID",
    "binary": "file",
}
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
_LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text; `shape` names the shape that it stands for, `is_code` is as in Markdown."""

    text: str
    shape: str | None = None
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body, an answer or a shape, or a parameter; `place` is where that one stands."""

    name: str
    type: Sequence[Word]
    notes: Sequence[str]
    description: Sequence[Word]
    is_required: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that calls take or answer with."""

    name: str
    description: Sequence[Word]
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call may answer with."""

    status: int
    phrase: str
    media_type: str
    type: Sequence[Word]
    fields: Sequence[Field]

    @property
    def is_error(self) -> bool:
        """Whether the call was not served."""
        return self.status >= 400


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one path."""

    anchor: str
    method: str
    path: str
    tag: str
    summary: str
    description: Sequence[Sequence[Word]]
    needs_session: bool
    parameters: Sequence[Field]
    body: Sequence[Field]
    body_is_required: bool
    answers: Sequence[Answer]


class Reference(DocsBase):
    """django-ninja's documentation page, ours instead of a program of somebody else's."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """The page; Any: the parts of the API's own address, of which there are none."""
        document = api.get_openapi_schema(path_params=kwargs)
        context = {
            "title": document["info"]["title"],
            "document_url": self.get_openapi_url(api, kwargs),
            "groups": [
                (tag, list(group)) for tag, group in groupby(calls(document), lambda call: call.tag)
            ],
            "shapes": shapes(document),
        }
        # Without the request, as its context processors may ask the database who is signed in.
        return HttpResponse(loader.render_to_string("api_reference.html", context))


def calls(document: Schema) -> list[Call]:
    """All calls of an OpenAPI document, those with the same tag together."""
    found = [
        _call(document, path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]
    return sorted(found, key=lambda call: call.tag)


def shapes(document: Schema) -> list[Shape]:
    """All named shapes of an OpenAPI document, by name."""
    named = document.get("components", {}).get("schemas", {})
    return [
        Shape(name, _words(schema.get("description", "")), _fields(document, schema))
        for name, schema in sorted(named.items())
    ]


def _call(document: Schema, path: str, method: str, operation: Schema) -> Call:
    body = operation.get("requestBody", {})
    _, body_schema = _content(body)
    return Call(
        anchor=f"{method}-{re.sub(r'[^a-z0-9]+', '-', path.lower()).strip('-')}",
        method=method.upper(),
        path=path,
        tag=(operation.get("tags") or ["other"])[0],
        summary=operation.get("summary", ""),
        description=[
            _words(paragraph) for paragraph in operation.get("description", "").split("\n\n")
        ],
        needs_session=bool(operation.get("security")),
        parameters=[
            _field(each["name"], each["schema"], each.get("required", False), each["in"])
            for each in operation.get("parameters", [])
        ],
        body=_fields(document, body_schema),
        body_is_required=body.get("required", False),
        answers=[
            _answer(document, int(status), answer)
            for status, answer in sorted(operation["responses"].items())
        ],
    )


def _answer(document: Schema, status: int, answer: Schema) -> Answer:
    media_type, schema = _content(answer)
    return Answer(
        status=status,
        phrase=HTTPStatus(status).phrase,
        media_type=media_type,
        type=_type(schema) if media_type else [],
        fields=_fields(document, schema),
    )


def _content(holder: Schema) -> tuple[str, Schema]:
    for media_type, content in holder.get("content", {}).items():
        return media_type, content.get("schema", {})
    return "", {}


def _fields(document: Schema, schema: Schema) -> list[Field]:
    """The fields of an object, named or not, that may be absent; empty: it is no object."""
    if "$ref" in schema:
        return _fields(document, document["components"]["schemas"][_name(schema)])
    for choice in schema.get("anyOf", []):
        if found := _fields(document, choice):
            return found
    required = schema.get("required", [])
    return [
        _field(name, each, name in required) for name, each in schema.get("properties", {}).items()
    ]


def _field(name: str, schema: Schema, is_required: bool, place: str = "") -> Field:
    choices = [schema, *schema.get("anyOf", [])]
    notes = [
        text.format(choice[limit])
        for choice in choices
        for limit, text in _LIMITS.items()
        if limit in choice
    ]
    if schema.get("default") is not None:
        notes.append(f"else {json.dumps(schema['default'])}")
    description = next((each["description"] for each in choices if "description" in each), "")
    return Field(name, _type(schema), notes, _words(description), is_required, place)


def _type(schema: Schema) -> list[Word]:
    match schema:
        case {"$ref": _}:
            name = _name(schema)
            return [Word(name, shape=name)]
        case {"anyOf": choices} | {"oneOf": choices} | {"allOf": choices}:
            return _joined([_type(choice) for choice in choices])
        case {"enum": values}:
            return _joined([[Word(json.dumps(value), is_code=True)] for value in values])
        case {"const": value}:
            return [Word(json.dumps(value), is_code=True)]
        case {"type": "array"}:
            return [Word("list of "), *_type(schema.get("items", {}))]
        case {"type": "object", "additionalProperties": dict() as values}:
            return [Word("object whose values are "), *_type(values)]
        case {"type": "string", "examples": [example, *_]}:
            return [Word("text such as "), Word(json.dumps(example), is_code=True)]
        case {"type": "string", "format": kind} if kind in _TEXTS:
            return [Word(_TEXTS[kind])]
        case {"type": kind} if kind in _TYPES:
            return [Word(_TYPES[kind])]
        case _:
            return [Word("anything")]


def _joined(choices: Sequence[Sequence[Word]]) -> list[Word]:
    first, *others = choices
    return [*first, *(word for choice in others for word in (Word(" or "), *choice))]


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _words(text: str) -> list[Word]:
    """The text with what stands between backticks as code."""
    parts = text.split("`")
    return [Word(part, is_code=index % 2 == 1) for index, part in enumerate(parts) if part]
