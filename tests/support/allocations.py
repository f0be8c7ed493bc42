"""
Allocations of certlet that fail, by a library that is loaded before all others (allocations.c).

    allocations = Allocations(directory)
    run = server.sync(env=allocations.count())              counts them; places(own, child) then says where they were
    run = server.sync(env=allocations.fail(own, child, 7))  the seventh of certlet's own or of the libraries', in the process
                                                            that was started or in its children; .failed(own, child): it came
"""

import shutil
import struct
import subprocess

from support.process import ROOT

PLACES = 65536
SERIES = struct.Struct(f"4Q{PLACES}Q")  # count, fail, failed, naming, places: by child, by own


class Allocations:
    def __init__(self, directory):
        self.library, self.file = directory / "allocations.so", directory / "allocations"
        subprocess.run([shutil.which("cc") or "gcc", "-O1", "-D_GNU_SOURCE", "-fPIC", "-shared", "-o", self.library,
                        ROOT / "tests/support/allocations.c"], check=True)
        self.environment = {"LD_PRELOAD": str(self.library), "CERTLET_ALLOCATIONS": str(self.file)}

    def count(self):
        """The environment of a run whose allocations are only counted."""
        with open(self.file, "wb") as file:
            file.truncate(4 * SERIES.size)
        return self.environment

    def fail(self, own, child, number):
        self.count()
        with open(self.file, "r+b") as file:
            file.seek(self._offset(own, child) + 8)
            file.write(struct.pack("Q", number))
        return self.environment

    def places(self, own, child):
        """For each allocation of the run that was counted, what the calls that led to it hash to."""
        count, _, _, _, *places = self._series(own, child)
        return places[1:count + 1]

    def counted(self, own, child):
        return self._series(own, child)[0]

    def failed(self, own, child):
        return self._series(own, child)[2] != 0

    def while_naming(self, own, child):
        """It failed while the C library looked up a user or a group."""
        return self._series(own, child)[3] != 0

    def _series(self, own, child):
        with open(self.file, "rb") as file:
            file.seek(self._offset(own, child))
            return SERIES.unpack(file.read(SERIES.size))

    @staticmethod
    def _offset(own, child):
        return (2 * own + child) * SERIES.size
