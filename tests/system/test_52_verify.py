"""What a port serves after a reload, asked of a real nginx."""

import subprocess

from support import process

A, B = "www.example.test", "shop.example.test"


def script(server, name, text):
    path = server.directory / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)
    return path


def serves_soon(nginx, name, leaf):
    """An old worker of nginx's may answer for a moment after a new one did."""
    return process.wait_until(lambda: nginx.serves(name) == leaf.fingerprint, 5, "the new leaf")


def runs(server, vault, nginx, *names, **keys):
    """nginx serves these names from live/, with `verify`; all is well."""
    server.service("web", **{**nginx.service_keys(verify=True), "timeout": "3s", **keys})
    leaves = []
    # Installed first: nginx does not start without its files.
    server.service("web", active="/bin/false")
    for name in names:
        leaves.append(vault.publish(name))
        server.wants(name, services=["web"])
        nginx.vhost(name, server.live / name)
    assert server.sync().exit == 0
    nginx.start()
    server.service("web", active=nginx.active)
    return leaves


def test_a_new_leaf_on_the_port_ends_the_run(vault, server, nginx):
    old, = runs(server, vault, nginx, A)
    assert nginx.serves(A) == old.fingerprint
    new = vault.publish(A)
    run = server.sync()
    assert run.exit == 0 and run.seconds < 20
    assert serves_soon(nginx, A, new)
    assert server.service_status("web")["serving"] == new.fingerprint


def test_a_port_that_still_serves_the_old_leaf_leaves_the_reload_owed(vault, server, nginx):
    old, = runs(server, vault, nginx, A)
    server.service("web", reload="/bin/true", timeout="1s")
    new = vault.publish(A)
    run = server.sync()
    assert run.exit == 2 and "old certificate" in run.stderr
    assert server.installed(A).fingerprint == new.fingerprint, "nothing goes back"
    status = server.service_status("web")
    assert status["reload_owed"] and status["serving"] == old.fingerprint
    server.service("web", reload=nginx.reload)
    assert server.sync().exit == 0
    assert serves_soon(nginx, A, new)
    assert not server.service_status("web")["reload_owed"]


def test_a_port_that_answered_before_and_no_longer_does_is_a_failed_reload(vault, server, nginx):
    old, = runs(server, vault, nginx, A)
    server.service("web", reload=script(server, "kill-it", f"kill $(cat {nginx.directory}/nginx.pid); sleep 0.3"),
                   active="/bin/true", timeout="1s")
    vault.publish(A)
    run = server.sync()
    assert run.exit == 2
    assert server.installed(A).fingerprint == old.fingerprint
    assert server.certificate_status(A)["problem"] == "quarantined"


def test_a_port_that_never_answered_rolls_nothing_back(vault, server, ca):
    server.service("web", verify=f"127.0.0.1:{process.free_port()}", timeout="1s")
    leaf = vault.publish(A)
    server.wants(A, services=["web"])
    run = server.sync()
    assert run.exit == 2 and "connect" in run.stderr.lower()
    renewed = vault.publish(A)
    assert server.sync().exit == 2
    assert server.installed(A).fingerprint == renewed.fingerprint != leaf.fingerprint
    assert server.certificate_status(A)["problem"] is None


def test_another_leaf_is_reported_and_nothing_is_rolled_back(vault, server, nginx, ca):
    runs(server, vault, nginx, A)
    foreign = ca.leaf([A])
    nginx.vhost(A, foreign.write(server.directory / "foreign"))
    server.service("web", timeout="1s")
    new = vault.publish(A)
    run = server.sync()
    assert run.exit == 2 and foreign.fingerprint in run.stderr
    assert server.installed(A).fingerprint == new.fingerprint
    assert server.certificate_status(A)["problem"] is None
    status = server.service_status("web")
    assert status["state"] == "failed" and status["serving"] == foreign.fingerprint


def test_a_service_that_served_another_leaf_is_asked_again_at_each_run(vault, server, nginx, ca):
    vault.publish(B)
    server.wants(B)
    runs(server, vault, nginx, A)
    good = nginx.configuration.read_text()
    foreign = ca.leaf([A])
    nginx.vhost(A, foreign.write(server.directory / "foreign"))
    server.service("web", timeout="1s")
    new = vault.publish(A)
    assert server.sync().exit == 2
    run = server.sync("--verbose")
    assert run.exit == 2 and f"service web: still does not serve {A}" in run.stderr
    assert server.service_status("web")["state"] == "failed"
    nginx.configuration.write_text(good)
    subprocess.run(nginx.reload.split(), check=True)
    assert nginx.comes_to_serve(new.fingerprint, A)
    assert server.sync().exit == 0
    status = server.service_status("web")
    assert status["state"] == "ok" and status["serving"] == new.fingerprint


def test_each_changed_certificate_is_asked_for_by_its_own_name(vault, server, nginx, ca):
    runs(server, vault, nginx, A, B)
    foreign = ca.leaf([B])
    nginx.vhost(B, foreign.write(server.directory / "foreign"))
    server.service("web", timeout="1s")
    vault.publish(A)
    assert server.sync().exit == 0, "only what changed is asked for"
    vault.publish(A), vault.publish(B)
    run = server.sync()
    assert run.exit == 2 and B in server.service_status("web")["error"]


def test_with_sni_only_certificates_that_cover_that_name_are_asked_for(vault, server, nginx, ca):
    runs(server, vault, nginx, A, B)
    nginx.vhost(B, ca.leaf([B]).write(server.directory / "foreign"))
    server.service("web", verify=f"127.0.0.1:{nginx.port} sni={A}", timeout="1s")
    vault.publish(A), vault.publish(B)
    assert server.sync().exit == 0


def test_a_wildcard_is_asked_for_by_a_name_below_it(vault, server, nginx):
    leaf, = runs(server, vault, nginx, "_wildcard.example.test")
    assert nginx.serves("www.example.test") == leaf.fingerprint
    renewed = vault.publish("_wildcard.example.test")
    assert server.sync().exit == 0
    assert server.service_status("web")["serving"] == renewed.fingerprint


def test_of_an_rsa_and_an_ec_certificate_of_one_name_each_is_asked_for(vault, server, nginx):
    keys = {"rsa": "rsa-2048", "ec": "ec-p256"}
    server.service("web", **nginx.service_keys(verify=True), timeout="2s")
    server.service("web", active="/bin/false")
    for name, key in keys.items():
        vault.publish(name, names=[A], key=key)
        server.wants(name, names=A, services=["web"])
    assert server.sync().exit == 0
    nginx.vhost(A, server.live / "rsa")
    text = nginx.configuration.read_text()
    line = f"ssl_certificate_key {server.live}/rsa/privkey.pem;"
    assert line in text
    nginx.configuration.write_text(text.replace(
        line, f"{line} ssl_certificate {server.live}/ec/fullchain.pem;"
              f" ssl_certificate_key {server.live}/ec/privkey.pem;"))
    nginx.start()
    server.service("web", active=nginx.active)
    for name, key in keys.items():
        renewed = vault.publish(name, names=[A], key=key)
        assert server.sync().exit == 0
        assert server.service_status("web")["serving"] == renewed.fingerprint


def test_the_asking_process_does_not_have_our_environment(vault, server, nginx):
    runs(server, vault, nginx, A)
    log = server.directory / "tls-keys"
    vault.publish(A)
    assert server.sync(env={"SSLKEYLOGFILE": str(log)}).exit == 0
    assert not log.exists()
