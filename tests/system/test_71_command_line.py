"""The command line: verbs, options, and the exit codes with their precedence, 1 before 5 before 2 before 3."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

A, B = "a.example.test", "b.example.test"


def install(vault, server, *names, **keys):
    for name in names:
        vault.publish(name)
        server.wants(name, **keys)
    assert server.sync().exit == 0


def of_a_stranger(server):
    """The fields of a certificate that has another name than the one that is wanted."""
    return server.ca.leaf(["stranger.example.test"]).fields()


def breaks_state(server):
    """The state cannot be written any more, also by root: a directory stands where its new file is prepared."""
    (server.state_directory / ".state.json.certlet").mkdir(parents=True)


def assert_told_to_monitoring(server, words):
    """A run that failed did not leave the status of the one before; what is installed is in order."""
    check = server.run("--check")
    assert check.exit == 1 and "the last run failed" in check.stdout and words in check.stdout, check.stdout
    assert server.status()["last_sync"]["exit"] == 5 and server.certificate_status(A)["state"] == "ok"


def lines(text):
    return [line for line in text.splitlines() if line]


# Exit codes, one by one


def test_0_when_all_is_as_wanted_and_an_idle_run_says_so_in_one_line(vault, server):
    install(vault, server, A, services=["web"])
    run = server.sync()
    assert run.exit == 0 and run.stdout == "" and len(lines(run.stderr)) == 1


def test_0_for_an_expiring_certificate_with_nothing_newer_to_be_had(vault, server):
    vault.publish(A, days=90, starts=-85)
    server.wants(A)
    assert server.sync().exit == 0 and server.sync().exit == 0


WRONG_SET_UP = {
    "a manifest with an error": lambda server: server.writes("[vault]\nadress = x\n[end]\n"),
    "a missing manifest": lambda server: setattr(server, "manifest", server.etc / "nowhere.ini") or setattr(
        server, "write_manifest", lambda: None),
    "a manifest without certificates": lambda server: server.unwants(A),
    "a missing ca_file": lambda server: server.asks(ca_file=server.etc / "nowhere.pem"),
    "an empty ca_file": lambda server: (server.etc / "empty.pem").write_text("") and None or server.asks(
        ca_file=server.etc / "empty.pem"),
    "a ca_file without a certificate": lambda server: server.asks(ca_file=server.manifest),
    "a secret-id readable by its group": lambda server: (server.etc / "secret-id").chmod(0o640),
    "a run_directory that others can write to": lambda server: server.run_directory.chmod(0o777),
    "a run_directory that others can replace": lambda server: (server.services_directory.chmod(0o777), server.agent(
        run_directory=server.services_directory / "web")),
}


@pytest.mark.parametrize("wrong", WRONG_SET_UP)
def test_1_when_the_set_up_is_wrong_and_nothing_is_touched(vault, server, wrong):
    install(vault, server, A)
    vault.publish(A)
    WRONG_SET_UP[wrong](server)
    server.write_manifest()
    before = server.files()
    run = server.sync()
    assert run.exit == 1 and run.stderr and run.stdout == ""
    after = server.files()
    assert {path: facts for path, facts in after.items() if "run/" not in path} == \
        {path: facts for path, facts in before.items() if "run/" not in path}
    assert vault.requests() == 0


@pytest.mark.root
def test_1_when_the_user_is_missing_and_never_a_run_as_root(vault, server):
    server.agent(user="nosuchuser")
    vault.publish(A)
    server.wants(A)
    run = server.sync()
    assert run.exit == 1 and "nosuchuser" in run.stderr and server.installed(A) is None
    assert vault.requests() == 0


@pytest.mark.parametrize("problem", ["403", "404", "refused", "group", "reload"])
def test_2_when_one_is_not_as_wanted_and_the_others_are(vault, server, problem):
    install(vault, server, A, services=["web"])
    vault.publish(B)
    server.wants(B)
    if problem == "403":
        vault.deny(B)
    elif problem == "404":
        vault.forget(B)
    elif problem == "refused":
        vault.put(B, of_a_stranger(server))
    elif problem == "group":
        server.wants(B, group="nosuchgroup")
    else:
        server.breaks("web", "reload")
    leaf = vault.publish(A)
    assert server.sync().exit == 2
    assert (server.installed(A).fingerprint == leaf.fingerprint) == (problem != "reload")
    assert (server.installed(B) is None) == (problem != "reload")


def test_2_also_when_all_of_them_are_403(vault, server):
    install(vault, server, A)
    vault.deny(A)
    assert server.sync().exit == 2


@pytest.mark.parametrize("problem", ["no answer", "login refused", "credentials missing", "credentials empty", "no trust"])
def test_3_when_vault_gives_no_answer_or_does_not_let_us_in(vault, server, dead_address, problem):
    vault.publish(A)
    server.wants(A)
    if problem == "no answer":
        server.asks(address=dead_address)
    elif problem == "login refused":
        server.credentials(secret_id="wrong")
    elif problem == "credentials missing":
        (server.etc / "secret-id").unlink()
    elif problem == "credentials empty":
        (server.etc / "secret-id").write_text("\n")
    else:
        other = server.etc / "other-ca.pem"
        other.write_text(server.ca.root_pem)
        server.asks(ca_file=other)
    run = server.sync()
    assert run.exit == 3 and run.stderr and server.installed(A) is None


def test_4_when_another_run_holds_the_lock_for_a_minute(vault, server):
    install(vault, server, A)
    with open(server.run_directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = server.files()["state/status.json"]
        begin = time.monotonic()
        run = server.sync()
        assert run.exit == 4 and 59 < time.monotonic() - begin < 75
        assert "lock" in run.stderr and server.files()["state/status.json"] == before
    assert server.sync().exit == 0


def test_the_lock_is_waited_for(vault, server):
    install(vault, server, A)
    with open(server.run_directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other = server.start("--sync")
        time.sleep(0.5)
        assert other.poll() is None
    assert other.wait(10) == 0


def test_5_when_the_state_cannot_be_read(vault, server):
    install(vault, server, A)
    leaf = vault.publish(A)
    (server.state_directory / "state.json").write_text("{")
    assert server.sync().exit == 5
    assert server.installed(A).fingerprint != leaf.fingerprint
    assert_told_to_monitoring(server, "state.json")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_5_when_no_process_can_be_started(vault, server):
    install(vault, server, A)
    assert server.sync(under=["strace", "-qq", "-o", "/dev/null", "-e", "inject=clone,clone3:error=EAGAIN"]).exit == 5
    assert_told_to_monitoring(server, "process")


def test_5_when_the_state_cannot_be_written_and_nothing_that_was_fetched_is_installed(vault, server):
    install(vault, server, A)
    leaf = vault.publish(A)
    breaks_state(server)
    assert server.sync().exit == 5
    assert server.installed(A).fingerprint != leaf.fingerprint
    (server.state_directory / ".state.json.certlet").rmdir()
    assert server.sync().exit == 0
    assert server.installed(A).fingerprint == leaf.fingerprint


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")
def test_5_when_no_file_may_be_long_enough_and_the_next_run_finishes(vault, server):
    install(vault, server, A)
    leaf = vault.publish(A)
    run = server.sync(under=["prlimit", "--fsize=100"])
    assert run.exit == 5 and "File too large" in run.stderr, run.output
    assert server.installed(A).fingerprint != leaf.fingerprint and server.installed(A).matches
    assert server.sync().exit == 0
    assert server.installed(A).fingerprint == leaf.fingerprint


@pytest.mark.root
def test_5_with_a_word_when_there_is_no_dev_null(server):
    run = server.run("--status", under=["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev && exec "$@"', "sh"])
    assert run.exit == 5 and "/dev/null" in run.stderr


# Precedence


def test_1_comes_before_5(vault, server):
    install(vault, server, A)
    (server.state_directory / "state.json").write_text("{")
    server.writes("[vault]\n")
    assert server.sync().exit == 1


def test_1_comes_before_2_and_3(vault, server, dead_address):
    install(vault, server, A)
    server.asks(address=dead_address, ca_file=server.etc / "nowhere.pem")
    server.wants(A, group="nosuchgroup")
    assert server.sync().exit == 1


def test_5_comes_before_2(vault, server):
    install(vault, server, A, B)
    vault.publish(A)
    vault.deny(B)
    breaks_state(server)
    assert server.sync().exit == 5


def test_5_comes_before_3(vault, server, dead_address):
    install(vault, server, A)
    (server.state_directory / "state.json").write_text("{")
    server.asks(address=dead_address)
    assert server.sync().exit == 5


def test_2_comes_before_3(vault, server, dead_address):
    install(vault, server, A, services=["web"])
    vault.publish(A)
    server.breaks("web", "reload")
    assert server.sync().exit == 2
    server.asks(address=dead_address)
    assert server.sync().exit == 2
    server.mends("web")
    assert server.sync().exit == 2, "the version in quarantine is still not installed"


# --sync NAME, --force


def test_a_name_is_brought_up_to_date_and_no_other(vault, server):
    install(vault, server, A, B)
    before = server.installed(A).fingerprint
    vault.publish(A)
    leaf = vault.publish(B)
    assert server.sync(B).exit == 0
    assert server.installed(A).fingerprint == before and server.installed(B).fingerprint == leaf.fingerprint
    assert vault.requests(name=A) == 0


def test_the_exit_code_speaks_of_the_names(vault, server):
    install(vault, server, A, B)
    vault.deny(A)
    assert server.sync(B).exit == 0
    assert server.sync(A).exit == 2


def test_a_name_that_is_neither_listed_nor_installed_is_1(vault, server):
    install(vault, server, A)
    run = server.sync("stranger.example.test")
    assert run.exit == 1 and "stranger.example.test" in run.stderr


def test_a_name_that_is_only_installed_is_deleted(vault, server):
    install(vault, server, A, B)
    server.unwants(B)
    assert server.sync(A).exit == 0 and server.installed(B) is not None
    assert server.sync(B).exit == 0 and server.installed(B) is None


def test_force_needs_a_name(vault, server):
    install(vault, server, A)
    before = server.files()
    assert server.sync("--force").exit == 1
    assert server.files() == before


# --dry-run


def test_a_dry_run_says_what_would_change_and_changes_nothing(vault, server):
    install(vault, server, A, B, services=["web"])
    leaf = vault.publish(A)
    server.unwants(B)
    server.write_manifest()
    before = server.files()
    run = server.sync("--dry-run")
    assert run.exit == 0 and server.files() == before
    assert leaf.fingerprint in run.stderr and server.installed(A).fingerprint in run.stderr
    assert re.search(rf"{re.escape(B)}.*delete", run.stderr)
    assert server.calls("web") == []


def test_a_dry_run_names_the_reload_of_a_service_that_is_newly_listed(vault, server):
    install(vault, server, A)
    server.wants(A, services=["web"])
    run = server.sync("--dry-run")
    assert run.exit == 0 and "service web: would be tested and reloaded" in run.stderr
    assert server.sync().exit == 0 and server.reloads("web") == 1
    assert "would be tested" not in server.sync("--dry-run").stderr


def test_a_dry_run_on_a_fresh_machine_writes_nothing_at_all(vault, server):
    leaf = vault.publish(A)
    server.wants(A)
    server.write_manifest()
    before = server.files()
    run = server.sync("--dry-run")
    assert run.exit == 0 and leaf.fingerprint in run.stderr and server.files() == before


def test_a_dry_run_takes_no_lock(vault, server):
    install(vault, server, A)
    with open(server.run_directory / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert server.sync("--dry-run").seconds < 30


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_dry_run_ends_as_a_run_would_before_any_swap(vault, server, dead_address, code):
    install(vault, server, A)
    if code == 1:
        server.writes("[vault]\n")
    elif code == 2:
        vault.put(A, of_a_stranger(server))
    else:
        server.asks(address=dead_address)
    server.write_manifest()
    before = server.files()
    assert server.sync("--dry-run").exit == code
    assert server.files() == before


# --test, --policy


def test_the_text_of_a_manifest_is_judged_without_anything_else(server, dead_address):
    server.asks(address=dead_address, ca_file="/nowhere/ca.pem", secret_id_file="/nowhere/secret-id")
    server.wants(A, group="nosuchgroup", cert_path="/nowhere/cert.pem", services=["web"])
    before = server.files().keys()
    assert server.run("--test").exit == 0
    assert server.files().keys() - before <= {"etc/manifest.ini"}


def test_all_errors_of_a_manifest_are_told_with_their_lines(server):
    server.writes("[vault]\nadress = x\n[certificate a b]\n[certificate c]\nkey_mode = 0644\n[end]\n")
    run = server.run("--test")
    assert run.exit == 1
    for line in (2, 3, 5):
        assert f"{server.manifest}:{line}: " in run.stderr


def test_the_machine_is_judged_too_with_a_line_for_each_lack(vault, server, dead_address):
    server.wants(A, services=["web"])
    assert server.run("--test", "--system").exit == 0
    server.asks(ca_file="/nowhere/ca.pem", address=dead_address)
    (server.etc / "secret-id").chmod(0o644)
    server.wants(A, owner="nosuchowner", group="nosuchgroup", cert_path="/nowhere/cert.pem", trust_file="/nowhere/roots.pem")
    server.service("web", test="/nowhere/nginx -t")
    server.write_manifest()
    before = server.files()
    run = server.run("--test", "--system")
    assert run.exit == 1 and len(lines(run.stderr)) == 7
    for word in ("ca_file", "secret-id", "nosuchowner", "nosuchgroup", "cert_path", "trust_file", "/nowhere/nginx"):
        assert word in run.stderr
    assert server.calls("web") == [] and server.files() == before


@pytest.mark.root
@pytest.mark.skipif(not os.path.exists("/usr/bin/systemctl"), reason="no systemctl that one could stand in for")
def test_where_systemd_runs_a_unit_that_it_does_not_know_is_a_lack(vault, server, directory):
    systemctl = directory / "systemctl"
    systemctl.write_text('#!/bin/sh\n[ "$1" = cat ] && [ "$3" = known.service ]\n')
    systemctl.chmod(0o755)
    booted = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && mkdir -p /run/systemd/system && "
              f'mount --bind {systemctl} /usr/bin/systemctl && exec "$@"', "sh"]
    server.wants(A, services=["web", "known", "own"])
    for name in ("web", "known"):
        server.service(name, test=None, active=None, reload=None)
    run = server.run("--test", "--system", under=booted)
    assert run.exit == 1 and lines(run.stderr) == ["certlet: service web: systemd knows no unit web.service"]
    server.service("web", unit="known.service")
    assert server.run("--test", "--system", under=booted).exit == 0


@pytest.mark.root
def test_a_missing_user_is_a_lack(vault, server):
    server.wants(A)
    server.agent(user="nosuchuser")
    run = server.run("--test", "--system")
    assert run.exit == 1 and "nosuchuser" in run.stderr


def test_the_policy_is_enough_and_no_more(vault, server):
    vault.publish(A)
    vault.publish(B)
    server.asks(kv_version=2)
    server.wants(A)
    run = server.run("--policy")
    assert run.exit == 0 and run.stderr == ""
    paths = re.findall(r'path "([^"]+)"', run.stdout)
    assert sorted(paths) == sorted(f"{vault.kv_mount}/{kind}/certs/{A}" for kind in ("data", "metadata"))
    assert set(re.findall(r'"(\w+)"', "".join(re.findall(r"capabilities *= *\[(.*)\]", run.stdout)))) == {"read"}
    vault.policy(run.stdout)
    assert server.sync().exit == 0 and server.sync().exit == 0
    server.wants(B)
    assert server.sync().exit == 2 and server.installed(B) is None


def test_the_policy_of_a_manifest_with_errors_is_1(server):
    server.writes("[vault]\n")
    run = server.run("--policy")
    assert run.exit == 1 and run.stdout == ""


# --quiet, --version, --help, and what does not go together


def test_quiet_says_errors_only(vault, server):
    vault.publish(A)
    server.wants(A)
    assert server.sync("--quiet").output == ""
    vault.deny(A)
    run = server.sync("--quiet")
    assert run.exit == 2 and A in run.stderr and run.stdout == ""


def test_verbose_says_no_less(vault, server):
    install(vault, server, A)
    assert len(lines(server.sync("--verbose").stderr)) >= 1


def test_version_and_help_go_to_standard_output(server):
    run = server.execute([server.command()[0], "--version"])
    assert run.exit == 0 and re.fullmatch(r"certlet \d+\.\d+\.\d+\n", run.stdout) and run.stderr == ""
    run = server.execute([server.command()[0], "--help"])
    assert run.exit == 0 and run.stdout.startswith("Usage: certlet ") and run.stderr == ""
    assert max(map(len, run.stdout.splitlines())) <= 100


@pytest.mark.parametrize("arguments", [
    [], ["--nonsense"], ["stray"], ["--sync", "--status"], ["--sync", "--json"], ["--status", "--force"], ["--test", "--dry-run"],
    ["--policy", A], ["--test", A], ["--purge", A], ["--purge", "--dry-run"], ["--sync", "--manifest"],
    ["--sync", "--verbose", "--quiet"], ["--quiet", "--test", "--verbose"]], ids=" ".join)
def test_what_does_not_go_together_is_1_and_nothing_happens(vault, server, arguments):
    vault.publish(A)
    server.wants(A)
    server.write_manifest()
    before = server.files()
    run = server.run(*arguments)
    assert run.exit == 1 and run.stderr and run.stdout == "" and server.files() == before


@pytest.mark.parametrize("arguments", [
    ["--pur"], ["--purg", "--force"], ["--purge", "--forc"], ["--test", "--man", "MANIFEST"], ["--test", "--manifes=MANIFEST"]], ids=" ".join)
def test_an_option_that_is_not_written_out_is_1_and_is_told_in_full(vault, server, arguments):
    install(vault, server, A)
    before = server.files()
    run = server.run(*[word.replace("MANIFEST", str(server.manifest)) for word in arguments])
    assert run.exit == 1 and re.search(r"--\w+\S*: write it out: --(purge|force|manifest)\n", run.stderr)
    assert server.files() == before


def test_an_option_that_is_written_out_may_have_its_value_in_one_word_or_two(server):
    server.wants(A)
    server.write_manifest()
    program = server.command()[0]
    assert server.execute([program, "--test", f"--manifest={server.manifest}"]).exit == 0
    assert server.execute([program, "--test", "--manifest", server.manifest]).exit == 0
    assert server.execute([program, "--manifest", "--manifest", "--test"]).stderr.startswith("certlet: --manifest: there is no")


def test_a_check_that_is_called_wrongly_is_unknown_to_monitoring(server):
    server.wants(A)
    assert server.run("--check", A).exit == 3
    assert server.run("--check", "--json").exit == 3


@pytest.mark.parametrize("verb, code", [("--status", 1), ("--policy", 1), ("--check", 3)])
def test_what_cannot_be_printed_is_told_by_the_exit_code_of_the_verb(vault, server, verb, code):
    install(vault, server, A)
    run = server.execute(["sh", "-c", '"$@" >/dev/full', "sh", *server.command(verb)])
    assert run.exit == code and "standard output" in run.stderr


# --purge


def test_a_purge_that_is_1_touched_nothing(vault, server):
    install(vault, server, A)
    server.live.rename(server.etc / "elsewhere")
    server.live.symlink_to("elsewhere")
    before = server.files()
    assert server.run("--purge").exit == 1 and server.files() == before


def test_purge_leaves_nothing_behind_but_the_lock(vault, server):
    install(vault, server, A, B)
    assert server.run("--purge").exit == 0
    assert not server.live.exists() and not server.archive.exists()
    assert list(server.state_directory.iterdir()) == []
    assert [path.name for path in server.run_directory.iterdir()] == ["lock"]
    assert server.run("--status").exit == 1


# --splay


def pause_of(run):
    """The time that a run said this host waits: "5 min" -> 300."""
    number, unit = re.search(r"(?:waiting|would wait) (\d+) (\w+)", run.stderr).groups()
    return int(number) * {"s": 1, "min": 60, "h": 3600, "days": 86400}[unit]


def as_machine(text, directory):
    """Words to run a program with, on a host of this machine-id."""
    path = directory / "machine-id"
    path.write_text(text + "\n")
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {path} /etc/machine-id && exec "$@"', "sh"]


def test_splay_waits_before_the_run_and_says_so_when_verbose(vault, server):
    vault.publish(A)
    server.wants(A)
    run = server.sync("--splay", "1s", "--verbose")
    assert run.exit == 0 and "waiting" in run.stderr and server.installed(A)
    quick = server.sync("--splay", "1s")
    assert quick.exit == 0 and len(lines(quick.stderr)) == 1, "nothing but the line of an idle run"
    waited = server.status()["last_sync"]
    assert server.sync("--splay", "0s").exit == 0 and waited["seconds"] < 1


@pytest.mark.root
@pytest.mark.skipif(not os.path.exists("/etc/machine-id"), reason="there is no /etc/machine-id here that another could be mounted over")
def test_each_host_has_a_splay_of_its_own_and_a_dry_run_tells_it_without_waiting(vault, server):
    vault.publish(A)
    server.wants(A)
    told = [pause_of(server.sync("--splay", "90d", "--dry-run", under=as_machine(text, server.directory)))
            for text in ("1" * 32, "2" * 32, "1" * 32)]
    assert told[0] == told[2] != told[1] and server.installed(A) is None
    assert all(0 <= pause < 90 * 86400 for pause in told)


@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_splay_ends_with_a_signal_and_holds_no_lock(vault, server, number):
    vault.publish(A)
    server.wants(A)
    waiting = server.start("--sync", "--splay", "90d", "--verbose", stderr=subprocess.PIPE)
    assert b"waiting" in waiting.stderr.readline()
    assert server.sync().exit == 0 and server.installed(A), "another run goes on meanwhile"
    waiting.send_signal(number)
    assert waiting.wait(10) == -number
    waiting.stderr.close()


@pytest.mark.parametrize("words, said", [
    (["--splay", "soon"], "soon: is no duration"), (["--splay", "5"], "5: is no duration"), (["--splay="], "is no duration"),
    (["--splay"], "requires an argument"), (["--splay", "-1s"], "is no duration"),
    (["--splay", "5m", A], "does not go with NAMEs"), (["--spl", "5m"], "write it out: --splay")])
def test_a_splay_that_is_no_duration_or_has_names_is_a_usage_error(vault, server, words, said):
    server.wants(A)
    run = server.sync(*words)
    assert run.exit == 1 and said in run.stderr and vault.requests() == 0
    assert server.status() is None


@pytest.mark.parametrize("verb", ["--status", "--check", "--test", "--policy", "--purge"])
def test_only_sync_has_a_splay(vault, server, verb):
    run = server.run(verb, "--splay", "1s")
    assert run.exit == (3 if verb == "--check" else 1) and "--splay does not go with" in run.stderr
