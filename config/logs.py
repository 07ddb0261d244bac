"""Logs are events with fields: one line each, the fields behind the message as key=value."""

import logging

# What every record carries; anything else came in through `extra` and is a field of the event.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


class EventFormatter(logging.Formatter):
    """`2026-11-23T12:00:00Z INFO streaming.worker: account claimed account=7`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        """One line, with a traceback below it where there is one."""
        fields = " ".join(
            f"{name}={value}" for name, value in record.__dict__.items() if name not in _STANDARD
        )
        if not fields:
            return super().format(record)
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = f"{record.getMessage()} {fields}", ()
        return super().format(copy)
