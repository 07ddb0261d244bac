import pytest

from config.errors import WrongSetting
from config.exchange_addresses import environment, sandbox

REST = ("KALSHI_API_BASE", "https://exchange.example/trade-api/v2")
WS = ("KALSHI_WS_URL", "wss://stream.exchange.example/trade-api/ws/v2")
SANDBOX_REST = ("SANDBOX_API_BASE", "http://127.0.0.1:8090/trade-api/v2")
SANDBOX_WS = ("SANDBOX_WS_URL", "ws://127.0.0.1:8090/trade-api/ws/v2")


def test_environment_has_both_addresses():
    found = environment("production", api_base=REST, ws_url=WS)

    assert (found.name, found.api_base, found.ws_url) == ("production", REST[1], WS[1])


@pytest.mark.parametrize(
    "text", ["", "http://hidden.example/v2", "https://u:hidden@exchange.example", "wss://hidden/v2"]
)
def test_wrong_rest_address_is_told_by_its_variable(text):
    with pytest.raises(WrongSetting, match=r"^KALSHI_API_BASE must .* https://") as refusal:
        environment("production", api_base=(REST[0], text), ws_url=WS)

    assert "hidden" not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["", "ws://hidden.example/v2", "wss://u:hidden@exchange.example", "https://hidden/v2"]
)
def test_wrong_websocket_address_is_told_by_its_variable(text):
    with pytest.raises(WrongSetting, match=r"^KALSHI_WS_URL must .* wss://") as refusal:
        environment("production", api_base=REST, ws_url=(WS[0], text))

    assert "hidden" not in str(refusal.value)


def test_sandbox_is_offered_with_both_addresses():
    found = sandbox(api_base=SANDBOX_REST, ws_url=SANDBOX_WS)

    assert (found.name, found.api_base, found.ws_url) == ("sandbox", SANDBOX_REST[1], SANDBOX_WS[1])


def test_sandbox_is_not_offered_without_addresses():
    assert sandbox(api_base=("SANDBOX_API_BASE", ""), ws_url=("SANDBOX_WS_URL", "")) is None


@pytest.mark.parametrize("missing", ["SANDBOX_API_BASE", "SANDBOX_WS_URL"])
def test_half_a_sandbox_is_refused_by_the_other_half(missing):
    texts = dict([SANDBOX_REST, SANDBOX_WS]) | {missing: ""}

    with pytest.raises(WrongSetting, match=f"^{missing} is missing"):
        sandbox(
            api_base=("SANDBOX_API_BASE", texts["SANDBOX_API_BASE"]),
            ws_url=("SANDBOX_WS_URL", texts["SANDBOX_WS_URL"]),
        )


def test_wrong_address_of_the_sandbox_is_told_by_its_variable():
    with pytest.raises(WrongSetting, match=r"^SANDBOX_API_BASE must"):
        sandbox(api_base=("SANDBOX_API_BASE", "http://sandbox.example"), ws_url=SANDBOX_WS)
