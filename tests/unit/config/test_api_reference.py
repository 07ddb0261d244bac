"""An OpenAPI document, put in order for a reader."""

import pytest

from config.api_reference import Field, Shape, Word, calls, shapes

TEXT = [Word("text")]


def document_of(operation=None, *, method="get", path="/a/{b}", **schemas):
    operation = {"responses": {}} | (operation or {})
    return {"paths": {path: {method: operation}}, "components": {"schemas": schemas}}


def call_of(operation=None, **options):
    (call,) = calls(document_of(operation, **options))
    return call


def field_of(schema):
    (shape,) = shapes(document_of(S={"properties": {"f": schema}}))
    return shape.fields[0]


def content(schema, media_type="application/json"):
    return {"content": {media_type: {"schema": schema}}}


def test_call_is_named_by_its_method_and_path():
    call = call_of({"summary": "Do", "tags": ["things"]}, method="delete", path="/api/v1/a/{b_c}")

    assert (call.method, call.path) == ("DELETE", "/api/v1/a/{b_c}")
    assert call.anchor == "delete-api-v1-a-b-c"
    assert (call.summary, call.tag) == ("Do", "things")


def test_description_is_told_in_paragraphs_with_its_code():
    call = call_of({"description": "Ends `it`.\n\nAnd more."})

    assert call.description == [
        [Word("Ends "), Word("it", is_code=True), Word(".")],
        [Word("And more.")],
    ]


@pytest.mark.parametrize(
    ("operation", "needs_session"), [({"security": [{"SessionCookie": []}]}, True), ({}, False)]
)
def test_call_says_whether_it_needs_a_session(operation, needs_session):
    assert call_of(operation).needs_session is needs_session


def test_parameter_says_where_it_stands():
    each = {"name": "b", "in": "path", "required": True, "schema": {"type": "string"}}

    call = call_of({"parameters": [each]})

    assert call.parameters == [Field("b", TEXT, [], [], is_required=True, place="path")]


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"properties": {"f": {"type": "string"}}, "required": ["f"]}, id="inline"),
        pytest.param({"$ref": "#/components/schemas/S"}, id="named"),
        pytest.param(
            {"anyOf": [{"$ref": "#/components/schemas/S"}, {"type": "null"}]}, id="or null"
        ),
    ],
)
def test_body_is_told_by_its_fields(schema, is_required):
    named = {"properties": {"f": {"type": "string"}}, "required": ["f"]}

    call = call_of({"requestBody": content(schema) | {"required": is_required}}, S=named)

    assert call.body == [Field("f", TEXT, [], [], is_required=True)]
    assert call.body_is_required is is_required


def test_answers_are_told_by_status_with_their_fields():
    named = {"properties": {"f": {"type": "string"}}}
    operation = {
        "responses": {
            "404": content({"$ref": "#/components/schemas/S"}),
            "200": content({"$ref": "#/components/schemas/S"}),
            "204": {"description": "No Content"},
        }
    }

    ok, empty, missing = call_of(operation, S=named).answers

    assert (ok.status, ok.phrase, ok.is_error) == (200, "OK", False)
    assert ok.type == [Word("S", shape="S")]
    assert [field.name for field in ok.fields] == ["f"]
    assert (empty.status, empty.type, empty.fields) == (204, [], [])
    assert (missing.status, missing.phrase, missing.is_error) == (404, "Not Found", True)


def test_answer_of_another_kind_says_so():
    (answer,) = call_of({"responses": {"200": content({"type": "string"}, "text/csv")}}).answers

    assert answer.media_type == "text/csv"
    assert answer.type == TEXT


def test_calls_of_one_tag_stand_together():
    paths = {
        path: {"get": {"tags": [tag], "responses": {}}}
        for path, tag in [("/1", "b"), ("/2", "a"), ("/3", "b")]
    }

    assert [call.path for call in calls({"paths": paths})] == ["/2", "/1", "/3"]


def test_shapes_are_told_by_name():
    document = document_of(B={"description": "One `b`."}, A={"properties": {}})

    assert shapes(document) == [
        Shape("A", [], []),
        Shape("B", [Word("One "), Word("b", is_code=True), Word(".")], []),
    ]


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer"}, "whole number"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "null"}, "null"),
        ({"type": "object"}, "object"),
        ({"type": "string", "format": "date-time"}, "time in UTC, such as 2026-01-31T12:00:00Z"),
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"type": "string", "format": "password"}, "text"),
        ({"type": "string", "examples": ["0.57"]}, 'text such as "0.57"'),
        ({"type": "array", "items": {"type": "integer"}}, "list of whole number"),
        ({"type": "array"}, "list of anything"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or null"),
        ({"allOf": [{"type": "string"}]}, "text"),
        ({"enum": ["yes", "no", None]}, '"yes" or "no" or null'),
        ({"const": 1}, "1"),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            "object whose values are text",
        ),
        ({"$ref": "#/components/schemas/S"}, "S"),
        ({}, "anything"),
        ({"type": "unheard of"}, "anything"),
    ],
)
def test_type_is_told_in_words(schema, told):
    assert "".join(word.text for word in field_of(schema).type) == told


def test_shape_inside_a_type_can_be_followed():
    field = field_of({"type": "array", "items": {"$ref": "#/components/schemas/Inner"}})

    assert field.type == [Word("list of "), Word("Inner", shape="Inner")]


@pytest.mark.parametrize(
    ("schema", "notes"),
    [
        ({"type": "string", "maxLength": 5, "minLength": 1}, 2),
        ({"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]}, 1),
        ({"type": "integer", "minimum": 0, "exclusiveMaximum": 9}, 2),
        ({"type": "string"}, 0),
    ],
)
def test_limits_are_told(schema, notes):
    assert len(field_of(schema).notes) == notes


@pytest.mark.parametrize(
    ("schema", "notes"),
    [
        ({"default": False}, ["else false"]),
        ({"default": "a"}, ['else "a"']),
        ({"default": None}, []),
    ],
)
def test_default_is_told(schema, notes):
    assert field_of(schema).notes == notes


def test_description_of_a_choice_is_the_field_s():
    field = field_of({"anyOf": [{"type": "string", "description": "A decimal"}, {"type": "null"}]})

    assert field.description == [Word("A decimal")]
