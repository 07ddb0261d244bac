"""The schedule on which a process that keeps ending is started again."""

LONGEST_DELAY_SECONDS = 30.0
# 2 to this power is above the longest delay. Without it, a float overflows after 1,024 failures.
_LARGEST_EXPONENT = 5


def delay_seconds(failures: int) -> float:
    """
    Seconds from a process's last start to its next: 1, 2, 4, 8, 16, then 30 each.

    Args:
        failures: how often it was started again without working for long, from 0.
    """
    return min(2.0 ** min(failures, _LARGEST_EXPONENT), LONGEST_DELAY_SECONDS)
