"""
Restored snapshots: a state of any moment of a run meets what lay on disk at any other moment of it, older or newer.

The moments are those before each change that the run makes, and its beginning and end. What the next run has to set right
is what is wanted; what no state speaks of any more (an old generation, a link on its way) goes with the next change.
"""

import shutil
import zlib

import pytest

from faults.conftest import WHICH
from faults.scenarios import Install, Renewal
from faults.stage import Fault

pytestmark = [pytest.mark.root, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

CHANGES = ("mkdirat", "mkdir", "renameat", "symlinkat", "unlinkat", "unlink", "rmdir")
SCENARIOS = [Install, Renewal]
SAMPLE = 9  # pairs


def moments(stage):
    """[(name, directory)]: the machine before each change of the run, in order, and after it."""
    home = stage.directory / "moments"
    if not home.exists():
        home.mkdir()
        for call in CHANGES:
            for number in stage.calls.get(call, []):
                stage.back()
                stage.run(["strace", "-qq", "-o", stage.trace, "-e", f"trace={call}", "-e", Fault(call, "KILL", number).inject()])
                stage._copy(stage.server.directory, home / f"{call}-{number}")
        stage.back()
        stage.run()
        stage._copy(stage.server.directory, home / "end")
        stage._copy(stage.saved, home / "begin")
    return sorted(home.iterdir())


def pairs(scenario, found):
    every = [(state, disk) for state in found for disk in found if state != disk]
    if WHICH == "all":
        return every
    if WHICH != "sample":
        return [pair for pair in every if WHICH == name_of(scenario, *pair)]
    return sorted(every, key=lambda pair: zlib.crc32(name_of(scenario, *pair).encode()))[:SAMPLE]


def name_of(scenario, state, disk):
    return f"{scenario}:state:{state.name}:{disk.name}"


def restore(stage, state, disk):
    """What is on disk at one moment, and what certlet remembered at another."""
    shutil.rmtree(stage.server.directory)
    stage._copy(disk, stage.server.directory)
    shutil.rmtree(stage.server.state_directory)
    stage._copy(state / "state", stage.server.state_directory)


def grave(complaints):
    """Without what the next run, or the next change, sets right, and what a service served at a moment that never was."""
    passing = ("generations [", "half of a generation", "left over", "was not told to serve")
    found = [one for one in complaints if one[0] != "|" and not any(words in one for words in passing)]
    return complaints if [one for one in found if not (one.startswith("exit 0, but") and "outside" in one)] else []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_state_of_another_moment_than_the_disk_is_made_good(stage, tally, scenario):
    here = stage(scenario())
    for state, disk in pairs(scenario.name, moments(here)):
        restore(here, state, disk)
        tally.note(scenario.name, "restored state", name_of(scenario.name, state, disk), grave(here.judge(here.run())))
