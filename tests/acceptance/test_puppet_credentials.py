"""How a node comes by its credentials, and that no catalog, file or report gives them away."""

import json

from test_puppet import A, B


def settings(node, **vault):
    return {"address": node.vault.address, "ca_file": node.vault.ca_file, **vault}


def test_a_secret_id_of_hieras_is_in_its_file_alone(node):
    node.vault.publish(A)
    run = node.apply("include certlet", "--verbose", "--show_diff", certificates={A: {}})
    assert run.exit == 2 and node.vault.secret_id not in run.output
    secret_id = node.path("/etc/certlet/secret-id")
    assert secret_id.read_text() == node.vault.secret_id and secret_id.stat().st_mode & 0o777 == 0o600
    assert node.contain(node.vault.secret_id, node.directory / "vardir", node.directory / "confdir") == []


def test_a_deferred_secret_id_is_taken(node):
    node.vault.publish(A)
    source = node.directory / "secret-id"
    source.write_text(node.vault.secret_id)
    run = node.apply(f"""class {{ 'certlet': secret_id => Deferred('file', ['{source}']) }}""", certificates={A: {}})
    assert run.exit == 2 and node.installed(A)
    assert node.vault.secret_id not in run.output


def test_the_nodes_own_puppet_certificate_is_enough(node):
    node.vault.publish(A)
    node.has_puppet_certificate(node.vault.client_certificate("node.example.test"))
    run = node.apply(certificates={A: {}}, vault=settings(node, auth="cert", cert_role="hosts"), role_id=None, secret_id=None)
    assert run.exit == 2 and node.installed(A)
    assert sorted(path.name for path in node.path("/etc/certlet").iterdir()) == ["archive", "live", "manifest.ini"]


def test_the_server_wraps_a_secret_id_for_a_node_that_needs_one_and_for_no_other(node):
    node.vault.publish(A)
    node.vault.publish(B)
    node.mints_secret_ids()
    wanted = {"vault": settings(node), "wrapped_secret_id": True, "secret_id": None}
    run = node.apply(certificates={A: {}}, **wanted)
    assert run.exit == 2 and node.installed(A) and node.status()["vault"]["credentials"] == "ok"
    minted = node.secret_ids()
    assert node.apply(certificates={A: {}}, **wanted).exit in (0, 2)
    assert node.apply(certificates={A: {}}, **wanted).exit == 0
    assert node.apply(certificates={A: {}, B: {}}, **wanted).exit == 2 and node.installed(B)
    assert node.secret_ids() == minted
    assert json.dumps(node.status()).count(node.path("/etc/certlet/secret-id").read_text().strip()) == 0


def test_a_node_whose_secret_id_was_revoked_gets_another(node):
    node.vault.publish(A)
    node.mints_secret_ids()
    wanted = {"vault": settings(node), "wrapped_secret_id": True, "secret_id": None, "certificates": {A: {}}}
    assert node.apply(**wanted).exit == 2
    node.vault.revoke_secret_id(node.path("/etc/certlet/secret-id").read_text().strip())
    node.path("/run/certlet/token").unlink()
    assert node.execute("certlet", "--sync").exit == 3
    assert node.status()["vault"]["credentials"] == "refused"
    assert node.apply(**wanted).exit == 2
    assert node.execute("certlet", "--sync").exit == 0
