"""A secret-id that comes wrapped: taken out once, kept before it is used, and whatever goes wrong is told."""

import json
import os
import shutil
import time
from datetime import datetime, timezone

import pytest

from support.bao import ApiError

WWW = "www.example.test"
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


class Host:
    """A server whose secret-id comes in wrapped_secret_id_file alone."""

    def __init__(self, server):
        self.server = server
        self.vault = server.vault
        self.secret_id = server.etc / "secret-id"
        self.wrapped = server.etc / "wrapped"
        self.secret_id.unlink()
        server.asks(wrapped_secret_id_file=self.wrapped)
        server.wants(WWW)

    def gets(self, token):
        self.wrapped.touch(mode=0o600)
        self.wrapped.write_text(token + "\n")
        return token

    @property
    def told(self):
        return self.server.status()["vault"]

    @property
    def remembered(self):
        return json.loads((self.server.state_directory / "state.json").read_text()).get("wrapped", {})

    def remembers(self, **facts):
        path = self.server.state_directory / "state.json"
        state = json.loads(path.read_text())
        state["wrapped"].update(facts)
        path.write_text(json.dumps(state))


@pytest.fixture
def host(vault, server):
    vault.publish(WWW)
    return Host(server)


@pytest.fixture
def lone_host(own_vault, server):
    """On a server of its own, whose audit log shows the requests that name no corner."""
    own_vault.publish(WWW)
    return Host(server)


# The good way


def test_a_wrapped_secret_id_is_looked_up_unwrapped_kept_and_used(lone_host, server):
    lone_host.gets(lone_host.vault.wrap(body={"ttl": "1h"}))
    before = time.time()
    assert server.sync().exit == 0
    assert server.installed(WWW).matches
    asked = lone_host.vault.asked()
    assert asked[:3] == ["sys/wrapping/lookup", "sys/wrapping/unwrap", "auth/approle/login"]
    assert lone_host.secret_id.stat().st_mode & 0o777 == 0o600
    assert lone_host.told["credentials"] == "ok"
    expires = datetime.fromisoformat(lone_host.told["secret_id_expires"].replace("Z", "+00:00"))
    assert before + 3595 < expires.timestamp() < time.time() + 3601
    assert expires.tzinfo == timezone.utc


def test_a_token_that_was_taken_is_ignored_as_long_as_it_lies_there(lone_host, server):
    token = lone_host.gets(lone_host.vault.wrap())
    assert server.sync().exit == 0
    kept = lone_host.secret_id.read_text()
    facts = lone_host.wrapped.stat()
    run = server.sync()
    assert run.exit == 0 and lone_host.vault.requests(kind="wrapping") == 0
    assert lone_host.secret_id.read_text() == kept
    assert lone_host.wrapped.stat() == facts and lone_host.wrapped.read_text() == token + "\n"
    assert token not in (server.state_directory / "state.json").read_text() + run.output
    lone_host.wrapped.unlink()
    assert server.sync().exit == 0


def test_the_next_token_replaces_the_secret_id_and_makes_a_new_login(host, server):
    host.gets(host.vault.wrap())
    assert server.sync().exit == 0
    first = host.secret_id.read_text()
    assert server.sync().exit == 0 and host.vault.requests(kind="login") == 0
    host.gets(host.vault.wrap())
    run = server.sync()
    assert run.exit == 0 and "a new secret-id was unwrapped, which does not expire" in run.output
    assert host.secret_id.read_text() != first
    assert host.vault.requests(kind="login") == 1
    assert host.told["secret_id_expires"] is None


def test_a_secret_id_that_is_good_for_a_few_logins_is_warned_of(host, server):
    host.gets(host.vault.wrap(num_uses=3))
    run = server.sync()
    assert run.exit == 0 and "good for 3 logins" in run.output


def test_a_secret_id_with_a_third_of_its_life_left_is_expiring(host, server):
    host.gets(host.vault.wrap(body={"ttl": "1h"}))
    assert server.sync().exit == 0

    def moment(seconds):
        return datetime.fromtimestamp(time.time() + seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    host.remembers(begins=moment(-1900), expires=moment(1100))
    assert server.sync().exit == 0 and host.told["credentials"] == "ok"
    host.remembers(begins=moment(-2100), expires=moment(900))
    assert server.sync().exit == 0 and host.told["credentials"] == "expiring"
    host.gets(host.vault.wrap(body={"ttl": "1h"}))
    assert server.sync().exit == 0 and host.told["credentials"] == "ok"


def test_nothing_is_known_of_the_end_of_a_secret_id_that_somebody_else_wrote(host, server):
    host.gets(host.vault.wrap(body={"ttl": "1h"}))
    assert server.sync().exit == 0 and host.told["secret_id_expires"]
    server.credentials(secret_id=host.vault.new_secret_id())
    assert server.sync().exit == 0
    assert host.told["secret_id_expires"] is None and host.told["credentials"] == "ok"


def test_a_dry_run_leaves_the_token_as_it_is(host, server):
    token = host.gets(host.vault.wrap())
    run = server.sync("--dry-run")
    assert run.exit == 3 and "would be unwrapped" in run.output
    assert not host.secret_id.exists()
    assert host.vault.unwrap(token)["secret_id"]


# What is not as it should be


def test_a_token_that_somebody_else_used_is_told_at_every_run_until_there_is_another(lone_host, server):
    lone_host.vault.unwrap(lone_host.gets(lone_host.vault.wrap()))
    run = server.sync()
    assert run.exit == 3
    assert f"wrapped_secret_id_file {lone_host.wrapped}: possible interception: the token was used before" in run.stderr
    assert lone_host.vault.asked() == ["sys/wrapping/lookup"]
    again = server.sync()
    assert again.exit == 3 and "possible interception" in again.stderr and lone_host.vault.requests() == 0
    assert lone_host.told["credentials"] == "missing"
    assert "possible interception" in server.status()["last_sync"]["error"]
    lone_host.gets(lone_host.vault.wrap())
    assert server.sync().exit == 0 and lone_host.told["credentials"] == "ok"


def test_a_token_that_has_expired_is_told(host, server):
    host.gets(host.vault.wrap(ttl="1s"))
    time.sleep(1.5)
    run = server.sync()
    assert run.exit == 3 and "or has expired" in run.stderr


@pytest.mark.parametrize("what", ["sys/wrapping/wrap", "another mount", "custom-secret-id", "role-id"])
def test_a_token_made_elsewhere_is_not_unwrapped_and_the_old_secret_id_still_serves(vault, host, server, what):
    if what == "another mount":
        host.vault.api("POST", f"sys/auth/other-{vault.id}", {"type": "approle"})
        host.vault.api("POST", f"auth/other-{vault.id}/role/host", {})
        path, body = f"auth/other-{vault.id}/role/host/secret-id", {}
    elif what == "sys/wrapping/wrap":
        path, body = what, {"secret_id": vault.secret_id}
    else:
        path, body = f"auth/{vault.auth_mount}/role/{vault.role}/{what}", {"secret_id": "chosen", "role_id": vault.role_id}
    token = host.gets(host.vault.wrap(path, body) if what != "role-id" else vault.api(
        "GET", path, headers={"X-Vault-Wrap-TTL": "60s"})["wrap_info"]["token"])
    server.credentials(secret_id=vault.secret_id)
    run = server.sync()
    assert run.exit == 3 and f"possible interception: the token was made for {path}" in run.stderr
    assert server.installed(WWW).matches
    assert host.told["credentials"] == "refused"
    assert host.vault.unwrap(token), "it is still good"


def test_a_secret_id_of_another_role_is_refused_at_the_login(host, vault, server):
    vault.api("POST", f"auth/{vault.auth_mount}/role/other", {})
    host.gets(host.vault.wrap(f"auth/{vault.auth_mount}/role/other/secret-id"))
    run = server.sync()
    assert run.exit == 3 and "invalid role or secret ID" in run.stderr
    assert host.told["credentials"] == "refused"


def test_a_token_of_another_namespace_is_not_unwrapped(own_vault, server):
    team = own_vault.in_namespace("team")
    server.uses(team)
    team.publish(WWW)
    host = Host(server)
    token = host.gets(own_vault.wrap())
    run = server.sync()
    assert run.exit == 3 and "of another namespace" in run.stderr
    assert own_vault.unwrap(token)
    host.gets(team.wrap())
    assert server.sync().exit == 0
    server.asks(auth_namespace="root")
    token = host.gets(team.wrap())
    assert server.sync().exit == 3 and team.unwrap(token)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_token_that_others_can_read_is_a_wrong_set_up(host, server, mode):
    token = host.gets(host.vault.wrap())
    host.wrapped.chmod(mode)
    run = server.sync()
    assert run.exit == 1 and "must not be readable by group or others" in run.stderr
    assert not host.secret_id.exists() and host.vault.unwrap(token)


def loosen_secret_id(host, server):
    host.secret_id.touch()
    host.secret_id.chmod(0o640)


def stand_in_the_way(host, server):
    server.live.touch()


def lose_ca_file(host, server):
    server.asks(ca_file=server.etc / "nowhere.pem")


@pytest.mark.parametrize("wrong", [loosen_secret_id, stand_in_the_way, lose_ca_file])
def test_a_token_is_not_spent_where_the_set_up_is_wrong(host, server, wrong):
    token = host.gets(host.vault.wrap())
    wrong(host, server)
    server.write_manifest()
    before = server.files()
    assert server.sync().exit == 1
    assert {path: facts for path, facts in server.files().items() if path != "run/lock"} == before
    assert host.vault.unwrap(token)


def test_a_file_that_holds_more_than_a_token_is_told(host, server):
    host.gets("s.one s.two")
    run = server.sync()
    assert run.exit == 3 and "more than a token" in run.stderr


def test_no_token_and_no_secret_id_are_missing_credentials_and_no_more(host, server):
    for text in (None, "", "\n"):
        if text is not None:
            host.gets(text)
        run = server.sync()
        assert run.exit == 3 and f"secret-id {host.secret_id} is missing" in run.stderr
        assert "wrapped_secret_id_file" not in run.stderr and host.told["credentials"] == "missing"


# What comes in between


def test_a_token_is_kept_for_later_when_vault_does_not_answer(host, server, dead_address):
    address = server.vault_keys["address"]
    host.gets(host.vault.wrap())
    server.asks(address=dead_address)
    run = server.sync()
    assert run.exit == 3 and "interception" not in run.stderr
    assert run.seconds < 9, "what does not answer is not asked twice"
    assert host.told["credentials"] == "unknown"
    server.asks(address=address)
    assert server.sync().exit == 0


def test_a_lookup_that_is_not_answered_by_vault_spends_nothing(standin, vault, server, directory):
    vault.publish(WWW)
    server.uses(vault)
    host = Host(server)
    host.gets(vault.wrap())
    address, ca_file = server.vault_keys["address"], server.vault_keys["ca_file"]
    server.asks(address=standin.address, ca_file=standin.ca_file)
    standin.reply("sys/wrapping/lookup", 403, {"errors": ["not from here"]})
    run = server.sync()
    assert run.exit == 3 and "not from here" in run.stderr and "interception" not in run.stderr
    assert standin.count("sys/wrapping/unwrap") == 0
    server.asks(address=address, ca_file=ca_file)
    assert server.sync().exit == 0


def test_an_unwrapping_whose_answer_is_lost_is_not_repeated(standin, server):
    standin.reply("sys/wrapping/lookup", 200, {"data": {"creation_path": "auth/approle/role/any/secret-id"}})
    standin.reply("sys/wrapping/unwrap", 200, {"data": {"secret_id": "x"}}, cut=True)
    host = Host(server)
    host.gets("hvs.some")
    run = server.sync()
    assert run.exit == 3 and "not tried again" in run.stderr
    assert standin.count("sys/wrapping/unwrap") == 1
    assert server.sync().exit == 3 and standin.count("sys/wrapping") == 2


@pytest.mark.parametrize("data", [{}, {"secret_id": ""}, {"secret_id": 7}, {"secret_id": "a\nb"}, {"secret_id": "x" * 9000}, None])
def test_an_answer_that_is_no_secret_id_is_not_written(standin, server, data):
    standin.reply("sys/wrapping/lookup", 200, {"data": {"creation_path": "auth/approle/role/any/secret-id"}})
    standin.reply("sys/wrapping/unwrap", 200, {"data": data})
    host = Host(server)
    host.gets("hvs.some")
    run = server.sync()
    assert run.exit == 3 and "no secret-id in it" in run.stderr
    assert not host.secret_id.exists()


def test_a_token_is_not_spent_where_its_secret_id_could_not_be_written(host, server):
    token = host.gets(host.vault.wrap())
    server.asks(secret_id_file=server.etc / "later" / "secret-id")
    run = server.sync()
    assert run.exit == 3 and "not unwrapped, since there is no place for it" in run.stderr
    (server.etc / "later").mkdir(mode=0o755)
    (server.etc / "later" / "secret-id").symlink_to("/dev/null")
    run = server.sync()
    assert run.exit == 3 and "no regular file" in run.stderr
    (server.etc / "later" / "secret-id").unlink()
    assert server.sync().exit == 0
    with pytest.raises(ApiError):
        host.vault.unwrap(token)


@pytest.mark.root
@needs_strace
def test_a_run_that_is_killed_with_the_secret_id_in_its_hands_tells_that_it_is_lost(host, server):
    token = host.gets(host.vault.wrap())
    # The second rename is that of the state which knows of the secret-id.
    server.sync(under=["strace", "-o", "/dev/null", "-e", "trace=renameat", "-e", "inject=renameat:signal=KILL:when=2"])
    with pytest.raises(ApiError):
        host.vault.unwrap(token)
    run = server.sync()
    assert run.exit == 3 and "its secret-id is lost" in run.stderr
    assert host.told["credentials"] == "missing" and not host.secret_id.exists()
    assert [path.name for path in server.etc.iterdir() if path.name.startswith(".")] == []
    host.gets(host.vault.wrap())
    assert server.sync().exit == 0


@pytest.mark.root
@needs_strace
def test_a_run_that_is_killed_before_the_last_step_is_finished_by_the_next(host, server):
    host.gets(host.vault.wrap())
    server.sync(under=["strace", "-o", "/dev/null", "-e", "trace=renameat", "-e", "inject=renameat:signal=KILL:when=3"])
    assert not host.secret_id.exists() and host.remembered["digest"]
    assert server.sync().exit == 0
    assert host.secret_id.exists() and host.told["credentials"] == "ok"


# What a run changes on the disk, and what it says to the process that unwraps and hears from it.
STEPS = "openat,fsync,renameat,unlinkat,fchmod,socketpair,clone,sendto,recvfrom"


@pytest.mark.root
@needs_strace
def test_a_run_that_is_killed_at_any_step_leaves_the_secret_id_in_its_place_or_tells_that_it_is_lost(host, server):
    host.gets(host.vault.wrap())
    assert server.sync().exit == 0
    outcomes = []
    for number in range(1, 500):
        before = host.secret_id.read_text()
        token = host.gets(host.vault.wrap())
        done = server.sync(under=["strace", "-o", "/dev/null", "-e", f"trace={STEPS}", "-e",
                                  f"inject={STEPS}:signal=KILL:when={number}"]).exit == 0
        run = server.sync()
        assert [path.name for path in server.etc.iterdir() if path.name.startswith(".")] == [], number
        outcomes.append(run.exit)
        if run.exit == 0:
            assert host.secret_id.read_text() != before and host.told["credentials"] == "ok", number
            with pytest.raises(ApiError):
                host.vault.unwrap(token)
        else:
            assert run.exit == 3 and "its secret-id is lost" in run.stderr, number
            assert host.secret_id.read_text() == before and host.told["credentials"] == "refused", number
        if done:
            break
    assert done and outcomes[0] == outcomes[-1] == 0 and 3 in outcomes


def test_vault_that_does_not_answer_is_told_also_when_nothing_else_is_to_be_asked(host, server, dead_address):
    host.gets(host.vault.wrap())
    assert server.sync().exit == 0
    host.gets(host.vault.wrap())
    server.asks(address=dead_address)
    server.unwants(WWW)
    server.wants("other.example.test", group="nosuchgroup")
    assert server.sync(WWW).exit == 3
    assert server.installed(WWW) is None


# Removal, and what else there is to see


def test_purge_removes_the_secret_id_that_certlet_wrote(host, server):
    host.gets(host.vault.wrap())
    assert server.sync().exit == 0
    assert server.run("--purge").exit == 0
    assert not host.secret_id.exists() and host.wrapped.exists()
    assert not server.state_directory.exists() or os.listdir(server.state_directory) == []


def test_purge_leaves_a_secret_id_that_somebody_else_wrote(host, server):
    host.gets(host.vault.wrap())
    assert server.sync().exit == 0
    server.credentials(secret_id=host.vault.new_secret_id())
    assert server.run("--purge").exit == 0
    assert host.secret_id.exists()


def test_the_system_is_in_order_with_a_token_in_the_place_of_a_secret_id(host, server):
    run = server.run("--test", "--system")
    assert run.exit == 1 and "secret_id_file" in run.stderr
    host.gets("s.any")
    assert server.run("--test", "--system").exit == 0
    host.wrapped.chmod(0o640)
    run = server.run("--test", "--system")
    assert run.exit == 1 and f"wrapped_secret_id_file {host.wrapped}: mode 0640" in run.stderr


def test_the_status_tells_when_the_secret_id_ends(host, server):
    host.gets(host.vault.wrap(body={"ttl": "1h"}))
    assert server.sync().exit == 0
    assert "credentials ok, secret-id until" in " ".join(server.run("--status").stdout.split())
