"""The issuing host: from nothing to a certificate that is served, as README.md says it, and what may go wrong on the way."""

import contextlib
import fcntl
import re
import shutil
import socket
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest

from support import process
from support.bao import ApiError
from support.internet import ELSEWHERE, ISSUER, PARENT, ZONE
from support.issuer import DOMAIN, SERVER, Issuer

NAME_SERVER = f"acme-ns.{ZONE}."


@pytest.fixture(scope="session")
def issuer(session_directory):
    made = Issuer(session_directory)
    try:
        yield made.start()
    finally:
        made.stop()


def test_the_page_of_the_readme_ends_in_a_certificate_that_is_served(issuer):
    assert issuer.page.exit == 0, issuer.page.output
    assert issuer.served() == issuer.obtained() == issuer.published()[0]
    assert f"  {DOMAIN}:\n    names: ['{DOMAIN}', '*.{DOMAIN}']\n" in issuer.page.stdout
    assert f'path "secret/data/certs/{DOMAIN}" {{ capabilities = ["read"] }}' in issuer.page.stdout
    for timer in ("certlet-renew", "certlet-publish-all", "certlet"):
        assert issuer.run("systemctl", "is-active", f"{timer}.timer").exit == 0


def test_the_publisher_of_the_page_is_let_in_for_good(issuer):
    about = issuer.bao.api("POST", f"auth/approle/role/publisher-acme-ns.{ZONE}/secret-id/lookup",
                           {"secret_id": Path("/etc/certlet/publisher-secret-id").read_text().strip()})["data"]
    assert about["secret_id_ttl"] == 0 and about["expiration_time"].startswith("0001-01-01")


def test_all_of_it_once_more_changes_nothing(issuer):
    before = issuer.obtained(), issuer.published(), issuer.internet.orders(), issuer.internet.dig("SOA", ZONE)
    run = issuer.issue(DOMAIN)
    assert run.exit == 0 and "is delegated already" in run.stderr and "not yet due" in run.stderr and "unchanged" in run.stderr
    assert issuer.run("certlet-issue", "--setup").exit == 0
    assert (issuer.obtained(), issuer.published(), issuer.internet.orders(), issuer.internet.dig("SOA", ZONE)) == before


def test_with_nothing_due_both_timers_have_nothing_to_do(issuer):
    before = issuer.obtained(), issuer.published()
    assert issuer.service("certlet-renew").exit == 0
    assert issuer.service("certlet-publish-all").exit == 0
    assert (issuer.obtained(), issuer.published()) == before


def test_a_forced_renewal_is_published_by_the_hook_and_served(issuer):
    old, version = issuer.published()
    assert issuer.issue("--renew", "--force", DOMAIN).exit == 0
    new = issuer.obtained()
    assert new != old and issuer.published() == (new, version + 1)
    assert issuer.service("certlet").exit == 0
    issuer.comes_to_serve(new)


def test_the_timer_renews_what_is_due(issuer):
    """With all that the page names where it lies: the root of the CA is in /root."""
    old = issuer.obtained()
    renewal = Path(f"/etc/letsencrypt/renewal/{DOMAIN}.conf")
    kept = renewal.read_text()
    renewal.write_text("renew_before_expiry = 200 days\n" + kept)
    try:
        run = issuer.service("certlet-renew")
    finally:
        renewal.write_text(re.sub("^renew_before_expiry.*\n", "", renewal.read_text(), flags=re.M))
    assert run.exit == 0 and issuer.obtained() != old and issuer.published()[0] == issuer.obtained()


def test_a_key_that_the_parent_does_not_know_sets_no_delegation(issuer):
    orders = issuer.internet.orders()
    run = issuer.issue(f"keys.{ZONE}", PARENT=f"{ZONE} {PARENT} {issuer.internet.foreign_key}")
    assert run.exit == 2 and "NOTAUTH(BADSIG)" in run.stderr and f"name _acme-challenge.keys.{ZONE}. NS;" in run.stderr
    assert issuer.delegated(f"keys.{ZONE}") == [] and issuer.internet.orders() == orders


def test_a_key_that_is_missing_or_open_to_others_is_not_used(issuer):
    open_key = issuer.directory / "open.key"
    shutil.copy(issuer.internet.delegation_key, open_key)
    open_key.chmod(0o644)
    for key, words in ((open_key, f"found mode 644: chmod 600 {open_key}"), ("/nonexistent.key", "/nonexistent.key: expected the TSIG key")):
        run = issuer.issue(f"keys.{ZONE}", PARENT=f"{ZONE} {PARENT} {key}")
        assert run.exit == 1 and words in run.stderr and issuer.delegated(f"keys.{ZONE}") == []


def test_a_key_that_our_own_server_does_not_know_obtains_nothing(issuer):
    other = issuer.directory / "other-acme.key"
    other.write_text(issuer.internet.foreign_key.read_text().replace("certlet-delegation", "certlet-acme"))
    run = issuer.issue(f"own-key.{ZONE}", ACME_KEY_FILE=other, CERTBOT_CREDENTIALS=issuer.directory / "other.ini")
    assert run.exit == 2 and "certbot obtained no certificate" in run.stderr
    assert issuer.obtained(f"own-key.{ZONE}") is None and issuer.published(f"own-key.{ZONE}") == (None, 0)


@pytest.mark.parametrize("command", [f"update add www.{ZONE}. 60 A 192.0.2.66", f"update add {ZONE}. 60 MX 1 mail.{ZONE}.",
                                     f"update add _acme-challenge.{ZONE}. 60 TXT x", f"update add sub.{ZONE}. 60 NS {NAME_SERVER}"])
def test_the_key_for_delegations_sets_nothing_else(issuer, command):
    assert "REFUSED" in issuer.internet.update(issuer.internet.delegation_key, f"zone {ZONE}", command)


@pytest.mark.parametrize("record", ["_acme-challenge.{} 60 NS x.", r"_acme-challenge.{} 60 TYPE65280 \# 1 00", "x._acme-challenge.{} 60 TXT x"])
def test_the_key_of_certbot_sets_nothing_but_the_challenge(issuer, record):
    said = issuer.internet.update("/etc/bind/certlet-acme.key", f"zone _acme-challenge.{DOMAIN}", f"update add {record.format(DOMAIN)}",
                                  server="127.0.0.1")
    assert "REFUSED" in said


def test_where_the_parent_is_not_ours_it_says_what_to_set_and_asks_no_ca_before_it_is_there(issuer):
    orders = issuer.internet.orders()
    run = issuer.issue(ELSEWHERE, WAIT_SECONDS=0)
    record = f"_acme-challenge.{ELSEWHERE}. 3600 IN NS {NAME_SERVER}"
    assert run.exit == 2 and record in run.stdout and f"expected NS {NAME_SERVER}, found none" in run.stderr
    assert issuer.internet.orders() == orders
    running = issuer.start_command("certlet-issue", ELSEWHERE)
    assert running.stdout.readline() == record + "\n"
    assert issuer.internet.update(issuer.internet.elsewhere_key, f"zone {ELSEWHERE}", f"update add {record.replace(' IN ', ' ')}") == ""
    run = issuer.ended(running)
    assert run.exit == 0 and issuer.published(ELSEWHERE) == (issuer.obtained(ELSEWHERE), 1)
    assert issuer.issue("--check", ELSEWHERE).exit == 0


def test_a_domain_that_is_another_name_for_something_is_delegated_in_its_own_zone(issuer):
    domain, key = f"shop.{ELSEWHERE}", issuer.internet.elsewhere_key
    assert issuer.internet.update(key, f"zone {ELSEWHERE}", f"update add {domain}. 60 CNAME acme.{ZONE}.") == ""
    parent = {"PARENT": f"{ELSEWHERE} {PARENT} {key}", "WAIT_SECONDS": 10}
    run = issuer.issue(domain, **parent)
    assert run.exit == 0 and f"set at {ELSEWHERE} {PARENT}" in run.stderr and issuer.delegated(domain) == [NAME_SERVER]
    assert issuer.issue("--check", domain, **parent).exit == 0
    run = issuer.issue("--remove", domain, **parent)
    issuer.bao.api("DELETE", f"secret/metadata/certs/{domain}")
    assert run.exit == 0 and issuer.delegated(domain) == []


def test_a_name_server_without_an_address_asks_no_ca(issuer):
    orders = issuer.internet.orders()
    run = issuer.issue(f"ca.{ZONE}", NAME_SERVERS=f"nobody.{ZONE}", WAIT_SECONDS=2)
    assert run.exit == 2 and f"not seen yet: an address of nobody.{ZONE}.: looking" in run.stderr
    assert f"nobody.{ZONE}. has no address" in run.stderr and issuer.internet.orders() == orders
    assert issuer.issue("--remove", f"ca.{ZONE}").exit == 0


def test_a_delegation_that_went_astray_is_found_at_the_parents_own_server(issuer):
    name = f"_acme-challenge.shop.{ZONE}."
    issuer.internet.update(issuer.internet.delegation_key, f"zone {ZONE}", f"update add {name} 60 NS old-ns.{ZONE}.")
    run = issuer.issue("--check", f"shop.{ZONE}")
    assert run.exit == 2 and f"ns.{ZONE}. ({PARENT}, zone {ZONE}.): expected NS {NAME_SERVER}, found old-ns.{ZONE}." in run.stderr
    assert f"({ISSUER}): expected an authoritative answer for _acme-challenge.shop.{ZONE}" in run.stderr


def test_a_trial_delegates_every_name_and_keeps_no_certificate(issuer):
    domain, names = f"trial.{ZONE}", f"trial.{ZONE},*.dev.trial.{ZONE}"
    run = issuer.issue("--dry-run", "--names", names, domain)
    assert run.exit == 0 and "would be set at" in run.stderr and issuer.delegated(domain) == []
    run = issuer.issue("--staging", "--names", names, domain, ACME_STAGING_SERVER=issuer.internet.ca_url)
    assert run.exit == 0 and "nothing of it was kept" in run.stderr
    assert issuer.delegated(domain) == issuer.delegated(f"dev.{domain}") == [NAME_SERVER]
    assert issuer.obtained(domain) is None and issuer.published(domain) == (None, 0)
    # A removal that was killed half-way is finished by the next.
    zone = Path(f"/var/lib/bind/_acme-challenge.dev.{domain}.zone")
    zone.rename(f"{zone}.saved")
    run = issuer.issue("--remove", "--names", names, domain)
    assert run.exit == 0 and issuer.delegated(domain) == issuer.delegated(f"dev.{domain}") == []
    assert issuer.internet.dig("NS", f"_acme-challenge.dev.{domain}", "127.0.0.1") == []
    assert "trial" not in Path("/etc/bind/certlet-zones.conf").read_text()
    assert not list(Path("/var/lib/bind").glob("*trial*"))
    assert issuer.issue("--remove", "--names", names, domain).exit == 0


def test_what_the_parent_does_not_delegate_is_removed_without_asking_it(issuer):
    """It may no longer let us: the domain went to others, or its line in the parent's named.conf did."""
    domain = f"gone.{ZONE}"
    assert "REFUSED" in issuer.internet.update(issuer.internet.delegation_key, f"zone {ZONE}", f"update delete _acme-challenge.{domain}. NS")
    run = issuer.issue("--remove", domain)
    assert run.exit == 0 and "is not delegated" in run.stderr and "certbot does not know it" in run.stderr
    # But a parent that does not answer has not said so.
    run = issuer.issue("--remove", domain, PARENT=f"{ZONE} 127.0.0.99 {issuer.internet.delegation_key}")
    assert run.exit == 2 and "did not take" in run.stderr


@contextlib.contextmanager
def odd_server(address, owner):
    """Answers the first question, without the aa flag, with an NS record of this owner; refuses updates; is silent from then on."""
    def serve():
        answered = False
        while True:
            asked, client = listening.recvfrom(4096)
            if not asked:
                return
            question = asked[12:asked.index(b"\0", 12) + 5]
            if asked[2] >> 3 & 15 == 5:
                listening.sendto(asked[:2] + b"\xa8\x05" + b"\0" * 8, client)
            elif not answered:
                record = owner + b"\0\x02\0\x01\0\0\0\x3c\0\x04\x02ns\0"
                listening.sendto(asked[:2] + b"\x80\0\0\x01\0\0\0\x01\0\0" + question + record, client)
                answered = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, 53))
        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", (address, 53))
            serving.join()


@pytest.mark.parametrize("owner", [b"\xc0\x0c", b"\0"], ids=["a delegation, told once", "a referral to the root"])
def test_a_parent_that_answers_oddly_has_not_said_that_it_does_not_delegate(issuer, owner):
    with odd_server("127.0.0.98", owner):
        run = issuer.issue("--remove", f"gone.{ZONE}", PARENT=f"{ZONE} 127.0.0.98 {issuer.internet.delegation_key}")
    assert run.exit == 2 and "did not take" in run.stderr and "is not delegated" not in run.stderr


def test_a_name_that_stands_for_a_wildcard_is_a_certificate_for_that(issuer):
    run = issuer.issue("--dry-run", f"_wildcard.{ZONE}")
    assert run.exit == 0 and f"  _wildcard.{ZONE}:\n    names: ['*.{ZONE}']\n" in run.stdout
    assert f"_acme-challenge.{ZONE} " in run.stderr and "_acme-challenge._wildcard" not in run.stderr


def test_a_domain_keeps_the_names_that_it_was_given_and_its_removal_takes_none_that_others_need(issuer):
    domain = f"trial.{ZONE}"
    assert issuer.issue("--names", f"{domain},{DOMAIN}", domain).exit == 0
    run = issuer.issue(domain)
    assert run.exit == 0 and "not yet due" in run.stderr
    run = issuer.issue("--remove", domain)
    issuer.bao.api("DELETE", f"secret/metadata/certs/{domain}")
    assert run.exit == 0 and f"needed by {DOMAIN}" in run.stderr and issuer.obtained(domain) is None
    assert issuer.delegated(domain) == [] and issuer.issue("--check", DOMAIN).exit == 0


def test_what_an_interrupted_certbot_left_is_put_aside_and_becomes_no_second_certificate(issuer):
    domain = f"trial.{ZONE}"
    renewal, live = Path(f"/etc/letsencrypt/renewal/{domain}.conf"), Path(f"/etc/letsencrypt/live/{domain}")
    assert issuer.issue(domain).exit == 0
    # In making it: the file of renewal comes first, and is filled last.
    renewal.write_text("")
    (live / "chain.pem").unlink()
    before = issuer.obtained(domain), sorted(Path("/etc/letsencrypt").glob(f"*/{domain}*/*"))
    assert issuer.issue("--staging", domain, ACME_STAGING_SERVER=issuer.internet.ca_url).exit == 0
    with issuer.internet.without_ca():
        run = issuer.issue(domain)
    assert run.exit == 2 and run.stderr.index("is put into /etc/letsencrypt/interrupted/") < run.stderr.index(" is back\n")
    assert (issuer.obtained(domain), sorted(Path("/etc/letsencrypt").glob(f"*/{domain}*/*"))) == before and renewal.read_text() == ""
    run = issuer.issue(domain)
    assert run.exit == 0 and " is back\n" not in run.stderr and issuer.published(domain) == (issuer.obtained(domain), 2)
    kept, = Path("/etc/letsencrypt/interrupted").glob(f"{domain}.*/archive/{domain}/privkey1.pem")
    assert kept.stat().st_mode & 0o777 == 0o600
    # What is no remains is not touched, and the CA is not asked: certbot would call it NAME-0001.
    orders = issuer.internet.orders()
    link = (live / "chain.pem").readlink()
    (live / "chain.pem").unlink()
    run = issuer.issue(domain)
    assert run.exit == 2 and f"expected the link {live}/chain.pem" in run.stderr and issuer.internet.orders() == orders
    (live / "chain.pem").symlink_to(link)
    assert issuer.issue(domain).exit == 0
    # In deleting it: that file goes first.
    renewal.unlink()
    assert issuer.issue("--remove", "--dry-run", domain).exit == 0 and live.exists()
    run = issuer.issue("--remove", domain)
    issuer.bao.api("DELETE", f"secret/metadata/certs/{domain}")
    assert run.exit == 0 and issuer.delegated(domain) == []
    assert [path for path in Path("/etc/letsencrypt").glob(f"*/{domain}*") if path.parent.name != "interrupted"] == []
    shutil.rmtree("/etc/letsencrypt/interrupted")


def test_a_ca_that_is_down_fails_and_harms_nothing(issuer):
    before = issuer.obtained(), issuer.published()
    with issuer.internet.without_ca():
        run = issuer.issue(f"ca.{ZONE}")
        assert run.exit == 2 and "certbot obtained no certificate" in run.stderr
        run = issuer.issue("--renew", "--force", DOMAIN)
        assert run.exit == 2 and "did not renew" in run.stderr
    assert (issuer.obtained(), issuer.published()) == before and issuer.published(f"ca.{ZONE}") == (None, 0)


def test_what_vault_missed_is_uploaded_by_the_hourly_unit(issuer):
    domain, settings = f"sealed.{ZONE}", Path("/etc/certlet/publish.ini")
    patient = settings.read_text()
    settings.write_text(patient.replace("[vault]\n", "[vault]\ndeadline = 1s\n"))
    issuer.bao.seal()
    try:
        run = issuer.issue(domain)
        assert run.exit == 3 and "certlet-publish-all.timer tries again every hour" in run.stderr
        # Certbot itself is content with this.
        assert issuer.obtained(domain) is not None
        assert issuer.service("certlet-publish-all").exit != 0
        assert issuer.run("systemctl", "is-failed", "certlet-publish-all.service").exit == 0
    finally:
        issuer.bao.unseal()
        settings.write_text(patient)
    assert issuer.service("certlet-publish-all").exit == 0
    assert issuer.published(domain) == (issuer.obtained(domain), 1)


def test_a_stolen_credential_of_a_server_reads_its_own_certificate_and_nothing_else(issuer):
    issuer.bao.api("POST", "secret/data/certs/other.example.test", {"data": {"privkey": "of others"}})
    token = issuer.bao.api("POST", "auth/approle/login", {
        "role_id": Path("/etc/certlet/role-id").read_text().strip(),
        "secret_id": Path("/etc/certlet/secret-id").read_text().strip()})["auth"]["client_token"]
    own = f"secret/data/certs/{DOMAIN}"
    assert issuer.bao.api("GET", own, token=token)
    for method, path, body in [
            ("LIST", "secret/metadata/certs", None), ("LIST", "secret/detailed-metadata/certs", None), ("LIST", "secret/metadata", None),
            ("GET", "secret/data/certs/other.example.test", None), ("GET", "secret/metadata/certs/other.example.test", None),
            ("POST", own, {"data": {"cert": "forged"}}), ("DELETE", own, None), ("DELETE", f"secret/metadata/certs/{DOMAIN}", None),
            ("POST", f"secret/destroy/certs/{DOMAIN}", {"versions": [1]}), ("POST", f"auth/approle/role/{SERVER}/secret-id", {}),
            ("LIST", "auth/approle/role", None), ("GET", f"sys/policies/acl/certlet-cert-{DOMAIN}", None)]:
        with pytest.raises(ApiError) as refused:
            issuer.bao.api(method, path, body, token=token)
        assert refused.value.code == 403, (method, path)


def test_an_archive_that_anybody_can_read_brings_no_key_to_sign_others_with(issuer):
    archive, signer = issuer.directory / "open.cms", Path("/etc/certlet/backup-signer.pem")
    run = issuer.issue("--backup", archive)
    assert run.exit == 0 and "NOT encrypted" in run.stderr
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    assert "etc/certlet/issuer.conf" in names and [name for name in names if "backup-signer" in name] == []
    # So the rebuilt one makes its own, whatever it finds of the old one.
    old = Path(shutil.copy(signer, issuer.directory / "old-signer.pem"))
    signer.with_suffix(".key").unlink()
    run = issuer.issue("--restore", archive, "--force", "--signer", old)
    assert run.exit == 0 and "the archive brought no /etc/certlet/backup-signer.key" in run.stderr
    run = issuer.issue("--backup", archive)
    assert run.exit == 0 and f"{signer} is new" in run.stderr and signer.with_suffix(".key").stat().st_mode & 0o777 == 0o600
    assert issuer.issue("--restore", archive, "--dry-run", "--force", "--signer", signer).exit == 0
    assert issuer.issue("--restore", archive, "--dry-run", "--force", "--signer", old).exit == 2


def test_the_line_for_cron_makes_a_backup(issuer):
    """With what cron(8) has for PATH."""
    line, = re.findall(r"^[0-9 *]+ root (.*)", (process.ROOT / "etc/issuer/LOST.md").read_text(), re.M)
    assert issuer.run("env", "-i", "PATH=/usr/bin:/bin", "HOME=/root", "sh", "-c", line).exit == 0
    assert Path("/var/backups/issuer.cms").exists()


def test_a_configuration_may_be_named_from_where_one_is(issuer):
    shutil.copy("/etc/certlet/issuer.conf", issuer.directory / "home/issuer.conf")
    assert issuer.run("certlet-issue", "--config", "issuer.conf", "--backup", "here.cms").exit == 0


def test_a_signer_that_cannot_be_made_is_told(issuer):
    settings, directory = issuer.settings(WAIT_SECONDS=0), Path("/etc/certlet")
    away = directory.rename("/etc/certlet.away")
    try:
        run = issuer.run("certlet-issue", "--config", settings, "--backup", issuer.directory / "unsigned.cms")
    finally:
        away.rename(directory)
    assert run.exit == 2 and "/etc/certlet/backup-signer.pem: could not be made" in run.stderr
    assert not list(issuer.directory.glob("unsigned.cms*"))


def test_a_lost_issuer_is_rebuilt_from_its_backup_and_renews(issuer):
    key, certificate, archive = (issuer.directory / name for name in ("backup.key", "backup.pem", "issuer.cms"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "36500", "-nodes",
                    "-subj", "/CN=backup of the issuer", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with Path("/etc/certlet/issuer.conf").open("a") as settings:
        settings.write(f"BACKUP_CERTIFICATE={certificate}\n")
    assert issuer.issue("--backup", archive).exit == 0
    assert archive.stat().st_mode & 0o777 == 0o600 and b"etc/letsencrypt" not in archive.read_bytes()
    signer = Path(shutil.copy("/etc/certlet/backup-signer.pem", issuer.directory))
    assert issuer.issue("--backup", archive).exit == 0
    assert signer.read_text() == Path("/etc/certlet/backup-signer.pem").read_text()
    # One that fails leaves the last one as it was.
    before = archive.read_bytes()
    run = issuer.issue("--backup", archive, BACKUP_CERTIFICATE=key)
    assert run.exit == 2 and "no backup was made" in run.stderr and archive.read_bytes() == before
    assert sorted(path.name for path in archive.parent.glob("issuer.cms*")) == ["issuer.cms", "issuer.cms.sig"]
    run = issuer.issue("--restore", archive, "--key", key)
    assert run.exit == 1 and "found that this one issues already" in run.stderr

    # Renewed after the backup, before the loss.
    assert issuer.issue("--renew", "--force", DOMAIN).exit == 0
    old, version = issuer.published()
    delegated, zone = issuer.delegated(DOMAIN), issuer.internet.dig("SOA", ZONE)
    for path in ("/etc/letsencrypt", "/etc/certlet"):
        shutil.rmtree(path)
    for path in [Path("/etc/bind/certlet-acme.key"), Path("/etc/bind/certlet-zones.conf"), *Path("/var/lib/bind").glob("_acme*")]:
        path.unlink()
    wrong = issuer.directory / "wrong.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", wrong], check=True)
    run = issuer.issue("--restore", archive, "--key", wrong)
    assert run.exit == 2 and "does not open it" in run.stderr and not Path("/etc/letsencrypt").exists()
    assert issuer.issue("--restore", archive).exit == 2
    # Whoever has the certificate, which is no secret, makes an archive that the key opens.
    forged = issuer.directory / "forged.cms"
    subprocess.run(f"tar -C {signer.parent} -cz . | openssl cms -encrypt -aes-256-gcm -binary -outform DER -out {forged} {certificate}",
                   shell=True, check=True)
    for signature in (None, Path(f"{archive}.sig")):
        if signature:
            shutil.copy(signature, f"{forged}.sig")
        run = issuer.issue("--restore", forged, "--key", key, "--signer", signer)
        assert run.exit == 2 and f"expected a backup signed by {signer}" in run.stderr and not Path("/etc/letsencrypt").exists()

    run = issuer.issue("--restore", archive, "--key", key, "--signer", signer)
    assert run.exit == 0 and "nobody has looked" not in run.stderr
    assert Path("/etc/certlet/backup-signer.key").stat().st_mode & 0o777 == 0o600 and "certlet-issue --check" in run.stderr and DOMAIN in run.stderr
    assert "for what was renewed after this backup" in run.stderr
    assert issuer.run("systemctl", "restart", "named").exit == 0
    assert issuer.issue("--check", DOMAIN).exit == 0
    run = issuer.run("certlet-publish", "--all", "/etc/letsencrypt/live")
    assert run.exit == 2 and f"{DOMAIN}: expected a certificate that is no older than the published one" in run.stderr
    assert run.stderr.count("expected") == 1 and issuer.published() == (old, version)
    assert issuer.issue("--renew", "--force", DOMAIN).exit == 0
    assert issuer.published() == (issuer.obtained(), version + 1) and issuer.obtained() != old
    assert issuer.run("certlet-publish", "--all", "/etc/letsencrypt/live").exit == 0
    assert (issuer.delegated(DOMAIN), issuer.internet.dig("SOA", ZONE)) == (delegated, zone)

    # On one that stands by: what was removed on the first meanwhile is left there, and told.
    assert "not in" not in run.stderr
    Path(f"/etc/letsencrypt/renewal/trial.{ZONE}.conf").touch()
    shutil.copy(f"/var/lib/bind/_acme-challenge.{DOMAIN}.zone", f"/var/lib/bind/_acme-challenge.trial.{ZONE}.zone")
    run = issuer.issue("--restore", archive, "--key", key, "--force")
    assert "nobody has looked by whom it was made" in run.stderr
    Path(f"/etc/letsencrypt/renewal/trial.{ZONE}.conf").unlink()
    assert run.exit == 0 and f"if it was removed since, certlet-issue --remove trial.{ZONE}\n" in run.stderr
    assert run.stderr.count("not in") == 1
    assert issuer.issue("--remove", f"trial.{ZONE}").exit == 0


@pytest.mark.parametrize("arguments, words", [
    ([], "which domain?"), (["--bogus", "x.test"], "unknown option: --bogus"), (["--check", "--remove", "x.test"], "either --check or --remove"),
    (["Example.test"], "expected a domain"), (["../x"], "expected a domain"), (["--names", "a.test,b", "a.test"], "--names: expected names"),
    (["--names", "a.test,", "a.test"], "--names: expected names"), (["--names", "a.test b.test", "a.test"], "--names: expected names"),
    (["--names", "a.test\nb.test", "a.test"], "--names: expected names"), (["--remove", "a.test\nupdate add b.test 60 A ::"], "expected a domain"),
    (["--names", "b.test,*.a.test", "a.test"], "--names: expected a.test among them"),
    (["--names", "a.test", "a.test", "b.test"], "--names goes with one domain"), (["--backup"], "--backup needs a value"),
    (["--backup", "--dry-run"], "--backup needs a value, found --dry-run"),
    (["--renew", "--force"], "which domain?"), (["--renew", "--dry-run"], "--renew knows no --dry-run"),
    (["--check", "--staging", "x.test"], "--check knows no --staging"), (["--setup", "x.test"], "--setup takes no domain"),
    (["--config", "/nonexistent", "x.test"], "/nonexistent: expected a configuration"),
])
def test_wrong_usage_is_exit_1(issuer, arguments, words):
    run = issuer.run("certlet-issue", *arguments)
    assert run.exit == 1 and words in run.stderr, run.output


def test_all_errors_of_a_configuration_are_told_and_none_is_run(issuer):
    path = issuer.directory / "bad.conf"
    path.write_text("NAME_SERVERS=$(touch /tmp/was-run)\nPARENT=x\nBOGUS=1\nno word\nWAIT_SECONDS=soon\n")
    run = issuer.run("certlet-issue", "--config", path, DOMAIN)
    assert run.exit == 1 and [line for line in (1, 2, 3, 4, 5) if f"bad.conf:{line}:" not in run.stderr] == []
    assert "5 errors" in run.stderr and not Path("/tmp/was-run").exists()


def test_a_second_run_waits_for_the_first(issuer):
    with open("/run/certlet-issue.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = issuer.start_command("certlet-issue", "--setup")
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")

        def it_waits():
            with contextlib.suppress(OSError):  # of a child that has ended meanwhile
                return any(Path(f"/proc/{child}/comm").read_text() == "flock\n" for child in children.read_text().split())
        process.wait_until(it_waits)
        assert running.poll() is None
    assert issuer.ended(running).exit == 0
