"""Every client ends with the channel's state, at its own pace, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from streaming.web.fanout import MOMENT_SECONDS, Channel, Frame, Subscriber, Told


def frame(version: int, text: str) -> Frame:
    return Frame(version, f"{version} {text}\n".encode())


def silent() -> None:
    """Nobody waits."""


def make_subscriber(channel: Channel) -> Subscriber:
    subscriber = Subscriber(silent)
    channel.join(subscriber)
    return subscriber


def make_channel(snapshot: bytes = b"snapshot\n") -> Channel:
    return Channel(lambda: snapshot)


def test_all_who_come_at_one_moment_share_a_snapshot():
    made: list[bytes] = []
    now = [100.0]

    def snapshot() -> bytes:
        made.append(b"snapshot %d\n" % len(made))
        return made[-1]

    channel = Channel(snapshot, lambda: now[0])

    def come() -> bytes:
        subscriber = make_subscriber(channel)
        subscriber.start_over()
        return channel.take(subscriber)

    assert come() is come() is made[0]
    # What is newer is in a snapshot of its own.
    channel.publish({"A": frame(1, "A")})
    assert come() is made[1]
    channel.publish({})
    assert come() is made[2]
    channel.start_over()
    assert come() is made[3]
    # A later moment, in which nothing has changed but the time.
    now[0] += MOMENT_SECONDS
    assert come() is made[4]


def test_subscriber_takes_what_was_published_once():
    channel = make_channel()
    alice = make_subscriber(channel)

    channel.publish({"A": frame(1, "A")})

    assert channel.take(alice) == b"1 A\n"
    assert channel.take(alice) == b""


def test_newest_state_of_each_key_is_all_that_a_slow_subscriber_gets():
    channel = make_channel()
    slow = make_subscriber(channel)

    channel.publish({"A": frame(1, "old A"), "B": frame(1, "B")})
    channel.publish({"A": frame(2, "new A")})

    assert channel.take(slow) == b"1 B\n2 new A\n"
    assert slow.superseded == 1


def test_frame_is_kept_for_as_long_as_somebody_has_yet_to_take_it():
    channel = make_channel()
    fast, slow = make_subscriber(channel), make_subscriber(channel)
    channel.publish({"A": frame(1, "A"), "B": frame(1, "B")})
    channel.take(fast)

    before = channel.let_go(["A"])
    slow_takes = channel.take(slow)

    assert before == []
    assert sorted(slow_takes.splitlines()) == [b"1 A", b"1 B"]
    assert channel.let_go(["A"]) == ["A"]
    channel.publish({"A": frame(2, "A again")})
    assert channel.take(slow) == b"2 A again\n"


def test_frames_come_in_the_order_of_their_versions():
    channel = make_channel()
    slow = make_subscriber(channel)

    channel.publish({"A": frame(3, "A")})
    channel.publish({"B": frame(4, "B")})
    channel.publish({"C": frame(5, "C")})
    channel.publish({"A": frame(6, "A")})

    assert channel.take(slow) == b"4 B\n5 C\n6 A\n"


def test_snapshot_replaces_all_that_was_waiting():
    channel = make_channel()
    alice = make_subscriber(channel)
    channel.publish({"A": frame(1, "A")})

    alice.start_over()

    assert channel.take(alice) == b"snapshot\n"
    assert channel.take(alice) == b""


def test_what_is_published_before_the_snapshot_is_taken_is_in_it_and_not_sent_again():
    state = [b"old\n"]
    channel = Channel(lambda: state[0])
    alice = make_subscriber(channel)

    alice.start_over()
    state[0] = b"new\n"
    channel.publish({"A": frame(1, "A")})

    assert channel.take(alice) == b"new\n"
    assert channel.take(alice) == b""


def test_starting_over_gives_everybody_a_snapshot_and_forgets_old_frames():
    channel = make_channel()
    alice, bob = make_subscriber(channel), make_subscriber(channel)
    channel.publish({"A": frame(9, "A")})

    channel.start_over()

    assert channel.take(alice) == b"snapshot\n"
    assert channel.take(bob) == b"snapshot\n"


def test_who_joins_later_gets_only_what_is_published_from_then_on():
    channel = make_channel()
    channel.publish({"A": frame(1, "A")})

    late = make_subscriber(channel)
    channel.publish({"B": frame(2, "B")})

    assert channel.take(late) == b"2 B\n"


def test_who_left_is_given_nothing_more():
    channel = make_channel()
    alice = make_subscriber(channel)

    channel.leave(alice)
    channel.publish({"A": frame(1, "A")})

    assert channel.take(alice) == b""
    assert channel.is_deserted


def test_subscriber_that_never_takes_delays_nobody_and_is_bounded_by_the_keys():
    channel = make_channel()
    frozen, quick = make_subscriber(channel), make_subscriber(channel)

    taken = []
    for version in range(1, 1001):
        channel.publish({"A": frame(version, "A"), "B": frame(version, "B")})
        taken.append(channel.take(quick))

    assert [chunk.count(b"\n") for chunk in taken] == [2] * 1000
    assert channel.take(frozen).count(b"\n") == 2
    assert frozen.superseded == 2 * 999


def test_everybody_is_woken_by_news_and_nobody_by_none():
    woken: list[str] = []
    channel = make_channel()
    channel.join(Subscriber(lambda: woken.append("alice")))
    channel.join(Subscriber(lambda: woken.append("bob")))

    channel.publish({})
    channel.publish({"A": frame(1, "A")})

    assert sorted(woken) == ["alice", "bob"]


class Account:
    """The state behind a channel: values by key, and a version that grows."""

    def __init__(self) -> None:
        self.version = 0
        self.values: dict[str, int] = {}
        self.channel = Channel(self._snapshot)

    def publish(self, values: dict[str, int]) -> None:
        self.version += 1
        self.values |= values
        self.channel.publish(
            {key: frame(self.version, f"{key}={value}") for key, value in values.items()}
        )

    def start_over(self, values: dict[str, int]) -> None:
        self.version += 1
        self.values = dict(values)
        self.channel.start_over()

    def _snapshot(self) -> bytes:
        pairs = " ".join(f"{key}={value}" for key, value in self.values.items())
        return f"{self.version} snapshot {pairs}\n".encode()


class Client:
    """Applies what it takes, as a page does."""

    def __init__(self, account: Account) -> None:
        self._channel = account.channel
        self._subscriber = make_subscriber(account.channel)
        self._subscriber.start_over()
        self.values: dict[str, int] = {}
        self.versions: list[int] = []

    def take(self) -> None:
        for line in self._channel.take(self._subscriber).decode().splitlines():
            version, *words = line.split()
            self.versions.append(int(version))
            if words[:1] == ["snapshot"]:
                self.values.clear()
                del words[0]
            for word in words:
                key, value = word.split("=")
                self.values[key] = int(value)


VALUES = st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 99), min_size=1)
STEPS = st.one_of(
    st.tuples(st.just("publish"), VALUES),
    st.tuples(st.just("start over"), VALUES),
    st.tuples(st.just("take"), st.integers(0, 2)),
)


@given(steps=st.lists(STEPS))
def test_client_that_applies_what_it_took_has_the_channels_state(steps):
    account = Account()
    clients = [Client(account) for _ in range(3)]

    for step, argument in steps:
        match step:
            case "publish":
                account.publish(argument)
            case "start over":
                account.start_over(argument)
            case "take":
                clients[argument].take()
    for client in clients:
        client.take()

    assert [client.values for client in clients] == [account.values] * 3
    assert all(client.versions == sorted(client.versions) for client in clients)


def test_client_waits_since_the_oldest_that_it_has_yet_to_take():
    channel = make_channel()
    alice = make_subscriber(channel)

    channel.publish({"connection": frame(1, "of no row")})
    assert alice.waits_since is None
    channel.publish({"A": frame(2, "A")}, written_at=10.0)
    channel.publish({"B": frame(3, "B")}, written_at=11.0)
    assert alice.waits_since == 10.0

    channel.take(alice)
    assert alice.waits_since is None


def test_who_gets_a_snapshot_waits_for_no_row():
    channel = make_channel()
    alice = make_subscriber(channel)
    channel.publish({"A": frame(1, "A")}, written_at=10.0)

    alice.start_over()
    channel.publish({"A": frame(2, "A")}, written_at=11.0)

    assert alice.waits_since is None


def test_what_all_clients_were_given_is_counted():
    channel, told = make_channel(), Told()
    quick, slow = Subscriber(silent, told), Subscriber(silent, told)
    channel.join(quick)
    channel.join(slow)

    for version in (1, 2):
        channel.publish({"A": frame(version, "A"), f"B{version}": frame(version, "B")})
        channel.take(quick)
    channel.take(slow)
    slow.start_over()
    channel.take(slow)

    assert told == Told(events=4 + 3, superseded=1, snapshots=1)
