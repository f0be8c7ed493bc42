"""Removal: whatever state a machine is in, nothing that tells of certlet is left, or it is said what holds it up."""

from test_puppet import A, B, installs


def test_when_none_is_listed_no_trace_is_left(node):
    installs(node, A)
    node.stops_nginx()
    assert node.apply(certificates={}).exit == 2
    assert node.differences() == {} and not node.path("/run/systemd/system/certlet.timer.d").exists()
    assert node.apply(certificates={}).exit == 0


def test_a_machine_that_never_had_it_is_left_alone(node):
    assert node.apply(certificates={}).exit == 0
    assert node.apply(certificates={}, ensure="absent").exit == 0
    assert node.differences() == {}


def test_a_certificate_in_use_holds_up_the_removal_visibly_and_is_renewed_until_it_is_forced(node):
    leaf, _ = installs(node, A, B)
    node.nginx(A)
    run = node.apply(certificates={})
    assert run.exit in (4, 6) and f"certlet: {A}: " in run.output and "certlet --purge ended with 2" in run.output
    assert node.served(A) == leaf.fingerprint and node.path("/usr/sbin/certlet").exists()
    node.execute("systemctl", "reload", "nginx", check=True)
    assert node.execute("systemctl", "start", "certlet.service").exit == 0 and node.installed(A) and not node.holds(B)
    assert node.execute("systemctl", "is-active", "certlet.timer").exit == 0
    assert node.execute("systemctl", "is-enabled", "certlet.timer").exit == 0
    with node.path("/etc/certlet/manifest.ini").open("a") as manifest:
        manifest.write("damaged\n")
    assert node.apply(certificates={}, purge_force=True).exit == 2
    node.stops_nginx()
    assert node.differences() == {}


def test_a_virtual_host_that_is_ordered_behind_the_class_goes_all_the_same(node):
    installs(node, A)
    code = """
        include certlet
        file { '/etc/nginx/conf.d/acceptance.conf': ensure => absent, require => Class['certlet'] }
        ~> service { 'nginx': ensure => running, restart => '/usr/bin/systemctl reload nginx' }"""
    if node.apply(code, certificates={}).exit != 2:  # either may come first; a removal that came too early is red once
        assert node.apply(code, certificates={}).exit == 2
    assert node.apply(code, certificates={}).exit == 0
    node.stops_nginx()
    assert node.differences() == {}
