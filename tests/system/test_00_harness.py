"""The harness itself: if one of these fails, look no further. None of them needs certlet."""

import pytest

from support.bao import ApiError


def login(vault, secret_id=None):
    return vault.api("POST", f"auth/{vault.auth_mount}/login",
                     {"role_id": vault.role_id, "secret_id": secret_id or vault.secret_id}, token="none")["auth"]


def test_a_published_certificate_can_be_read_with_the_hosts_role_and_is_counted(vault):
    leaf = vault.publish("www.example.test")
    token = login(vault)["client_token"]
    read = vault.api("GET", f"{vault.kv_mount}/data/certs/www.example.test", token=token)["data"]
    assert read["data"]["cert"] == leaf.cert
    assert read["metadata"]["version"] == leaf.version == 1
    assert vault.requests(kind="login") == 1
    assert vault.requests(kind="data", name="www.example.test") == 1
    assert vault.keys_sent() == 1
    vault.api("GET", f"{vault.kv_mount}/metadata/certs/www.example.test", token=token)
    assert vault.requests(kind="metadata") == 1
    assert vault.keys_sent() == 1
    vault.mark()
    assert vault.requests() == 0 and vault.requests(since="start") == 3


def test_denied_and_absent_certificates_are_403_and_404_and_send_no_key(vault):
    vault.publish("a")
    vault.deny("a")
    token = login(vault)["client_token"]
    for name, code in (("a", 403), ("b", 404)):
        with pytest.raises(ApiError) as refused:
            vault.api("GET", f"{vault.kv_mount}/data/certs/{name}", token=token)
        assert refused.value.code == code
    assert vault.requests(kind="data") == 2 and vault.keys_sent() == 0


def test_two_corners_of_one_server_never_see_each_other(vault, bao, ca):
    from support.bao import Vault
    other = Vault(bao, ca)
    login(other)
    assert vault.requests() == 0 and other.requests(kind="login") == 1


def test_a_refused_login_is_counted(vault):
    with pytest.raises(ApiError) as refused:
        login(vault, "wrong")
    assert refused.value.code == 400 and vault.requests(kind="login") == 1


def test_kv_v1_list_and_service_tokens_are_there_when_asked_for(vault):
    vault.publish("old", v1=True)
    vault.publish("new")
    vault.allow_list()
    vault.token_type("service")
    auth = login(vault)
    assert auth["token_type"] == "service"
    vault.api("GET", f"{vault.kv1_mount}/certs/old", token=auth["client_token"])
    assert vault.keys_sent() == 1
    listed = vault.api("GET", f"{vault.kv_mount}/detailed-metadata/certs/?list=true", token=auth["client_token"])
    assert list(listed["data"]["key_info"]) == ["new"]
    assert vault.requests(kind="list") == 1


def test_an_own_server_keeps_its_data_over_a_restart_and_can_be_sealed(own_vault):
    own_vault.publish("www.example.test")
    own_vault.restart()
    own_vault.seal()
    with pytest.raises(ApiError) as refused:
        login(own_vault)
    assert refused.value.code == 503
    own_vault.unseal()
    token = login(own_vault)["client_token"]
    assert own_vault.api("GET", "secret/data/certs/www.example.test", token=token)


def test_a_namespace_is_a_corner_of_its_own(vault):
    team = vault.in_namespace("team" + vault.id)
    team.publish("www.example.test")
    token = login(team)["client_token"]
    assert team.api("GET", f"{team.kv_mount}/data/certs/www.example.test", token=token)
    assert team.keys_sent() == 1


def test_the_standin_says_what_it_was_told_in_turn(standin):
    import ssl
    import urllib.error
    import urllib.request
    standin.reply("x", 429, headers={"Retry-After": "1"}, times=2).reply("x", 200, {"fine": True})
    context = ssl.create_default_context(cafile=standin.ca_file)
    codes = []
    for _ in range(4):
        try:
            codes.append(urllib.request.urlopen(f"{standin.address}/v1/x?a=b", context=context).status)
        except urllib.error.HTTPError as error:
            codes.append(error.code)
    assert codes == [429, 429, 200, 200] and standin.count("/x") == 4


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_a_real_program_serves_another_certificate_after_its_reload(request, server, ca, kind):
    program = request.getfixturevalue(kind)
    leaf = ca.leaf(["www.example.test"])
    home = server.live / "www.example.test"

    def put(leaf):
        leaf.write(home)
        (home / "combined.pem").write_text(leaf.key + leaf.cert + leaf.chain)

    put(leaf)
    program.vhost("www.example.test", home) if kind == "nginx" else program.crt(home / "combined.pem")
    program.start()
    assert program.serves() == leaf.fingerprint
    pid, leaf = program.pid, ca.leaf(["www.example.test"])
    put(leaf)
    keys = program.service_keys()
    for command in (keys["active"], keys["test"], keys["reload"]):
        assert server.execute(str(command).split()).exit == 0
    assert program.comes_to_serve(leaf.fingerprint) and program.pid == pid
