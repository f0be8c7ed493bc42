"""
Who may do what in the repository: each cell of the table in etc/vault/README.md is tried, with the roles and policies that
certlet-admin writes and with nothing else.
"""

import re

import pytest

from support.bao import ApiError
from support.process import ROOT

pytestmark = pytest.mark.shell

TEXT = (ROOT / "etc/vault/README.md").read_text()
SECTION = re.search(r"^## Who may do what\n(.*?)^## ", TEXT, re.S | re.M).group(1)
HEAD, _, *ROWS = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in SECTION.splitlines() if line.startswith("|")]

POLICY = {"policy": 'path "none" { capabilities = ["read"] }'}
OWN, OTHER, COPY = "certs/www.example.test", "certs/other.example.test", "hosts/web2/www.example.test"
WRAPPED = {"X-Vault-Wrap-TTL": "120s"}

# Requests of each row; "yes" means that all of them are granted, "no" that none is.
REQUESTS = {
    "read certificate and key of `www.example.test`": [("GET", f"secret/data/{OWN}")],
    "read its metadata": [("GET", f"secret/metadata/{OWN}")],
    "read another certificate": [("GET", f"secret/data/{OTHER}")],
    "read metadata of another certificate": [("GET", f"secret/metadata/{OTHER}")],
    "read `hosts/web2/www.example.test`": [("GET", f"secret/data/{COPY}"), ("GET", f"secret/metadata/{COPY}")],
    "read what another host has below `hosts/`": [("GET", "secret/data/hosts/web22/www.example.test")],
    "list the names of certificates": [("LIST", "secret/metadata/certs")],
    "list them with their metadata in one request": [("LIST", "secret/detailed-metadata/certs")],
    "list the hosts": [("LIST", "secret/metadata/hosts"), ("LIST", "secret/metadata/"), ("LIST", "secret/detailed-metadata/hosts")],
    "list what a host has": [("LIST", "secret/metadata/hosts/web2"), ("LIST", "secret/metadata/hosts/web22")],
    "write a certificate": [("POST", f"secret/data/{OWN}", {"data": {"cert": "-"}}), ("POST", "secret/data/certs/new.example.test", {"data": {}})],
    "write its metadata": [("POST", f"secret/metadata/{OWN}", {"custom_metadata": {"serial": "1"}})],
    "delete its newest version": [("DELETE", f"secret/data/{OWN}"), ("DELETE", f"secret/data/{COPY}")],
    "delete versions": [("POST", f"secret/delete/{OWN}", {"versions": [1]}), ("POST", f"secret/delete/{COPY}", {"versions": [1]})],
    "undelete versions": [("POST", f"secret/undelete/{OWN}", {"versions": [1]})],
    "destroy versions": [("POST", f"secret/destroy/{OWN}", {"versions": [1]}), ("POST", f"secret/destroy/{COPY}", {"versions": [1]})],
    "remove it with its history": [("DELETE", f"secret/metadata/{OWN}"), ("DELETE", f"secret/metadata/{COPY}")],
    "look at, renew and revoke its own token": [
        ("GET", "auth/token/lookup-self"), ("POST", "auth/token/renew-self"), ("POST", "auth/token/revoke-self")],
    "make a token for others": [("POST", "auth/token/create", {"ttl": "1m"})],
    "read the role-id of another server": [("GET", "auth/approle/role/web2/role-id")],
    "make a secret-id for itself": [("POST", "auth/approle/role/{self}/secret-id")],
    "make a bare secret-id for another server": [("POST", "auth/approle/role/web9/secret-id")],
    "make a wrapped secret-id for another server": [("POST", "auth/approle/role/web9/secret-id", None, WRAPPED)],
    "make a wrapped secret-id of a publisher": [("POST", "auth/approle/role/publisher-issuer1/secret-id", None, WRAPPED)],
    "list roles": [("LIST", "auth/approle/role"), ("LIST", "auth/cert/certs")],
    "make a role": [("POST", "auth/approle/role/made", {"token_policies": []})],
    "let certificates of another CA in": [("POST", "auth/cert/certs/made", {"certificate": "{ca}", "token_policies": []})],
    "read a policy of a certificate": [("GET", "sys/policies/acl/certlet-cert-www.example.test")],
    "write a policy of a certificate": [("PUT", "sys/policies/acl/certlet-cert-made", POLICY)],
    "write the policy of publishers": [
        ("PUT", "sys/policies/acl/certlet-publisher", POLICY), ("PUT", "sys/policies/acl/default", POLICY)],
    "list policies": [("LIST", "sys/policies/acl"), ("GET", "sys/policy")],
    "mount something": [("POST", "sys/mounts/made", {"type": "kv"}), ("POST", "sys/auth/made", {"type": "approle"})],
    "switch the audit off": [("DELETE", "sys/audit/log"), ("GET", "sys/audit")],
    "take a snapshot of everything": [("GET", "sys/storage/raft/snapshot")],
    "seal Vault": [("PUT", "sys/seal")],
}

# The role of each, for what it may do with its own.
ROLE = {"server": "web1", "by host": "web2", "consumer": "consumer-k8s", "publisher": "publisher-issuer1"}


@pytest.fixture(scope="session")
def who(root_admin, repository, ca):
    """{column: a function that makes a token}, with roles made by the policy certlet-admin and no more."""
    for path in (OWN, OTHER, COPY, "hosts/web22/www.example.test"):
        root_admin.api("POST", f"secret/data/{path}", {"data": {"cert": "-"}})
    handed_out = {"server": repository.hands_out("add-server", "web1", "www.example.test"),
                  "by host": repository.hands_out("add-server", "web2", "--per-host"),
                  "consumer": repository.hands_out("add-consumer", "k8s", "www.example.test"),
                  "publisher": repository.hands_out("add-publisher", "issuer1")}
    root_admin.api("POST", "auth/approle/role/web9", {"token_policies": []})
    tokens = {}
    for column, made in handed_out.items():
        secret_id = repository.opens(made)
        tokens[column] = lambda made=made, secret_id=secret_id: root_admin.logs_in(made["role_id"], secret_id)["client_token"]
    for column in ("admin", "Puppet server"):
        tokens[column] = lambda column=column: root_admin.as_one_with(f"certlet-{column.lower().replace(' ', '-')}").token
    yield tokens
    for path in ("auth/approle/role/made", "auth/approle/role/web9", "auth/cert/certs/made", "sys/policies/acl/certlet-cert-made"):
        root_admin.api("DELETE", path)


def granted(admin, token, request, own_role, ca):
    method, path, body, headers = (*request, None, None)[:4]
    if body and body.get("certificate"):
        body = body | {"certificate": ca.root_pem}
    try:
        admin.api(method, path.format(self=own_role), body, token=token, headers=headers)
    except ApiError as error:
        assert error.code == 403, f"{method} {path}: {error}"
        return False
    return True


def test_the_table_and_the_requests_have_the_same_rows():
    assert [row[0] for row in ROWS] == list(REQUESTS)
    assert {cell for row in ROWS for cell in row[1:]} == {"yes", "no"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_table_of_who_may_do_what_is_true(who, root_admin, ca, row):
    found = [row[0]]
    for column in HEAD[1:]:
        token = who[column]()
        answers = {granted(root_admin, token, request, ROLE.get(column, "web9"), ca) for request in REQUESTS[row[0]]}
        found.append({True: "yes", False: "no"}[answers.pop()] if len(answers) == 1 else "some of it")
    assert dict(zip(HEAD, found)) == dict(zip(HEAD, row))


def rules(hcl):
    """{path: capabilities} of a policy as it was written."""
    return {path: sorted(re.findall(r'"(\w+)"', what)) for path, what in
            re.findall(r'^path "([^"]+)" \{\s+capabilities\s+= \[([^]]*)\]', hcl, re.M)}


def test_a_policy_of_a_certificate_is_what_certlet_says_that_it_needs(who, root_admin, server):
    server.asks(kv_mount="secret")
    server.wants("www.example.test")
    printed = server.run("--policy")
    assert printed.exit == 0
    written = root_admin.api("GET", "sys/policies/acl/certlet-cert-www.example.test")["data"]["policy"]
    assert rules(written) == rules(printed.stdout) and len(rules(written)) == 2


def test_the_roles_have_tokens_that_end_and_no_default_policy(who, root_admin):
    for column, role in ROLE.items():
        about = root_admin.api("GET", f"auth/approle/role/{role}")["data"]
        assert about["token_no_default_policy"] is True and about["token_max_ttl"] == 3600
        assert about["token_type"] == ("service" if column == "consumer" else "batch")
        # Nobody but certlet warns before a secret-id ends.
        assert about["secret_id_ttl"] == (90 * 86400 if column in ("server", "by host") else 0)
