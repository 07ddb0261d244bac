"""A worker that is asked for order books, and answers as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection, connections

from positions import order_books
from positions.order_books import Question

Answer = Callable[[Question], None]


@contextmanager
def answering(*answers: Answer) -> Iterator[list[Question]]:
    """Give each question all of these answers in turn; the questions so far."""
    asked: list[Question] = []
    parameters = connection.get_connection_params()
    del parameters["cursor_factory"]  # Django's is for its own connections
    with psycopg.connect(**parameters, autocommit=True) as own:
        own.execute("LISTEN book_asked")

        def work() -> None:
            try:
                for heard in own.notifies():
                    if heard.payload == "end":
                        return
                    asked.append(order_books.asked(heard.payload))
                    for answer in answers:
                        answer(asked[-1])
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield asked
        finally:
            # Not as Django's: a test that failed may have left that one in a transaction.
            with psycopg.connect(**parameters, autocommit=True) as teller:
                teller.execute("NOTIFY book_asked, 'end'")
            thread.join(60)
            assert not thread.is_alive()
