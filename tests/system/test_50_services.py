"""The service section of the contract, step by step, with services that are scripts (server.service)."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from support import process

A, B, C, D = (f"{letter}.example.test" for letter in "abcd")


def settle(vault, server, *names, services=("web",)):
    """Publishes and installs; what follows starts from all is well."""
    leaves = [vault.publish(name) for name in names]
    for name in names:
        server.wants(name, services=list(services))
    assert server.sync().exit == 0
    return leaves


def fingerprints(server, *names):
    return [server.installed(name) and server.installed(name).fingerprint for name in names]


def script(server, name, text):
    """A program of the test's own, for a key of [service]."""
    path = server.directory / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)
    return path


# All is well


def test_a_service_is_tested_before_and_after_the_swap_and_then_reloaded_once(vault, server):
    settle(vault, server, A)
    vault.publish(A)
    assert server.sync().exit == 0
    assert server.calls("web") == ["active", "test", "test", "reload"]
    status = server.service_status("web")
    assert status["state"] == "ok" and not status["reload_owed"] and status["last_reload"]


def test_nothing_is_run_when_nothing_changed(vault, server):
    settle(vault, server, A)
    assert server.sync().exit == 0
    assert server.calls("web") == []


def test_a_service_is_reloaded_once_however_many_certificates_changed(vault, server):
    settle(vault, server, A, B, C, D)
    for name in (A, B, C, D):
        vault.publish(name)
    assert server.sync().exit == 0
    assert server.reloads("web") == 1 and server.tests("web") == 2


def test_services_have_their_turn_in_the_order_of_the_manifest(vault, server):
    order = server.directory / "order"
    note = script(server, "note", f'echo "$1" >> {order}')
    for service in ("mail", "web", "directory"):
        server.service(service, reload=f"{note} {service}")
    vault.publish(A)
    server.wants(A, services=["directory", "web", "mail"])
    assert server.sync().exit == 0
    assert order.read_text().split() == ["mail", "web", "directory"]


def test_a_service_newly_listed_for_an_installed_certificate_owes_one_reload(vault, server):
    settle(vault, server, A)
    server.wants(A, services=["web", "mail"])
    assert server.sync().exit == 0
    assert server.reloads("mail") == 1 and server.reloads("web") == 0
    assert server.sync().exit == 0
    assert server.calls("mail") == []


# Step 1: not active


def test_for_a_service_that_does_not_run_files_are_installed_and_no_command_runs(vault, server):
    server.service("web")
    server.halts("web")
    vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 0
    assert server.installed(A)
    assert server.calls("web") == ["active failed"]
    assert server.service_status("web")["state"] == "inactive"


def test_a_service_whose_test_program_does_not_exist_counts_as_not_running(vault, server):
    server.service("web", test="/nonexistent/web -t")
    vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 0
    assert server.installed(A) and server.reloads("web") == 0
    assert server.service_status("web")["state"] == "inactive"


def test_an_owed_reload_of_a_service_that_was_stopped_is_crossed_out(vault, server):
    server.service("web")
    server.breaks("web", "reload")
    vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 2
    assert server.service_status("web")["reload_owed"]
    server.mends("web")
    server.halts("web")
    assert server.sync().exit == 0
    status = server.service_status("web")
    assert status["state"] == "inactive" and not status["reload_owed"]
    server.starts("web")
    assert server.sync().exit == 0
    assert server.reloads("web") == 0


# Step 2: the test fails before the swap


def test_a_fault_that_was_there_before_is_not_ours_the_files_stay_and_the_reload_is_owed(vault, server):
    settle(vault, server, A)
    server.breaks("web", "test", "unknown directive in line 7")
    leaf = vault.publish(A)
    run = server.sync()
    assert run.exit == 2 and "unknown directive in line 7" in run.stderr
    assert fingerprints(server, A) == [leaf.fingerprint]
    assert server.reloads("web") == 0
    status = server.service_status("web")
    assert status["state"] == "failed" and status["reload_owed"]
    assert "unknown directive in line 7" in status["error"]
    assert server.certificate_status(A)["problem"] is None
    server.mends("web")
    assert server.sync().exit == 0
    assert server.reloads("web") == 1 and vault.keys_sent() == 0


def test_a_fault_that_waited_for_its_first_certificate_is_cured_by_it(vault, server):
    server.service("web", test=f"/usr/bin/test -e {server.live}/{B}/fullchain.pem")
    settle(vault, server, B)
    assert server.reloads("web") == 1
    assert server.service_status("web")["state"] == "ok"


# Step 3: the test fails after the swap


def test_the_guilty_one_of_several_is_found_and_goes_back_alone(vault, server):
    old = settle(vault, server, A, B, C, D)
    new = [vault.publish(name) for name in (A, B, C, D)]
    server.rejects("web", new[2])
    run = server.sync()
    assert run.exit == 2 and "I do not like" in run.stderr
    assert fingerprints(server, A, B, C, D) == [leaf.fingerprint for leaf in (new[0], new[1], old[2], new[3])]
    assert server.reloads("web") == 1
    status = server.certificate_status(C)
    assert status["problem"] == "failed" and "I do not like" in status["error"]
    assert [server.certificate_status(name)["problem"] for name in (A, B, D)] == [None] * 3
    assert server.service_status("web")["state"] == "ok"


def test_two_guilty_ones_are_both_found(vault, server):
    old = settle(vault, server, A, B, C)
    new = [vault.publish(name) for name in (A, B, C)]
    server.rejects("web", new[0])
    server.rejects("web", new[1])
    assert server.sync().exit == 2
    assert fingerprints(server, A, B, C) == [old[0].fingerprint, old[1].fingerprint, new[2].fingerprint]
    assert server.reloads("web") == 1


def test_a_guilty_one_is_tried_again_from_disk_at_every_run_and_disturbs_nothing(vault, server):
    old, = settle(vault, server, A)
    new = vault.publish(A)
    server.rejects("web", new)
    assert server.sync().exit == 2
    for _ in range(2):
        assert server.sync().exit == 2
        assert server.tests("web") > 0 and server.reloads("web") == 0
        assert vault.keys_sent() == 0
        assert fingerprints(server, A) == [old.fingerprint]
    server.mends("web")
    assert server.sync().exit == 0
    assert fingerprints(server, A) == [new.fingerprint]
    assert server.reloads("web") == 1 and vault.keys_sent() == 0
    assert server.certificate_status(A)["problem"] is None


def test_another_version_takes_the_place_of_a_guilty_one(vault, server):
    settle(vault, server, A)
    server.rejects("web", vault.publish(A))
    assert server.sync().exit == 2
    better = vault.publish(A)
    assert server.sync().exit == 0
    assert fingerprints(server, A) == [better.fingerprint]
    assert server.certificate_status(A)["problem"] is None


def test_when_all_go_back_nothing_is_reloaded(vault, server):
    old, = settle(vault, server, A)
    server.rejects("web", vault.publish(A))
    assert server.sync().exit == 2
    assert server.reloads("web") == 0
    assert fingerprints(server, A) == [old.fingerprint]


def test_a_guilty_certificate_of_one_service_does_not_hold_up_the_others(vault, server):
    server.wants(A, services=["web"])
    server.wants(B, services=["mail"])
    vault.publish(A), vault.publish(B)
    assert server.sync().exit == 0
    server.rejects("web", vault.publish(A))
    leaf = vault.publish(B)
    assert server.sync().exit == 2
    assert fingerprints(server, B) == [leaf.fingerprint]
    assert server.reloads("mail") == 1 and server.reloads("web") == 0


def test_a_fault_that_came_from_elsewhere_between_the_tests_is_not_blamed_on_a_certificate(vault, server):
    settle(vault, server, A)
    # Passes once, before the swap; then somebody breaks the configuration.
    mark = server.directory / "asked"
    server.service("web", test=script(server, "test-once", f"test ! -e {mark} || exit 1; : > {mark}"))
    leaf = vault.publish(A)
    assert server.sync().exit == 2
    assert fingerprints(server, A) == [leaf.fingerprint]
    assert server.reloads("web") == 0
    assert server.service_status("web")["reload_owed"]
    assert server.certificate_status(A)["problem"] is None


# Step 4: the reload fails


def test_after_a_failed_reload_everything_goes_back_and_is_reloaded_again(vault, server):
    old = settle(vault, server, A, B)
    new = [vault.publish(A), vault.publish(B)]
    server.rejects("web", new[0], "reload")
    run = server.sync()
    assert run.exit == 2 and "I do not like" in run.stderr
    assert fingerprints(server, A, B) == [leaf.fingerprint for leaf in old]
    assert server.calls("web") == ["active", "test", "test", "reload failed", "reload"]
    for name in (A, B):
        status = server.certificate_status(name)
        assert status["problem"] == "quarantined" and status["next_try"]
        assert status["version"] == 1 and status["offered_version"] == 2
    assert not server.service_status("web")["reload_owed"]


def test_a_quarantined_version_is_left_alone_and_the_exit_code_says_so(vault, server):
    settle(vault, server, A)
    server.rejects("web", vault.publish(A), "reload")
    assert server.sync().exit == 2
    server.mends("web")
    assert server.sync().exit == 2
    assert server.calls("web") == [] and vault.keys_sent() == 0


def test_a_quarantined_version_is_tried_at_once_by_its_name(vault, server):
    old, = settle(vault, server, A)
    new = vault.publish(A)
    server.rejects("web", new, "reload")
    assert server.sync().exit == 2
    assert server.sync(A).exit == 2
    assert server.reloads("web") == 2 and fingerprints(server, A) == [old.fingerprint]
    server.mends("web")
    assert server.sync(A).exit == 0
    assert fingerprints(server, A) == [new.fingerprint]


def test_a_quarantine_lasts_when_what_is_installed_is_damaged(vault, server):
    [old] = settle(vault, server, A)
    server.rejects("web", vault.publish(A), "reload")
    assert server.sync().exit == 2
    (server.installed(A).directory / "privkey.pem").write_text("damaged\n")
    for attempt in ("cured", "idle"):
        assert server.sync().exit == 2, attempt
        assert server.installed(A).matches and fingerprints(server, A) == [old.fingerprint], attempt
        assert server.certificate_status(A)["problem"] == "quarantined", attempt
        assert "reload failed" not in server.calls("web"), attempt
    assert vault.keys_sent() == 0


def test_a_guilty_version_is_tried_again_when_damage_was_cured(vault, server):
    [old] = settle(vault, server, A)
    new = vault.publish(A)
    server.rejects("web", new)
    assert server.sync().exit == 2
    (server.installed(A).directory / "privkey.pem").write_text("damaged\n")
    assert server.sync().exit == 2 and server.certificate_status(A)["problem"] == "failed"
    assert server.installed(A).matches and fingerprints(server, A) == [old.fingerprint]
    server.mends("web")
    assert server.sync().exit == 0 and fingerprints(server, A) == [new.fingerprint]
    assert vault.keys_sent() == 0


def test_a_quarantined_version_is_tried_in_the_run_after_the_cure_when_it_was_named(vault, server):
    settle(vault, server, A)
    new = vault.publish(A)
    server.rejects("web", new, "reload")
    assert server.sync().exit == 2
    (server.installed(A).directory / "privkey.pem").write_text("damaged\n")
    run = server.sync(A)
    assert run.exit == 2 and f"{A}: still quarantined: service web: {server.services_directory}/web/reload: exit status 1" in run.stderr
    assert server.certificate_status(A)["problem"] == "quarantined" and server.certificate_status(A)["next_try"]
    server.mends("web")
    assert server.sync().exit == 0 and fingerprints(server, A) == [new.fingerprint]


def test_a_quarantine_lasts_when_the_cure_of_damage_was_killed(vault, server):
    [old] = settle(vault, server, A)
    server.rejects("web", vault.publish(A), "reload")
    assert server.sync().exit == 2
    before = server.installed(A).directory
    (before / "privkey.pem").write_text("damaged\n")
    server.slows("web")
    running = server.start("--sync")
    process.wait_until(lambda: server.installed(A).directory != before, 20, "the cure")
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    (server.services_directory / "web/slow-reload").unlink()
    for attempt in ("resumed", "idle"):
        assert server.sync().exit == 2, attempt
        assert server.installed(A).matches and fingerprints(server, A) == [old.fingerprint], attempt
        assert server.certificate_status(A)["problem"] == "quarantined" and server.certificate_status(A)["next_try"], attempt
    assert "reload failed" not in server.calls("web") and vault.keys_sent() == 0


@pytest.mark.parametrize("combined", [True, False], ids=["a file more was wanted", "content was damaged"])
def test_a_reload_that_fails_after_a_cure_holds_up_no_later_version(vault, server, combined):
    [old] = settle(vault, server, A)
    if combined:
        server.wants(A, combined=True)
    else:
        (server.installed(A).directory / "privkey.pem").write_text("damaged\n")
    server.breaks("web")
    assert server.sync().exit == 2
    assert server.installed(A).matches and fingerprints(server, A) == [old.fingerprint], "there is nothing better to go back to"
    server.mends("web")
    assert server.sync().exit == 0 and server.installed(A).matches
    new = vault.publish(A)
    assert server.sync().exit == 0 and fingerprints(server, A) == [new.fingerprint]


def test_another_version_ends_the_quarantine(vault, server):
    settle(vault, server, A)
    server.rejects("web", vault.publish(A), "reload")
    assert server.sync().exit == 2
    better = vault.publish(A)
    assert server.sync().exit == 0
    assert fingerprints(server, A) == [better.fingerprint]
    assert server.certificate_status(A)["problem"] is None


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_command_that_could_not_be_started_is_no_judgement(vault, server, tmp_path):
    server.service("web")
    settle(vault, server, A)
    for number in range(1, 100):
        leaf, trace = vault.publish(A), tmp_path / "trace"
        run = server.sync(under=["strace", "-qq", "-o", trace, "-e", f"inject=pipe2:error=EMFILE:when={number}"],
                          env={"ASAN_OPTIONS": "detect_leaks=0"})  # no leak checker works under strace
        if "(INJECTED)" not in trace.read_text():
            break
        assert server.certificate_status(A)["problem"] is None and run.exit in (0, 2)
        assert server.sync().exit == 0
        assert server.installed(A).fingerprint == leaf.fingerprint
        assert not server.service_status("web")["reload_owed"]
    assert number > 6  # active, test, test and reload have two pipes each


def test_the_faults_of_what_a_killed_run_left_unjudged_are_not_the_newer_versions(vault, server):
    settled, = settle(vault, server, A)
    unjudged = vault.publish(A)
    good, before = server.directory / "good.pem", server.directory / "tested-before-the-swap"
    good.write_text(server.installed(A).cert)
    server.service("web", test=script(server, "kill-the-second-time", f"mkdir {before} && exit; kill -9 $PPID"))
    assert server.sync().exit == -9
    assert fingerprints(server, A) == [unjudged.fingerprint]
    server.service("web", test=script(server, "wants-the-good-one", f"cmp {server.live}/{A}/cert.pem {good}"))
    vault.publish(A)
    assert server.sync().exit == 2
    assert fingerprints(server, A) == [settled.fingerprint], "what stood there hid nothing"
    assert server.certificate_status(A)["problem"] == "failed"


def test_a_second_reload_that_fails_too_is_owed_until_it_succeeds(vault, server):
    old, = settle(vault, server, A)
    vault.publish(A)
    server.breaks("web", "reload")
    assert server.sync().exit == 2
    assert server.reloads("web") == 2
    assert fingerprints(server, A) == [old.fingerprint]
    assert server.service_status("web")["reload_owed"]
    assert server.sync().exit == 2
    assert server.reloads("web") == 1
    server.mends("web")
    assert server.sync().exit == 2, "the quarantine lasts"
    assert server.reloads("web") == 1
    status = server.service_status("web")
    assert status["state"] == "ok" and not status["reload_owed"]
    assert server.sync().exit == 2
    assert server.calls("web") == []


def test_an_owed_reload_passes_the_test_first_and_nothing_goes_back(vault, server):
    server.service("web")
    server.breaks("web", "reload")
    leaf = vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 2
    server.mends("web")
    server.breaks("web", "test")
    assert server.sync().exit == 2
    assert server.calls("web") == ["active", "test failed"]
    assert fingerprints(server, A) == [leaf.fingerprint]
    server.mends("web")
    assert server.sync().exit == 0
    assert server.calls("web") == ["active", "test", "reload"]


def test_an_owed_reload_is_done_although_vault_is_away(own_vault, server):
    server.service("web")
    server.breaks("web", "reload")
    own_vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 2
    server.mends("web")
    own_vault.stop()
    assert server.sync().exit == 3
    assert server.reloads("web") == 1
    assert not server.service_status("web")["reload_owed"]


# The first installation


@pytest.mark.parametrize("what", ["test", "reload"])
def test_a_first_certificate_is_never_taken_back_whatever_fails(vault, server, what):
    leaf = vault.publish(A)
    server.service("web")
    server.rejects("web", leaf, what)
    server.wants(A, services=["web"])
    assert server.sync().exit == 2
    assert fingerprints(server, A) == [leaf.fingerprint]
    assert server.service_status("web")["reload_owed"]
    if what == "reload":
        assert server.certificate_status(A)["problem"] is None, "it was obtained, written, and no test names it guilty"
    run = server.sync()
    assert run.exit == 2 and "0 of 1 certificate and 1 of 1 service not as wanted; exit 2" in run.stderr
    assert fingerprints(server, A) == [leaf.fingerprint]
    server.mends("web")
    assert server.sync().exit == 0
    assert server.reloads("web") == 1 and vault.keys_sent() == 0


def test_of_a_renewed_and_a_first_certificate_the_guilty_first_one_stays_and_the_renewed_one_too(vault, server):
    settle(vault, server, A)
    renewed, first = vault.publish(A), vault.publish(B)
    server.rejects("web", first)
    server.wants(B, services=["web"])
    assert server.sync().exit == 2
    assert fingerprints(server, A, B) == [renewed.fingerprint, first.fingerprint]
    assert server.reloads("web") == 0 and server.service_status("web")["reload_owed"]
    server.mends("web")
    assert server.sync().exit == 0
    assert server.reloads("web") == 1


def test_of_a_renewed_and_a_first_certificate_the_guilty_renewed_one_goes_back(vault, server):
    old, = settle(vault, server, A)
    renewed, first = vault.publish(A), vault.publish(B)
    server.rejects("web", renewed)
    server.wants(B, services=["web"])
    assert server.sync().exit == 2
    assert fingerprints(server, A, B) == [old.fingerprint, first.fingerprint]
    assert server.reloads("web") == 1


# A certificate that several services use


def test_a_certificate_that_goes_back_makes_the_others_reload_again_in_the_same_run(vault, server):
    old, = settle(vault, server, A, services=["web", "mail"])
    new = vault.publish(A)
    server.rejects("mail", new, "reload")
    assert server.sync().exit == 2
    assert fingerprints(server, A) == [old.fingerprint]
    assert server.calls("web") == ["active", "test", "test", "reload", "test", "reload"]
    assert [server.service_status(name)["reload_owed"] for name in ("web", "mail")] == [False, False]


def test_where_that_second_reload_fails_it_is_owed_and_nothing_else_goes_back(vault, server):
    old, = settle(vault, server, A, services=["web", "mail"])
    once = server.directory / "once"
    server.service("web", reload=script(server, "reload-once", f'mkdir {once} && exit; echo "it is broken"; exit 1'))
    server.rejects("mail", vault.publish(A), "reload")
    run = server.sync()
    assert run.exit == 2 and "service web: " in run.stderr and "it is broken" in run.stderr
    assert fingerprints(server, A) == [old.fingerprint]
    assert [server.service_status(name)["reload_owed"] for name in ("web", "mail")] == [True, False]
    once.rmdir()
    assert server.sync().exit == 2, "the quarantine lasts"
    assert not server.service_status("web")["reload_owed"]


def test_a_certificate_that_one_service_refuses_in_its_test_goes_back_for_the_others_too(vault, server):
    old, = settle(vault, server, A, services=["web", "mail"])
    server.rejects("mail", vault.publish(A))
    assert server.sync().exit == 2
    assert fingerprints(server, A) == [old.fingerprint]
    assert server.reloads("web") in (0, 2), "never left with what went back"
    assert server.reloads("mail") == 0


# Without systemd

without_systemd = pytest.mark.skipif(Path("/run/systemd/system").exists(), reason="systemd runs here")


@without_systemd
def test_without_systemd_and_a_stand_in_a_service_is_unmanaged_and_nothing_is_owed(vault, server):
    server.service("web", active=None, reload=None)
    vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 0
    assert server.installed(A) and server.calls("web") == []
    status = server.service_status("web")
    assert status["state"] == "unmanaged" and not status["reload_owed"]


@without_systemd
def test_without_systemd_the_stand_ins_are_used(vault, server):
    server.service("web", active=None, reload=None)
    here = server.services_directory / "web"
    server.service("web", active_sysv=here / "active", reload_sysv=here / "reload")
    settle(vault, server, A)
    assert server.calls("web") == ["active", "test", "test", "reload"]


@without_systemd
def test_a_spelled_out_reload_is_used_as_it_stands_without_systemd(vault, server):
    server.service("web", active=None)
    settle(vault, server, A)
    assert server.reloads("web") == 1
