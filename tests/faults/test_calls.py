"""
Each system call of certlet's, after its start-up, fails once with each of its likely errors, and is the last one before
it is killed. Its children run undisturbed (test_child.py).
"""

import shutil
import zlib

import pytest

from faults.conftest import WHICH
from faults.scenarios import SCENARIOS
from faults.stage import Fault

pytestmark = [pytest.mark.root, pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")]

LOOK, NEW, CHANGE = ["EIO", "EACCES"], ["EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES"], ["EIO", "EROFS", "EPERM"]
HANDLES, MEMORY = ["EMFILE", "ENFILE", "ENOMEM"], ["ENOMEM"]
ERRORS = {
    "openat": ["EIO", "EACCES", "ENOSPC", "EROFS", "EINTR", *HANDLES], "open": ["EIO", "EACCES", "EINTR", *HANDLES],
    "read": ["EIO", "EINTR"], "write": ["EIO", "ENOSPC", "EDQUOT", "EINTR"], "fsync": ["EIO", "ENOSPC", "EDQUOT"],
    "newfstatat": [*LOOK, "ENOMEM"], "fstat": ["EIO", "ENOMEM"], "readlinkat": LOOK, "access": LOOK, "getdents64": ["EIO"],
    "renameat": NEW, "symlinkat": NEW, "mkdirat": NEW, "mkdir": NEW, "unlinkat": CHANGE, "unlink": CHANGE, "rmdir": CHANGE,
    "fchown": CHANGE, "fchmod": CHANGE, "lseek": ["EIO"], "fcntl": ["ENOMEM"], "flock": ["EINTR", "ENOLCK"],
    "socketpair": HANDLES, "socket": HANDLES, "connect": ["EAGAIN", "ECONNREFUSED"], "setsockopt": ["EPERM", "ENOMEM"],
    "pipe2": HANDLES, "signalfd4": HANDLES, "clone": ["EAGAIN", "ENOMEM"], "poll": ["EINTR", "ENOMEM"],
    "recvfrom": ["EINTR", "ENOMEM", "ECONNRESET"], "sendto": ["EINTR", "EAGAIN", "ENOMEM", "EPIPE"],
    "wait4": ["EINTR"], "waitid": ["EINTR"], "setpgid": ["EPERM", "ESRCH"], "kill": ["EPERM", "ESRCH"],
    "clock_nanosleep": ["EINTR"], "ioctl": ["EIO"], "prlimit64": ["EPERM"], "prctl": ["EPERM"],
    "statx": [*LOOK, "ENOSYS"], "mlock2": ["ENOMEM", "EPERM", "ENOSYS"], "madvise": ["EINVAL"],
    "landlock_create_ruleset": ["ENOSYS", "EOPNOTSUPP"],
    "mmap": MEMORY, "munmap": MEMORY, "mprotect": MEMORY,
}
# An injected error is not what these do when they fail: brk(2) does not move, close(2) has closed all the same.
CANNOT_FAIL = {"brk", "close", "geteuid", "getegid", "umask", "futex", "exit_group", "rt_sigprocmask", "rt_sigaction", "getpid", "exit", "getrandom"}


def faults(stage, call, whats):
    """The faults of one call that are to be tried: all, the sample's, or the one that was asked for."""
    every = [Fault(call, what, number) for what in whats for number in stage.calls.get(call, [])]
    if WHICH == "all":
        return every
    if WHICH != "sample":
        return [fault for fault in every if WHICH == name_of(stage, fault)]
    if call == "renameat" and whats == ["KILL"]:
        return every  # each moment at which something takes its place
    chosen = []
    for what in whats:
        places = [fault for fault in every if fault.what == what]
        chance = zlib.crc32(f"{call} {what}".encode())
        # each pair of a call and an error in one of the scenarios, at one place
        if places and chance % len(SCENARIOS) == [one.name for one in SCENARIOS].index(stage.scenario.name):
            chosen.append(places[chance // len(SCENARIOS) % len(places)])
    return chosen


def name_of(stage, fault):
    return f"{stage.scenario.name}:{fault.call}:{fault.what}:{fault.number}"


@pytest.mark.parametrize("call", ERRORS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_call_that_fails_breaks_nothing_and_is_told(stage, tally, scenario, call):
    here = stage(scenario())
    for fault in faults(here, call, ERRORS[call]):
        complaints = here.fail(fault)
        if complaints is not None:
            tally.note(scenario.name, "error of a call", name_of(here, fault), complaints)


@pytest.mark.parametrize("call", [*ERRORS, *sorted(CANNOT_FAIL)])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_run_that_is_killed_at_a_call_is_finished_by_the_next(stage, tally, scenario, call):
    here = stage(scenario())
    for fault in faults(here, call, ["KILL"]):
        complaints = here.fail(fault)
        if complaints is not None:
            tally.note(scenario.name, "killed at a call", name_of(here, fault), complaints)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_call_that_certlet_makes_is_tried(stage, scenario):
    assert stage(scenario()).calls.keys() <= ERRORS.keys() | CANNOT_FAIL
