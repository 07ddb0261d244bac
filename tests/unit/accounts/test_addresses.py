import pytest

from accounts.addresses import is_direct_loopback


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_request_from_this_machine_is_direct_loopback(rf, address):
    assert is_direct_loopback(rf.get("/", REMOTE_ADDR=address))


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "2001:db8::1", "", "unix"])
def test_request_from_elsewhere_is_not(rf, address):
    assert not is_direct_loopback(rf.get("/", REMOTE_ADDR=address))


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Via"]
)
def test_request_that_a_proxy_on_this_machine_passes_on_is_not(rf, header):
    assert not is_direct_loopback(rf.get("/", REMOTE_ADDR="127.0.0.1", headers={header: "x"}))
