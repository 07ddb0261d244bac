import pytest

from accounts.addresses import is_direct_loopback, network, network_of


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


def test_machine_around_a_container_is_its_gateway(rf, settings):
    settings.LOCAL_GATEWAY = "172.18.0.1"

    assert is_direct_loopback(rf.get("/", REMOTE_ADDR="172.18.0.1"))
    assert is_direct_loopback(rf.get("/", REMOTE_ADDR="::ffff:172.18.0.1"))
    # Another container of the same network.
    assert not is_direct_loopback(rf.get("/", REMOTE_ADDR="172.18.0.3"))
    assert not is_direct_loopback(rf.get("/", REMOTE_ADDR="172.18.0.1", headers={"Via": "x"}))


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        pytest.param("192.0.2.7", "192.0.2.7", id="IPv4"),
        pytest.param("192.0.2.7:5678", "192.0.2.7", id="IPv4 with a port"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="IPv6"),
        pytest.param("2001:DB8:1:2::", "2001:db8:1:2::/64", id="IPv6 written otherwise"),
        pytest.param("2001:db8:1:3::1", "2001:db8:1:3::/64", id="IPv6 of a neighbour"),
        pytest.param("[2001:db8::1]", "2001:db8::/64", id="IPv6 in brackets"),
        pytest.param("[::1]:80", "::/64", id="IPv6 with a port"),
        pytest.param("fe80::1%eth0", "fe80::/64", id="IPv6 with a zone"),
        pytest.param("[fe80::1%25eth0]:80", "fe80::/64", id="IPv6 with a zone and a port"),
        pytest.param("::ffff:192.0.2.7", "192.0.2.7", id="mapped"),
        pytest.param("::FFFF:c000:207", "192.0.2.7", id="mapped, in hexadecimal"),
        pytest.param("[::ffff:192.0.2.7]:5678", "192.0.2.7", id="mapped, with a port"),
        pytest.param("::ffff:192.0.2.7%1", "192.0.2.7", id="mapped, with a zone"),
        pytest.param("", "unknown", id="a Unix socket"),
        pytest.param("kalshi.example", "unknown", id="a name"),
        pytest.param("192.0.2.7:http", "unknown", id="no port"),
        pytest.param("192.0.2.7:", "unknown", id="an empty port"),
        pytest.param("[::1", "unknown", id="half a bracket"),
        pytest.param("[]:80", "unknown", id="empty brackets"),
        pytest.param("[::1]:80, 192.0.2.7", "unknown", id="several"),
        pytest.param("192.0.2.007", "unknown", id="perhaps octal"),
        pytest.param("x" * 60_000, "unknown", id="as long as a header may be"),
    ],
)
def test_address_is_counted_with_those_that_one_customer_has(address, counted_as):
    assert network(address) == counted_as


def test_request_is_counted_by_the_address_that_the_server_tells(rf):
    request = rf.get("/", REMOTE_ADDR="::ffff:192.0.2.7", headers={"X-Forwarded-For": "10.0.0.1"})

    assert network_of(request) == "192.0.2.7"
