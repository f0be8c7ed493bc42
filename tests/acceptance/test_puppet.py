"""The module from an empty Hiera to a certificate that nginx serves, and back to nothing."""

import pytest

A, B = "www.example.test", "shop.example.test"
WITH_NGINX = {"services": ["nginx"]}


def installs(node, *names, **settings):
    """A machine on which nginx serves these; the leaves."""
    leaves = [node.vault.publish(name) for name in names]
    run = node.apply(certificates={name: WITH_NGINX for name in names}, **settings)
    assert run.exit == 2, run.output
    node.nginx(*names)
    return leaves


def test_a_certificate_of_hiera_is_served_and_a_second_run_changes_nothing(node):
    leaf, = installs(node, A)
    assert node.served(A) == leaf.fingerprint
    assert node.apply(certificates={A: WITH_NGINX}).exit == 0
    assert node.execute("systemctl", "is-enabled", "certlet.timer").exit == 0
    assert node.execute("systemctl", "is-active", "certlet.timer").exit == 0


def test_a_renewed_certificate_arrives_by_the_timer(node):
    installs(node, A, interval="2s")
    renewed = node.vault.publish(A, days=80)
    node.comes_to_serve(A, renewed)


def test_one_of_two_that_is_dropped_goes_and_the_other_is_served_on(node):
    stays, goes = installs(node, A, B)
    node.nginx(A)
    run = node.apply(certificates={A: WITH_NGINX})
    assert run.exit == 2 and f"certlet: {B}: deleted" in run.output
    assert node.apply(certificates={A: WITH_NGINX}).exit == 0
    assert node.served(A) == stays.fingerprint and node.installed(A) and not node.holds(B)


def test_when_none_is_listed_no_trace_is_left(node):
    installs(node, A)
    node.stops_nginx()
    assert node.apply(certificates={}).exit == 2
    assert node.differences() == {}
    assert node.apply(certificates={}).exit == 0


def test_a_machine_that_never_had_it_is_left_alone(node):
    assert node.apply(certificates={}).exit == 0
    assert node.apply(certificates={}, ensure="absent").exit == 0
    assert node.differences() == {}
