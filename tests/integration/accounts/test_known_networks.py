from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import known_networks
from accounts.models import KnownNetwork

pytestmark = pytest.mark.django_db


def seen(network, *, days_ago, name="ada"):
    at = timezone.now() - timedelta(days=days_ago)
    KnownNetwork.objects.create(name_digest=name, network=network, seen_at=at)


def test_network_is_known_for_the_name_that_signed_in_from_it():
    known_networks.remember("ada", "10.0.0.7")

    assert known_networks.is_known("ada", "10.0.0.7")
    assert not known_networks.is_known("ada", "10.0.0.8")
    assert not known_networks.is_known("bob", "10.0.0.7")


@pytest.mark.parametrize(("days_ago", "is_known"), [(179, True), (180, False)])
def test_network_is_known_for_half_a_year(days_ago, is_known):
    seen("10.0.0.7", days_ago=days_ago)

    assert known_networks.is_known("ada", "10.0.0.7") is is_known


def test_network_that_is_seen_again_is_known_for_longer():
    seen("10.0.0.7", days_ago=200)

    known_networks.remember("ada", "10.0.0.7")

    assert known_networks.is_known("ada", "10.0.0.7")
    assert KnownNetwork.objects.count() == 1


def test_latest_twenty_networks_of_a_name_are_remembered():
    seen("10.0.0.1", days_ago=9, name="bob")
    seen("10.0.0.1", days_ago=8)
    seen("10.0.0.2", days_ago=7)
    for host in range(3, 22):
        seen(f"10.0.0.{host}", days_ago=1)

    known_networks.remember("ada", "10.0.0.22")

    assert KnownNetwork.objects.filter(name_digest="ada").count() == 20
    assert not known_networks.is_known("ada", "10.0.0.1")
    assert not known_networks.is_known("ada", "10.0.0.2")
    assert known_networks.is_known("ada", "10.0.0.22")
    assert known_networks.is_known("bob", "10.0.0.1")


def test_networks_of_half_a_year_ago_are_purged_whosever_they_were():
    seen("10.0.0.1", days_ago=181, name="bob")

    known_networks.remember("ada", "10.0.0.7")

    assert not KnownNetwork.objects.filter(name_digest="bob").exists()
