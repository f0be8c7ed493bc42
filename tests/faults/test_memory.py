"""
Each allocation of certlet's own code fails once, in the process that was started and in its children: one for each
distinct way of calls that leads to one. What OpenSSL, jansson and libcurl ask for is asked by certlet's code too
(agent/startup.c); what is left to other libraries is tried by its number.
"""

import shutil
import zlib

import pytest

from faults.conftest import WHICH
from faults.scenarios import Deletion, Install, Renewal, RollBack
from support.allocations import Allocations

pytestmark = [pytest.mark.root, pytest.mark.skipif(shutil.which("cc") is None, reason="there is no compiler")]

CHANGING = [Install, Renewal, RollBack, Deletion]
OWN, LIBRARIES, PARENT, CHILD = True, False, False, True
SAMPLE = 1
BROKEN = 5


@pytest.fixture(scope="module")
def allocations(tmp_path_factory):
    return Allocations(tmp_path_factory.mktemp("allocations"))


@pytest.fixture(scope="module")
def tried():
    """The ways to an allocation that were tried in a scenario before."""
    return set()


def numbers(here, allocations, own, child, tried):
    """The allocations that are to fail."""
    here.back()
    here.run(env=allocations.count())
    if own:
        first = {}
        for number, place in enumerate(allocations.places(own, child), start=1):
            first.setdefault((child, place), number)
        chosen = sorted(number for place, number in first.items() if WHICH != "all" or place not in tried)
        tried |= first.keys()
    else:
        chosen = range(1, allocations.counted(own, child) + 1)
    if WHICH == "all":
        return chosen
    if WHICH != "sample":
        return [number for number in chosen if WHICH == case(here, own, child, number)]
    return sorted(chosen, key=lambda number: zlib.crc32(case(here, own, child, number).encode()))[:SAMPLE]


def case(here, own, child, number):
    return f"{here.scenario.name}:malloc:{'own' if own else 'libraries'}-{'child' if child else 'parent'}:{number}"


def is_no_crash_of_ours(here, allocations, run):
    """The C library can crash where it looks up a user, before certlet has touched anything."""
    return run.exit not in (-6, -11) or (allocations.while_naming(LIBRARIES, PARENT) and not here.changed())


@pytest.mark.parametrize("child", [PARENT, CHILD], ids=["parent", "child"])
@pytest.mark.parametrize("scenario", CHANGING, ids=lambda scenario: scenario.name)
def test_certlet_without_memory_ends_with_5_and_breaks_nothing(stage, tally, allocations, tried, scenario, child):
    here = stage(scenario())
    for number in numbers(here, allocations, OWN, child, tried):
        here.back()
        run = here.run(env=allocations.fail(OWN, child, number))
        if allocations.failed(OWN, child):
            complaints = here.judge(run)
            if run.exit != BROKEN:
                complaints.append(f"exit {run.exit}, wanted {BROKEN}")
            tally.note(scenario.name, "no memory", case(here, OWN, child, number), complaints)


@pytest.mark.parametrize("child", [PARENT, CHILD], ids=["parent", "child"])
@pytest.mark.parametrize("scenario", CHANGING, ids=lambda scenario: scenario.name)
def test_a_library_without_memory_is_an_ordinary_failure(stage, tally, allocations, tried, scenario, child):
    here = stage(scenario())
    for number in numbers(here, allocations, LIBRARIES, child, tried):
        here.back()
        run = here.run(env=allocations.fail(LIBRARIES, child, number))
        if allocations.failed(LIBRARIES, child):
            crashed = run.exit in (-6, -11)
            complaints = [] if is_no_crash_of_ours(here, allocations, run) else ["the parent crashed"]
            complaints += here.judge(run, crashed=crashed)
            tally.note(scenario.name, "a library's memory", case(here, LIBRARIES, child, number), complaints)
