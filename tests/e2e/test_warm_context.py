"""What one test leaves in the browser the next does not find; what was fetched stays cached."""

from tests.e2e.visitor import sign_in
from tests.waiting import until

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
# 0 of what came from the cache, the bytes of the rest.
SIZES = """() => performance.getEntriesByType("resource")
  .filter(({name}) => name.includes("/static/") && name.endsWith(".js"))
  .map(({transferSize}) => transferSize)"""


async def test_next_test_finds_nothing_but_what_is_cached(warm_context, product):
    first = await warm_context.new_page()
    await sign_in(first, product)
    await first.evaluate(LEAVE)
    assert await warm_context.has_workers()

    await warm_context.forget(product)

    second = await warm_context.new_page()
    await second.goto(f"{product}/healthz")
    assert await second.evaluate(FIND) == [[], "", [], []]
    assert not await warm_context.has_workers()
    await sign_in(second, product)
    await until(lambda: second.evaluate(SIZES))
    sizes = await second.evaluate(SIZES)
    assert len(sizes) > 50
    assert sum(sizes) == 0
    await warm_context.forget(product)
