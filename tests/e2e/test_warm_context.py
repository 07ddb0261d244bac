"""What one test leaves in the browser the next does not find; what was fetched stays cached."""

import asyncio

import pytest

from tests.e2e import warm_context as warm_contexts
from tests.e2e.visitor import sign_in
from tests.e2e.warm_context import WarmContext

LEAVE = """async () => {
  localStorage.setItem("left", "here");
  document.cookie = "left=here";
  await caches.open("left");
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open("left");
    opening.onsuccess = () => resolve(opening.result.close());
    opening.onerror = () => reject(opening.error);
  });
}"""
FIND = """async () => [
  Object.keys(localStorage), document.cookie, await caches.keys(), await indexedDB.databases(),
]"""
# Of the modules that have come: 0 of one from the cache, the bytes of any other.
SIZES = """() => Object.fromEntries(performance.getEntriesByType("resource")
  .filter(({name}) => name.includes("/static/") && name.endsWith(".js"))
  .map(({name, transferSize}) => [name, transferSize]))"""


async def test_next_test_finds_nothing_but_what_is_cached(warm_context, product):
    first = await warm_context.new_page()
    await sign_in(first, product)
    await first.evaluate(LEAVE)
    assert await warm_context.has_workers()
    fetched = await first.evaluate(SIZES)

    await warm_context.forget(product)

    second = await warm_context.new_page()
    await second.goto(f"{product}/healthz")
    assert await second.evaluate(FIND) == [[], "", [], []]
    assert not await warm_context.has_workers()
    await sign_in(second, product)
    sizes = await second.evaluate(SIZES)
    assert len(sizes.keys() & fetched.keys()) > 50
    assert not [name for name in fetched if sizes.get(name)]
    await warm_context.forget(product)


async def test_workers_of_other_contexts_are_not_waited_for(warm_context, product, new_context):
    await sign_in(await (await new_context()).new_page(), product)

    assert not await warm_context.has_workers()


async def test_context_that_does_not_forget_leaves_the_next_test_another(chromium, monkeypatch):
    warm_context = WarmContext(chromium.browser)
    first = await warm_context.new_page()

    with monkeypatch.context() as patch:
        patch.setattr(warm_contexts, "ANSWER_SECONDS", 0.5)
        patch.setattr(type(first.context), "clear_cookies", lambda _: asyncio.Event().wait())
        with pytest.raises(TimeoutError):
            await warm_context.forget()

    second = await warm_context.new_page()
    assert first.is_closed()
    assert second.context != first.context
    await second.context.close()
