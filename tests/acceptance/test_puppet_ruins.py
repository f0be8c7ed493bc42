"""Removal from a machine that is not as Puppet left it: without Vault, without the package, the manifest, or a first run."""

import shutil

import pytest

from test_puppet import A, B, installs


def test_without_vault_everything_goes_as_well(node):
    installs(node, A)
    node.stops_nginx()
    node.vault.stop()
    node.path("/run/certlet/token").unlink()
    node.execute("systemctl", "start", "certlet.service")
    assert node.execute("systemctl", "is-failed", "certlet.service").exit == 0
    assert node.apply(ensure="absent", certificates={A: {}}).exit == 2
    assert "certlet" not in node.execute("systemctl", "list-units", "--all", "--no-legend").output
    assert node.differences() == {}
    node.vault.start()


def test_a_package_that_was_removed_by_hand_leaves_no_output_behind(node):
    node.vault.publish(A)
    node.vault.publish(B)
    node.path("/srv/tls").mkdir()
    node.path("/srv/tls/key.pem").write_text("a key of before")
    copies = {"install": "copy", "cert_path": "/srv/tls/cert.pem", "key_path": "/srv/tls/key.pem", "adopt": True}
    agent = {"metrics_file": "/srv/tls/certlet.prom"}
    assert node.apply(certificates={A: copies, B: {"combined_path": "/srv/tls/link.pem"}}, agent=agent).exit == 2
    node.execute("dpkg", "--remove", "certlet", check=True)
    assert node.path("/srv/tls/key.pem").exists() and node.path("/srv/tls/certlet.prom").exists()
    assert node.apply(certificates={}).exit == 2
    assert list(node.path("/srv/tls").iterdir()) == []
    node.path("/srv/tls").rmdir()
    assert node.differences() == {}
    assert node.apply(certificates={}).exit == 0


def test_a_package_that_was_purged_by_hand_leaves_nothing(node):
    installs(node, A)
    node.stops_nginx()
    node.execute("dpkg", "--purge", "certlet", check=True)
    assert node.apply(certificates={}).exit in (0, 2)
    assert node.differences() == {}


def test_what_others_keep_in_its_directories_stays_also_where_it_never_was(node):
    agent = {"directory": "/srv/tls", "state_directory": "/srv/state", "run_directory": "/srv/run"}
    theirs = [node.path(path) for path in ("/srv/tls/live/README", "/srv/tls/archive/theirs/cert1.pem", "/srv/state/other.db", "/srv/run/other.pid")]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    assert node.apply(certificates={}, agent=agent).exit == 0
    node.vault.publish(A)
    node.path("/srv/out").mkdir()
    assert node.apply(certificates={A: {"install": "copy", "key_path": "/srv/out/key.pem"}}, agent=agent).exit == 2
    node.path("/etc/certlet/manifest.ini").unlink()  # and the agent, without it, looks elsewhere
    assert node.apply(certificates={}, agent=agent).exit == 2
    assert sorted(path for path in node.path("/srv").rglob("*") if not path.is_dir()) == sorted(theirs)
    assert node.apply(certificates={}, agent=agent).exit == 0
    for top in ("tls", "state", "run", "out"):
        shutil.rmtree(f"/srv/{top}")
    assert node.differences() == {}


def test_an_agent_that_never_ran_goes_without_a_trace(node):
    node.vault.stop()
    node.apply(certificates={A: {}}, vault={"address": node.vault.address, "ca_file": "/nonexistent"})
    assert node.apply(certificates={}).exit == 2
    assert node.differences() == {}
    node.vault.start()


@pytest.mark.parametrize("command", ["userdel certlet", "rm -r /var/lib/certlet", "apt-mark hold certlet"])
def test_an_agent_goes_whatever_somebody_did_to_it_by_hand(node, command):
    node.vault.publish(A)
    assert node.apply(certificates={A: {}}).exit == 2
    node.execute(*command.split(), check=True)
    assert node.apply(certificates={}).exit == 2
    assert node.differences() == {}
    assert node.apply(certificates={}).exit == 0
