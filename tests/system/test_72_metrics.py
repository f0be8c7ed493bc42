"""metrics_file: what node_exporter tells Prometheus of a server, read with Prometheus' own parser."""

import os
import re
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.process import ROOT

A, B = "a.example.test", "b.example.test"


@pytest.fixture
def file(server):
    """A textfile directory, and the file that certlet is to write there."""
    directory = server.directory / "node-exporter"
    directory.mkdir()
    directory.chmod(0o755)
    server.agent(metrics_file=directory / "certlet.prom")
    return directory / "certlet.prom"


class Samples(dict):
    """{(metric, *label values): value}; what Prometheus would read."""

    def __init__(self, path):
        text = path.read_text()
        for family in text_string_to_metric_families(text):
            assert family.type == "gauge" and family.documentation, family.name
            for sample in family.samples:
                key = (sample.name, *sample.labels.values())
                assert key not in self, f"{key} twice"
                self[key] = sample.value
        assert set(re.findall(r"^# TYPE (\S+)", text, re.M)) >= {key[0] for key in self}
        assert all(re.fullmatch(r"certlet_[a-z_]+", key[0]) for key in self)

    def chosen(self, *key):
        """The one word of a set of them that is 1; None: all are 0."""
        words = [this[-1] for this, value in self.items() if this[:-1] == key and value == 1]
        assert len(words) <= 1
        return words[0] if words else None


def test_a_run_tells_what_status_json_does(vault, server, file):
    vault.publish(A)
    server.wants(A, services=["web"])
    server.wants(B)
    assert server.sync().exit == 2
    told, status = Samples(file), server.status()
    leaf = server.installed(A)
    assert told["certlet_certificate_not_after_timestamp_seconds", A] == leaf.not_after.timestamp()
    assert told["certlet_certificate_warn_seconds", A] == 25 * 86400 and told["certlet_certificate_critical_seconds", A] == 7 * 86400
    assert told["certlet_certificate_version", A] == 1 and told["certlet_certificate_wanted", B] == 1
    assert told.chosen("certlet_certificate_state", A) == "ok" and told.chosen("certlet_certificate_problem", A) is None
    assert told.chosen("certlet_certificate_state", B) == "missing" and told.chosen("certlet_certificate_problem", B) == "failed"
    assert ("certlet_certificate_not_after_timestamp_seconds", B) not in told
    assert told["certlet_service_reload_owed", "web"] == 0 and told.chosen("certlet_service_state", "web") == "ok"
    assert told["certlet_last_sync_exit_code",] == 2 and told["certlet_last_sync_requests",] == status["last_sync"]["requests"]
    assert told["certlet_last_sync_duration_seconds",] == status["last_sync"]["seconds"]
    assert told["certlet_last_success_timestamp_seconds",] == told["certlet_last_sync_timestamp_seconds",] > 1.7e9
    assert told.chosen("certlet_credentials") == "ok" and told["certlet_info", status["certlet"]] == 1
    assert file.stat().st_mode & 0o777 == 0o644 and [path.name for path in file.parent.iterdir()] == [file.name]


def test_each_run_writes_anew_also_one_that_vault_does_not_answer(vault, server, file, dead_address):
    vault.publish(A)
    server.wants(A, services=["web"])
    assert server.sync().exit == 0
    server.breaks("web", "reload")
    vault.publish(A)
    assert server.sync().exit == 2
    told = Samples(file)
    assert told.chosen("certlet_certificate_problem", A) == "quarantined" and told["certlet_certificate_offered_version", A] == 2
    assert told.chosen("certlet_service_state", "web") == "failed" and told["certlet_service_reload_owed", "web"] == 1
    server.asks(address=dead_address)
    assert server.sync().exit == 2
    again = Samples(file)
    assert again["certlet_last_success_timestamp_seconds",] == told["certlet_last_success_timestamp_seconds",]
    before = file.read_text()
    server.sync("--dry-run")
    assert file.read_text() == before, "a dry run writes nothing"


def test_what_stands_in_the_way_holds_up_nothing_else_and_is_told_everywhere(vault, server, file):
    file.write_text("mine 1\n")
    vault.publish(A)
    server.wants(A)
    run = server.sync()
    assert run.exit == 2 and f"metrics_file {file}: a file that certlet did not make" in run.stderr
    assert server.installed(A) and server.status()["last_sync"]["exit"] == 2 and file.read_text() == "mine 1\n"
    file.unlink()
    assert server.sync().exit == 0 and server.status()["last_sync"]["exit"] == Samples(file)["certlet_last_sync_exit_code",] == 0


@pytest.mark.root
def test_a_directory_may_belong_to_the_user_of_node_exporter(vault, server, file):
    os.chown(file.parent, 65534, 65534)
    vault.publish(A)
    server.wants(A)
    assert server.sync().exit == 0 and Samples(file)
    file.parent.chmod(0o777)
    run = server.sync()
    assert run.exit == 2 and f"{file.parent} is writable by everyone" in run.stderr
    assert str(file.parent) in server.run("--test", "--system").stderr


def test_it_goes_when_it_is_not_named_any_more_and_with_a_purge(vault, server, file):
    vault.publish(A)
    server.wants(A)
    other = file.with_name("other.prom")
    assert server.sync().exit == 0
    server.agent(metrics_file=other)
    assert server.sync().exit == 0 and not file.exists() and Samples(other)
    assert server.run("--purge").exit == 0
    assert list(file.parent.iterdir()) == [] and list(server.state_directory.iterdir()) == []


def test_one_that_is_not_named_any_more_and_cannot_go_is_tried_again(vault, server, file):
    vault.publish(A)
    server.wants(A)
    other = file.parent.parent / "other.prom"
    assert server.sync().exit == 0
    server.agent(metrics_file=other)
    file.parent.chmod(0o777)
    for _ in range(2):
        run = server.sync()
        assert run.exit == 2 and f"metrics_file {file}: {file.parent} is writable by everyone" in run.stderr
        assert file.exists() and Samples(other)
    file.parent.chmod(0o755)
    assert server.sync().exit == 0 and not file.exists()


def test_a_purge_that_leaves_something_tells_what(vault, server, file):
    for name in (A, B):
        vault.publish(name)
        server.wants(name)
    assert server.sync().exit == 0
    (server.archive / A / "mine").write_text("mine\n")
    assert server.run("--purge").exit == 2
    told = Samples(file)
    assert told["certlet_certificate_wanted", A] == 0 and told["certlet_last_sync_exit_code",] == 2
    assert ("certlet_certificate_wanted", B) not in told


def test_a_purge_leaves_what_others_put_in_its_place(vault, server, file):
    vault.publish(A)
    server.wants(A)
    assert server.sync().exit == 0
    file.write_text("mine 1\n")
    run = server.run("--purge")
    assert run.exit == 0 and f"{file} was not made by certlet" in run.stderr and file.read_text() == "mine 1\n"


# Alert rules

RULES = ROOT / "etc/monitoring/certlet-server-alerts.yml"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("words", [["check", "rules", RULES], ["test", "rules", ROOT / "tests/system/data/certlet-server-alerts.test.yml"]])
def test_the_alert_rules_do_as_they_say(words):
    run = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_alert_rules_use_only_metrics_that_there_are():
    used = set(re.findall(r"\bcertlet_\w+", "\n".join(re.findall(r"expr: (.*)", RULES.read_text()))))
    assert used and used <= set(re.findall(r'"(certlet_[a-z_]+)"', (ROOT / "agent/metrics.c").read_text()))
