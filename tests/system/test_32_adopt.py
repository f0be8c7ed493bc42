"""adopt: a file that stands where an output is to be is kept and replaced, and comes back with --purge --restore."""

import os

import pytest

A = "a.example.test"
pytestmark = pytest.mark.root


@pytest.fixture
def out(vault, server):
    """Where another tool has put a certificate and a key; ours wants to be there."""
    directory = server.directory / "out"
    directory.mkdir()
    directory.chmod(0o755)
    for name, mode in (("cert.pem", 0o444), ("key.pem", 0o640)):
        path = directory / name
        path.write_text(f"the {name} of another tool\n")
        path.chmod(mode)
    os.chown(directory / "key.pem", 0, 42)
    vault.publish(A)
    server.wants(A, cert_path=directory / "cert.pem", key_path=directory / "key.pem")
    return directory


def facts(directory):
    return {path.name: (path.read_text(), path.lstat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in directory.iterdir()}


def kept(server):
    """The texts of what was kept, by the path where it stood; nobody but root may read it."""
    directory = server.state_directory / "adopted"
    if not directory.exists():
        return []
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} <= {0o600}
    return sorted(path.read_text() for path in directory.iterdir())


@pytest.mark.parametrize("install", ["symlink", "copy"])
def test_what_stands_there_is_taken_over_and_comes_back_as_it_was(vault, server, out, install):
    before = facts(out)
    server.wants(A, adopt=True, install=install)
    run = server.sync()
    assert run.exit == 0 and f"{out}/key.pem: what stood there is kept as {server.state_directory}/adopted/" in run.stderr
    assert kept(server) == [before["cert.pem"][0], before["key.pem"][0]]
    assert (out / "key.pem").read_text() == server.installed(A).privkey
    assert (out / "key.pem").is_symlink() == (install == "symlink")
    renewed = vault.publish(A)
    assert server.sync().exit == 0 and (out / "cert.pem").read_text() == renewed.cert
    assert len(kept(server)) == 2, "a renewal keeps nothing of ours"
    run = server.run("--purge", "--restore")
    assert run.exit == 0 and f"{out}/key.pem: put back" in run.stderr
    assert facts(out) == before and list(server.state_directory.iterdir()) == []


def test_without_adopt_it_is_named_with_a_word_on_adopt_and_left(server, out):
    before = facts(out)
    run = server.sync()
    assert run.exit == 2 and f"{out}/key.pem: a file that certlet did not make stands in the way" in run.stderr
    assert "say adopt = yes" in run.stderr and "say adopt = yes" in server.certificate_status(A)["error"]
    assert facts(out) == before and server.installed(A) is None and kept(server) == []


def test_adopt_of_the_agent_holds_for_certificates_that_do_not_say(vault, server, out):
    server.agent(adopt=True)
    server.wants(A, adopt=False)
    assert server.sync().exit == 2
    server.wants(A, adopt=None)
    assert server.sync().exit == 0 and len(kept(server)) == 2


def test_a_dry_run_names_what_would_be_adopted_and_adopts_nothing(server, out):
    before = facts(out)
    server.wants(A, adopt=True)
    run = server.sync("--dry-run")
    assert run.exit == 0 and f"{A}: would adopt {out}/key.pem\n" in run.stderr and f"{A}: would adopt {out}/cert.pem\n" in run.stderr
    assert facts(out) == before and kept(server) == []


def test_a_dry_run_names_what_would_be_adopted_for_an_installed_certificate(server, out):
    server.wants(A, adopt=True, cert_path=None)
    assert server.sync().exit == 0
    server.wants(A, cert_path=out / "cert.pem")
    run = server.sync("--dry-run")
    assert f"{A}: would adopt {out}/cert.pem\n" in run.stderr and "key.pem" not in run.stderr
    assert server.sync().exit == 0 and "adopt" not in server.sync("--dry-run").output


def test_a_dry_run_names_nothing_of_a_certificate_that_cannot_be_had(vault, server, out):
    server.wants(A, adopt=True)
    vault.deny(A)
    run = server.sync("--dry-run")
    assert run.exit == 2 and "would adopt" not in run.output


def test_an_output_of_an_installed_certificate_is_adopted_without_vault(server, out, dead_address):
    server.wants(A, adopt=True, cert_path=None)
    assert server.sync().exit == 0 and len(kept(server)) == 1
    server.wants(A, cert_path=out / "cert.pem")
    server.asks(address=dead_address)
    assert server.sync().exit == 3
    assert (out / "cert.pem").read_text() == server.installed(A).cert and len(kept(server)) == 2


def test_what_was_adopted_stays_when_the_certificate_goes_and_goes_with_a_purge(vault, server, out):
    vault.publish("b.example.test")
    server.wants("b.example.test")
    server.wants(A, adopt=True)
    assert server.sync().exit == 0
    server.unwants(A)
    assert server.sync().exit == 0 and list(out.iterdir()) == [] and len(kept(server)) == 2
    assert server.run("--purge").exit == 0
    assert list(out.iterdir()) == [] and list(server.state_directory.iterdir()) == []


def test_nothing_is_put_over_what_others_put_there_since(server, out):
    server.wants(A, adopt=True)
    before = facts(out)
    assert server.sync().exit == 0
    server.certificates.clear()
    (out / "key.pem").unlink()
    (out / "key.pem").write_text("new\n")
    run = server.run("--purge", "--restore")
    assert run.exit == 2 and f"{out}/key.pem: not put back: something else stands there" in run.stderr
    assert (out / "key.pem").read_text() == "new\n" and facts(out)["cert.pem"] == before["cert.pem"]
    assert kept(server) == [before["key.pem"][0]]
    (out / "key.pem").unlink()
    assert server.run("--purge", "--restore").exit == 0
    assert facts(out) == before and list(server.state_directory.iterdir()) == []


@pytest.mark.parametrize("unfit, words", [
    (lambda path: os.link(path, path.with_name("second")), "it has 2 links"),
    (lambda path: os.chown(path, 4321, 0), "it belongs to user 4321"),
    (lambda path: (path.rename(path.with_name("real")), path.symlink_to("real")), "a link that certlet did not make"),
    (lambda path: (path.unlink(), os.mkfifo(path)), "something stands in the way"),
])
def test_nothing_but_a_plain_file_of_root_or_the_owner_is_adopted(server, out, unfit, words):
    server.wants(A, adopt=True)
    unfit(out / "key.pem")
    before = sorted((path.name, path.lstat().st_ino) for path in out.iterdir())
    run = server.sync()
    assert run.exit == 2 and words in run.stderr and f"{out}/key.pem" in run.stderr
    assert sorted((path.name, path.lstat().st_ino) for path in out.iterdir()) == before and kept(server) == []


def test_restore_goes_with_purge_only(server, out):
    run = server.sync("--restore")
    assert run.exit == 1 and "--restore does not go with --sync" in run.stderr
