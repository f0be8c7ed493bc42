"""
Libraries of ours that are loaded into certlet before all others.

    clock = Clock(directory)     the clock that certlet and its children see (clock.c)
    server.environment.update(clock.environment)
    clock.shows("2038-01-19T03:14:00Z")   clock.steps(seconds)   clock.is_right()   at any time, also during a run

    frames = Frames(directory)   what certlet's children send to it (frames.c)
    server.sync(env=frames.plan())           only counts them: frames.seen() -> [(type, size), …]; type VERIFY has no head
    server.sync(env=frames.plan(2, "KILL"))  the child is killed before its second frame; frames.came(): it came to that
"""

import datetime
import shutil
import struct
import subprocess
import time

from support.process import ROOT


def build(directory, name):
    """tests/support/NAME.c as a library in that directory."""
    library = directory / f"{name}.so"
    subprocess.run([shutil.which("cc") or "gcc", "-O1", "-D_GNU_SOURCE", "-fPIC", "-shared", "-o", library,
                    ROOT / f"tests/support/{name}.c"], check=True)
    return library


class Clock:
    def __init__(self, directory):
        self._file = directory / "clock"
        self.is_right()
        self.environment = {"LD_PRELOAD": str(build(directory, "clock")), "CERTLET_CLOCK": str(self._file)}

    def is_right(self):
        self._file.write_bytes(bytes(8))

    def shows(self, moment):
        """From now on it is that moment, RFC 3339."""
        self._add(int(datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()) - int(time.time()))

    def steps(self, seconds):
        self._add(seconds + struct.unpack("q", self._file.read_bytes())[0])

    def _add(self, wrong_by):
        # In place: certlet has these eight bytes mapped.
        with open(self._file, "r+b") as file:
            file.write(struct.pack("q", wrong_by))


ANSWER, SUMMARY, VERIFY = 3, 4, 0


class Frames:
    WHATS = ["NOTHING", "KILL", "STOP", "EXIT", "DROP", "REPEAT", "SWAP", "CUT", "PAD", "LENGTH", "FLIP", "SET"]
    HEAD, ROWS = struct.Struct("=3qQ2q"), 256

    def __init__(self, directory):
        self._file = directory / "frames"
        self._environment = {"LD_PRELOAD": str(build(directory, "frames")), "CERTLET_FRAMES": str(self._file)}

    def plan(self, number=0, what="NOTHING", place=0, value=0):
        rows = bytes(2 * 8 * self.ROWS)
        self._file.write_bytes(self.HEAD.pack(number, self.WHATS.index(what), place, value, 0, 0) + rows)
        return self._environment

    def seen(self):
        content = self._file.read_bytes()
        count = self.HEAD.unpack_from(content)[4]
        rows = struct.unpack_from(f"={2 * self.ROWS}q", content, self.HEAD.size)
        return list(zip(rows[self.ROWS:self.ROWS + count], rows[:count]))

    def came(self):
        return self.HEAD.unpack_from(self._file.read_bytes())[5] != 0
