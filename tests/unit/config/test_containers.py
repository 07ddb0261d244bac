"""Only a container may be told that nothing but loopback leads to it."""

import pytest

from config import containers
from config.errors import WrongSetting

NAME = "PUBLISHED_ON_LOOPBACK"
# As Docker's own network shows it inside a container.
ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
"""


@pytest.fixture
def container(tmp_path, monkeypatch):
    mark, routes = tmp_path / "mark", tmp_path / "routes"
    mark.touch()
    routes.write_text(ROUTES)
    monkeypatch.setattr(containers, "MARKS", (mark,))
    monkeypatch.setattr(containers, "ROUTES", routes)
    return tmp_path


def test_machine_comes_from_the_gateway(container):
    assert containers.local_gateway(NAME, "true") == "172.18.0.1"


def test_without_the_setting_there_is_none(container):
    assert containers.local_gateway(NAME, "false") is None


def test_what_is_no_container_is_refused(container):
    (container / "mark").unlink()

    with pytest.raises(WrongSetting, match="for containers alone"):
        containers.local_gateway(NAME, "true")


def test_container_without_a_network_is_refused(container):
    (container / "routes").write_text(ROUTES.splitlines()[0])

    with pytest.raises(WrongSetting, match="gateway"):
        containers.local_gateway(NAME, "true")


def test_route_without_a_gateway_is_none():
    assert containers.gateway(ROUTES.replace("010012AC", "00000000")) is None
