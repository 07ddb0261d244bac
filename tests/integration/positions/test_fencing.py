import pytest
from django.db import transaction

from positions.fencing import Fence, TakenOver
from tests.integration.blocking import wait_for_a_blocked_session
from tests.integration.positions.conftest import (
    SECOND_WORKER,
    open,
    stream_of,
    write,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_fence_holds_for_its_own_epoch_alone(opened, account):
    fence = opened.writer.fence
    with fence.held():
        pass

    successor = open(account, worker_id=SECOND_WORKER)

    with pytest.raises(TakenOver), fence.held():
        pytest.fail("held")
    with successor.writer.fence.held():
        pass


def test_account_that_is_no_more_is_nobodys(opened, account):
    account.delete()

    with pytest.raises(TakenOver), opened.writer.fence.held():
        pytest.fail("held")


def test_take_over_waits_for_what_is_written_behind_the_fence(opened, account, in_thread):
    with opened.writer.fence.held():
        taken_over = in_thread(lambda: open(account, worker_id=SECOND_WORKER))
        wait_for_a_blocked_session()
        assert not taken_over.done()

    assert taken_over.result(timeout=10).writer.fence == Fence(account.pk, epoch=2)


def test_fence_waits_for_a_take_over_and_finds_itself_overtaken(opened, account, in_thread):
    def hold() -> None:
        with opened.writer.fence.held():
            pytest.fail("held")

    with transaction.atomic():
        open(account, worker_id=SECOND_WORKER)
        held = in_thread(hold)
        wait_for_a_blocked_session()

    with pytest.raises(TakenOver):
        held.result(timeout=10)


def test_writer_itself_goes_on_after_it(opened, account):
    with opened.writer.fence.held():
        pass

    write(opened.writer, opened.tracker)

    assert stream_of(account).seq == 1
