"""What the staff do to others is logged, with who did it and to whom."""

import logging

logger = logging.getLogger(__name__)


def note(staff_id: int | None, what: str, **concerned: object) -> None:
    """
    Log a deed of the staff's.

    Args:
        what: in the past tense, such as "users deactivated".
        concerned: the fields that say whom or what, such as `users`: their ids.
    """
    logger.info(what, extra={"staff_id": staff_id, **concerned})
