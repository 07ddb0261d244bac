"""The schedule of reconnecting to the database."""

from itertools import islice

from postgres.notifications import reconnect_delays


def test_reconnect_delays_double_up_to_one_second():
    delays = islice(reconnect_delays(), 6)

    assert list(delays) == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
