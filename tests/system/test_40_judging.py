"""What is checked before a swap: whatever the repository offers, what is live stays until something better passed."""

import time

import pytest

from support import ca as ca_module
from support.ca import CA

NAME = "www.example.test"
DAY = 86400


def installs(vault, server, **keys):
    """A good certificate, installed: what must stay when the next version is bad."""
    leaf = vault.publish(NAME, starts=-10)
    server.wants(NAME, **keys)
    run = server.sync()
    assert run.exit == 0 and server.installed(NAME).fingerprint == leaf.fingerprint, run.output
    return leaf


def refuses(vault, server, good, *words):
    """A run that leaves everything as it is and says why; the next run says it again without reading the secret."""
    inodes = server.installed(NAME).inodes
    run = server.sync()
    assert run.exit == 2, run.output
    for word in words:
        assert word in run.stderr, run.output
    assert server.installed(NAME).fingerprint == good.fingerprint
    assert server.installed(NAME).inodes == inodes
    told = server.certificate_status(NAME)
    assert told["problem"] == "refused" and told["state"] == "ok"
    assert told["version"] == good.version and told["offered_version"] > good.version
    assert all(word in told["error"] for word in words)
    assert f"version {told['offered_version']}" in told["error"] and f"certs/{NAME}" in told["error"]
    run = server.sync()
    assert run.exit == 2 and vault.keys_sent() == 0, run.output
    assert server.certificate_status(NAME)["problem"] == "refused"


@pytest.mark.parametrize("options, words", [
    pytest.param({"names": ["a.example.test", "b.example.test"]},
                 f"expected a certificate for {NAME}, found names a.example.test, b.example.test", id="names"),
    pytest.param({"starts": -90, "days": 89}, "that expired at", id="expired"),
    pytest.param({"starts": 1}, "that begins at", id="not yet valid"),
    pytest.param({"is_ca": True}, "expected the certificate of a server, found a CA", id="a CA"),
    pytest.param({"usage": "email"}, "found one for emailProtection", id="usage"),
    pytest.param({"key": "rsa-1024"}, "expected an RSA key of 2048 bits or more, found 1024", id="weak RSA"),
    pytest.param({"key": "ec-p224"}, "expected an EC key of P-256, P-384 or P-521, found secp224r1", id="weak EC"),
    pytest.param({"key": "ec-k256"}, "expected an EC key of P-256, P-384 or P-521, found secp256k1", id="another curve"),
    pytest.param({"intermediate_starts": -9, "intermediate_days": 3}, "that expired at", id="expired link"),
])
def test_a_bad_certificate_never_replaces_a_good_one(vault, server, options, words):
    good = installs(vault, server)
    vault.publish(NAME, **({"names": [NAME]} | options))
    refuses(vault, server, good, words)


def spoiled(ca, how):
    """The fields of a secret that is wrong in one way, and what is to be said about it."""
    leaf, other, far = ca.leaf([NAME]), ca.leaf([NAME]), ca.leaf([NAME], intermediates=3)
    return {
        "key of another": (leaf.fields(privkey=other.key), "expected a certificate that the key fits, found only CN="),
        "two keys": (leaf.fields(privkey=leaf.key + other.key), "expected one private key, found two that differ"),
        "no key": (leaf.fields(privkey="no key at all\n"), "expected a private key in PEM, found none"),
        "encrypted key": (leaf.fields(privkey=ca_module.key_pem(leaf.private_key, "word")),
                          "expected a key without a password, found that the key is encrypted"),
        "no PEM": (leaf.fields(cert="x", chain="y", fullchain="z"), "expected a certificate in PEM, found none"),
        "cut": (leaf.fields(cert=leaf.cert[:-60], fullchain=leaf.cert[:-60]), "expected well-formed PEM, found"),
        "another block": (leaf.fields(chain=leaf.chain + "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n"),
                          "expected nothing but certificates and a key, found a block DH PARAMETERS"),
        "unrelated": (leaf.fields(chain=leaf.chain + CA("somebody else").root_pem), "found CN=somebody else"),
        "link missing": (far.fields(chain=ca_module.pem(far.links[0]) + ca_module.pem(far.links[2]), fullchain=None),
                         "expected nothing but links of the chain"),
        "bad signature": ({**leaf.fields(chain=ca_module.pem(CA(ca.name).intermediates()[0][0]), fullchain=None)},
                          "found a signature that its key did not make"),
    }[how]


@pytest.mark.parametrize("how", ["key of another", "two keys", "no key", "encrypted key", "no PEM", "cut", "another block",
                                 "unrelated", "link missing", "bad signature"])
def test_a_spoiled_secret_never_replaces_a_good_one(vault, server, ca, how):
    good = installs(vault, server)
    fields, words = spoiled(ca, how)
    vault.put(NAME, fields)
    refuses(vault, server, good, words)


def test_a_first_certificate_that_is_bad_is_not_installed(vault, server):
    vault.publish(NAME, starts=-90, days=89)
    server.wants(NAME)
    run = server.sync()
    assert run.exit == 2 and "expired" in run.stderr
    assert server.installed(NAME) is None
    told = server.certificate_status(NAME)
    assert told["state"] == "missing" and told["problem"] == "refused"
    assert server.sync().exit == 2 and vault.keys_sent() == 0


def test_one_bad_certificate_does_not_hold_up_the_others(vault, server):
    vault.publish("bad.example.test", names=["other.example.test"])
    good = vault.publish("good.example.test")
    server.wants("bad.example.test")
    server.wants("good.example.test")
    assert server.sync().exit == 2
    assert server.installed("bad.example.test") is None
    assert server.installed("good.example.test").fingerprint == good.fingerprint


@pytest.mark.parametrize("options", [
    {"key": "rsa-2048"}, {"key": "ec-p384"}, {"key": "ed25519"}, {"usage": None}, {"usage": "client"},
    {"intermediates": 0}, {"intermediates": 3}, {"names": ["other.example.test", "*.example.test"]},
], ids=str)
def test_good_certificates_of_all_kinds_are_installed(vault, server, options):
    leaf = vault.publish(NAME, **options)
    server.wants(NAME)
    assert server.sync().exit == 0
    installed = server.installed(NAME)
    assert installed.matches and installed.fingerprint == leaf.fingerprint
    assert installed.chain == leaf.chain and installed.fullchain == leaf.fullchain


def test_order_crlf_junk_repetition_and_roots_are_set_right(vault, server, ca):
    leaf = ca.leaf([NAME], key="rsa-2048", intermediates=3)
    mess = "Bag Attributes\n" + ca.root_pem + "".join(ca_module.pem(link) for link in reversed(leaf.links)) + leaf.chain
    vault.put(NAME, {"cert": leaf.cert.replace("\n", "\r\n"), "chain": mess + "\nthe end",
                     "privkey": ca_module.traditional_pem(leaf.private_key)})
    server.wants(NAME)
    assert server.sync().exit == 0
    installed = server.installed(NAME)
    assert installed.cert == leaf.cert and installed.chain == leaf.chain and installed.privkey == leaf.key
    assert installed.fullchain == leaf.fullchain and installed.matches


def test_the_leaf_is_the_certificate_that_the_key_fits_wherever_it_stands(vault, server, ca):
    leaf = ca.leaf([NAME])
    vault.put(NAME, {"cert": leaf.chain, "chain": leaf.cert, "privkey": leaf.key})
    server.wants(NAME)
    assert server.sync().exit == 0
    assert server.installed(NAME).cert == leaf.cert and server.installed(NAME).chain == leaf.chain


# Names


def test_every_name_that_is_listed_must_be_covered(vault, server):
    good = installs(vault, server)
    server.wants(NAME, names=[NAME, "*.example.test", "192.0.2.1"])
    vault.publish(NAME, names=[NAME, "192.0.2.1"])
    refuses(vault, server, good, f"expected a certificate for *.example.test, found names {NAME}, 192.0.2.1")
    leaf = vault.publish(NAME, names=["*.example.test", "192.0.2.1"])
    assert server.sync().exit == 0 and server.installed(NAME).fingerprint == leaf.fingerprint


def test_a_wildcard_does_not_cover_two_labels(vault, server):
    vault.publish("a.b.example.test", names=["*.example.test"])
    server.wants("a.b.example.test")
    assert server.sync().exit == 2


def test_names_any_are_not_checked(vault, server):
    vault.publish("cluster_1", names=["whatever.example.test"])
    server.wants("cluster_1", names="any")
    assert server.sync().exit == 0 and server.installed("cluster_1")


def test_a_wildcard_certificate_goes_by_its_underscored_name(vault, server):
    vault.publish("_wildcard.example.test")
    server.wants("_wildcard.example.test")
    assert server.sync().exit == 0 and server.installed("_wildcard.example.test").names == ["*.example.test"]


def test_a_changed_judging_key_makes_certlet_read_and_judge_again(vault, server):
    leaf = vault.publish(NAME, names=["other.example.test"])
    server.wants(NAME)
    assert server.sync().exit == 2
    assert server.sync().exit == 2 and vault.keys_sent() == 0
    server.wants(NAME, names="other.example.test")
    assert server.sync().exit == 0 and server.installed(NAME).fingerprint == leaf.fingerprint


# What a refused version waits for


def test_a_refused_version_is_read_again_when_it_is_asked_for_by_name(vault, server):
    vault.publish(NAME, names=["other.example.test"])
    server.wants(NAME)
    assert server.sync().exit == 2
    assert server.sync(NAME).exit == 2 and vault.requests(kind="data", name=NAME) == 1


def test_a_refused_version_gives_way_to_the_next_one(vault, server):
    good = installs(vault, server)
    vault.publish(NAME, names=["other.example.test"])
    refuses(vault, server, good)
    leaf = vault.publish(NAME)
    assert server.sync().exit == 0
    assert server.installed(NAME).fingerprint == leaf.fingerprint
    assert server.certificate_status(NAME)["problem"] is None


def test_a_certificate_of_the_future_is_installed_as_soon_as_it_begins(vault, server):
    good = installs(vault, server)
    begins = time.time() + 6
    leaf = vault.publish(NAME, starts=6 / DAY)
    assert server.sync().exit == 2
    assert server.installed(NAME).fingerprint == good.fingerprint
    assert server.sync().exit == 2 and vault.keys_sent() == 0
    time.sleep(max(0, begins + 1.1 - time.time()))
    assert server.sync().exit == 0
    assert server.installed(NAME).fingerprint == leaf.fingerprint


# trust_file


def test_with_trust_file_the_chain_must_end_there(vault, server, ca, directory):
    trust = directory / "roots.pem"
    trust.write_text(ca.root_pem)
    good = installs(vault, server, trust_file=trust)
    leaf = CA("somebody else").leaf([NAME])
    vault.publish(NAME, leaf=leaf)
    refuses(vault, server, good, "expected a chain to a root in trust_file, found one that ends at "
            "CN=somebody else intermediate 1/1")


def test_a_trust_file_that_cannot_be_read_fails_that_certificate_only(vault, server, ca, directory):
    trust = directory / "trust.pem"
    other = "mail.example.test"
    for name in (NAME, other):
        vault.publish(name)
    server.wants(NAME, trust_file=trust)
    server.wants(other)
    run = server.sync()
    assert run.exit == 2 and f"trust_file {trust} does not exist" in run.stderr
    assert server.installed(other) and not server.installed(NAME)
    trust.mkdir()
    run = server.sync()
    assert run.exit == 2 and f"trust_file: {trust} is no regular file" in run.stderr
    assert server.certificate_status(NAME)["problem"] == "failed"
    trust.rmdir()
    trust.write_text(ca.root_pem)
    assert server.sync().exit == 0 and server.installed(NAME)


def test_with_trust_file_a_missing_intermediate_is_found(vault, server, ca, directory):
    trust = directory / "roots.pem"
    trust.write_text(CA("another").root_pem + ca.root_pem)
    good = installs(vault, server, trust_file=trust)
    vault.publish(NAME, fields={"chain": "", "fullchain": None})
    refuses(vault, server, good, "expected a chain to a root in trust_file")


# Compared with what is installed


def test_a_certificate_in_its_critical_time_does_not_replace_one_that_is_not(vault, server):
    good = installs(vault, server)
    leaf = vault.publish(NAME, starts=-86, days=90)
    refuses(vault, server, good, "expected a certificate that lasts")
    run = server.sync(NAME, "--force")
    assert run.exit == 0 and "taken by force" in run.stderr, run.output
    assert server.installed(NAME).fingerprint == leaf.fingerprint


def test_force_does_not_take_a_bad_certificate(vault, server):
    good = installs(vault, server)
    vault.publish(NAME, starts=-90, days=89)
    assert server.sync(NAME, "--force").exit == 2
    assert server.installed(NAME).fingerprint == good.fingerprint


def test_critical_is_what_the_manifest_says(vault, server):
    installs(vault, server)
    server.agent(critical="2d", warn="3d")
    leaf = vault.publish(NAME, starts=-86, days=90)
    assert server.sync().exit == 0 and server.installed(NAME).fingerprint == leaf.fingerprint


def test_a_newer_version_with_an_older_certificate_is_taken_with_a_notice(vault, server):
    installs(vault, server)
    leaf = vault.publish(NAME, starts=-30)
    run = server.sync()
    assert run.exit == 0 and "older than the installed one" in run.stderr, run.output
    assert server.installed(NAME).fingerprint == leaf.fingerprint


def test_the_very_pair_that_is_installed_is_never_refused(vault, server):
    leaf = vault.publish(NAME, starts=-86, days=90)
    server.wants(NAME)
    assert server.sync().exit == 0
    inodes = server.installed(NAME).inodes
    vault.publish(NAME, leaf=leaf)
    assert server.sync().exit == 0
    installed = server.installed(NAME)
    assert installed.fingerprint == leaf.fingerprint
    assert installed.inodes["privkey.pem"] == inodes["privkey.pem"]
    assert server.sync().exit == 0 and vault.keys_sent() == 0


def test_a_path_that_was_removed_and_made_again_is_no_step_back(vault, server):
    installs(vault, server)
    vault.publish(NAME, starts=-9)
    assert server.sync().exit == 0
    vault.forget(NAME)
    leaf = vault.publish(NAME)
    assert leaf.version == 1
    assert server.sync().exit == 0 and server.installed(NAME).fingerprint == leaf.fingerprint


def test_a_repository_that_went_back_is_refused_and_taken_by_force(standin, server, ca):
    standin.logs_in()
    good, old = ca.leaf([NAME]), ca.leaf([NAME])
    standin.holds(NAME, good, version=3, created="2026-02-02T00:00:00.5Z")
    server.wants(NAME)
    assert server.sync().exit == 0 and server.installed(NAME).fingerprint == good.fingerprint
    standin.forget()
    standin.logs_in().holds(NAME, old, version=2, created="2026-02-02T00:00:00.4Z")
    run = server.sync()
    assert run.exit == 2 and "expected a version made after the installed one" in run.stderr, run.output
    assert server.installed(NAME).fingerprint == good.fingerprint
    assert server.certificate_status(NAME)["problem"] == "refused"
    run = server.sync(NAME, "--force")
    assert run.exit == 0 and server.installed(NAME).fingerprint == old.fingerprint, run.output


def test_a_repository_that_went_back_to_the_very_pair_that_is_installed_is_only_noted(standin, server, ca):
    standin.logs_in()
    good = ca.leaf([NAME])
    standin.holds(NAME, good, version=3, created="2026-02-02T00:00:00.5Z")
    server.wants(NAME)
    assert server.sync().exit == 0
    standin.forget()
    standin.logs_in().holds(NAME, good, version=2, created="2026-02-02T00:00:00.4Z")
    assert server.sync().exit == 0
    assert server.installed(NAME).fingerprint == good.fingerprint


def test_another_source_is_no_step_back(standin, server, ca):
    standin.logs_in()
    old, new = ca.leaf([NAME]), ca.leaf([NAME])
    standin.holds(NAME, old, version=3, created="2026-02-02T00:00:00Z")
    standin.holds("moved", new, version=1, created="2026-01-01T00:00:00Z")
    server.wants(NAME)
    assert server.sync().exit == 0
    server.wants(NAME, source="kv:certs/moved")
    assert server.sync().exit == 0 and server.installed(NAME).fingerprint == new.fingerprint


# Never


def test_no_refusal_shows_a_key(vault, server, ca):
    leaf, other = ca.leaf([NAME]), ca.leaf([NAME])
    server.wants(NAME)
    for fields in (leaf.fields(privkey=other.key), leaf.fields(privkey=leaf.key + other.key),
                   leaf.fields(cert=leaf.key, fullchain=None), leaf.fields(privkey=leaf.key.replace("BEGIN", "BEGUN"))):
        vault.put(NAME, fields)
        run = server.sync("--verbose")
        assert run.exit == 2
        for key in (leaf.key, other.key):
            line = key.splitlines()[1][:32]
            assert line not in run.output and server.holds(line) == []


@pytest.mark.parametrize("junk", ["x", "x\n", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_megabytes_of_junk_are_refused_in_no_time(vault, server, ca, junk):
    leaf = ca.leaf([NAME])
    vault.put(NAME, leaf.fields(chain=junk * (900_000 // len(junk)), fullchain=None))
    server.wants(NAME)
    run = server.sync()
    # Junk outside of blocks is dropped, junk that begins a block is not.
    assert run.exit == (2 if junk.startswith("-----") else 0) and run.seconds < 20, run.output
