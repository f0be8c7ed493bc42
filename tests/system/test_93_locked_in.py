"""What a run may reach, and where its secrets are to be found: nowhere but where they belong."""

import ctypes
import os
import pwd
import re
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from support import preload, process

WWW = "www.example.test"
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
sanitized = any(key.endswith("SAN_OPTIONS") for key in os.environ)
# A pattern that is a pipe or a path is the machine's, and cannot be another for a test alone.
dumps_here = pytest.mark.skipif(sanitized or "/" in Path("/proc/sys/kernel/core_pattern").read_text(),
                                reason="no core here: a sanitizer's is terabytes, or core_pattern leads elsewhere")


def layers_here():
    """What a child can be locked in with on this machine, as the kernel says it."""
    landlock_create_ruleset, version = 444, 1
    has_landlock = ctypes.CDLL(None).syscall(landlock_create_ruleset, None, ctypes.c_size_t(0), version) > 0
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    return ([layer for layer, there in (("user", os.geteuid() == 0), ("landlock", has_landlock),
                                        ("seccomp", actions.exists() and "errno" in actions.read_text().split())) if there])


def test_the_status_lists_the_layers_that_this_machine_has(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert server.status()["sandbox"] == layers_here()


@pytest.mark.root
def test_the_child_is_in_the_layers_that_the_status_lists(standin, server):
    standin.reply("auth/approle/login", 200, {}, delay=1)
    server.wants(WWW)
    run = server.start("--sync")
    process.wait_until(lambda: standin.seen, what="a login")
    [child] = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    facts = dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", Path(f"/proc/{child}/status").read_text(), re.M))
    run.wait()
    layers = server.status()["sandbox"]
    nobody = pwd.getpwnam("nobody")
    assert ("user" in layers) == (facts["Uid"].split() == [str(nobody.pw_uid)] * 4)
    assert ("seccomp" in layers) == (facts["Seccomp"] == "2")
    assert facts["Groups"] == "" and facts["NoNewPrivs"] == "1" and facts["CapEff"] == facts["CapPrm"] == "0" * 16


def test_no_library_obeys_the_environment(vault, server, directory):
    vault.publish(WWW)
    server.wants(WWW)
    (directory / "openssl.cnf").write_text("openssl_conf = all\n[all]\nalg_section = none\n[none]\ndefault_properties = fips=yes\n")
    run = server.sync(env={"OPENSSL_CONF": str(directory / "openssl.cnf"), "SSLKEYLOGFILE": str(directory / "keys")})
    assert run.exit == 0 and not (directory / "keys").exists(), run.output


# The system's roots

# Where distributions keep them: links as they make them, up to the file that holds the roots.
ROOTS = {
    "Debian": ["etc/ssl/certs/ca-certificates.crt"],
    "Arch": ["etc/ssl/certs/ca-certificates.crt", "etc/ca-certificates/extracted/tls-ca-bundle.pem"],
    "SUSE": ["etc/ssl/certs/ca-certificates.crt", "etc/ssl/ca-bundle.pem", "var/lib/ca-certificates/ca-bundle.pem"],
    "Fedora": ["etc/ssl/certs/ca-certificates.crt", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"],
}


@pytest.mark.root
@pytest.mark.parametrize("distribution", ROOTS)
def test_without_a_ca_file_the_roots_are_found_where_a_distribution_keeps_them(vault, server, directory, distribution):
    vault.publish(WWW)
    server.wants(WWW)
    root = directory / "root"
    *links, file = ROOTS[distribution]
    for path in ("etc", "var/lib", *map(os.path.dirname, [*links, file])):
        (root / path).mkdir(parents=True, exist_ok=True)
    for link, target in zip(links, [*links[1:], file]):
        (root / link).symlink_to(Path("/", target))
    shutil.copy(server.vault_keys["ca_file"], root / file)
    server.asks(ca_file=None)
    script = "".join(f"mount -t overlay none -o lowerdir={root}/{path}:/{path} /{path} && " for path in ("etc", "var/lib"))
    run = server.sync(under=["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh"])
    assert run.exit == 0, run.output


# Secrets


def memory_of(pid):
    """All that a process could have written, also what a core dump of it would leave out."""
    text = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", Path(f"/proc/{pid}/maps").read_text(), re.M):
            first, last = int(first, 16), int(last, 16)
            if last - first < 1 << 28:  # the sanitizers' own is terabytes
                memory.seek(first)
                text += memory.read(last - first)
    return text


def core_of(run, server):
    """Makes it dump its core, as far as it lets us: what the kernel wrote, or None."""
    resource.prlimit(run.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    run.send_signal(signal.SIGABRT)
    assert run.wait() == -signal.SIGABRT
    cores = list(server.directory.glob("core*"))
    return cores[0].read_bytes() if cores else None


def seen_by_others(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


def heart(key):
    """A line out of the middle of a key in PEM."""
    lines = key.splitlines()
    return lines[len(lines) // 2].encode()


@pytest.fixture
def waiting(standin, server):
    """
    waiting("approle", library): a run, with `library` preloaded, that waits for Vault's answer to its login; and the secret that
    it read for it.
    """
    def start(auth, library=None):
        standin.reply(f"auth/{auth}/login", 200, {}, delay=5)
        server.wants(WWW)
        secret = standin.secret_id.encode()
        if auth == "cert":
            leaf = server.ca.leaf(["host.example.test"], usage="client")
            leaf.write(server.etc)
            server.asks(auth="cert", client_cert_file=server.etc / "cert.pem", client_key_file=server.etc / "privkey.pem",
                        auth_mount=None)
            secret = heart(leaf.key)
        run = server.start("--sync", env={"LD_PRELOAD": str(library)} if library else None)
        process.wait_until(lambda: standin.seen, what="a login")
        return run, secret

    return start


@pytest.mark.root
@dumps_here
def test_the_parent_dumps_no_core_even_where_the_limits_let_it(server, waiting):
    run, _ = waiting("approle")
    assert core_of(run, server) is None


@pytest.mark.root
@dumps_here
@pytest.mark.parametrize("auth", ["approle", "cert"])
def test_a_core_of_the_parent_that_is_forced_holds_no_credential(server, directory, waiting, auth):
    run, secret = waiting(auth, preload.build(directory, "dumpable"))
    assert secret in memory_of(run.pid), "it is there, in what is not dumped"
    assert secret not in seen_by_others(run.pid)
    core = core_of(run, server)
    assert WWW.encode() in core, "it is one of this run"
    assert secret not in core


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
    memory = memory_of(run.pid) + seen_by_others(run.pid)
    assert heart(leaf.key) not in memory
    assert server.vault.secret_id.encode() not in memory
    token = (server.run_directory / "token").read_text().split()[-1].encode()
    assert token not in memory
    assert run.wait(timeout=20) == 0


OWN_FILES = re.compile(r"<[^>]*/(secret-id|role-id|wrapped|token|\.token\.certlet|privkey\.pem|combined\.pem|\.[^/>]*\.certlet|key\.pem)>")


def traced_sync(server, directory):
    """A run, and its system calls, sockets aside."""
    trace = directory / "trace"
    run = server.sync("--verbose", under=["strace", "-f", "-y", "-qq", "-s", "65535", "-o", trace, "-e",
                                          "trace=!sendto,recvfrom,sendmsg,recvmsg"])
    assert run.exit == 0
    return run, trace.read_text(errors="replace").splitlines()


def assert_only_in_its_own_file(secret, run, trace):
    assert secret not in run.output
    lines = [line for line in trace if secret in line]
    assert lines, "the trace was deaf"
    # read(2) and write(2) of the file that the secret lives in, and of the child's connection
    assert [line for line in lines
            if not (OWN_FILES.search(line) or re.search(r" (read|write)\(\d+<(TCP|socket|UNIX)", line))] == []


@pytest.mark.root
@needs_strace
def test_a_trace_of_a_whole_run_shows_a_secret_only_on_its_way_into_its_own_file(vault, server, directory):
    server.service("web")
    server.wants(WWW, services=["web"], combined=True, install="copy", key_path=server.etc / "key.pem")
    for _ in range(2):  # an install and a renewal
        leaf = vault.publish(WWW)
        run, trace = traced_sync(server, directory)
        token = (server.run_directory / "token").read_text().split()[-1]
        for secret in (vault.secret_id, token, heart(leaf.key).decode()):
            assert_only_in_its_own_file(secret, run, trace)
    assert set(server.holds(heart(leaf.key).decode())) == {
        "etc/key.pem", f"etc/archive/{WWW}/2/privkey.pem", f"etc/archive/{WWW}/2/combined.pem"}


@pytest.mark.root
@needs_strace
def test_a_trace_shows_a_client_key_only_in_its_own_file(vault, server, directory):
    vault.publish(WWW)
    server.wants(WWW)
    leaf = vault.client_certificate()
    leaf.write(server.etc)
    server.asks(auth="cert", auth_mount=vault.cert_mount, client_cert_file=server.etc / "cert.pem",
                client_key_file=server.etc / "privkey.pem")
    secret = heart(leaf.key).decode()
    assert_only_in_its_own_file(secret, *traced_sync(server, directory))
    assert server.holds(secret) == ["etc/privkey.pem"]


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
    run, trace = traced_sync(server, directory)
    for secret in (token, secret_id.read_text().strip()):
        assert_only_in_its_own_file(secret, run, trace)
    assert server.holds(token) == ["etc/wrapped"]
    assert server.holds(secret_id.read_text().strip()) == ["etc/secret-id"]


@needs_strace
def test_the_child_is_forked_before_an_installed_key_is_read(vault, server, directory):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    os.utime(server.live / WWW / "privkey.pem")  # somebody was there: it is hashed
    trace = directory / "trace"
    assert server.sync(under=["strace", "-f", "-qq", "-o", trace, "-e", "trace=clone,clone3,fork,vfork,openat"]).exit == 0
    lines = trace.read_text().splitlines()
    # A run with nothing new and no services has one child.
    [fork] = [number for number, line in enumerate(lines) if re.match(r"\d+ +(clone3?|v?fork)\(", line)]
    reads = [number for number, line in enumerate(lines) if "privkey.pem" in line]
    assert reads and fork < reads[0]


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
    memory = memory_of(run.pid) + seen_by_others(run.pid)
    assert token.encode() not in memory
    assert secret_id.read_text().strip().encode() not in memory
    assert run.wait(timeout=20) == 0
