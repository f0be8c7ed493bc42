"""
The fault harness: certlet is run again and again with one thing failing at a time.

stage(scenario)  a machine on which a scenario (faults/scenarios.py) is about to happen; .back() puts it back to there
tally            what a test tried: tally.note("renewal", "errors", case, complaints); it fails at the end if there were any

A case is SCENARIO:CALL:FAULT:NUMBER, "renewal:fsync:EIO:3": the third fsync of a renewal fails with EIO; KILL as a fault:
the process is killed at it. An ordinary run tries a sample, `./bootstrap check --faults` all. To run one case again:

    KEEP=1 CERTLET_FAULTS=renewal:fsync:EIO:3 ./bootstrap check tests/faults -k renewal-fsync
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from faults.stage import Stage
from support.bao import Vault
from support.machine import Machine
from support.process import BUILD
from system.conftest import (bao, ca, directory, own_vault, pytest_collection_modifyitems,  # noqa: F401
                             pytest_runtest_makereport, server, session_directory, standin, standins, vault)

WHICH = os.environ.get("CERTLET_FAULTS", "sample")


class Tally:
    """Cases tried and what was wrong with them."""

    def __init__(self):
        self.rows, self.wrong = {}, []

    def note(self, scenario, kind, case, complaints):
        row = self.rows.setdefault((kind, scenario), [0, 0])
        row[0] += 1
        if complaints:
            row[1] += 1
            self.wrong.append(f"{case}\n    " + "\n    ".join(complaints))
            with (BUILD / "faults.log").open("a") as log:  # a full run is long: each as soon as it is known
                log.write(f"{self.wrong[-1]}\n\n")


@pytest.fixture
def tally(request):
    counted = Tally()
    yield counted
    request.node.user_properties.append(("faults", json.dumps([[*row, *counts] for row, counts in counted.rows.items()])))
    assert not counted.wrong, "these left something wrong:\n" + "\n".join(counted.wrong)


@pytest.fixture(scope="session")
def stage(bao, ca):  # noqa: F811
    """stage(scenario): set up once for all the tests of this process."""
    made, directories = {}, []

    def find(scenario):
        if scenario.name not in made:
            path = Path(tempfile.mkdtemp(prefix=f"certlet-{scenario.name}-"))
            path.chmod(0o755)  # the fetch process is another user
            directories.append(path)
            corner = Vault(bao, ca)
            corner.token_type("batch", ttl="12h")  # one that expires meanwhile would change what a run does
            made[scenario.name] = Stage(scenario, corner, Machine(path / "machine", corner, ca), path)
        return made[scenario.name]

    yield find
    for path in directories:
        if os.environ.get("KEEP"):
            print(f"kept: {path}")
        else:
            shutil.rmtree(path, ignore_errors=True)


# The table, also in build/faults.txt: tests/support/readme quotes it

rows = {}


def pytest_runtest_logreport(report):
    for name, value in report.user_properties if report.when == "teardown" else ():
        if name == "faults":
            for kind, scenario, tried, wrong in json.loads(value):
                row = rows.setdefault(kind, [0, 0, set()])
                row[0] += tried
                row[1] += wrong
                row[2].add(scenario)


def pytest_terminal_summary(terminalreporter):
    if not rows:
        return
    lines = [f"{'kind of fault':<20}{'cases':>7}{'wrong':>7}  during"]
    lines += [f"{kind:<20}{tried:>7}{wrong:>7}  {' '.join(sorted(where))}" for kind, (tried, wrong, where) in sorted(rows.items())]
    lines += [f"{'all':<20}{sum(row[0] for row in rows.values()):>7}{sum(row[1] for row in rows.values()):>7}"]
    for line in lines:
        terminalreporter.write_line(line)
    if WHICH == "all":
        (BUILD / "faults.txt").write_text("\n".join(lines) + "\n")
