"""
The processes that talk to Vault and to a service are killed before each frame that they send, hang there, and garble it.

What the material itself says is not garbled: certlet believes a child that it is the one that was judged (SECURITY.md).
"""

import shutil
import ssl
import threading
import time
import zlib
from dataclasses import dataclass

import pytest

from faults.conftest import WHICH
from faults.scenarios import WWW, Deletion, Install, Renewal, RollBack
from support import process
from support.preload import ANSWER, SUMMARY, VERIFY, Frames
from support.standin import tls_context

pytestmark = [pytest.mark.root, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

DEADLINE, GRACE = 2, 10  # seconds; fetch.c adds the second to the first
NAMES = {ANSWER: "answer", SUMMARY: "summary", VERIFY: "verify"}
MOST = (1 << 64) - 1


def patience(vault, server):
    server.asks(timeout=f"{DEADLINE}s", deadline=f"{DEADLINE}s")


class ShortInstall(Install):
    name = "short-install"

    def set_up(self, vault, server):
        patience(vault, server)
        super().set_up(vault, server)


class ShortRenewal(Renewal):
    name = "short-renewal"

    def set_up(self, vault, server):
        patience(vault, server)
        super().set_up(vault, server)


class ShortRollBack(RollBack):
    name = "short-roll-back"

    def set_up(self, vault, server):
        patience(vault, server)
        super().set_up(vault, server)


class ShortDeletion(Deletion):
    name = "short-deletion"

    def set_up(self, vault, server):
        patience(vault, server)
        super().set_up(vault, server)


class Verified(Renewal):
    """Its port is asked before the swap and after the reload."""

    name = "verified"

    def set_up(self, vault, server):
        patience(vault, server)
        super().set_up(vault, server)
        self.listener = process.socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self.serve, args=(server.live / WWW,), daemon=True).start()
        server.service("nginx", verify=f"127.0.0.1:{self.listener.getsockname()[1]}", timeout="8s")

    def serve(self, home):
        """What is live now, to each connection anew."""
        while True:
            plain, _ = self.listener.accept()
            try:
                plain.settimeout(5)
                with tls_context(home).wrap_socket(plain, server_side=True) as connection:
                    connection.recv(1)
            except (OSError, ssl.SSLError):
                plain.close()


SCENARIOS = [ShortInstall, ShortRenewal, ShortRollBack, ShortDeletion, Verified]


@dataclass(frozen=True)
class Fault:
    type: int
    number: int
    what: str
    place: int = 0
    value: int = 0

    def name(self, scenario):
        return f"{scenario}:{NAMES[self.type]}:{self.what}:{self.number}:{self.place}:{self.value}"


def ends(types):
    return [Fault(kind, number, what) for number, (kind, _) in enumerate(types, 1) for what in ("KILL", "EXIT")]


def hangs(types):
    return [Fault(kind, number, "STOP") for number, (kind, _) in enumerate(types, 1)]


def garbled(types):
    """Each way in which a frame can be wrong, for each frame."""
    faults = []
    for number, (kind, size) in enumerate(types, 1):
        def add(what, place=0, value=0):
            faults.append(Fault(kind, number, what, place, value))

        for what in ("DROP", "REPEAT", "SWAP"):
            add(what)
        for place in (1, 4, 8, 9, 16, size // 2, size - 1):
            add("CUT", place)
        for place in (1, 8, 4000):
            add("PAD", place)
            add("PAD", place, 1)
        for place in (0, 1, 8, 16, 24, 32, 40, size - 8):
            for value in (0, 1, 99, 1 << 63, MOST):
                add("SET", place, value)
        if kind != VERIFY:
            for value in (0, 1, size - 9, size - 7, size + 8, 1 << 24, 1 << 31, (1 << 32) - 1):
                add("LENGTH", 0, value)
            for wanted in range(6):
                add("FLIP", 4, kind ^ wanted)
        # Of an answer the head, the entry and the kind; of the others all, a byte in three.
        for place in range(0, 24 if kind == ANSWER else min(size, 256), 1 if kind == ANSWER else 3):
            add("FLIP", place, 1 << place % 8)
    return faults


@pytest.fixture(scope="session")
def frames(session_directory):
    return Frames(session_directory)


def types_of(stage, frames):
    """The frames of a run that nothing disturbs."""
    stage.back()
    run = stage.run(env=frames.plan())
    assert run.exit == stage.scenario.exit, run.output
    return frames.seen()


def chosen(scenario, faults, share):
    """Of the ordinary run one of each frame and kind of fault in `share` of all, else all or the one that was asked for."""
    if WHICH == "all":
        return faults
    if WHICH != "sample":
        return [fault for fault in faults if WHICH == fault.name(scenario)]
    kinds = {}
    for fault in faults:
        kinds.setdefault((fault.type, fault.what), []).append(fault)
    lots = [(zlib.crc32(f"{scenario} {kind}".encode()), each) for kind, each in kinds.items()]
    return [each[lot // share % len(each)] for lot, each in lots if lot % share == 0]


def disturb(stage, frames, fault):
    """What is wrong after this fault; None when the run did not come to it."""
    stage.back()
    begin = time.monotonic()
    run = stage.run(env=frames.plan(fault.number, fault.what, fault.place, fault.value))
    seconds = time.monotonic() - begin
    if not frames.came():
        return None
    complaints = []
    if seconds > DEADLINE + GRACE + 4:
        complaints.append(f"it took {seconds:.0f} s")
    if fault.type != VERIFY and fault.what in ("KILL", "STOP", "EXIT", "CUT") and run.exit != 5:
        complaints.append(f"exit {run.exit}")
    live = stage.server.installed(WWW)
    first = stage.scenario.leaves[0]
    if run.exit == 5 and (live and live.fingerprint) != (first and first.fingerprint):
        complaints.append("exit 5, and something is installed or gone")
    return complaints + stage.judge(run)


def try_all(stage, frames, tally, kind, faults):
    scenario = stage.scenario.name
    for fault in faults:
        complaints = disturb(stage, frames, fault)
        if complaints is not None:
            tally.note(scenario, kind, fault.name(scenario), complaints)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_child_that_ends_before_a_frame_changes_nothing(stage, frames, tally, scenario):
    here = stage(scenario())
    try_all(here, frames, tally, "child killed", chosen(scenario.name, ends(types_of(here, frames)), 1))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_child_that_hangs_before_a_frame_holds_up_nothing_beyond_the_deadline(stage, frames, tally, scenario):
    here = stage(scenario())
    try_all(here, frames, tally, "child hung", chosen(scenario.name, hangs(types_of(here, frames)), 4))


@pytest.mark.parametrize("scenario", [ShortInstall, ShortRenewal, Verified], ids=lambda scenario: scenario.name)
def test_a_child_that_garbles_a_frame_breaks_nothing(stage, frames, tally, scenario):
    here = stage(scenario())
    try_all(here, frames, tally, "child garbled", chosen(scenario.name, garbled(types_of(here, frames)), 1))


def test_every_kind_of_frame_is_tried(stage, frames):
    seen = {kind for scenario in SCENARIOS for kind, _ in types_of(stage(scenario()), frames)}
    assert seen == {ANSWER, SUMMARY, VERIFY}
