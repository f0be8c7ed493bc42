"""
The power fails: what certlet did to the disk is recorded, and each state in which a power cut could leave it is laid
out again, judged as it lies, and recovered from by the next run.
"""

import hashlib
import shutil
import zlib

import pytest

from faults import power
from faults.conftest import WHICH
from faults.scenarios import Adopt, Copy, Deletion, DeletionOfCopies, Install, Purge, Restore, RollBack
from faults.stage import tree

pytestmark = [pytest.mark.root, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

FRUGAL = [Install, Copy, RollBack, Deletion, DeletionOfCopies, Adopt]
CUT_SHORT = [*FRUGAL, Purge, Restore]  # these make directories durable that they remove in the end
SAMPLE = 4


@pytest.fixture(scope="module")
def recorded(stage):
    """recorded(scenario): its stage, and what an undisturbed run does to the disk."""
    made = {}

    def find(scenario):
        here = stage(scenario)
        if scenario.name not in made:
            here.back()
            here.run(["strace", "-qq", "-y", "-s", "10000000", "-o", here.trace, "-e", power.TRACE])
            made[scenario.name] = power.read(here.trace.read_text(), here.server.directory, here.server.run_directory)
        return here, made[scenario.name]

    return find


def chosen(here, recording):
    cuts = [(f"{here.scenario.name}:power:cut:{name}", kept) for name, kept in power.cuts(recording)]
    if WHICH == "all":
        return cuts
    if WHICH != "sample":
        return [(name, kept) for name, kept in cuts if name == WHICH]
    return sorted(cuts, key=lambda cut: zlib.crc32(cut[0].encode()))[:SAMPLE]


@pytest.mark.parametrize("scenario", CUT_SHORT, ids=lambda scenario: scenario.name)
def test_nothing_is_relied_upon_before_it_is_durable(recorded, scenario):
    here, recording = recorded(scenario())
    assert recording.of_kind("rename") and not power.lapses(recording, here.server.archive)


@pytest.mark.parametrize("scenario", FRUGAL, ids=lambda scenario: scenario.name)
def test_no_fsync_can_be_left_out(recorded, scenario):
    here, recording = recorded(scenario())
    syncs = [sync for sync in recording.of_kind("sync") if not power.is_repeated(recording, sync)]
    assert syncs and not [sync.line for sync in syncs if not power.lapses(recording.without(sync), here.server.archive)]


@pytest.mark.parametrize("scenario", CUT_SHORT, ids=lambda scenario: scenario.name)
def test_a_power_cut_leaves_what_the_next_run_finishes(recorded, tally, scenario):
    here, recording = recorded(scenario())
    seen = set()
    for name, kept in chosen(here, recording):
        here.back()
        power.replay(kept)
        left = hashlib.sha256(repr(sorted(tree(here.server.directory).items())).encode()).digest()
        if left not in seen:
            seen.add(left)
            here.boot()
            tally.note(scenario.name, "power cut", name, here.judge_as_it_lies())
