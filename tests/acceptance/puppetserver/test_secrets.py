"""Secrets between a Puppet server, a node and OpenBao: each is where the module's README says, and nowhere else."""

import pytest

from support.bao import ApiError
from support.puppetserver import CATALOG
from test_puppet import A

SECRET_ID = "/etc/certlet/secret-id"


def comes_and_stays(node, leaf, **settings):
    """The certificate is there after one run, and a second one changes nothing; its key is nowhere else."""
    first = node.apply(certificates={A: {}}, **settings)
    assert first.exit == 2 and node.installed(A).fingerprint == leaf.fingerprint
    second = node.apply(certificates={A: {}}, **settings)
    assert second.exit == 0
    assert node.told(marker(leaf)) == {f"/etc/certlet/archive/{A}/1/privkey.pem"}
    return first.output + second.output


def goes(node, *secrets):
    """Nothing is left once Hiera says nothing of it."""
    assert node.apply(certificates={}, secret_id=None).exit == 2
    assert node.apply(certificates={}, secret_id=None).exit == 0
    assert [node.told(secret) for secret in secrets] == [set()] * len(secrets)
    assert node.differences() == {}


def marker(leaf):
    """A line of its key: no format breaks it."""
    return leaf.key.splitlines()[1]


def test_a_secret_id_of_hieras_is_in_the_catalog_that_the_node_keeps_and_nowhere_else(node):
    leaf = node.vault.publish(A)
    said = comes_and_stays(node, leaf)
    assert node.vault.secret_id not in said
    assert node.told(node.vault.secret_id) == {SECRET_ID, CATALOG}
    goes(node, node.vault.secret_id, marker(leaf))


def test_a_secret_id_that_the_server_wraps_is_in_its_file_alone_and_its_token_is_worthless(node):
    leaf = node.vault.publish(A)
    node.mints_secret_ids()
    wanted = {"vault": {"address": node.vault.address, "ca_file": node.vault.ca_file}, "wrapped_secret_id": True, "secret_id": None}
    assert node.apply(certificates={A: {}}, **wanted).exit == 2
    token = node.in_catalog("/etc/certlet/wrapped-secret-id")
    with pytest.raises(ApiError):
        node.vault.unwrap(token)
    assert node.apply(certificates={A: {}}, **wanted).exit == 0
    assert node.installed(A).fingerprint == leaf.fingerprint
    secret_id = node.path(SECRET_ID).read_text().strip()
    assert node.told(secret_id) == {SECRET_ID} and CATALOG not in node.told(token)
    goes(node, secret_id, token, marker(leaf))


def test_with_its_own_certificate_a_node_is_handed_nothing(node):
    leaf = node.vault.publish(A)
    node.vault.trusts(node.trusted_roots())
    vault = {"address": node.vault.address, "ca_file": node.vault.ca_file, "auth": "cert"}
    comes_and_stays(node, leaf, vault=vault, role_id=None, secret_id=None)
    assert sorted(path.name for path in node.path("/etc/certlet").iterdir()) == ["archive", "live", "manifest.ini"]
    goes(node, marker(leaf))
