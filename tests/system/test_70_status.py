"""status.json, --status and --check: what the last run left, for people, monitoring and other programs."""

import datetime
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

A, B, C = (f"{letter}.example.test" for letter in "abc")

KEYS = ["schema", "certlet", "manifest", "sandbox", "vault", "thresholds", "last_sync", "last_success", "certificates", "services"]
CERTIFICATE_KEYS = ["name", "state", "problem", "error", "error_time", "next_try", "source", "version", "offered_version",
                    "serial", "fingerprint", "issuer", "names", "not_before", "not_after", "installed", "generation", "services"]
SERVICE_KEYS = ["name", "state", "reload_owed", "last_reload", "serving", "error"]


def install(vault, server, *names, **keys):
    leaves = [vault.publish(name) for name in names]
    for name in names:
        server.wants(name, **keys)
    assert server.sync().exit == 0
    return leaves


def rewind(server, **changes):
    """What a run would have written some time ago: top-level keys of status.json are replaced."""
    path = server.state_directory / "status.json"
    status = json.loads(path.read_text())
    status.update(changes)
    path.write_text(json.dumps(status))


def ago(**distance):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**distance)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def of_a_stranger(server):
    """The fields of a certificate that has another name than the one that is wanted."""
    return server.ca.leaf(["stranger.example.test"]).fields()


# The file


def test_the_file_has_the_keys_of_the_contract_in_their_order(vault, server):
    install(vault, server, A, services=["web"])
    status = server.status()
    assert list(status) == KEYS
    assert list(status["certificates"][0])[:len(CERTIFICATE_KEYS)] == CERTIFICATE_KEYS
    assert list(status["services"][0]) == SERVICE_KEYS
    assert list(status["last_sync"]) == ["time", "exit", "seconds", "requests", "error"]
    assert list(status["vault"])[:4] == ["address", "auth", "credentials", "secret_id_expires"]
    assert status["schema"] == 1 and status["manifest"] == str(server.manifest)
    assert status["thresholds"] == {"warn": 2160000, "critical": 604800, "stale": 86400}


def test_a_certificate_is_told_as_it_is_installed(vault, server):
    leaf = install(vault, server, A, services=["web"])[0]
    told, installed = server.certificate_status(A), server.installed(A)
    assert told["state"] == "ok" and told["problem"] is None and told["error"] is None and told["next_try"] is None
    assert told["fingerprint"] == leaf.fingerprint == installed.fingerprint
    assert int(told["serial"], 16) == int(installed.serial, 16)
    assert told["names"] == [A] and told["services"] == ["web"] and told["generation"] == installed.generation
    assert told["version"] == told["offered_version"] == 1
    assert told["source"] == f"kv:{vault.kv_mount}/certs/{A}"
    assert told["not_after"] == installed.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ago(minutes=1) < told["installed"] <= ago()


def test_a_run_is_told(vault, server):
    install(vault, server, A, services=["web"])
    status = server.status()
    run = status["last_sync"]
    assert run["exit"] == 0 and run["error"] is None and run["requests"] == vault.requests() and 0 < run["seconds"] < 60
    assert ago(minutes=1) < run["time"] <= ago() and status["last_success"] == run["time"]
    assert status["vault"]["address"] == vault.address and status["vault"]["auth"] == "approle"
    assert status["vault"]["credentials"] == "ok" and status["vault"]["secret_id_expires"] is None
    web = server.service_status("web")
    assert web["state"] == "ok" and web["reload_owed"] is False and web["serving"] is None and web["last_reload"] >= run["time"]


def test_everybody_may_read_it_and_it_holds_no_secret(vault, server):
    install(vault, server, A)
    path = server.state_directory / "status.json"
    assert path.stat().st_mode & 0o777 == 0o644 and server.state_directory.stat().st_mode & 0o777 == 0o755
    assert vault.secret_id not in path.read_text() and "PRIVATE" not in path.read_text()


def test_version_1_of_kv_has_no_numbers(vault, server):
    vault.publish(A, v1=True)
    server.wants(A, kv_mount=vault.kv1_mount)
    assert server.sync().exit == 0
    told = server.certificate_status(A)
    assert told["version"] is None and told["offered_version"] is None and told["state"] == "ok"


def test_what_was_never_had_is_missing_and_null(vault, server):
    server.wants(A)
    assert server.sync().exit == 2
    told = server.certificate_status(A)
    assert told["state"] == "missing" and told["problem"] == "failed" and told["error"] and told["error_time"]
    for key in ("version", "serial", "fingerprint", "issuer", "names", "not_before", "not_after", "installed", "generation"):
        assert told[key] is None, key


@pytest.mark.parametrize("days, life, state", [(90, 91, "ok"), (20, 90, "expiring"), (3, 10, "ok"), (1, 10, "expiring")])
def test_the_state_follows_the_thresholds(vault, server, days, life, state):
    vault.publish(A, days=life, starts=days - life)
    server.wants(A)
    assert server.sync().exit == 0
    assert server.certificate_status(A)["state"] == state


def test_a_refused_version_is_a_problem_until_a_good_one_comes(vault, server):
    install(vault, server, A)
    vault.put(A, of_a_stranger(server))
    assert server.sync().exit == 2
    told = server.certificate_status(A)
    assert told["problem"] == "refused" and told["state"] == "ok" and told["version"] == 1 and told["offered_version"] == 2
    assert "expected" in told["error"] and "found" in told["error"]
    since = told["error_time"]
    assert server.sync().exit == 2
    assert server.certificate_status(A)["error_time"] == since
    vault.publish(A)
    assert server.sync().exit == 0
    told = server.certificate_status(A)
    assert told["problem"] is None and told["error"] is None and told["error_time"] is None and told["version"] == 3


def test_a_rolled_back_version_is_in_quarantine_with_a_next_try(vault, server):
    install(vault, server, A, services=["web"])
    server.rejects("web", vault.publish(A), "reload")
    assert server.sync().exit == 2
    told = server.certificate_status(A)
    assert told["problem"] == "quarantined" and told["version"] == 1 and told["offered_version"] == 2
    assert ago(minutes=1) < told["error_time"] and ago(minutes=-50) < told["next_try"] < ago(minutes=-70)


def test_while_vault_is_away_a_problem_keeps_its_value(own_vault, server):
    install(own_vault, server, A, B)
    own_vault.put(A, of_a_stranger(server))
    assert server.sync().exit == 2
    before = server.status()
    own_vault.stop()
    assert server.sync().exit in (2, 3)
    after = server.status()
    assert after["last_sync"]["error"] and after["last_success"] == before["last_success"]
    assert [(one["problem"], one["error"]) for one in after["certificates"]] == \
        [(one["problem"], one["error"]) for one in before["certificates"]]


def test_a_service_is_told_as_it_was_found(vault, server):
    install(vault, server, A, services=["web"])
    server.breaks("web", "reload", "the disk is on fire")
    vault.publish(A)
    assert server.sync().exit == 2
    web = server.service_status("web")
    assert web["state"] == "failed" and "the disk is on fire" in web["error"]
    server.halts("web")
    server.sync()
    assert server.service_status("web")["state"] == "inactive" and not server.service_status("web")["reload_owed"]


def test_a_policy_without_metadata_is_noted(vault, server):
    vault.allow_metadata(False)
    install(vault, server, A)
    assert server.sync().exit == 0
    notes = server.status()["vault"]["notes"]
    assert len(notes) == 1 and f"kv:{vault.kv_mount}/certs/{A}" in notes[0]
    assert notes[0] in server.run("--status").stdout


@pytest.mark.parametrize("wrong", ["a manifest", "a dry run"])
def test_it_is_not_written_at_exit_1_and_by_a_dry_run(vault, server, wrong):
    install(vault, server, A)
    before = server.files()["state/status.json"]
    vault.publish(A)
    if wrong == "a manifest":
        server.writes("[vault]\n")
        assert server.sync().exit == 1
    else:
        assert server.sync("--dry-run").exit == 0
    assert server.files()["state/status.json"] == before


# --status


def test_the_table_names_what_a_person_needs(vault, server):
    install(vault, server, A, B, services=["web"])
    run = server.run("--status")
    assert run.exit == 0 and run.stderr == ""
    assert re.search(rf"^{re.escape(A)} +ok +\d{{4}}-\d\d-\d\d, in \d+ days +1 +web$", run.stdout, re.M)
    assert re.search(r"^web +ok +", run.stdout, re.M)
    assert f"Vault         {vault.address}, approle, credentials ok" in run.stdout
    assert "need attention" not in run.stdout


def test_problems_are_said_in_words_and_once_more_at_the_end(vault, server):
    install(vault, server, A, B)
    vault.deny(B)
    assert server.sync().exit == 2
    shown = server.run("--status").stdout
    assert re.search(rf"^{re.escape(B)} .*\n    failed since .*\n    next try: ", shown, re.M)
    assert f"1 of 2 certificates needs attention: {B}" in shown


def test_names_show_these_certificates_only_with_all_that_is_known(vault, server):
    leaf = install(vault, server, A, B)[0]
    shown = server.run("--status", A).stdout
    assert B not in shown and leaf.fingerprint in shown and f"kv:{vault.kv_mount}/certs/{A}" in shown
    run = server.run("--status", A, "stranger.example.test")
    assert run.exit == 1 and "stranger.example.test" in run.stderr and run.stdout == ""


def test_json_is_the_file(vault, server):
    install(vault, server, A, B)
    run = server.run("--status", "--json")
    assert run.exit == 0 and run.stdout == (server.state_directory / "status.json").read_text()
    assert [one["name"] for one in json.loads(server.run("--status", "--json", B).stdout)["certificates"]] == [B]


def test_before_the_first_run_there_is_nothing_to_show(server):
    server.wants(A)
    run = server.run("--status")
    assert run.exit == 1 and "has not run" in run.stderr and run.stdout == ""


def test_the_state_directory_is_found_even_in_a_manifest_with_errors(vault, server):
    install(vault, server, A)
    server.writes(server.manifest_text() + "nonsense\n")
    assert A in server.run("--status").stdout
    assert server.run("--check").exit == 0


@pytest.mark.root
def test_any_user_may_look(vault, server):
    install(vault, server, A)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    assert A in server.run("--status", under=nobody).stdout
    assert server.run("--check", under=nobody).exit == 0


def on_a_terminal(server, columns, *arguments, exit=0, **env):
    """What appears on a terminal of that width."""
    server.write_manifest()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    program = subprocess.Popen(server.command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs,
                               env=server.environment | {"TERM": "xterm"} | env, cwd=server.directory)
    os.close(theirs)
    text = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:
            break
        if not block:
            break
        text += block
    os.close(ours)
    assert program.wait() == exit
    return text.decode().replace("\r\n", "\n")


def test_a_terminal_is_never_wider_than_it_is_and_a_pipe_is_never_cut(vault, server):
    long = ".".join(["x" * 60] * 3)  # with its brackets just a line of the manifest
    install(vault, server, A, long, names="any", services=["web", "mail", "directory"])
    for columns in (72, 80, 133):
        shown = on_a_terminal(server, columns, "--status", NO_COLOR="1")
        assert max(len(line) for line in shown.splitlines()) <= columns and "…" in shown and long not in shown
        assert "\033" not in shown
    shown = server.run("--status").stdout
    assert long in shown and "…" not in shown


def test_a_state_has_a_colour_on_a_terminal_only(vault, server):
    install(vault, server, A)
    assert "\033[32mok\033[0m" in on_a_terminal(server, 100, "--status")
    assert "\033" not in on_a_terminal(server, 100, "--status", NO_COLOR="1")
    assert "\033" not in on_a_terminal(server, 100, "--status", TERM="dumb")
    assert "\033" not in server.run("--status").output


def test_a_run_tells_its_progress_on_a_terminal_and_wipes_it_away(vault, server):
    for name in (A, B):
        vault.publish(name)
        server.wants(name)
    shown = on_a_terminal(server, 100, "--sync")
    assert "\r\033[K1 of 2 certificates asked for\r\033[K" in shown
    assert "\r\033[Kcertlet: " in shown and shown.rstrip().splitlines()[-1].startswith("certlet: 2 certificates as wanted")
    vault.publish(B, days=80)
    assert "1 of 1 certificates asked for" in on_a_terminal(server, 100, "--sync", B)
    assert "asked for" not in on_a_terminal(server, 100, "--sync", "--quiet")
    assert "asked for" not in server.sync().output


def test_an_error_is_red_on_a_terminal_only(vault, server):
    install(vault, server, A)
    server.wants(B)
    assert f"\033[31mcertlet: {B}: " in on_a_terminal(server, 100, "--sync", exit=2)
    assert "\033[31m" not in on_a_terminal(server, 100, "--sync", exit=2, NO_COLOR="1")
    assert "\033[31m" not in on_a_terminal(server, 100, "--sync", exit=2, TERM="dumb")
    assert "\033" not in server.sync().output


# --check


def test_a_sound_server_is_ok(vault, server):
    install(vault, server, A, services=["web"])
    run = server.run("--check")
    assert run.exit == 0 and run.stdout.startswith("CERTLET OK - 1 certificate, ") and run.stdout.count("\n") == 1
    assert " | certificates=1 critical=0 warning=0 first_expiry_days=" in run.stdout and run.stderr == ""


def test_without_a_status_file_the_answer_is_unknown(server):
    run = server.run("--check")
    assert run.exit == 3 and run.stdout.startswith("CERTLET UNKNOWN - ")


@pytest.mark.parametrize("days, code", [(40, 0), (20, 1), (5, 2)])
def test_an_expiring_certificate_is_a_warning_and_later_critical(vault, server, days, code):
    vault.publish(A, days=90, starts=days - 90)
    server.wants(A)
    assert server.sync().exit == 0
    run = server.run("--check")
    assert run.exit == code and run.stdout.startswith(f"CERTLET {['OK', 'WARNING', 'CRITICAL'][code]} - ")


def test_thresholds_are_those_of_the_manifest(vault, server):
    server.agent(warn="60d", critical="50d", stale="1h")
    vault.publish(A, days=100, starts=-45)
    server.wants(A)
    assert server.sync().exit == 0
    assert server.run("--check").exit == 1
    rewind(server, last_success=ago(hours=2))
    assert "no run has succeeded" in server.run("--check").stdout


def test_a_missing_certificate_is_critical(vault, server):
    server.wants(A)
    assert server.sync().exit == 2
    run = server.run("--check")
    assert run.exit == 2 and f"{A} is missing, failed: " in run.stdout


def test_a_refused_version_is_a_warning(vault, server):
    install(vault, server, A)
    vault.put(A, of_a_stranger(server))
    assert server.sync().exit == 2
    run = server.run("--check")
    assert run.exit == 1 and "refused" in run.stdout and run.stdout.count("|") == 1


def test_a_failed_service_is_critical(vault, server):
    install(vault, server, A, services=["web"])
    vault.publish(A)
    server.breaks("web", "reload")
    assert server.sync().exit == 2
    run = server.run("--check")
    assert run.exit == 2 and "service web failed" in run.stdout


def test_a_server_that_vault_does_not_let_in_is_stale_and_later_critical(own_vault, server):
    install(own_vault, server, A)
    own_vault.stop()
    assert server.sync().exit == 3
    assert server.run("--check").exit == 0
    rewind(server, last_success=ago(hours=25))
    assert server.run("--check").exit == 1
    rewind(server, last_success=ago(hours=73))
    assert server.run("--check").exit == 2


def test_a_timer_that_died_is_noticed_by_the_clock(vault, server):
    install(vault, server, A)
    status = server.status()
    status["certificates"][0].update(not_after=ago(days=1), not_before=ago(days=91))
    rewind(server, certificates=status["certificates"])
    run = server.run("--check")
    assert run.exit == 2 and f"{A} expired" in run.stdout
