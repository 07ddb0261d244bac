import asyncio

from tests.waiting import what_waits


async def _waits_deep_down(event: asyncio.Event) -> None:
    await event.wait()


async def _waits(event: asyncio.Event) -> None:
    await _waits_deep_down(event)


async def test_what_waits_is_told_down_to_where_it_stands():
    event = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_waits(event))
        await asyncio.sleep(0)
        told = what_waits(asyncio.get_running_loop())
        event.set()

    (line,) = [each for each in told.splitlines() if "_waits_deep_down" in each]
    assert line.index(" _waits ") < line.index(" _waits_deep_down ") < line.index("Event.wait")
