"""The module from an empty Hiera to a certificate that nginx serves, and back to nothing."""

import json
import time

from support.process import ROOT

A, B = "www.example.test", "shop.example.test"
WITH_NGINX = {"services": ["nginx"]}


def installs(node, *names, **settings):
    """A machine on which nginx serves these; the leaves."""
    leaves = [node.vault.publish(name) for name in names]
    run = node.apply(certificates={name: WITH_NGINX for name in names}, **settings)
    assert run.exit == 2, run.output
    node.nginx(*names)
    return leaves


def timer(node):
    """When it ran the agent last (0: never) and will next, in microseconds."""
    found, = json.loads(node.execute("systemctl", "list-timers", "certlet.timer", "--output=json").output)
    return found["last"], found["next"]


def test_a_certificate_of_hiera_is_served_and_a_second_run_changes_nothing(node):
    leaf, = installs(node, A)
    assert node.served(A) == leaf.fingerprint
    assert node.apply(certificates={A: WITH_NGINX}).exit == 0
    assert node.execute("systemctl", "is-enabled", "certlet.timer").exit == 0
    last, following = timer(node)
    assert last == 0 and following / 1e6 - time.time() > 1800  # of the hour that is set: the one run was Puppet's own


def test_one_of_two_that_is_dropped_goes_and_the_other_is_served_on(node):
    stays, goes = installs(node, A, B)
    node.nginx(A)
    run = node.apply(certificates={A: WITH_NGINX})
    assert run.exit == 2 and run.output.count(f"certlet: {B}: deleted") == 1
    assert "systemctl" not in run.output and "certlet.timer" not in run.output
    assert node.apply(certificates={A: WITH_NGINX}).exit == 0
    assert node.served(A) == stays.fingerprint and node.installed(A) and not node.holds(B)


def test_without_vault_the_catalog_applies_the_report_tells_and_the_task_makes_up_for_it(node):
    node.vault.publish(A)
    node.vault.stop()
    run = node.apply("include certlet\nfile { '/etc/behind-certlet': ensure => file, require => Class['certlet'] }",
                     certificates={A: {}}, vault={"address": node.vault.address, "ca_file": node.vault.ca_file, "deadline": "3s"})
    assert run.exit == 6 and "certlet --sync ended with 3" in run.output
    assert "Error: /Stage[main]/Certlet::Timer/Certlet_run[certlet]: certlet: no login: https://" in run.output
    assert node.path("/etc/behind-certlet").exists()
    node.path("/etc/behind-certlet").unlink()
    node.vault.start()
    task = node.execute("sh", ROOT / "puppet-module/tasks/sync.sh", PT_certificate=A, PT__noop="true")
    assert task.exit == 0 and A in task.output and not node.holds(A)
    assert node.execute("sh", ROOT / "puppet-module/tasks/sync.sh", PT_certificate=A).exit == 0 and node.installed(A)


def test_a_service_that_needs_a_certificate_starts_in_the_first_run(node):
    leaf = node.vault.publish(A)
    run = node.apply(f"""
        include certlet
        file {{ '/etc/nginx/conf.d/acceptance.conf':
          content => "server {{ listen 127.0.0.1:8443 ssl; server_name {A};
            ssl_certificate ${{certlet::path('{A}', 'fullchain')}}; ssl_certificate_key ${{certlet::path('{A}', 'privkey')}}; }}",
        }}
        ~> service {{ 'nginx': ensure => running, require => Certlet::Certificate['{A}'] }}""", certificates={A: WITH_NGINX})
    assert run.exit == 2 and node.served(A) == leaf.fingerprint


def test_a_manifest_that_the_agent_refuses_does_not_land(node):
    installs(node, A)
    before = node.path("/etc/certlet/manifest.ini").read_text()
    presets = node.path("/usr/share/certlet/services.ini")
    presets.rename("/root/services.ini")  # what the module takes for a preset is none to this agent
    run = node.apply(certificates={A: WITH_NGINX, B: {}})
    node.path("/root/services.ini").rename(presets)
    assert run.exit in (4, 6) and node.path("/etc/certlet/manifest.ini").read_text() == before


def test_without_data_nothing_is_managed_and_nothing_removed(node):
    leaf, = installs(node, A)
    run = node.apply()
    assert run.exit == 0 and "nothing is managed" in run.output and node.served(A) == leaf.fingerprint


def test_what_hiera_says_wrongly_is_refused_with_its_key(node):
    run = node.apply(certificates={A: {"key_mode": "0644"}})
    assert run.exit == 1 and "certificates" in run.output and A in run.output and "key_mode" in run.output
    run = node.apply(certificates={A: {"cert_path": "/etc/ssl/x.pem"}, B: {"cert_path": "/etc/ssl/x.pem"}})
    assert run.exit == 1 and f"certlet::certificates: {A}: cert_path" in run.output
    assert node.differences() == {}


def test_a_renewed_certificate_arrives_by_the_timer(node):
    installs(node, A)
    renewed = node.vault.publish(A, days=80)
    quick = node.path("/etc/systemd/system/certlet.timer.d/quick.conf")  # than the module allows
    quick.write_text("[Timer]\nOnActiveSec=\nOnActiveSec=1s\n")
    node.execute("systemctl", "daemon-reload", check=True)
    node.comes_to_serve(A, renewed)
