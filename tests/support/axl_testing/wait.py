"""Waiting for a condition instead of for a while."""

import time

WATCHDOG = 90  # Only ends a test that hangs; nothing correct comes near it, also not under a sanitizer.


def until(condition, what, watchdog=WATCHDOG, interval=0.02):
    """Polls until `condition()` is true and returns its value. An OSError of the condition counts as "not yet"."""
    end = time.monotonic() + watchdog
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except OSError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"waited {watchdog} s in vain until {what}; last: {last!r}")
        time.sleep(interval)
