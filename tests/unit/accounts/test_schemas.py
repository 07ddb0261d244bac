import pytest

from accounts.schemas import AuthenticateIn


@pytest.mark.parametrize("field", ["api_key_id", "private_key"])
def test_what_was_pasted_does_not_show_in_the_parsed_request(field):
    payload = AuthenticateIn(environment="demo", **{field: "very private"})

    assert getattr(payload, field).get_secret_value() == "very private"
    assert "very private" not in f"{payload!r} {payload}"
