"""etc/outside/: a server that cloud-init sets up, and a container that runs certlet as an ordinary user."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from support import process
from support.bao import ApiError
from support.node import Node, package
from support.outside import OUTSIDE, Cloud, Container

WWW = "www.example.com"


@pytest.fixture
def node(directory, own_vault, ca):
    """As the other files have it, but the package stays from test to test, and what else the disk holds is not looked at."""
    machine = Node(directory, own_vault, ca, before=None)
    yield machine
    for path in ("/etc/certlet", "/var/lib/certlet", "/run/certlet", "/tls"):
        shutil.rmtree(path, ignore_errors=True)


# A cloud server


@pytest.fixture
def cloud(node):
    yield Cloud(node)
    node.execute("systemctl", "disable", "--now", "certlet.timer")


def answer(node, *command):
    return node.execute(*command).output.strip()


def test_a_new_server_has_its_certificate_and_a_timer_and_another_start_changes_nothing(node, cloud):
    leaf = node.vault.publish(WWW)
    cloud.offers_the_package()
    token = node.vault.wrap()
    user_data = cloud.fills(token)
    assert cloud.start(user_data) == [0, 0, 0, 0]
    assert node.execute("cloud-init", "schema", "--config-file", cloud.seed / "user-data").exit == 0
    assert node.installed(WWW).matches and node.installed(WWW).fingerprint == leaf.fingerprint
    assert answer(node, "systemctl", "is-active", "certlet.timer") == "active"
    assert answer(node, "systemctl", "is-enabled", "certlet.timer") == "enabled"
    with pytest.raises(ApiError):
        node.vault.unwrap(token)
    secret_id = Path("/etc/certlet/secret-id")
    assert stat.S_IMODE(secret_id.stat().st_mode) == 0o600
    assert cloud.says(secret_id.read_text().strip()) == []

    # Of a server that it knows, cloud-init does nothing again: under another name all of it is written and run once more.
    before = node.installed(WWW).inodes, secret_id.stat().st_ino
    assert cloud.start(user_data, instance="two") == [0, 0, 0, 0]
    assert (node.installed(WWW).inodes, secret_id.stat().st_ino) == before


def test_a_token_that_somebody_else_has_opened_is_told_and_the_next_one_is_taken(node, cloud):
    node.vault.publish(WWW)
    if not shutil.which("certlet"):
        node.execute("dpkg", "--install", package(), check=True)
    token = node.vault.wrap()
    node.vault.unwrap(token)
    assert cloud.start(cloud.fills(token, without=["apt", "packages"])) == [0, 0, 0, 1]
    assert "status: error" in node.execute("cloud-init", "status").output
    assert "possible interception" in node.execute("journalctl", "--quiet", "--unit=certlet.service").output
    assert node.holds(WWW) == []
    assert answer(node, "systemctl", "is-active", "certlet.timer") == "active", "what is not to be had now is had later"
    Path("/etc/certlet/wrapped-secret-id").write_text(node.vault.wrap() + "\n")
    assert node.execute("systemctl", "start", "certlet.service").exit == 0
    assert node.installed(WWW).matches


# A container


@pytest.fixture
def container(node):
    node.vault.publish(WWW)
    made = Container(node)
    manifest = (OUTSIDE / "container/manifest.ini").read_text()
    address = next(line for line in manifest.splitlines() if line.startswith("address"))
    for path, text, mode in (("/etc/certlet/manifest.ini", manifest.replace(address, f"address = {node.vault.address}"), 0o644),
                             ("/etc/certlet/vault-ca.pem", Path(node.vault.ca_file).read_text(), 0o644),
                             ("/etc/certlet/role-id", node.vault.role_id, 0o644),
                             ("/run/secrets/wrapped-secret-id", node.vault.wrap(), 0o400)):
        place = Path(path)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
        place.chmod(mode)
    os.chown("/run/secrets/wrapped-secret-id", int(made.user), int(made.group))
    yield made
    process.stop(made.running)


def comes_to_have(container, leaf):
    file = container.volume("/tls") / f"{WWW}.crt"
    process.wait_until(lambda: file.exists() and file.read_text() == leaf.fullchain, 20, "the files of the new certificate")


def shared(container):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in container.volume("/tls").iterdir()}


def last_run(container):
    """When it wrote what it found: each run does."""
    return (container.volume("/var/lib/certlet") / "state/status.json").stat().st_mtime_ns


def test_files_arrive_and_are_renewed_without_root_and_stay_as_they_are_when_it_is_started_again(node, container):
    first = node.vault.publish(WWW)
    container.start(CERTLET_INTERVAL="1")
    comes_to_have(container, first)
    found = {path.name: (stat.S_IMODE(path.stat().st_mode), path.stat().st_uid, path.stat().st_gid) for path in container.volume("/tls").iterdir()}
    assert found == {f"{WWW}.crt": (0o644, 10001, 10001), f"{WWW}.key": (0o640, 10001, 10001)}
    status = Path(f"/proc/{container.pid}/status").read_text()
    assert "\nUid:\t10001\t10001\t10001\t10001\n" in status and "\nCapEff:\t0000000000000000\n" in status
    process.wait_until(lambda: container.inside(container.health).exit == 0, 10, "it to be healthy")
    readable = ["test", "-r", f"/tls/{WWW}.key"]
    assert container.inside(readable, user="20001", groups=["10001"]).exit == 0, "an application in the group"
    assert container.inside(readable, user="20001").exit == 1
    assert (container.volume("/tls") / f"{WWW}.key").read_text() == first.fields()["privkey"]
    for path in ("/etc/certlet/x", "/tmp/x", "/run/x", "/x"):
        assert "Read-only file system" in container.inside(["touch", path]).output

    second = node.vault.publish(WWW)
    comes_to_have(container, second)
    last = last_run(container)
    process.wait_until(lambda: last_run(container) != last, 10, "the end of that run, and another")
    assert container.stop() == 0
    before, last = shared(container), last_run(container)
    container.start()
    process.wait_until(lambda: last_run(container) != last, 10, "the first run of the second start")
    assert shared(container) == before and container.inside(container.health).exit == 0
    assert container.stop() == 0, "a stop is heard while it waits for the next run"


def test_a_container_is_unhealthy_before_its_first_run_and_ends_where_its_manifest_is_wrong(container):
    container.start(CERTLET_INTERVAL="not a number")
    assert container.ends() == 1 and "not a number" in container.log
    Path("/etc/certlet/manifest.ini").write_text("[vault]\n")
    container.start()
    assert container.ends() == 1 and "manifest.ini" in container.log
    assert container.node.execute("env", "-i", f"PATH={os.environ['PATH']}", *container.as_user(), *container.health).exit == 1
