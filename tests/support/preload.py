"""
Libraries of ours that are loaded into certlet before all others.

    clock = Clock(directory)     the clock that certlet and its children see (clock.c)
    server.environment.update(clock.environment)
    clock.shows("2038-01-19T03:14:00Z")   clock.steps(seconds)   clock.is_right()   at any time, also during a run
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
