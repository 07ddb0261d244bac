"""
The sandbox's hands by name, for the control page and for scenarios.

A command is an object: `do` names what to do, the other fields say with what. A market is a ticker,
or `held:1` for the first of the tickers that the demonstration account holds as a live position.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import cast, get_args

from sandbox import commands_of_members as members
from sandbox.command_fields import BadCommand, Fields
from sandbox.commands_of_members import Answer, Perform
from sandbox.faults import (
    FRAME_FAULTS,
    Body,
    FailedAnswer,
    FrameFault,
    Latency,
    RefusedCommands,
    Way,
)
from sandbox.fees import FeeType
from sandbox.offering import GRIDS, Offering
from sandbox.position import OutcomeSide
from sandbox.server import Sandbox
from sandbox.session import CHANNELS, REFUSALS
from sandbox.spoiling import Spoil

_FEE_TYPES = cast(tuple[FeeType, ...], get_args(FeeType))


@dataclass(frozen=True, slots=True)
class Command:
    """What a command is for, with which fields, and the function that carries it out."""

    perform: Perform
    fields: str
    what: str


async def perform(sandbox: Sandbox, values: Mapping[str, object]) -> Answer:
    """
    Carry out one command; what it answers, mostly nothing.

    Raises:
        BadCommand: it is unknown, a field is wrong, or the exchange refuses it.
    """
    left = dict(values)
    name = left.pop("do", None)
    command = COMMANDS.get(name) if isinstance(name, str) else None
    if command is None:
        raise BadCommand(f"do is one of {', '.join(COMMANDS)}")
    fields = Fields(sandbox, left)
    try:
        done = command.perform(sandbox, fields)
        if isinstance(done, Awaitable):
            await done
            return {}
        return done or {}
    except ValueError as error:
        raise BadCommand(str(error)) from error
    except KeyError as error:
        raise BadCommand(f"there is no {error.args[0]}") from error
    except OverflowError as error:
        raise BadCommand("that is too far away") from error


# What happens on the exchange


def _quote(sandbox: Sandbox, fields: Fields) -> None:
    market = fields.market()
    bid, ask = fields.number("yes_bid"), fields.number("yes_ask")
    sizes = fields.number("yes_bid_size", "100"), fields.number("yes_ask_size", "100")
    fields.done()
    sandbox.set_quote(market, bid, ask, yes_bid_size=sizes[0], yes_ask_size=sizes[1])


def _trade(sandbox: Sandbox, fields: Fields) -> None:
    market, price = fields.market(), fields.number("yes_price")
    count = fields.number("count", "1")
    fields.done()
    sandbox.trade(market, price, count)


def _fill(sandbox: Sandbox, fields: Fields) -> None:
    market, price, count = fields.market(), fields.number("yes_price"), fields.number("count")
    side = fields.word("side", cast(tuple[OutcomeSide, ...], get_args(OutcomeSide)))
    is_taker, subaccount = fields.claim("is_taker", True), fields.whole("subaccount", 0)
    order = fields.text("order", "")
    fields.done()
    sandbox.fill(
        market,
        side,
        count,
        price,
        is_taker=is_taker,
        subaccount=subaccount,
        order_id=order or None,
    )


def _list_event(sandbox: Sandbox, fields: Fields) -> None:
    starts_in = fields.duration("starts_in", "0")
    offering = Offering(
        event_ticker=fields.text("event"),
        series_ticker=fields.text("series"),
        title=fields.text("title"),
        outcomes=fields.prices("outcomes"),
        closes_in=fields.duration("closes_in"),
        mutually_exclusive=fields.claim("mutually_exclusive", False),
        grid=GRIDS[fields.word("grid", tuple(GRIDS), "linear_cent")],
        category=fields.text("category", "Sports"),
        fee_type=fields.word("fee_type", _FEE_TYPES, "quadratic"),
        fee_multiplier=fields.number("multiplier", "1"),
        starts_in=starts_in or None,
        determined_in=fields.duration("determined_in", "600"),
    )
    fields.done()
    sandbox.list_event(offering)


def _of_market(act: Callable[[Sandbox, str], None]) -> Perform:
    def perform(sandbox: Sandbox, fields: Fields) -> None:
        market = fields.market()
        fields.done()
        act(sandbox, market)

    return perform


def _of_value(act: Callable[[Sandbox, str, Decimal], None]) -> Perform:
    def perform(sandbox: Sandbox, fields: Fields) -> None:
        market, yes_value = fields.market(), fields.number("yes_value")
        fields.done()
        act(sandbox, market, yes_value)

    return perform


def _reschedule(sandbox: Sandbox, fields: Fields) -> None:
    market, closes_in = fields.market(), fields.duration("closes_in")
    fields.done()
    sandbox.reschedule(market, closes_in)


def _set_fees(sandbox: Sandbox, fields: Fields) -> None:
    event, fee_type = fields.text("event"), fields.text("fee_type", "")
    multiplier = fields.number("multiplier", "1")
    fields.done()
    if fee_type not in ("", *_FEE_TYPES):
        raise BadCommand(f"fee_type is one of {', '.join(_FEE_TYPES)}, or empty")
    sandbox.set_fees(event, (cast(FeeType, fee_type), multiplier) if fee_type else None)


def _of_duration(name: str, act: Callable[[Sandbox, timedelta], None]) -> Perform:
    def perform(sandbox: Sandbox, fields: Fields) -> None:
        duration = fields.duration(name)
        fields.done()
        act(sandbox, duration)

    return perform


def _set_speed(sandbox: Sandbox, fields: Fields) -> None:
    speed = float(fields.number("speed"))
    fields.done()
    sandbox.market_clock.set_speed(speed)


# What goes wrong with it


def _plainly(act: Callable[[Sandbox], Awaitable[None] | None]) -> Perform:
    def perform(sandbox: Sandbox, fields: Fields) -> Awaitable[None] | None:
        fields.done()
        return act(sandbox)

    return perform


def _accept_then_close(sandbox: Sandbox) -> None:
    sandbox.faults.handshake = "accept_then_close"


async def _accept(sandbox: Sandbox) -> None:
    sandbox.faults.handshake = "accept"
    await sandbox.resume_listening()


async def _clear(sandbox: Sandbox) -> None:
    sandbox.clear_faults()
    await sandbox.resume_listening()


def _frames(fault: FrameFault) -> Perform:
    def perform(sandbox: Sandbox, fields: Fields) -> None:
        times = fields.whole("times", 1)
        fields.done()
        sandbox.faults.frames.extend([fault] * min(times, 1000))

    return perform


def _fail_channel(sandbox: Sandbox, fields: Fields) -> None:
    channel, code = fields.text("channel"), fields.whole("code", 10)
    fields.done()
    if code not in (10, 25):
        raise BadCommand("code is 10 or 25")
    sandbox.fail_channel(channel, code)


def _refuse_commands(sandbox: Sandbox, fields: Fields) -> None:
    channel, code = fields.word("channel", CHANNELS), fields.whole("code", 27)
    times = fields.whole("times", 1)
    fields.done()
    if code not in REFUSALS:
        raise BadCommand(f"code is one of {', '.join(map(str, sorted(REFUSALS)))}")
    sandbox.faults.refusals.append(RefusedCommands(channel, code, times or None))


def _fail_answers(sandbox: Sandbox, fields: Fields) -> None:
    status, times = fields.whole("status", 503), fields.whole("times", 1)
    body = fields.word("body", cast(tuple[Body, ...], get_args(Body)), "json")
    path = fields.text("path", "")
    fields.done()
    if not 400 <= status <= 599:
        raise BadCommand("status is from 400 to 599")
    sandbox.faults.answers.append(FailedAnswer(status, body, path, times or None))


def _spoil(sandbox: Sandbox, fields: Fields) -> None:
    path, field = fields.text("path"), fields.text("field")
    value, row = fields.json("value"), fields.text("row", "")
    times = fields.whole("times", 0)
    fields.done()
    sandbox.faults.spoils.append(Spoil(path, field, value, row, times or None))


def _latency(sandbox: Sandbox, fields: Fields) -> None:
    seconds = max(0.0, fields.duration("seconds").total_seconds())
    path = fields.text("path", "")
    way = fields.word("way", cast(tuple[Way, ...], get_args(Way)), "there")
    fields.done()
    if path:
        sandbox.faults.path_latencies[path] = Latency(seconds, way)
    elif way == "there":
        sandbox.faults.latency_seconds = seconds
    else:
        raise BadCommand("the way back is that of a path")


def _lag(sandbox: Sandbox, fields: Fields) -> None:
    account, markets = fields.duration("account", "0"), fields.duration("markets", "0")
    fields.done()
    sandbox.lag(account=account, markets=markets)


def _mute(sandbox: Sandbox, fields: Fields) -> None:
    channel = fields.word("channel", ("", *CHANNELS), "")
    fields.done()
    sandbox.faults.muted.add(channel)


def _unmute(sandbox: Sandbox) -> None:
    sandbox.faults.muted.clear()


def _skew(sandbox: Sandbox, fields: Fields) -> None:
    seconds = fields.duration("seconds")
    fields.done()
    sandbox.faults.clock_skew = seconds


COMMANDS: dict[str, Command] = {
    "quote": Command(
        _quote, "market yes_bid yes_ask yes_bid_size=100 yes_ask_size=100", "move a price"
    ),
    "trade": Command(_trade, "market yes_price count=1", "let others trade"),
    "fill": Command(
        _fill,
        "market side yes_price count is_taker=true subaccount=0 order=",
        "let the account's order trade",
    ),
    "open": Command(_of_market(Sandbox.open), "market", "begin trading"),
    "pause": Command(_of_market(Sandbox.pause), "market", "halt trading in one market"),
    "resume": Command(_of_market(Sandbox.resume), "market", "trade in it again"),
    "reschedule": Command(_reschedule, "market closes_in", "close in so many seconds"),
    "close": Command(_of_market(Sandbox.close), "market", "end trading"),
    "determine": Command(_of_value(Sandbox.determine), "market yes_value", "decide the outcome"),
    "dispute": Command(_of_market(Sandbox.dispute), "market", "question the outcome"),
    "amend": Command(_of_value(Sandbox.amend), "market yes_value", "decide it again"),
    "settle": Command(_of_market(Sandbox.settle), "market", "pay out"),
    "amend_paid": Command(
        _of_value(Sandbox.amend_paid), "market yes_value", "decide it again after it was paid out"
    ),
    "list_event": Command(
        _list_event,
        "event series title outcomes closes_in mutually_exclusive=false grid=linear_cent "
        "category=Sports fee_type=quadratic multiplier=1 starts_in=0 determined_in=600",
        "list an event; outcomes with their first bids, such as HOME:0.55,AWAY:0.43",
    ),
    "set_fees": Command(_set_fees, "event fee_type multiplier=1", "give an event its own fees"),
    "deposit": Command(
        members.transfer("deposit"), "dollars fee=0 method=ach status=applied", "bring money in"
    ),
    "withdraw": Command(
        members.transfer("withdrawal"), "dollars fee=0 method=ach status=applied", "take money out"
    ),
    "finish_transfer": Command(
        members.finish_transfer,
        "status transfer=last",
        "apply, fail or return a deposit or withdrawal",
    ),
    "move_cash": Command(
        members.move_cash, "from to dollars", "move cash to another subaccount, opening it"
    ),
    "move_instance": Command(
        members.move_instance, "dollars", "move cash to the margined exchange, or back below 0"
    ),
    "pay_untold": Command(
        members.pay_untold, "dollars subaccount=0", "pay, or below 0 take, what no call tells"
    ),
    "set_netting": Command(
        members.set_netting, "enabled=true subaccount=0", "return collateral early, or do not"
    ),
    "archive": Command(
        _of_duration("age", Sandbox.archive), "age", "move what is older to the history"
    ),
    "skip": Command(
        _of_duration("seconds", Sandbox.skip), "seconds", "let time in the markets jump"
    ),
    "speed": Command(_set_speed, "speed", "let it run faster"),
    "drop": Command(_plainly(Sandbox.drop_connections), "", "cut WebSockets without a close frame"),
    "reset": Command(_plainly(Sandbox.reset_connections), "", "cut WebSockets with a TCP reset"),
    "refuse": Command(_plainly(Sandbox.stop_listening), "", "refuse new connections"),
    "accept_then_close": Command(
        _plainly(_accept_then_close), "", "take WebSockets and close them at once"
    ),
    "accept": Command(_plainly(_accept), "", "take connections again"),
    "freeze": Command(_plainly(Sandbox.freeze), "", "send and read nothing more"),
    "thaw": Command(_plainly(Sandbox.thaw), "", "go on after freezing"),
    **{
        f"{fault}_frame": Command(_frames(fault), "times=1", f"{what} of data")
        for fault, what in zip(
            FRAME_FAULTS,
            (
                "cut off the next frame",
                "make garbage of the next frame",
                "send the next frame twice",
                "swap the next two frames",
                "send an old frame after the next",
            ),
            strict=True,
        )
    },
    "fail_channel": Command(
        _fail_channel, "channel code=10", "end subscriptions of a channel with error 10 or 25"
    ),
    "refuse_commands": Command(
        _refuse_commands,
        "channel code=27 times=1",
        "answer the next commands about a channel with an error, such as 26 or 27; times 0 for all",
    ),
    "fail_answers": Command(
        _fail_answers,
        "status=503 body=json path= times=1",
        "let calls fail: 4xx, 5xx; body json, html, text or empty; times 0 for all",
    ),
    "spoil": Command(
        _spoil,
        "path field value= row= times=0",
        "put a wrong value in a field of rows or frames; absent leaves it out",
    ),
    "mute": Command(_mute, "channel=", "hear no commands any more, of a channel or at all"),
    "unmute": Command(_plainly(_unmute), "", "hear all commands again"),
    "latency": Command(
        _latency,
        "seconds path= way=there",
        "delay answers and frames, or only answers of a path, there or back",
    ),
    "lag": Command(_lag, "account=0 markets=0", "answer REST with what was so many seconds ago"),
    "skew": Command(_skew, "seconds", "put the exchange's clock wrong"),
    "open_member": Command(
        members.open_member,
        "positions=5 cash=1000 precision=0.0001",
        "open another member's account; answers with its key, which lives as long as the sandbox",
    ),
    "revoke_key": Command(
        members.revoke_key,
        "key=",
        "forget a key and cut its connections; the sandbox’s own gets a new private key",
    ),
    "maintenance": Command(
        _of_duration("seconds", Sandbox.begin_maintenance), "seconds", "stop the whole exchange"
    ),
    "thursday": Command(
        _of_duration("seconds", Sandbox.begin_trading_pause), "seconds", "Thursday's trading pause"
    ),
    "reopen": Command(_plainly(Sandbox.reopen), "", "end maintenance or pause"),
    "clear": Command(_plainly(_clear), "", "let everything go well again"),
}
