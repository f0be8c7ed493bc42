"""What tests of a hostile server share: the moments of a run, and what holds after it."""

import os
import re
import zlib

from support.standin import CREATED

WWW = "www.example.test"
LOGIN, METADATA, DATA = "auth/approle/login", f"secret/metadata/certs/{WWW}", f"secret/data/certs/{WWW}"
CONTROL = {chr(code) for code in [*range(32), *range(127, 160), 0x202e]} - {"\n"}


def moments(case):
    """One of the three for each case, or all of them."""
    every = [LOGIN, METADATA, DATA]
    return every if os.environ.get("CERTLET_FAULTS") == "all" else [every[zlib.crc32(case.encode()) % 3]]


def offers(standin, ca, version, created=CREATED, **how):
    """All is well with the server again, and there is a new version."""
    newer = ca.leaf(**{"names": [WWW], **how})
    standin.forget()
    standin.logs_in().holds(WWW, newer, version=version, created=created)
    return newer


def assert_unharmed(standin, server, leaf, run, *words):
    """Nothing moved, that is told, and nothing of the server's reached the terminal as it was."""
    assert run.exit in (2, 3), run.output
    assert re.search("|".join(words), run.stderr), run.output
    live = server.installed(WWW)
    assert live.fingerprint == leaf.fingerprint and live.matches and server.generations(WWW) == [live.generation]
    assert server.reloads("nginx") == 0
    # Long before the parent loses its patience, ten seconds after `deadline`.
    assert run.seconds < 6 and len(run.output) < 5000
    assert not set(run.output) & CONTROL, ascii(run.output)
    assert standin.secret_id not in run.output and "b.standin" not in run.output


def assert_next_run_is_good(server, leaf):
    impatient = {key: server.vault_keys[key] for key in ("timeout", "deadline")}
    server.asks(timeout="10s", deadline="20s")
    run = server.sync()
    server.asks(**impatient)
    assert run.exit == 0, run.output
    live = server.installed(WWW)
    assert live.fingerprint == leaf.fingerprint and live.matches and server.generations(WWW) == [live.generation]
