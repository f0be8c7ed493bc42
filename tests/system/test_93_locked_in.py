"""What a run may reach, and where its secrets are to be found: nowhere but where they belong."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from support import process

WWW = "www.example.test"
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
sanitized = any(key.endswith("SAN_OPTIONS") for key in os.environ)


def test_the_status_lists_the_layers_that_were_active(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    layers = server.status()["sandbox"]
    assert ("user" in layers) == (os.geteuid() == 0)
    assert layers == [layer for layer in ("user", "landlock", "seccomp") if layer in layers]
    if "seccomp" not in layers or "landlock" not in layers:
        pytest.skip(f"this kernel has only: {layers}")


def test_no_library_obeys_the_environment(vault, server, directory):
    vault.publish(WWW)
    server.wants(WWW)
    (directory / "openssl.cnf").write_text("openssl_conf = all\n[all]\nalg_section = none\n[none]\ndefault_properties = fips=yes\n")
    run = server.sync(env={"OPENSSL_CONF": str(directory / "openssl.cnf"), "SSLKEYLOGFILE": str(directory / "keys")})
    assert run.exit == 0 and not (directory / "keys").exists(), run.output


# Secrets


def maps(pid):
    """(first, last, whether a core dump would have it) of each writable mapping."""
    found = []
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            place = (int(head[1], 16), int(head[2], 16)) if head else None
        elif line.startswith("VmFlags:") and place:
            found.append((*place, " dd" not in line))
    return found


def core_of(pid, everything=False):
    """What a core dump of a process would hold; `everything`: also what it is forbidden to."""
    text = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last, dumped in maps(pid):
            if (dumped or everything) and last - first < 1 << 28:  # the sanitizers' own is terabytes
                memory.seek(first)
                text += memory.read(last - first)
    return text


def seen_by_others(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def heart(key):
    """A line out of the middle of a key in PEM."""
    lines = key.splitlines()
    return lines[len(lines) // 2].encode()


@pytest.mark.root
@pytest.mark.skipif(sanitized, reason="the sanitizers' allocator keeps what was freed")
def test_a_core_of_the_parent_would_hold_no_credential_while_it_waits_for_vault(standin, server):
    standin.reply("auth/approle/login", 200, {}, delay=3)
    server.wants(WWW)
    run = server.start("--sync")
    process.wait_until(lambda: standin.seen, what="a login")
    secret = standin.secret_id.encode()
    assert secret not in core_of(run.pid) + seen_by_others(run.pid)
    assert secret in core_of(run.pid, everything=True), "it is there, in what is not dumped"
    run.kill()
    run.wait()


@pytest.mark.root
@pytest.mark.skipif(sanitized, reason="the sanitizers' allocator keeps what was freed")
def test_nothing_secret_is_left_in_memory_when_the_services_are_run(vault, server):
    server.service("web")
    server.wants(WWW, services=["web"], combined=True)
    leaf = vault.publish(WWW, key="rsa-2048")
    server.slows("web", "reload", 2)
    run = server.start("--sync")
    process.wait_until(lambda: server.installed(WWW) is not None, what="the certificate")
    time.sleep(0.5)
    memory = core_of(run.pid, everything=True) + seen_by_others(run.pid)
    assert heart(leaf.key) not in memory
    assert server.vault.secret_id.encode() not in memory
    token = (server.run_directory / "token").read_text().split()[-1].encode()
    assert token not in memory
    assert run.wait(timeout=20) == 0


OWN_FILES = re.compile(r"<[^>]*/(secret-id|role-id|wrapped|token|\.token\.certlet|privkey\.pem|combined\.pem|\.[^/>]*\.certlet|key\.pem)>")


@pytest.mark.root
@needs_strace
def test_a_trace_of_a_whole_run_shows_a_secret_only_on_its_way_into_its_own_file(vault, server, directory):
    server.service("web")
    server.wants(WWW, services=["web"], combined=True, install="copy", key_path=server.etc / "key.pem")
    trace = directory / "trace"
    found = {}
    for _ in range(2):  # an install and a renewal
        leaf = vault.publish(WWW)
        run = server.sync("--verbose", under=["strace", "-f", "-y", "-qq", "-s", "65535", "-o", trace, "-e",
                                              "trace=!sendto,recvfrom,sendmsg,recvmsg"])
        assert run.exit == 0
        token = (server.run_directory / "token").read_text().split()[-1]
        text = trace.read_text(errors="replace")
        for secret in (vault.secret_id, token, heart(leaf.key).decode()):
            assert secret not in run.output
            lines = [line for line in text.splitlines() if secret in line]
            found[secret] = len(lines)
            # read(2) and write(2) of the file that the secret lives in, and of the child's connection
            strangers = [line for line in lines
                         if not (OWN_FILES.search(line) or re.search(r" (read|write)\(\d+<(TCP|socket|UNIX)", line))]
            assert strangers == []
    assert all(found.values()), "the trace was deaf"
    assert set(server.holds(heart(leaf.key).decode())) == {
        "etc/key.pem", f"etc/archive/{WWW}/2/privkey.pem", f"etc/archive/{WWW}/2/combined.pem"}


@pytest.mark.root
@needs_strace
def test_a_trace_shows_a_wrapping_token_and_its_secret_id_only_in_their_own_files(vault, server, directory):
    vault.publish(WWW)
    server.wants(WWW)
    wrapped, secret_id = server.etc / "wrapped", server.etc / "secret-id"
    secret_id.unlink()
    wrapped.touch(mode=0o600)
    token = vault.wrap()
    wrapped.write_text(token + "\n")
    server.asks(wrapped_secret_id_file=wrapped)
    trace = directory / "trace"
    run = server.sync("--verbose", under=["strace", "-f", "-y", "-qq", "-s", "65535", "-o", trace, "-e",
                                          "trace=!sendto,recvfrom,sendmsg,recvmsg"])
    assert run.exit == 0
    for secret in (token, secret_id.read_text().strip()):
        assert secret not in run.output
        lines = [line for line in trace.read_text(errors="replace").splitlines() if secret in line]
        assert lines, "the trace was deaf"
        assert [line for line in lines
                if not (OWN_FILES.search(line) or re.search(r" (read|write)\(\d+<(TCP|socket|UNIX)", line))] == []
    assert server.holds(token) == ["etc/wrapped"]
    assert server.holds(secret_id.read_text().strip()) == ["etc/secret-id"]


@pytest.mark.root
@pytest.mark.skipif(sanitized, reason="the sanitizers' allocator keeps what was freed")
def test_no_wrapping_token_and_no_new_secret_id_is_left_in_memory_when_the_services_are_run(vault, server):
    server.service("web")
    server.wants(WWW, services=["web"])
    vault.publish(WWW)
    wrapped, secret_id = server.etc / "wrapped", server.etc / "secret-id"
    secret_id.unlink()
    wrapped.touch(mode=0o600)
    token = vault.wrap()
    wrapped.write_text(token + "\n")
    server.asks(wrapped_secret_id_file=wrapped)
    server.slows("web", "reload", 2)
    run = server.start("--sync")
    process.wait_until(lambda: server.installed(WWW) is not None, what="the certificate")
    time.sleep(0.5)
    memory = core_of(run.pid, everything=True) + seen_by_others(run.pid)
    assert token.encode() not in memory
    assert secret_id.read_text().strip().encode() not in memory
    assert run.wait(timeout=20) == 0
