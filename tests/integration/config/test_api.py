"""The OpenAPI document tells all that a call may be answered with."""

import pytest


@pytest.fixture
def calls(client) -> dict[str, dict]:
    """What the document says of each call, by method and path."""
    document = client.get("/api/v1/openapi.json").json()
    return {
        f"{method} {path}": call
        for path, methods in document["paths"].items()
        for method, call in methods.items()
    }


def test_every_call_tells_what_the_server_answers_by_itself(calls):
    untold = {
        name for name, call in calls.items() if not {"400", "413", "503"} <= set(call["responses"])
    }

    assert len(calls) >= 7
    assert untold == set()


def test_calls_that_change_something_tell_that_they_want_the_token(calls):
    unsafe = {name for name in calls if not name.startswith("get ")}
    told = {name for name, call in calls.items() if "403" in call["responses"]}

    assert unsafe <= told
