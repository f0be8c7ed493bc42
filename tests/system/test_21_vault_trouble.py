"""Vault in trouble: what a real server cannot be made to say comes from a scripted stand-in."""

import contextlib
import json
import socket
import threading
import time
from email.utils import formatdate

import pytest

WWW = "www.example.test"
LOGIN = "auth/approle/login"
DATA = f"secret/data/certs/{WWW}"
METADATA = f"secret/metadata/certs/{WWW}"


@pytest.fixture
def leaf(ca):
    return ca.leaf([WWW])


@pytest.fixture
def ready(standin, server, leaf):
    """A server that wants one certificate, and a stand-in that would give it."""
    standin.logs_in().holds(WWW, leaf)
    server.asks(kv_version="2")
    server.wants(WWW)
    return server


def script(standin, path, *replies):
    """These replies come first, once each, then what the stand-in said before; times=None: that one for ever."""
    last = standin._scripts.pop(path, [])
    for reply in replies:
        standin.reply(path, **{"times": 1, **reply})
    if replies[-1].get("times", 1) is not None:
        standin._scripts[path].extend(last)


def errors(*words):
    return {"errors": list(words)}


# Login


@pytest.mark.parametrize("code, words", [
    (400, "invalid role or secret ID"), (400, "missing secret_id"), (403, "permission denied"),
    (500, "failed to verify client's certificate"),
])
def test_a_refused_login_is_exit_3_and_is_not_repeated(standin, ready, code, words):
    script(standin, LOGIN, {"code": code, "body": errors(words), "times": None})
    run = ready.sync()
    assert run.exit == 3 and words in run.stderr
    assert standin.count("login") == 1
    assert ready.status()["vault"]["credentials"] == ("refused" if code < 500 else "unknown")


def test_a_login_error_that_repeats_the_secret_id_does_not_reach_the_log(standin, ready):
    script(standin, LOGIN, {"code": 400, "body": errors(f'invalid secret_id "{standin.secret_id}"\n\tis it?'), "times": None})
    run = ready.sync()
    assert run.exit == 3 and standin.secret_id not in run.output and "is it?" in run.stderr
    assert "\t" not in run.stderr
    assert standin.secret_id not in json.dumps(ready.status())


@pytest.mark.parametrize("answer, words", [
    ({"auth": {"client_token": "", "mfa_requirement": {"mfa_request_id": "x"}}}, "MFA"),
    ({"auth": None, "data": None, "wrap_info": {"token": "s.w"}}, "wrapped"),
    ({"auth": None, "data": None}, "no token"),
    ({"auth": {"client_token": "a\nb", "lease_duration": 60}}, "no token"),
])
def test_a_login_without_a_token_is_no_login(standin, ready, answer, words):
    script(standin, LOGIN, {"body": answer, "times": None})
    run = ready.sync()
    assert run.exit == 3 and words in run.stderr
    assert standin.count() == 1


def test_a_login_whose_answer_is_lost_is_not_repeated(standin, ready):
    script(standin, LOGIN, {"reset": True, "times": None})
    run = ready.sync()
    assert run.exit == 3 and "not repeated" in run.stderr
    assert standin.count("login") == 1


def test_a_login_that_a_sealed_node_refused_goes_to_the_next_address(standins, standin, ready, leaf):
    sealed = standins()
    sealed.reply(LOGIN, 503, errors("Vault is sealed"))
    ready.asks(address=[sealed.address, standin.address], ca_file=standin.ca_file)
    assert ready.sync().exit == 0
    assert sealed.count("login") == standin.count("login") == 1


def test_a_service_token_is_revoked_when_the_run_ends(standin, server, leaf):
    standin.logs_in(kind="service").holds(WWW, leaf).reply("auth/token/revoke-self", 204)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert [(method, path) for method, path, _, _ in standin.seen][-1] == ("PUT", "/v1/auth/token/revoke-self")


@pytest.mark.parametrize("ttl, kept", [(59, False), (1200, True)])
def test_a_batch_token_is_kept_when_a_minute_of_its_life_is_left(standin, server, leaf, ttl, kept):
    standin.logs_in(ttl=ttl).holds(WWW, leaf)
    server.wants(WWW)
    assert server.sync().exit == 0
    assert (server.run_directory / "token").exists() == kept


def test_headers_are_as_vault_wants_them_and_a_login_carries_no_token(standin, ready):
    assert ready.sync().exit == 0
    (_, _, login, _), (_, _, read, _) = standin.seen[0], standin.seen[-1]
    assert "X-Vault-Token" not in login and login["X-Vault-Request"] == "true"
    assert login["User-Agent"].startswith("certlet/") and login["Content-Type"] == "application/json"
    assert read["X-Vault-Token"] == "b.standin" and "X-Vault-Namespace" not in read


def test_the_namespaces_of_login_and_secrets_may_differ(standin, ready):
    ready.asks(namespace="team", auth_namespace="central")
    assert ready.sync().exit == 0
    assert standin.seen[0][2]["X-Vault-Namespace"] == "central"
    assert standin.seen[-1][2]["X-Vault-Namespace"] == "team"


def test_a_refused_token_check_means_a_new_login(standin, ready):
    assert ready.sync().exit == 0
    script(standin, METADATA, {"code": 500, "times": 3, "body": errors("error performing token check: illegal base64 data")})
    standin.reply("auth/token/lookup-self", 403, errors("permission denied"))
    assert ready.sync().exit == 0
    assert standin.count("login") == 2


# Trouble that passes


@pytest.mark.parametrize("trouble", [
    {"code": 503, "body": errors("Vault is sealed")},
    {"code": 502, "body": "<html><body>Bad Gateway</body></html>"},
    {"code": 429, "headers": {"Retry-After": "0"}},
    {"code": 429},
    {"code": 412, "body": errors("required index state not present")},
    {"code": 500, "body": errors("internal error")},
    {"code": 400, "body": errors("Upgrading from non-versioned to versioned data. This backend will be unavailable "
                                 "for a brief period and will resume service shortly.")},
    {"code": 200, "body": "x" * 100, "cut": 50},
])
def test_passing_trouble_is_asked_again_after_a_second(standin, ready, trouble):
    script(standin, DATA, trouble)
    run = ready.sync()
    assert run.exit == 0 and run.seconds >= 1
    assert standin.count(DATA) == 2


def test_a_connection_that_breaks_is_made_again(standin, ready):
    script(standin, DATA, {"reset": True})
    assert ready.sync().exit == 0
    assert standin.count(DATA) == 2 and standin.count("login") == 1


def test_retry_after_in_seconds_is_obeyed(standin, ready):
    script(standin, DATA, {"code": 429, "headers": {"Retry-After": "3"}})
    run = ready.sync()
    assert run.exit == 0 and run.seconds >= 3


def test_retry_after_as_a_date_is_obeyed(standin, ready):
    script(standin, DATA, {"code": 503, "headers": {"Retry-After": formatdate(time.time() + 4, usegmt=True)}})
    run = ready.sync()
    assert run.exit == 0 and run.seconds >= 2


def test_a_retry_after_beyond_the_deadline_ends_the_run_at_once(standin, ready):
    ready.asks(deadline="20s")
    script(standin, DATA, {"code": 429, "headers": {"Retry-After": "3600"}, "times": None})
    run = ready.sync()
    assert run.exit == 3 and run.seconds < 15


def test_trouble_that_stays_ends_after_three_rounds(standin, ready):
    script(standin, DATA, {"code": 503, "body": errors("Vault is sealed"), "times": None})
    run = ready.sync()
    assert run.exit == 3 and "Vault is sealed" in run.stderr
    assert standin.count(DATA) == 3 and run.seconds >= 3


@pytest.mark.parametrize("trouble", [
    {"code": 501, "body": errors("not initialized")},
    {"code": 412, "body": errors('missing "X-Vault-Request" header')},
    {"code": 405}, {"code": 413}, {"code": 400, "body": errors("bad")},
])
def test_permanent_errors_are_not_repeated(standin, ready, trouble):
    script(standin, DATA, {**trouble, "times": None})
    assert ready.sync().exit in (2, 3)
    assert standin.count(DATA) == 1


def test_one_secret_that_is_always_a_500_does_not_hold_up_the_others(standin, ready, ca):
    other = ca.leaf(["api.example.test"])
    standin.holds("api.example.test", other)
    ready.wants("api.example.test")
    script(standin, DATA, {"code": 500, "body": errors("internal error"), "times": None})
    run = ready.sync()
    assert run.exit == 2 and "internal error" in run.stderr
    assert ready.installed("api.example.test").matches
    assert standin.count(DATA) == 3
    assert [each["problem"] for each in ready.status()["certificates"]] == ["failed", None]


def test_a_server_with_only_a_500_for_all_that_is_read_is_away(standin, ready):
    script(standin, DATA, {"code": 500, "body": errors("internal error"), "times": None})
    run = ready.sync()
    assert run.exit == 3 and "internal error" in run.stderr
    assert standin.count(DATA) == 3
    assert "internal error" in ready.status()["last_sync"]["error"]


def test_a_secret_with_metadata_and_a_500_for_its_data_has_failed(standin, ready, ca):
    assert ready.sync().exit == 0
    standin.forget(METADATA)
    standin.forget(DATA)
    standin.holds(WWW, ca.leaf([WWW]), version=2)
    script(standin, DATA, {"code": 500, "body": errors("internal error"), "times": None})
    assert ready.sync().exit == 2
    assert ready.certificate_status(WWW)["problem"] == "failed"


def test_a_server_that_lets_in_and_is_away_then_does_not_count_as_a_success(standin, ready):
    script(standin, DATA, {"code": 503, "times": None})
    assert ready.sync().exit == 3 and standin.count("login") == 1
    assert ready.status()["last_success"] is None


def test_a_500_for_all_that_is_read_changes_nothing_of_what_is_known(standin, ready):
    assert ready.sync().exit == 0
    before = ready.status()["certificates"]
    for path in (METADATA, LOGIN, "auth/token/lookup-self"):
        script(standin, path, {"code": 500, "body": errors("internal error"), "times": None})
    assert ready.sync().exit == 3
    assert ready.status()["certificates"] == before
    assert ready.installed(WWW).matches


def test_a_proxys_page_is_not_quoted(standin, ready):
    script(standin, DATA, {"code": 502, "body": "<html><body>Bad Gateway</body></html>", "times": None})
    run = ready.sync()
    assert run.exit == 3 and "status 502" in run.stderr and "html" not in run.output


# Answers that make no sense


@pytest.mark.parametrize("body, words", [
    ('{"data": {"data": {"ce', "no JSON object"),
    ("<html>Welcome</html>", "no JSON object"),
    ('{"data": {"data": {"cert": "a\\u0000b"}, "metadata": {}}}', "no JSON object"),
    ({"data": None, "wrap_info": {"token": "s.x", "ttl": 60}}, "wrapped"),
    ({"data": None, "wrap_info": None}, "data.metadata"),
    ({"data": {"data": {"cert": "x"}, "metadata": {"version": "1"}}}, "version"),
    ({"data": {"data": {"cert": "x"}, "metadata": {"version": 1, "created_time": "today"}}}, "created_time"),
    ({"data": {"data": None, "metadata": {"version": 1, "created_time": "2026-01-02T03:04:05Z"}}}, "holds nothing"),
    ({"data": {"data": {}, "metadata": {"version": 1, "created_time": "2026-01-02T03:04:05Z"}}}, "found: none"),
    ({"data": {"data": {"cert": 5, "key": "x"}, "metadata": {"version": 1, "created_time": "2026-01-02T03:04:05Z"}}}, "expected text"),
])
def test_nonsense_fails_that_certificate_and_changes_nothing(standin, ready, body, words):
    script(standin, DATA, {"body": body, "times": None})
    run = ready.sync()
    assert run.exit in (2, 3) and words in run.stderr
    assert ready.installed(WWW) is None


def test_a_body_over_four_mebibytes_is_cut_off(standin, ready):
    script(standin, DATA, {"body": b" " * (5 << 20), "times": None})
    run = ready.sync()
    assert run.exit in (2, 3) and "over 4 MiB" in run.stderr
    assert standin.count(DATA) == 1


def test_the_404_of_a_deleted_version_and_one_with_nothing_in_it_differ(standin, ready):
    script(standin, DATA,
           {"code": 404, "body": {"request_id": "1-2-3", "data": {"data": None, "metadata": {
               "version": 3, "deletion_time": "2026-02-03T04:05:06.7Z", "destroyed": False}}}}, {"code": 404, "times": None})
    assert "deleted in version 3 on 2026-02-03" in ready.sync().stderr
    assert "there is no such secret" in ready.sync().stderr


def test_a_certificate_stays_whatever_its_404_says(standin, ready):
    assert ready.sync().exit == 0
    before = ready.installed(WWW).inodes
    script(standin, METADATA, {"code": 404, "body": errors(), "times": None})
    assert ready.sync().exit == 2
    assert ready.installed(WWW).inodes == before


def test_escape_sequences_of_a_server_do_not_reach_the_terminal(standin, ready):
    script(standin, DATA, {"code": 403, "body": errors("\x1b[2Jgone\r\n\u009b2J\u202e"), "times": None})
    run = ready.sync()
    assert run.exit == 2 and "gone" in run.stderr
    assert not set(run.stderr) & set("\x1b\r\u009b\u202e")


# Addresses


def test_a_dead_first_address_costs_one_attempt(standin, ready, dead_address):
    ready.asks(address=[dead_address, standin.address])
    run = ready.sync()
    assert run.exit == 0
    assert ready.status()["vault"]["address"] == standin.address


def test_no_address_that_answers_is_exit_3_and_names_each(ready, dead_address, standins):
    other = "https://127.0.0.1:1"
    ready.asks(address=[dead_address, other])
    run = ready.sync()
    assert run.exit == 3 and dead_address in run.stderr and other in run.stderr
    assert run.seconds >= 3


def test_a_node_that_is_sealed_after_the_login_leads_to_the_other(standins, standin, ready, leaf):
    other = standins()
    other.logs_in().holds(WWW, leaf)
    script(standin, DATA, {"code": 503, "times": None})
    ready.asks(address=[standin.address, other.address])
    run = ready.sync()
    assert run.exit == 0 and standin.count(DATA) == 1
    assert other.count("login") == 0 and other.count(DATA) == 1


def test_a_certificate_of_an_unknown_ca_is_not_trusted_and_nothing_is_sent(standin, ready, vault):
    ready.asks(address=standin.address, ca_file=vault.ca_file, kv_mount=None, auth_mount=None)
    run = ready.sync()
    assert run.exit == 3 and "certificate" in run.stderr
    assert standin.seen == [] and ready.status()["last_sync"]["requests"] == 0


def test_tls_server_name_is_what_the_certificate_must_say(standin, ready):
    ready.asks(address=standin.address.replace("127.0.0.1", "127.0.0.2"))
    assert ready.sync().exit == 3
    ready.asks(address=standin.address, tls_server_name="vault.test")
    assert ready.sync().exit == 0
    ready.asks(tls_server_name="other.test")
    assert ready.sync().exit == 3


def test_a_path_in_the_address_goes_before_v1(standin, ready, leaf):
    ready.asks(address=standin.address + "/prefix")
    assert ready.sync().exit == 3 or standin.seen[0][1] == "/prefix/v1/" + LOGIN
    assert standin.seen[0][1] == "/prefix/v1/" + LOGIN


def relay(listener, target, connect=False):
    """Passes each connection on to a port of this machine; connect: as an HTTP proxy does. What was asked for is kept."""
    asked = []

    def pass_on(source, sink):
        with contextlib.suppress(OSError):  # a side that is gone already
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            client, _ = listener.accept()
            if connect:
                asked.append(client.recv(65536).decode().splitlines()[0])
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            upstream = socket.create_connection(("127.0.0.1", target))
            for pair in ((client, upstream), (upstream, client)):
                threading.Thread(target=pass_on, args=pair, daemon=True).start()

    listener.listen(16)
    threading.Thread(target=serve, daemon=True).start()
    return asked


def test_a_unix_socket_is_an_address(standins, server, leaf, directory):
    plain = standins(tls=False)
    plain.logs_in().holds(WWW, leaf)
    path = directory / "vault.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o777)   # the fetch process is another user
    relay(listener, plain.port)
    server.uses(plain)
    server.asks(address=f"unix://{path}")
    server.wants(WWW)
    assert server.sync().exit == 0
    assert plain.seen[-1][2]["Host"] == "localhost"


def test_a_proxy_is_asked_when_one_is_named(standin, ready):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    asked = relay(listener, standin.port, connect=True)
    ready.asks(address=f"https://vault.test:{standin.port}", proxy=f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert ready.sync().exit == 0
    assert asked and asked[0].startswith(f"CONNECT vault.test:{standin.port} ")


def test_plain_http_is_spoken_to_loopback(standins, server, leaf):
    plain = standins(tls=False)
    plain.logs_in().holds(WWW, leaf)
    server.uses(plain)
    server.wants(WWW)
    assert server.sync().exit == 0


# Redirects


def redirecting(standins, standin, where, code=307):
    standby = standins()
    for path in (LOGIN, DATA):
        standby.redirect(path, where(standin, path), code=code)
    return standby


@pytest.mark.parametrize("code", [301, 302, 307])
def test_a_redirect_to_a_configured_port_is_followed_with_token_and_body(standins, standin, ready, code):
    standby = redirecting(standins, standin, lambda to, path: f"{to.address}/v1/{path}", code)
    ready.asks(address=[standby.address, standin.address])
    assert ready.sync().exit == 0
    assert standby.count() == standin.count() == 2
    method, _, _, body = standin.seen[0]
    assert method == "POST" and json.loads(body)["role_id"] == standin.role_id
    assert standin.seen[1][2]["X-Vault-Token"] == "b.standin"


@pytest.mark.parametrize("where, words", [
    (lambda to, path: f"http://127.0.0.1:{to.port}/v1/{path}", "away from https"),
    (lambda to, path: f"{to.address}/v1/sys/seal", "another path"),
    (lambda to, path: f"https://127.0.0.1:9/v1/{path}", "port"),
    (lambda to, path: f"{to.address}/ui/", "another path"),
    (lambda to, path: f"https://user:word@127.0.0.1:{to.port}/v1/{path}", "no URL"),
])
def test_other_redirects_are_not_followed(standins, standin, ready, where, words):
    standby = redirecting(standins, standin, where)
    ready.asks(address=standby.address, ca_file=standby.ca_file)
    if words != "port":     # else the port would be what is wrong first
        ready.asks(address=[standby.address, standin.address])
        standin.forget()
        standin.reply(LOGIN, 503)
    run = ready.sync()
    assert run.exit == 3 and words in run.stderr


def test_a_second_redirect_is_not_followed(standins, standin, ready):
    one, two = standins(), standins()
    one.redirect(LOGIN, f"{two.address}/v1/{LOGIN}")
    two.redirect(LOGIN, f"{one.address}/v1/{LOGIN}")
    ready.asks(address=[one.address, two.address])
    run = ready.sync()
    assert run.exit == 3 and "the second one" in run.stderr
    assert one.count() == two.count() == 2


# Time


def test_a_silent_server_costs_no_more_than_the_timeout(standin, ready):
    ready.asks(timeout="1s", deadline="60s")
    script(standin, LOGIN, {"delay": 30, "times": None})
    run = ready.sync()
    assert run.exit == 3 and run.seconds < 15


def test_a_trickling_server_is_cut_off(standin, ready):
    ready.asks(timeout="1s", deadline="3s")
    script(standin, DATA, {"body": "x" * 1000, "trickle": 0.5, "times": None})
    run = ready.sync()
    assert run.exit == 3 and run.seconds < 15


def test_the_deadline_bounds_the_whole_talk(standin, ready):
    ready.asks(timeout="2s", deadline="3s")
    script(standin, DATA, {"delay": 30, "times": None})
    assert ready.sync().exit == 3 and standin.count(DATA) < 3


def test_a_server_that_stops_between_login_and_read_is_away(own_vault, server):
    own_vault.publish(WWW)
    server.wants(WWW)
    assert server.sync().exit == 0
    before = server.installed(WWW).inodes
    own_vault.stop()
    run = server.sync()
    assert run.exit == 3 and server.installed(WWW).inodes == before
    own_vault.start()
    assert server.sync().exit == 0


def test_a_sealed_vault_is_exit_3(own_vault, server):
    own_vault.publish(WWW)
    server.wants(WWW)
    own_vault.seal()
    run = server.sync()
    assert run.exit == 3 and "503" in run.stderr


# Set-up


def test_missing_and_empty_credentials_are_exit_3(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    (server.etc / "secret-id").write_text("\n")
    run = server.sync()
    assert run.exit == 3 and "secret-id" in run.stderr and "empty" in run.stderr
    (server.etc / "secret-id").unlink()
    run = server.sync()
    assert run.exit == 3 and "missing" in run.stderr
    assert vault.requests(since="start") == 0


def test_a_secret_id_that_others_can_read_and_a_lost_ca_file_are_exit_1(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    (server.etc / "secret-id").chmod(0o640)
    run = server.sync()
    assert run.exit == 1 and "0640" in run.stderr
    (server.etc / "secret-id").chmod(0o600)
    server.asks(ca_file=server.etc / "nowhere.pem")
    assert server.sync().exit == 1
    assert vault.requests(since="start") == 0


@pytest.mark.root
def test_a_missing_user_is_exit_1(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    server.agent(user="nosuchuser")
    run = server.sync()
    assert run.exit == 1 and "nosuchuser" in run.stderr
