"""The template stage: a user's next command passes only when `gap` has gone by since the last one.

Source: the head of the stage. A second implementation is worth something when it is written from what the
stage is meant to do, not from how it does it.
"""

from amounts import micros, time_of
from records import text_bytes
from stage import Poison, Stage

KEY_BYTES_MAX = 1024


class Template(Stage):
    """When each user's last command passed."""

    STORES = ("last",)

    def process(self, port, record):
        command = record.value
        user, size = command["userId"], len(text_bytes(command["userId"]))
        if not 0 < size <= KEY_BYTES_MAX:
            raise Poison("MALFORMED", f"userId has {size} bytes")
        if record.event_us < 0:
            raise Poison("OUT_OF_RANGE", "ts is before 1970")
        last = self.stores["last"].get(user)
        gap_us = self.options["gap"]
        if last is not None and gap_us > 0 and record.event_us - micros(last["firstTs"]) < gap_us:
            return
        self.stores["last"].put(user, {"firstTs": time_of(record.event_us)})
        self.emit("passed", record.key, command)


STAGE = Template
