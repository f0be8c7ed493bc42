"""The clock is wrong at boot, far ahead, beyond 2038, or steps during a run: nothing is lost by it, and nothing is stuck after it."""

import json
import time

import pytest

from support.hostile import DATA, LOGIN, METADATA, WWW
from support.preload import Clock

HOUR, DAY, YEAR = 3600, 86400, 31557600
BOOT, ROLLOVER = "1970-01-01T00:00:20Z", "2038-01-19T03:14:00Z"


@pytest.fixture
def standin(standins):
    """Without TLS: nothing but certlet itself looks at the time."""
    return standins(tls=False)


@pytest.fixture
def clock(directory, server):
    made = Clock(directory)
    server.asks(timeout="4s", deadline="4s")
    server.environment.update(made.environment)
    return made


def offers(standin, ca, version, **how):
    leaf = ca.leaf([WWW], **how)
    standin.forget()
    standin.logs_in().holds(WWW, leaf, version=version)
    return leaf


def for_ever(ca_days=20000):
    return {"days": ca_days, "intermediate_days": ca_days + 400}


def assert_installed(server, leaf, run=None, exit_code=0):
    run = run or server.sync()
    assert run.exit == exit_code, run.output
    live = server.installed(WWW)
    assert live.fingerprint == leaf.fingerprint and live.matches
    return run


@pytest.mark.parametrize("ahead", [90 * DAY, 20 * YEAR])
def test_what_a_clock_that_was_ahead_took_for_expired_is_installed_when_it_is_right(standin, server, ca, served, clock, ahead):
    good = offers(standin, ca, 2)
    clock.steps(ahead)
    run = assert_installed(server, served, exit_code=2)
    assert "expired" in run.stderr
    assert_installed(server, served, exit_code=2)
    clock.is_right()
    assert_installed(server, good)


def test_what_a_clock_at_boot_took_for_not_yet_valid_is_installed_when_it_is_right(standin, server, ca, served, clock):
    good = offers(standin, ca, 2)
    clock.shows(BOOT)
    run = assert_installed(server, served, exit_code=2)
    assert "begins" in run.stderr
    assert server.run("--check").exit in (1, 2)
    clock.is_right()
    assert_installed(server, good)


def test_an_idle_run_at_boot_touches_nothing(standin, server, served, clock):
    before = server.installed(WWW).inodes
    clock.shows(BOOT)
    assert_installed(server, served)
    assert server.installed(WWW).inodes == before and server.reloads("nginx") == 0
    assert server.run("--status").exit == 0 and server.run("--check").exit == 0


def test_a_first_run_at_boot_is_made_good_by_the_next(standin, server, ca, clock):
    good = offers(standin, ca, 1)
    server.wants(WWW, services=["nginx"])
    clock.shows(BOOT)
    assert server.sync().exit == 2 and server.installed(WWW) is None
    clock.is_right()
    assert_installed(server, good)


def test_vault_is_not_trusted_at_boot_and_is_when_the_clock_is_right(standins, standin, server, ca, served, clock):
    safe = standins()
    good = ca.leaf([WWW])
    safe.logs_in().holds(WWW, good, version=2)
    server.asks(address=safe.address, ca_file=safe.ca_file)
    clock.shows(BOOT)
    run = assert_installed(server, served, exit_code=3)
    assert "not yet valid" in run.stderr and safe.seen == []
    clock.is_right()
    assert_installed(server, good)


def test_a_quarantine_of_a_clock_that_was_ahead_does_not_last(standin, server, ca, served, clock):
    good = offers(standin, ca, 2, **for_ever())
    server.rejects("nginx", good, "reload")
    clock.steps(10 * YEAR)
    assert_installed(server, served, exit_code=2)
    assert server.certificate_status(WWW)["problem"] == "quarantined"
    assert_installed(server, served, exit_code=2)
    assert server.reloads("nginx") == 0  # it is in quarantine
    server.mends("nginx")
    clock.is_right()
    assert_installed(server, good)


def test_a_quarantine_holds_over_a_small_step_back_and_ends_after_it(standin, server, ca, served, clock):
    good = offers(standin, ca, 2)
    server.rejects("nginx", good, "reload")
    assert_installed(server, served, exit_code=2)
    server.mends("nginx")
    clock.steps(HOUR - 60)
    assert_installed(server, served, exit_code=2)
    clock.steps(120)
    assert_installed(server, good)


def test_a_success_in_the_future_does_not_hide_that_none_followed(standin, server, ca, served, clock):
    clock.steps(10 * YEAR)
    assert_installed(server, served)
    clock.is_right()
    standin.reply(LOGIN, 503)
    standin.forget(METADATA)
    standin.reply(METADATA, 503)
    assert server.sync().exit == 3
    check = server.run("--check")
    assert check.exit == 1 and "a clock that was 365" in check.stdout, check.stdout
    assert "the clock was ahead then" in server.run("--status").stdout
    offers(standin, ca, 2)
    assert server.sync().exit == 0
    assert server.run("--check").exit == 0


def test_a_success_long_ago_is_no_lie_of_a_clock_at_boot(standin, server, served, clock):
    clock.shows(BOOT)
    standin.forget(METADATA)
    standin.reply(METADATA, 503)
    assert server.sync().exit == 3
    clock.is_right()
    assert server.run("--check").exit == 0  # the success of a minute ago is not forgotten


@pytest.mark.parametrize("wrong_by", [20 * YEAR, -20 * YEAR])
def test_a_token_kept_by_another_clock_costs_one_login_at_most(standin, server, ca, served, clock, wrong_by):
    (server.run_directory / "token").unlink()
    clock.steps(wrong_by)
    assert server.sync().exit == 0
    clock.is_right()
    good = offers(standin, ca, 2)
    script = standin._scripts.pop(METADATA)
    standin.reply(METADATA, 403, {"errors": ["permission denied"]}, times=1)
    standin._scripts[METADATA] += script
    standin.reply("auth/token/lookup-self", 403, {"errors": ["permission denied"]})
    logins = standin.count(LOGIN)
    assert_installed(server, good)
    assert standin.count(LOGIN) <= logins + 1


def test_what_was_learned_of_vault_by_a_clock_that_was_ahead_is_asked_again(standin, server, ca, served, clock):
    server.asks(kv_version=None)
    clock.steps(20 * YEAR)
    assert server.sync().exit == 0
    clock.is_right()
    asked = standin.count("internal/ui/mounts")
    assert server.sync().exit == 0
    assert standin.count("internal/ui/mounts") == asked + 1
    assert server.sync().exit == 0
    assert standin.count("internal/ui/mounts") == asked + 1


def test_an_expired_certificate_stays_until_there_is_a_newer_one(standin, server, ca, served, clock):
    clock.steps(200 * DAY)
    assert_installed(server, served)
    check = server.run("--check")
    assert check.exit == 2 and f"{WWW} expired" in check.stdout
    good = offers(standin, ca, 2, days=300)
    assert_installed(server, good)


def test_a_life_beyond_2038(standin, server, ca, clock):
    clock.shows(ROLLOVER)
    first = offers(standin, ca, 1, **for_ever(5000))
    server.wants(WWW, services=["nginx"], cert_path=server.directory / "www.pem", install="copy")
    assert_installed(server, first)
    clock.shows("2038-01-19T03:14:09Z")
    second = offers(standin, ca, 2, **for_ever(10000))
    server.rejects("nginx", second, "reload")
    assert_installed(server, first, exit_code=2)
    told = server.certificate_status(WWW)
    assert told["next_try"].startswith("2038-01-19T04:1") and told["not_after"] > "2039"
    assert server.status()["last_sync"]["time"].startswith("2038-01-19T03:14")
    server.mends("nginx")
    clock.steps(2 * HOUR)
    assert_installed(server, second)
    assert server.run("--check").exit == 0
    clock.shows("2106-02-07T06:28:20Z")
    last = offers(standin, ca, 3, days=40000, intermediate_days=40400)
    assert_installed(server, last)
    other = ca.leaf(["api.example.test"], days=40000, intermediate_days=40400)
    standin.holds("api.example.test", other)
    server.wants("api.example.test")
    server.unwants(WWW)
    assert server.sync().exit == 0
    assert server.installed(WWW) is None and server.generations(WWW) == [] and server.installed("api.example.test").matches


STEPS = {"a minute back": -60, "a day on": DAY, "years back": -10 * YEAR, "years on": 10 * YEAR, "beyond 2038": 13 * YEAR}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_clock_during_the_talk_costs_no_more_than_that_run(standin, server, ca, served, clock, step):
    for version, moment in enumerate((LOGIN, METADATA, DATA), 2):
        newer = offers(standin, ca, version)
        body = standin._scripts[moment][0].body

        def steps_and_answers(connection):
            clock.steps(STEPS[step])
            time.sleep(0.3)  # the deadline is four seconds, of which the step is no part
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        (server.run_directory / "token").unlink(missing_ok=True)
        standin.forget(moment)
        standin.reply(moment, says=steps_and_answers)
        run = server.sync()
        assert run.seconds < 20 and run.exit in (0, 2, 5), run.output
        live = server.installed(WWW)
        assert live.matches and live.fingerprint == (newer if run.exit == 0 else served).fingerprint, run.output
        clock.is_right()
        standin.forget()
        standin.logs_in().holds(WWW, newer, version=version)
        assert_installed(server, newer)
        assert server.sync().exit == 0 and server.certificate_status(WWW)["problem"] is None
        served = newer


@pytest.mark.parametrize("step", [-10 * YEAR, 10 * YEAR])
def test_a_step_of_the_clock_while_a_service_is_reloaded_changes_nothing(standin, server, ca, served, clock, directory, step):
    newer = offers(standin, ca, 2)
    reload = directory / "reload-that-steps"
    wrong_by = step.to_bytes(8, "little", signed=True)
    octal = "".join(f"\\{byte:03o}" for byte in wrong_by)
    reload.write_text(f"#!/bin/sh\nprintf '{octal}' 1<> {clock.environment['CERTLET_CLOCK']}\n")
    reload.chmod(0o755)
    server.service("nginx", reload=reload, timeout="5s")
    run = assert_installed(server, newer)
    assert run.seconds < 20
    clock.is_right()
    server.service("nginx", reload=server.services_directory / "nginx/reload")
    assert_installed(server, newer)
    assert json.loads((server.state_directory / "status.json").read_text())["certificates"][0]["problem"] is None
