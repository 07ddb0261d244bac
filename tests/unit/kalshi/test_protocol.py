import json

import pytest

from kalshi.lifecycle import Determined, Settled
from kalshi.messages import (
    CommandFailed,
    MarketPosition,
    Ok,
    Subscribed,
    Ticker,
    Unknown,
    Unsubscribed,
)
from kalshi.protocol import (
    SequenceGap,
    Session,
    SubscriptionEnded,
    SubscriptionRefused,
    Undecodable,
)


@pytest.fixture
def session():
    return Session()


def sent(session):
    return [json.loads(frame) for frame in session.to_send(0.0)]


def receive(session, **frame):
    return session.receive(json.dumps(frame))


def confirm(session, id, channel, sid):
    return receive(session, type="subscribed", id=id, msg={"channel": channel, "sid": sid})


def refuse(session, code, **frame):
    return receive(session, type="error", msg={"code": code, "msg": "no"}, **frame)


def want_more(session, channel, markets):
    want(session, channel, session._channels[channel].wanted.union(markets))


def want_less(session, channel, markets):
    want(session, channel, session._channels[channel].wanted.difference(markets))


def want(session, channel, markets):
    snapshot = session._channels[channel].send_initial_snapshot
    session.subscribe([channel], markets, send_initial_snapshot=snapshot)


def ticker_session(*markets):
    """A session whose ticker subscription, sid 9, was confirmed for the markets."""
    session = Session()
    session.subscribe(["ticker"], markets, send_initial_snapshot=True)
    session.to_send(0.0)
    confirm(session, 1, "ticker", 9)
    return session


def test_new_session_has_nothing_to_send_and_nothing_to_wait_for(session):
    assert sent(session) == []
    assert session.is_ready


def test_each_channel_is_asked_for_by_a_command_of_its_own(session):
    session.subscribe(["market_positions", "fill"])

    assert sent(session) == [
        {"id": 1, "cmd": "subscribe", "params": {"channels": ["market_positions"]}},
        {"id": 2, "cmd": "subscribe", "params": {"channels": ["fill"]}},
    ]


def test_markets_and_snapshot_are_asked_for(session):
    session.subscribe(["ticker"], ["KXB", "KXA", "KXB"], send_initial_snapshot=True)

    assert sent(session) == [
        {
            "id": 1,
            "cmd": "subscribe",
            "params": {
                "channels": ["ticker"],
                "market_tickers": ["KXA", "KXB"],
                "send_initial_snapshot": True,
            },
        }
    ]


def test_frames_are_handed_out_once(session):
    session.subscribe(["fill"])

    assert len(session.to_send(0.0)) == 1
    assert session.to_send(0.0) == []


def test_session_is_ready_when_all_channels_are_confirmed_in_any_order(session):
    session.subscribe(["market_positions", "fill"])

    events = confirm(session, 2, "fill", 8)
    ready_after_one = session.is_ready
    confirm(session, 1, "market_positions", 7)

    assert events == [Subscribed("fill", 8)]
    assert not ready_after_one
    assert session.is_ready


def test_several_confirmations_of_one_command_count_each_for_its_channel(session):
    session.subscribe(["market_positions", "fill"])

    confirm(session, 1, "market_positions", 7)
    confirm(session, 1, "fill", 8)

    assert session.is_ready


def test_confirmation_of_a_channel_that_nobody_asked_for_changes_nothing(session):
    session.subscribe(["fill"])

    confirm(session, 1, "orderbook_delta", 3)

    assert not session.is_ready


def test_messages_are_passed_on(session, frames):
    (position,) = session.receive(json.dumps(frames["market_position"]))
    (ticker,) = session.receive(json.dumps(frames["ticker"]).encode())
    (other,) = session.receive(json.dumps(frames["orderbook_snapshot"]))

    assert isinstance(position, MarketPosition)
    assert isinstance(ticker, Ticker)
    assert other == Unknown("orderbook_snapshot")


def test_quote_that_cannot_be_read_is_told_with_its_market(session, frames):
    told = frames["ticker"]
    odd = {**told, "msg": {**told["msg"], "yes_bid_dollars": None}}

    (event,) = session.receive(json.dumps(odd))

    assert event == Undecodable("ticker: yes_bid_dollars is missing", odd["msg"]["market_ticker"])


def test_unreadable_frame_is_an_event_and_the_session_goes_on(session):
    events = session.receive('{"type": "ticker", "msg": {"market_ticker": "KX"')

    assert events == [Undecodable("not JSON")]
    assert session.receive('{"type": "news"}') == [Unknown("news")]


def test_ticker_without_markets_is_not_subscribed_as_that_would_mean_all(session):
    session.subscribe(["ticker"])

    assert sent(session) == []
    assert session.is_ready


def test_first_market_subscribes_the_ticker(session):
    session.subscribe(["ticker"], send_initial_snapshot=True)

    want_more(session, "ticker", ["KXA"])

    (command,) = sent(session)
    assert command["cmd"] == "subscribe"
    assert command["params"]["market_tickers"] == ["KXA"]
    assert not session.is_ready


def test_markets_are_added_to_the_subscription():
    session = ticker_session("KXA")

    want_more(session, "ticker", ["KXB", "KXA"])

    assert sent(session) == [
        {
            "id": 2,
            "cmd": "update_subscription",
            "params": {
                "sids": [9],
                "market_tickers": ["KXB"],
                "action": "add_markets",
                "send_initial_snapshot": True,
            },
        }
    ]
    assert not session.is_ready


def test_added_markets_are_confirmed_by_ok():
    session = ticker_session("KXA")
    want_more(session, "ticker", ["KXB"])

    events = receive(session, type="ok", id=2, sid=9, msg={"market_tickers": ["KXA", "KXB"]})

    assert events == [Ok(2, 9, ("KXA", "KXB"))]
    assert session.is_ready


def test_markets_are_deleted_from_the_subscription():
    session = ticker_session("KXA", "KXB")

    want_less(session, "ticker", ["KXB", "KXC"])

    assert sent(session) == [
        {
            "id": 2,
            "cmd": "update_subscription",
            "params": {"sids": [9], "market_tickers": ["KXB"], "action": "delete_markets"},
        }
    ]


def test_last_market_ends_the_subscription():
    session = ticker_session("KXA")

    want_less(session, "ticker", ["KXA"])

    assert sent(session) == [{"id": 2, "cmd": "unsubscribe", "params": {"sids": [9]}}]


def test_market_wanted_after_the_end_subscribes_again():
    session = ticker_session("KXA")
    want_less(session, "ticker", ["KXA"])
    session.to_send(0.0)

    want_more(session, "ticker", ["KXB"])
    before = sent(session)
    receive(session, type="unsubscribed", id=2, sid=9, seq=1)
    after = sent(session)

    assert before == []
    assert after[0]["cmd"] == "subscribe"
    assert after[0]["params"]["market_tickers"] == ["KXB"]


def test_changes_wait_for_the_answer_and_are_then_sent_as_one():
    session = ticker_session("KXA")
    want_more(session, "ticker", ["KXB"])
    session.to_send(0.0)

    want_more(session, "ticker", ["KXC"])
    want_more(session, "ticker", ["KXD"])
    want_less(session, "ticker", ["KXD"])
    waiting = sent(session)
    receive(session, type="ok", id=2, sid=9)

    assert waiting == []
    assert [command["params"]["market_tickers"] for command in sent(session)] == [["KXC"]]


def test_markets_wanted_before_the_confirmation_are_added_after_it(session):
    session.subscribe(["ticker"], ["KXA"])
    session.to_send(0.0)
    want_more(session, "ticker", ["KXB"])

    confirm(session, 1, "ticker", 9)

    (command,) = sent(session)
    assert command["params"] == {
        "sids": [9],
        "market_tickers": ["KXB"],
        "action": "add_markets",
    }


def test_change_taken_back_before_its_answer_leaves_the_session_unready():
    session = ticker_session("KXA")
    want_more(session, "ticker", ["KXB"])

    want_less(session, "ticker", ["KXB"])
    before = session.is_ready
    receive(session, type="ok", id=2, sid=9)

    assert not before
    assert not session.is_ready
    assert sent(session)[-1]["params"]["action"] == "delete_markets"


def test_subscribing_to_what_is_subscribed_sends_nothing():
    session = ticker_session("KXA")

    session.subscribe(["ticker"], ["KXA"])

    assert sent(session) == []
    assert session.is_ready


def test_ok_in_place_of_subscribed_confirms_with_its_sid(session):
    session.subscribe(["ticker"], ["KXA"])

    receive(session, type="ok", id=1, sid=5, msg={"market_tickers": ["KXA"]})
    want_more(session, "ticker", ["KXB"])

    assert session.is_ready is False
    assert sent(session)[-1]["params"]["sids"] == [5]


def test_ok_without_a_sid_is_not_answered_with_the_same_command(session):
    session.subscribe(["fill"])
    session.to_send(0.0)

    receive(session, type="ok", id=1)

    assert sent(session) == []
    assert not session.is_ready


def test_refused_command_is_told_and_not_repeated_by_itself(session):
    session.subscribe(["fill"])
    session.to_send(0.0)

    events = refuse(session, 9, id=1)

    assert events == [SubscriptionRefused("fill", 9)]
    assert sent(session) == []
    assert not session.is_ready


def test_abandoned_channel_is_waited_for_no_more_and_can_be_wanted_again(session):
    session.subscribe(["market_lifecycle_v2"], ["KXA"])
    session.to_send(0.0)
    refuse(session, 8, id=1)

    session.abandon("market_lifecycle_v2")
    was_ready, said = session.is_ready, sent(session)
    session.subscribe(["market_lifecycle_v2"], ["KXA"])

    assert (was_ready, said) == (True, [])
    assert [command["cmd"] for command in sent(session)] == ["subscribe"]


def test_refused_command_is_repeated_when_asked(session):
    session.subscribe(["fill"])
    session.to_send(0.0)
    refuse(session, 18, id=1)

    session.subscribe(["fill"])

    assert [command["id"] for command in sent(session)] == [2]


def test_refusal_that_names_only_the_subscription_is_that_of_its_command():
    session = ticker_session("KXA")
    want_more(session, "ticker", ["KXB"])
    session.to_send(0.0)

    refuse(session, 27, sid=9, seq=4)
    want_more(session, "ticker", ["KXC"])

    assert [command["id"] for command in sent(session)] == [3]


def unnamed_session(*markets):
    """A session whose ticker subscription, sid 9, is of all markets; these are wanted."""
    session = Session()
    session.subscribe(["ticker"], markets, send_initial_snapshot=True, is_named=False)
    session.to_send(0.0)
    confirm(session, 1, "ticker", 9)
    return session


def test_markets_that_are_not_named_are_asked_for_as_all(session):
    session.subscribe(["ticker"], ["KXA", "KXB"], send_initial_snapshot=True, is_named=False)
    asked = sent(session)
    confirm(session, 1, "ticker", 9)

    # Nor a snapshot of all there are.
    assert asked == [{"id": 1, "cmd": "subscribe", "params": {"channels": ["ticker"]}}]
    assert session.is_ready


def test_of_all_markets_the_wanted_are_told(frames):
    quote = json.dumps(frames["ticker"])
    mine = frames["ticker"]["msg"]["market_ticker"]
    session = unnamed_session(mine)

    (told,) = session.receive(quote)
    of_another = session.receive(quote.replace(mine, "KXOTHER"))
    session.subscribe(["ticker"], [mine, "KXOTHER"], send_initial_snapshot=True)
    (told_then,) = session.receive(quote.replace(mine, "KXOTHER"))

    assert (told.market_ticker, of_another) == (mine, [])
    # Another that is bought needs no command.
    assert (told_then.market_ticker, sent(session)) == ("KXOTHER", [])
    assert session.is_ready


def test_subscription_of_all_that_ended_is_asked_for_as_all_again():
    session = unnamed_session("KXA", "KXB")

    (ended,) = refuse(session, 25, sid=9)
    stood = session.stands("ticker")
    session.subscribe([ended.channel], ended.market_tickers, send_initial_snapshot=True)

    assert (ended.market_tickers, stood) == (("KXA", "KXB"), False)
    assert [command["params"] for command in sent(session)] == [{"channels": ["ticker"]}]


def test_subscription_of_all_ends_with_the_last_market_even_if_that_is_refused():
    session = unnamed_session("KXA")
    want(session, "ticker", [])
    (ended,) = sent(session)

    events = refuse(session, 27, id=2, sid=9)

    assert (ended["cmd"], events, sent(session)) == ("unsubscribe", [], [])
    assert session.is_ready


def test_what_is_refused_stands_as_it_was():
    session = ticker_session("KXA")
    want_more(session, "ticker", ["KXB"])
    session.to_send(0.0)

    events = refuse(session, 27, id=2, sid=9)

    assert events == [SubscriptionRefused("ticker", 27)]
    assert (session.stands("ticker"), session.is_ready) == (True, False)
    assert (session.wants("ticker", "KXB"), session.wants("ticker", "KXC")) == (True, False)


def test_refusal_of_a_command_that_was_never_sent_is_only_told():
    session = ticker_session("KXA")

    events = refuse(session, 5, id=77)

    assert events == [CommandFailed(77, None, 5, "no")]
    assert session.is_ready


@pytest.fixture
def renewed() -> tuple[Session, int]:
    """A subscription that ended with command 2 unanswered, and the id of the one to it anew."""
    session = ticker_session("KXA")
    want_more(session, "ticker", ["KXB"])
    session.to_send(0.0)
    (ended,) = refuse(session, 25, sid=9)
    session.subscribe([ended.channel], ended.market_tickers)
    (again,) = sent(session)
    return session, again["id"]


def test_answer_to_a_command_that_went_with_its_subscription_is_nobodys(renewed):
    session, again = renewed

    late = refuse(session, 7, id=2)
    confirm(session, again, "ticker", 10)

    assert late == []
    assert session.is_ready


def test_answer_to_a_forgotten_command_is_nobodys_though_it_names_a_subscription(renewed):
    session, again = renewed
    confirm(session, again, "ticker", 10)

    late = refuse(session, 18, id=2, sid=10)

    assert late == []
    assert session.is_ready


def test_refusal_to_tell_less_is_as_good():
    session = ticker_session("KXA", "KXB")
    want_less(session, "ticker", ["KXB"])
    session.to_send(0.0)

    events = refuse(session, 11, id=2)
    was_ready = session.is_ready
    want_more(session, "ticker", ["KXC"])

    assert (events, was_ready) == ([], True)
    assert [command["params"]["market_tickers"] for command in sent(session)] == [["KXC"]]


def test_refused_unsubscribing_is_not_repeated():
    session = ticker_session("KXA")
    want(session, "ticker", [])
    session.to_send(0.0)

    events = refuse(session, 18, id=2)

    assert (events, sent(session), session.is_ready) == ([], [], True)
    want(session, "ticker", ["KXB"])
    assert [command["cmd"] for command in sent(session)] == ["subscribe"]


@pytest.mark.parametrize("code", [7, 10, 25])
def test_ended_subscription_is_told_with_what_it_was_for(code):
    session = ticker_session("KXB", "KXA")

    events = refuse(session, code, sid=9, seq=12)

    assert events == [SubscriptionEnded("ticker", ("KXA", "KXB"), code)]
    assert not session.is_ready
    assert sent(session) == []


def test_ended_subscription_is_asked_for_anew():
    session = ticker_session("KXA", "KXB")
    (ended,) = refuse(session, 25, sid=9)

    session.subscribe([ended.channel], ended.market_tickers, send_initial_snapshot=True)
    (command,) = sent(session)
    confirm(session, command["id"], "ticker", 10)

    assert command["params"]["market_tickers"] == ["KXA", "KXB"]
    assert session.is_ready


def test_end_of_another_subscription_leaves_ours():
    session = ticker_session("KXA")

    events = refuse(session, 25, sid=10)

    assert events == [CommandFailed(None, 10, 25, "no")]
    assert session.is_ready


def test_subscription_that_goes_unasked_is_asked_for_again():
    session = ticker_session("KXA")

    receive(session, type="unsubscribed", sid=9, seq=3)

    assert [command["cmd"] for command in sent(session)] == ["subscribe"]


def lifecycle_session(*markets):
    """A session whose lifecycle subscription, sid 4, was confirmed; it wants these markets."""
    session = Session()
    session.subscribe(["market_lifecycle_v2"], markets)
    session.to_send(0.0)
    confirm(session, 1, "market_lifecycle_v2", 4)
    return session


def settled(session, market, seq, sid=4):
    msg = {"market_ticker": market, "event_type": "settled", "settled_ts": 1790000000}
    return receive(session, type="market_lifecycle_v2", sid=sid, seq=seq, msg=msg)


def test_lifecycle_is_asked_for_without_markets_as_the_exchange_sends_all(session):
    session.subscribe(["market_lifecycle_v2"], ["KXA"])

    assert sent(session) == [
        {"id": 1, "cmd": "subscribe", "params": {"channels": ["market_lifecycle_v2"]}}
    ]


def test_lifecycle_of_no_markets_is_not_asked_for(session):
    session.subscribe(["market_lifecycle_v2"])

    assert sent(session) == []
    assert session.is_ready


def test_lifecycle_is_told_of_wanted_markets_only():
    session = lifecycle_session("KXA")

    of_another = settled(session, "KXB", 1)
    (of_ours,) = settled(session, "KXA", 2)

    assert of_another == []
    assert isinstance(of_ours, Settled)


def test_markets_join_and_leave_the_lifecycle_without_a_command():
    session = lifecycle_session("KXA")

    want_more(session, "market_lifecycle_v2", ["KXB"])
    want_less(session, "market_lifecycle_v2", ["KXA"])

    assert sent(session) == []
    assert session.is_ready
    assert settled(session, "KXA", 1) == []
    assert len(settled(session, "KXB", 2)) == 1


def test_lifecycle_of_the_last_market_is_unsubscribed():
    session = lifecycle_session("KXA")

    want_less(session, "market_lifecycle_v2", ["KXA"])

    assert sent(session) == [{"id": 2, "cmd": "unsubscribe", "params": {"sids": [4]}}]


def test_unreadable_lifecycle_of_another_market_is_nobodys_concern():
    session = lifecycle_session("KXA")
    msg = {"market_ticker": "KXB", "event_type": 7}

    assert receive(session, type="market_lifecycle_v2", sid=4, seq=1, msg=msg) == []


def test_lifecycle_that_names_no_market_is_told():
    session = lifecycle_session("KXA")

    (event,) = receive(session, type="market_lifecycle_v2", sid=4, seq=1, msg={})

    assert event == Undecodable("market_lifecycle_v2: market_ticker is missing")


def test_lifecycle_that_nobody_subscribed_is_passed_on(session, frames):
    (event,) = session.receive(json.dumps(frames["lifecycle"]))

    assert isinstance(event, Determined)


def test_contiguous_numbers_tell_of_no_gap():
    session = lifecycle_session("KXA")

    events = [event for seq in (1, 2, 3) for event in settled(session, "KXA", seq)]

    assert not any(isinstance(event, SequenceGap) for event in events)


def test_jump_in_the_numbers_is_told_before_the_message_after_it():
    session = lifecycle_session("KXA")
    settled(session, "KXA", 1)

    gap, message = settled(session, "KXA", 4)

    assert gap == SequenceGap("market_lifecycle_v2", expected=2, received=4)
    assert isinstance(message, Settled)


def test_frames_lost_right_after_the_confirmation_are_missed():
    session = lifecycle_session("KXA")

    gap, _ = settled(session, "KXA", 3)

    assert gap == SequenceGap("market_lifecycle_v2", expected=1, received=3)


def test_frames_of_other_markets_count_towards_the_numbers():
    session = lifecycle_session("KXA")
    settled(session, "KXB", 1)

    assert len(settled(session, "KXA", 2)) == 1
    assert settled(session, "KXB", 5) == [SequenceGap("market_lifecycle_v2", 3, 5)]


def test_unreadable_frame_counts_towards_the_numbers():
    session = lifecycle_session("KXA")

    receive(session, type="market_lifecycle_v2", sid=4, seq=1, msg=None)

    assert len(settled(session, "KXA", 2)) == 1


def test_repeated_and_late_words_on_a_market_are_no_second_gap_and_passed_over():
    session = lifecycle_session("KXA")
    settled(session, "KXA", 3)

    late, repeated, next_one = (settled(session, "KXA", seq) for seq in (2, 3, 4))

    # They may be outdated; for the gap REST is asked.
    assert (late, repeated, len(next_one)) == ([], [], 1)


def test_replies_and_errors_of_the_subscription_are_numbered_too(session):
    session.subscribe(["orderbook_delta"], ["KXA"])
    confirm(session, 1, "orderbook_delta", 1)
    want_more(session, "orderbook_delta", ["KXB"])

    first = receive(session, type="orderbook_snapshot", sid=1, seq=1, msg={})
    reply = receive(session, type="ok", id=2, sid=1, seq=2, msg={})
    error = refuse(session, 14, sid=1, seq=3)
    after = receive(session, type="orderbook_delta", sid=1, seq=4, msg={})

    assert [len(events) for events in (first, reply, error, after)] == [1, 1, 1, 1]


def test_numbers_of_a_subscription_found_by_ok_begin_with_that(session):
    session.subscribe(["orderbook_delta"], ["KXA"])

    reply = receive(session, type="ok", id=1, sid=1, seq=22, msg={"market_tickers": ["KXA"]})
    (gap, _) = receive(session, type="orderbook_delta", sid=1, seq=24, msg={})

    assert reply == [Subscribed("orderbook_delta", 1)]
    assert gap == SequenceGap("orderbook_delta", expected=23, received=24)


def test_private_channel_that_is_found_subscribed_is_subscribed(session):
    session.subscribe(["fill"])

    events = receive(session, type="ok", id=1, sid=5, seq=2, msg={"market_tickers": []})

    assert events == [Subscribed("fill", 5)]
    assert session.is_ready


def test_numbers_begin_anew_with_a_new_subscription():
    session = lifecycle_session("KXA")
    settled(session, "KXA", 1)
    refuse(session, 25, sid=4, seq=2)
    session.subscribe(["market_lifecycle_v2"], ["KXA"])
    (command,) = sent(session)
    confirm(session, command["id"], "market_lifecycle_v2", 4)

    assert len(settled(session, "KXA", 1)) == 1


def test_numbers_of_a_strange_subscription_are_not_followed():
    session = lifecycle_session("KXA")

    assert len(settled(session, "KXA", 900, sid=77)) == 1


def test_channel_without_markets_is_unsubscribed():
    session = ticker_session("KXA")

    want(session, "ticker", [])
    commands = sent(session)
    events = receive(session, type="unsubscribed", id=2, sid=9)

    assert commands == [{"id": 2, "cmd": "unsubscribe", "params": {"sids": [9]}}]
    assert events == [Unsubscribed(9)]
    assert session.is_ready
    assert sent(session) == []


def test_markets_dropped_before_the_confirmation_are_unsubscribed_after_it(session):
    session.subscribe(["ticker"], ["KXA"])
    session.to_send(0.0)

    want(session, "ticker", [])
    before = sent(session)
    confirm(session, 1, "ticker", 9)

    assert before == []
    assert sent(session) == [{"id": 2, "cmd": "unsubscribe", "params": {"sids": [9]}}]


def test_oldest_command_without_an_answer_is_known(session):
    session.subscribe(["market_positions"])
    unsent = session.waits_since
    session.to_send(10.0)
    session.subscribe(["fill"])
    session.to_send(12.0)
    both = session.waits_since
    confirm(session, 1, "market_positions", 1)
    one = session.waits_since
    refuse(session, 8, id=2)

    assert (unsent, both, one, session.waits_since) == (None, 10.0, 12.0, None)


def test_channel_without_an_answer_is_given_up_where_that_may_be(session):
    session.subscribe(["fill"])
    session.subscribe(["market_lifecycle_v2"], ["KXA"])
    session.to_send(10.0)
    confirm(session, 1, "fill", 1)

    early = session.given_up("market_lifecycle_v2", 10.0)
    late = session.given_up("market_lifecycle_v2", 10.1)

    assert (early, late) == (False, True)
    assert session.is_ready
    assert not session.given_up("fill", 99.0)
    assert not session.given_up("ticker", 99.0)


def test_messages_of_unknown_types_are_counted_by_name(session):
    for name in ["trade", "user_order", "trade"]:
        receive(session, type=name, msg={})
    receive(session, type="market_lifecycle_v2", msg={"market_ticker": "KX", "event_type": "moved"})

    assert session.unknown == {"trade": 2, "user_order": 1, "market_lifecycle_v2/moved": 1}


def test_names_of_unknown_types_do_not_pile_up(session):
    for number in range(150):
        receive(session, type=f"invented {number}")

    assert len(session.unknown) == 101
    assert session.unknown["others"] == 50
