"""The API's documentation of what happened fits what is answered."""

import pytest
from pydantic import TypeAdapter

from ledger import position_schemas, schemas
from tests.integration.ledger.rows import fill, record, record_transfers, settlement, transfer

pytestmark = pytest.mark.django_db

SHAPES = {
    "fills": schemas.FillsOut,
    "settlements": schemas.SettlementsOut,
    "transfers": schemas.TransfersOut,
    "activity": schemas.ActivitiesOut,
    "positions/KXGAME-A-HOME": position_schemas.OnePositionOut,
    "portfolio/explanation": position_schemas.ExplanationsOut,
}


@pytest.mark.parametrize("path", SHAPES)
def test_answer_has_the_documented_shape_and_no_field_beside(path, alice, account):
    record(account, [fill("t1"), settlement()])
    record_transfers(account, [transfer("d", "5")])
    answer = alice.get(path).json()

    told = TypeAdapter(SHAPES[path]).validate_python(answer).model_dump(by_alias=True, mode="json")

    assert _names(answer) == _names(told)


@pytest.mark.parametrize("name", ["fills", "settlements", "transfers", "activity"])
def test_lists_are_documented_as_csv_too(name, client):
    document = client.get("/api/v1/openapi.json").json()

    call = document["paths"][f"/api/v1/account/{name}"]["get"]

    assert set(call["responses"]["200"]["content"]) == {"application/json", "text/csv"}
    assert {"account", "from", "to", "limit", "cursor", "format"} <= {
        parameter["name"] for parameter in call["parameters"]
    }


def _names(value: object) -> object:
    if isinstance(value, dict):
        return {name: _names(each) for name, each in value.items()}
    return [_names(each) for each in value] if isinstance(value, list) else None
