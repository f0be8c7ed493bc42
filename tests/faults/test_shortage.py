"""
Disks that are really full, out of inodes or read-only, and too few descriptors: the run ends as it says, and the next
one, with room again, finishes.
"""

import os
import shutil
import subprocess
import zlib
from contextlib import contextmanager

import pytest

from faults.conftest import WHICH
from faults.scenarios import Adopt, Copy, Deletion, Install, RollBack

pytestmark = [pytest.mark.root, pytest.mark.skipif(shutil.which("mount") is None, reason="mount is not installed")]

SHORT = [Install, Copy, RollBack, Deletion, Adopt]
PLACES = {"store": ["etc"], "outputs": ["out"], "state": ["state"], "disk": ["etc", "out", "state"]}
# A certificate that has no room is not as wanted; without its state certlet itself has failed.
EXITS = {"store": {2}, "outputs": {2}, "state": {5}, "disk": {2, 5}}
LEVELS, DESCRIPTORS = range(16), range(4, 24)
PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE = 1


def mount(*words, check=True):
    return subprocess.run(["mount", *map(str, words)], check=check, capture_output=True, text=True)


class Disk:
    """A file system of its own for some directories of the machine."""

    def __init__(self, stage, places):
        self.top, self.places, self.stage = stage.directory / "disk", places, stage

    def fill(self, pages=None, inodes=None):
        """So many are still free."""
        facts = os.statvfs(self.top)
        if pages is not None:
            mount("-o", f"remount,size={(facts.f_blocks - facts.f_bfree + pages) * facts.f_frsize}", self.top)
        if inodes is not None:
            mount("-o", f"remount,nr_inodes={facts.f_files - facts.f_ffree + inodes}", self.top)

    def close(self):
        mount("-o", "remount,ro", self.top)

    def give(self):
        mount("-o", "remount,rw,size=16m,nr_inodes=10000", self.top)


@contextmanager
def disk_of(stage, places):
    """The stage put back, with these directories on a disk that has room."""
    stage.back()
    disk = Disk(stage, places)
    disk.top.mkdir(exist_ok=True)
    if mount("-t", "tmpfs", "-o", "size=16m,nr_inodes=10000,mode=0755", "none", disk.top, check=False).returncode != 0:
        pytest.skip("may not mount")
    held = []
    try:
        held.append(disk.top)
        (disk.top / "held").write_text("x")  # a size of 0 would mean: without limit
        for place in places:
            here = stage.server.directory / place
            here.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", here, disk.top], check=True)
            mount("--bind", disk.top / place, here)
            held.append(here)
        yield disk
    finally:
        for one in reversed(held):
            subprocess.run(["umount", "-l", one], check=True)
        disk.top.rmdir()


def chosen(cases):
    """The sample of (name, more…), all, or the one that was asked for."""
    if WHICH == "all":
        return cases
    if WHICH != "sample":
        return [case for case in cases if case[0] == WHICH]
    return sorted(cases, key=lambda case: zlib.crc32(case[0].encode()))[:SAMPLE]


def try_disk(here, tally, kind, name, place, shrink):
    with disk_of(here, PLACES[place]) as disk:
        shrink(disk)
        run = here.run()
        disk.give()
        complaints = here.judge(run)
        if run.exit not in EXITS[place] | {here.scenario.exit, 0}:
            complaints.append(f"exit {run.exit}, wanted one of {EXITS[place]}")
        tally.note(here.scenario.name, kind, name, complaints)


@pytest.mark.parametrize("what", ["pages", "inodes"])
@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
def test_a_full_disk_fails_what_has_no_room(stage, tally, scenario, what):
    here = stage(scenario())
    cases = [(f"{scenario.name}:{place}:{what}:{free}", place, free) for place in PLACES for free in LEVELS]
    for name, place, free in chosen(cases):
        try_disk(here, tally, f"no {what}", name, place, lambda disk, free=free: disk.fill(**{what: free}))


@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
def test_a_disk_that_became_read_only_changes_nothing_on_it(stage, tally, scenario):
    here = stage(scenario())
    for name, place in chosen([(f"{scenario.name}:{place}:read-only:1", place) for place in PLACES]):
        try_disk(here, tally, "read-only", name, place, Disk.close)


@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
def test_too_few_descriptors_fail_and_are_told(stage, tally, scenario):
    here = stage(scenario())
    for name, limit in chosen([(f"{scenario.name}:descriptors:limit:{limit}", limit) for limit in DESCRIPTORS]):
        here.back()
        # The service has the same limit, and a shell wants descriptors from 10 on: it would seem not to run.
        shutil.copy("/bin/true", here.server.services_directory / "nginx" / "active")
        run = here.run(["prlimit", f"--nofile={limit}"])
        tally.note(scenario.name, "descriptors", name, here.judge(run))


def test_a_program_that_may_not_open_its_libraries_changes_nothing(stage):
    here = stage(Install())
    here.back()
    assert here.run(["prlimit", "--nofile=3"]).exit not in (0, 1, 2, 3, 4) and not here.changed()
