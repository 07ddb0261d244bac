"""What many accounts hold between them."""

POSITIONS = 5
# Accounts that hold the same market, unless told otherwise.
HOLDERS = 4
_FEWEST_MARKETS = 20


def market_count(accounts: int, holders: int = HOLDERS) -> int:
    """How many markets so many accounts share, when each market is held by so many of them."""
    return max(_FEWEST_MARKETS, accounts * POSITIONS // holders)
