"""
What a market's ticker tells of its event and series until the exchange does.

It promises nothing of the kind, but nearly all are made so: SERIES-EVENT-OUTCOME.
"""


def event_of(ticker: str) -> str:
    """The event of a market, guessed."""
    return ticker.rsplit("-", 1)[0]


def series_of(ticker: str) -> str:
    """The series of a market or an event, guessed."""
    return ticker.split("-", 1)[0]
