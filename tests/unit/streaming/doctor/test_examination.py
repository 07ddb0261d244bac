import asyncio

from streaming.doctor.examination import Check, examine
from streaming.doctor.findings import ok


def check(subject: str, *findings, seconds: float = 30.0, then=None) -> Check:
    async def find():
        for finding in findings:
            yield finding
        if then:
            await then()

    return Check(subject, seconds, find)


async def verdicts(*checks: Check) -> list[tuple[str, str]]:
    return [(each.subject, each.verdict) async for each in examine(checks)]


async def test_quick_finding_does_not_wait_for_a_slow_check():
    released = asyncio.Event()
    found = examine([check("slow", then=released.wait), check("quick", ok("quick", "well."))])

    first = await anext(found)
    released.set()

    assert first.subject == "quick"
    assert [each async for each in found] == []


async def test_check_that_takes_too_long_is_unknown_and_keeps_what_it_found():
    endless = check("endless", ok("endless, half", "."), seconds=0.01, then=asyncio.Event().wait)

    assert await verdicts(endless) == [("endless, half", "ok"), ("endless", "unknown")]


async def test_check_with_a_bug_is_unknown_and_the_others_go_on(caplog):
    async def fail() -> None:
        raise LookupError("a secret")

    found = [each async for each in examine([check("odd", then=fail), check("b", ok("b", "."))])]

    assert {(each.subject, each.verdict) for each in found} == {("odd", "unknown"), ("b", "ok")}
    assert not any("a secret" in each.what for each in found)
