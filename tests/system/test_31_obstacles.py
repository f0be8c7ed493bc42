"""What an administrator or a file system puts in the way: that certificate fails with words that name it, the others go on."""

import shutil
import subprocess

import pytest

WWW, OTHER = "www.example.test", "other.example.test"
pytestmark = pytest.mark.root


@pytest.fixture
def immutable():
    """chattr +i, and never longer than the test."""
    made = []

    def make(path):
        if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", path], capture_output=True).returncode != 0:
            pytest.skip("no chattr +i on this file system")
        made.append(path)
        return path

    yield make
    for path in made:
        if path.exists():
            subprocess.run(["chattr", "-i", path], check=True)


def inside(*mounts):
    """Words to run a program with, in which these mounts are made and nowhere else."""
    return ["unshare", "--mount", "sh", "-c", " && ".join(mounts) + ' && exec "$@"', "sh"]


@pytest.fixture
def outputs(vault, server):
    """Two certificates with copies, installed, and a new version of both."""
    directory = server.etc / "out"
    directory.mkdir()
    for name in (WWW, OTHER):
        place = directory / name
        place.mkdir()
        vault.publish(name)
        server.wants(name, install="copy", key_path=place / "key.pem", fullchain_path=place / "cert.pem")
    assert server.sync().exit == 0
    for name in (WWW, OTHER):
        vault.publish(name)
    return directory


def assert_only_www_failed(server, outputs, run, *words):
    assert run.exit == 2, run.output
    for word in words:
        assert word in run.stderr
    assert (server.installed(WWW).version, server.installed(OTHER).version) == (1, 2)
    assert server.installed(WWW).matches
    for name in (WWW, OTHER):
        assert (outputs / name / "key.pem").read_text() == server.installed(name).privkey
        assert (outputs / name / "cert.pem").read_text() == server.installed(name).fullchain


def assert_next_run_mends(server, outputs):
    assert server.sync(WWW).exit == 0
    for name in (WWW, OTHER):
        assert server.installed(name).version == 2
        assert (outputs / name / "key.pem").read_text() == server.installed(name).privkey
    assert [path.name for path in outputs.rglob(".*")] == []


def test_a_copy_that_is_a_mount_point_is_named_and_left(server, outputs):
    key = outputs / WWW / "key.pem"
    (outputs / "mounted").write_text(key.read_text())
    run = server.sync(under=inside(f"mount --bind {outputs}/mounted {key}"))
    assert_only_www_failed(server, outputs, run, str(key))
    assert_next_run_mends(server, outputs)


def test_an_immutable_copy_is_named_and_left(server, outputs, immutable):
    key = immutable(outputs / WWW / "key.pem")
    run = server.sync()
    assert_only_www_failed(server, outputs, run, str(key), "Operation not permitted")
    subprocess.run(["chattr", "-i", key], check=True)
    assert_next_run_mends(server, outputs)


def test_an_immutable_second_copy_takes_the_first_one_back(server, outputs, immutable):
    """The key goes first: with the certificate refused, the old key has to come again."""
    certificate = immutable(outputs / WWW / "cert.pem")
    run = server.sync()
    assert_only_www_failed(server, outputs, run, str(certificate), "Operation not permitted")
    subprocess.run(["chattr", "-i", certificate], check=True)
    assert_next_run_mends(server, outputs)


def test_a_read_only_file_system_under_an_output_is_named(server, outputs):
    place = outputs / WWW
    run = server.sync(under=inside(f"mount --bind {place} {place}", f"mount -o remount,ro,bind {place}"))
    assert_only_www_failed(server, outputs, run, str(place), "Read-only file system")
    assert_next_run_mends(server, outputs)


def test_an_archive_on_a_read_only_file_system_is_named(server, outputs):
    place = server.archive / WWW
    run = server.sync(under=inside(f"mount --bind {place} {place}", f"mount -o remount,ro,bind {place}"))
    assert_only_www_failed(server, outputs, run, f"archive/{WWW}", "Read-only file system")
    assert_next_run_mends(server, outputs)


def test_an_archive_that_is_another_file_system_is_as_good_as_any(server, outputs):
    place = server.archive / WWW
    run = server.sync(under=inside(f"mount --bind {place} {place}"))
    assert run.exit == 0, run.output
    assert server.installed(WWW).version == 2


def test_an_immutable_directory_of_the_archive_is_named(server, outputs, immutable):
    place = immutable(server.archive / WWW)
    run = server.sync()
    assert_only_www_failed(server, outputs, run, f"archive/{WWW}", "Operation not permitted")
    subprocess.run(["chattr", "-i", place], check=True)
    assert_next_run_mends(server, outputs)


def test_what_cannot_be_removed_is_named_and_removed_by_a_later_run(server, outputs, immutable):
    key = immutable(outputs / WWW / "key.pem")
    server.unwants(WWW)
    run = server.sync()
    assert run.exit == 2 and str(key) in run.stderr
    assert server.installed(OTHER).version == 2
    subprocess.run(["chattr", "-i", key], check=True)
    assert server.sync().exit == 0
    assert not key.exists() and server.installed(WWW) is None and not (server.archive / WWW).exists()


def test_an_output_that_is_not_named_any_more_and_cannot_be_removed_is_owed(server, outputs, immutable):
    key = immutable(outputs / WWW / "key.pem")
    server.wants(WWW, key_path=outputs / WWW / "other.pem")
    run = server.sync()
    assert run.exit == 2 and str(key) in run.stderr
    assert server.sync().exit == 2
    subprocess.run(["chattr", "-i", key], check=True)
    assert server.sync().exit == 0
    assert not key.exists() and (outputs / WWW / "other.pem").read_text() == server.installed(WWW).privkey


@pytest.mark.parametrize("install", ["symlink", "copy"])
def test_services_of_a_new_certificate_are_told_when_the_obstacle_is_gone(vault, server, immutable, install):
    """The link may have moved before an output could not follow."""
    place = server.etc / "out"
    place.mkdir()
    immutable(place)
    vault.publish(WWW)
    server.service("nginx")
    server.wants(WWW, services=["nginx"], install=install, key_path=place / "key.pem")
    run = server.sync()
    assert run.exit == 2 and str(place) in run.stderr
    subprocess.run(["chattr", "-i", place], check=True)
    assert server.sync().exit == 0
    assert (place / "key.pem").read_text() == server.installed(WWW).privkey
    assert server.reloads("nginx") == 1 and server.service_status("nginx")["state"] == "ok"
