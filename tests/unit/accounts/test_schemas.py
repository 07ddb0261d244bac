import pytest
from pydantic import ValidationError

from accounts.schemas import AuthenticateIn


def test_private_key_does_not_show_in_the_parsed_request():
    payload = AuthenticateIn(environment="demo", api_key_id="key", private_key="very private")

    assert "very private" not in f"{payload!r} {payload}"


def test_white_space_pasted_around_a_key_id_is_dropped():
    payload = AuthenticateIn(environment="demo", api_key_id=" key-1a2b\n", private_key="private")

    assert payload.api_key_id == "key-1a2b"


@pytest.mark.parametrize(
    "api_key_id", ["", "  ", "two words", "line\nbreak", "schlüssel", "x" * 129]
)
def test_key_id_that_fits_no_header_is_refused(api_key_id):
    with pytest.raises(ValidationError):
        AuthenticateIn(environment="demo", api_key_id=api_key_id, private_key="private")
