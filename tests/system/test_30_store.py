"""What lies on the disk: order of writes, drift, copies, what belongs to others, what goes (rules 2, 7, 8, 14)."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

WWW = "www.example.test"
MAIL = "mail.example.test"


def installed(vault, server, name=WWW, **keys):
    """Published, wanted and installed; the leaf."""
    leaf = vault.publish(name)
    server.wants(name, **keys)
    assert server.sync().exit == 0
    assert server.installed(name).fingerprint == leaf.fingerprint
    return leaf


def version(server, name=WWW):
    return server.certificate_status(name)["version"]


def problem(server, name=WWW):
    return server.certificate_status(name)["problem"]


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def outside(server, name="out"):
    """A directory for outputs, beside certlet's own."""
    path = server.directory / name
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    return path


# LeakSanitizer cannot work under strace.
TRACED = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def facts(*paths):
    """Everything that shows whether a file was touched."""
    return [(p.lstat().st_ino, p.lstat().st_mtime_ns, p.lstat().st_ctime_ns) for p in paths]


def dot_files(*directories):
    return [path for top in directories for path in top.rglob(".*")]


# What is written, and in which order


def test_a_generation_is_whole_and_its_link_relative(vault, server):
    installed(vault, server, combined=True)
    live = server.installed(WWW)
    assert live.matches and live.generation == 1
    assert os.readlink(server.live / WWW) == f"../archive/{WWW}/1"
    assert live.modes == {"cert.pem": 0o644, "chain.pem": 0o644, "fullchain.pem": 0o644, "privkey.pem": 0o600,
                          "combined.pem": 0o600, "origin": 0o644}
    assert {mode(path) for path in (server.live, server.archive, server.archive / WWW, live.directory)} == {0o755}
    assert mode(server.state_directory) == 0o755
    assert mode(server.state_directory / "state.json") == 0o600
    assert live.combined == live.privkey + live.cert + live.chain


def test_the_origin_says_what_is_installed(vault, server):
    leaf = installed(vault, server)
    origin = json.loads(server.installed(WWW).origin_text)
    assert origin["version"] == 1 and origin["fingerprint"] == leaf.fingerprint and origin["names"] == [WWW]
    assert origin["source"] == server.certificate_status(WWW)["source"]
    assert origin["not_after"] == server.certificate_status(WWW)["not_after"]


def test_a_generation_without_a_chain_has_an_empty_one(vault, server):
    vault.publish(WWW, intermediates=0)
    server.wants(WWW)
    assert server.sync().exit == 0
    live = server.installed(WWW)
    assert live.chain == "" and live.fullchain == live.cert and live.matches


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_files_are_durable_before_the_intent_and_the_intent_before_the_link(vault, server):
    installed(vault, server, services=["nginx"])
    vault.publish(WWW)
    trace = server.directory / "trace"
    calls = "trace=openat,fchown,fchmod,fsync,rename,renameat,renameat2"
    assert server.sync(under=["strace", "-f", "-y", "-e", calls, "-o", trace], env=TRACED).exit == 0
    text = trace.read_text()

    def place(pattern, start=0):
        found = re.compile(pattern).search(text, start)
        assert found, pattern
        return found.start()

    generation = re.escape(f"archive/{WWW}/2")
    link = place(rf'rename\w*\([^\n]*/live>, "[^"]*", [^\n]*/live>, "{re.escape(WWW)}"')
    intent = max(found.start() for found in re.finditer(r'rename\w*\([^\n]*"state\.json"', text) if found.start() < link)
    for file in ("cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"):
        made = place(rf'openat\([^\n]*{generation}>, "{re.escape(file)}", [^\n]*O_EXCL[^\n]*0600')
        right = place(rf"fchmod\([^\n]*{generation}/{re.escape(file)}>", made) if file != "privkey.pem" else made
        assert made <= right < place(rf"fsync\([^\n]*{generation}/{re.escape(file)}>", made) < intent
    assert place(rf"fsync\([^\n]*{generation}>") < intent
    assert place(rf"fsync\([^\n]*archive/{re.escape(WWW)}>") < intent
    assert link < place(r"fsync\([^\n]*/live>", link)
    # One rename changes it, and then the intent is crossed out.
    assert len(re.findall(rf'rename\w*\([^\n]*"{re.escape(WWW)}"\)', text)) == 1
    assert place(r'rename\w*\([^\n]*"state\.json"', link)


def test_old_generations_go_once_the_services_took_the_new_one(vault, server):
    for number in range(1, 6):
        installed(vault, server, services=["nginx"])
        assert server.installed(WWW).generation == number
    assert server.generations(WWW) == [5]


def test_the_last_generation_that_passed_is_kept_while_the_new_one_has_not(vault, server):
    installed(vault, server, services=["nginx"])
    server.breaks("nginx", "test")
    vault.publish(WWW)
    assert server.sync().exit == 2
    assert server.generations(WWW) == [1, 2]
    server.mends("nginx")
    assert server.sync().exit == 0
    assert server.generations(WWW) == [2]


# An idle run (rule 8)


def test_an_idle_run_touches_no_file_and_moves_no_key(vault, server):
    out = outside(server)
    installed(vault, server, combined=True, services=["nginx"], fullchain_path=out / "web.pem")
    installed(vault, server, MAIL, install="copy", cert_path=out / "cert.pem", key_path=out / "key.pem")
    paths = [path for top in (server.live, server.archive, out) for path in (top, *top.rglob("*"))]
    before = facts(*paths)
    run = server.sync()
    assert run.exit == 0 and facts(*paths) == before
    assert vault.keys_sent() == 0 and server.calls("nginx") == []
    assert len(run.output.splitlines()) == 1


def test_the_same_content_as_another_version_is_only_noted(vault, server):
    leaf = installed(vault, server, services=["nginx"])
    before = {name: fact for name, fact in server.installed(WWW).inodes.items() if name != "origin"}
    vault.publish(WWW, leaf=leaf)
    assert server.sync().exit == 0
    assert {name: fact for name, fact in server.installed(WWW).inodes.items() if name != "origin"} == before
    assert version(server) == 2 and server.installed(WWW).generation == 1 and server.calls("nginx") == []
    assert server.sync().exit == 0 and vault.keys_sent() == 0


def test_the_state_can_be_lost_and_what_is_installed_stays(vault, server):
    leaf = installed(vault, server)
    before = {name: fact for name, fact in server.installed(WWW).inodes.items() if name != "origin"}
    (server.state_directory / "state.json").unlink()
    assert server.sync().exit == 0
    live = server.installed(WWW)
    assert live.generation == 1 and live.fingerprint == leaf.fingerprint
    assert {name: fact for name, fact in live.inodes.items() if name != "origin"} == before


def test_a_run_that_only_learns_again_which_outputs_are_its_own_claims_no_repair(vault, server, directory):
    installed(vault, server, cert_path=directory / "web.pem")
    (server.state_directory / "state.json").unlink()
    assert "would set" not in server.sync("--dry-run").output
    run = server.sync()
    assert run.exit == 0 and "set right" not in run.output and "repaired" not in run.output
    server.unwants(WWW)
    server.wants("other.example.test")
    server.sync()
    assert not os.path.lexists(directory / "web.pem"), "it was noted as certlet's own"


# Drift


@pytest.mark.parametrize("what, drifted", [("privkey.pem", 0o644), ("cert.pem", 0o600), ("origin", 0o666), (".", 0o777), ("..", 0o700)])
def test_a_drifted_mode_is_set_right_in_place_without_a_key_or_a_reload(vault, server, what, drifted):
    installed(vault, server, services=["nginx"])
    path = server.installed(WWW).directory / what
    right, inode = mode(path), path.stat().st_ino
    path.chmod(drifted)
    assert server.sync().exit == 0
    assert mode(path) == right and path.stat().st_ino == inode
    assert vault.keys_sent() == 0 and server.calls("nginx") == []
    assert server.generations(WWW) == [1]


def test_a_dry_run_tells_of_a_drift_and_leaves_it(vault, server):
    installed(vault, server)
    key = server.installed(WWW).directory / "privkey.pem"
    key.chmod(0o644)
    run = server.sync("--dry-run")
    assert run.exit == 0 and f"{WWW}: would set owner, mode or links right" in run.stderr
    assert mode(key) == 0o644


@pytest.mark.root
def test_a_drifted_owner_is_set_right(vault, server):
    installed(vault, server)
    os.chown(server.installed(WWW).directory / "privkey.pem", 65534, 65534)
    assert server.sync().exit == 0
    facts_now = server.installed(WWW).facts["privkey.pem"]
    assert (facts_now.st_uid, facts_now.st_gid) == (0, 0) and vault.keys_sent() == 0


@pytest.mark.root
def test_files_are_of_the_group_root_whatever_group_root_is_of(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    assert server.sync(under=["setpriv", "--regid=1", "--clear-groups"]).exit == 0
    assert {facts.st_gid for facts in server.installed(WWW).facts.values()} == {0}


@pytest.mark.root
def test_owner_group_and_modes_of_the_manifest_are_applied_to_what_is_installed(vault, server):
    installed(vault, server, services=["nginx"])
    before = server.installed(WWW).inodes
    server.wants(WWW, group="daemon", key_mode="0640", cert_mode="0444")
    assert server.sync().exit == 0
    live = server.installed(WWW)
    assert live.inodes == before and live.modes["privkey.pem"] == 0o640 and live.modes["cert.pem"] == 0o444
    assert live.facts["privkey.pem"].st_gid == live.facts["cert.pem"].st_gid == 1
    assert live.facts["origin"].st_gid == 0 and live.modes["origin"] == 0o644
    assert vault.keys_sent() == 0 and server.calls("nginx") == []


def test_a_key_with_a_second_name_is_replaced_and_the_other_name_left_as_it_is(vault, server):
    installed(vault, server)
    second = server.directory / "second"
    os.link(server.installed(WWW).directory / "privkey.pem", second)
    second.chmod(0o640)
    assert server.sync().exit == 0
    assert mode(second) == 0o640 and server.installed(WWW).modes["privkey.pem"] == 0o600
    assert server.installed(WWW).matches


@pytest.mark.parametrize("target", [None, "/etc", "nowhere", f"../archive/{WWW}/9"])
def test_a_lost_or_bent_link_is_set_right_without_vault(vault, server, target, dead_address):
    installed(vault, server, services=["nginx"])
    link = server.live / WWW
    link.unlink()
    if target:
        link.symlink_to(target)
    server.asks(address=dead_address)
    assert server.sync().exit == 3
    assert os.readlink(link) == f"../archive/{WWW}/1" and server.calls("nginx") == []


@pytest.mark.parametrize("damage", ["changed", "missing", "link", "origin"])
def test_damaged_content_is_cured_by_a_new_generation(vault, server, damage):
    leaf = installed(vault, server, services=["nginx"])
    path = server.installed(WWW).directory / ("origin" if damage == "origin" else "chain.pem")
    text = path.read_text()
    path.unlink()
    if damage == "changed":
        path.write_text(text.replace("A", "B", 1))
        path.chmod(0o644)
    elif damage == "link":
        (server.directory / "elsewhere").write_text(text)
        path.symlink_to(server.directory / "elsewhere")
    assert server.sync().exit == 0
    live = server.installed(WWW)
    assert live.generation == 2 and live.fingerprint == leaf.fingerprint and live.matches
    assert live.chain == leaf.chain and server.reloads("nginx") == 1
    assert server.sync().exit == 0 and vault.keys_sent() == 0
    assert server.generations(WWW) == [2]


def test_combined_that_is_wanted_later_comes_with_a_new_generation(vault, server):
    installed(vault, server)
    server.wants(WWW, combined=True)
    assert server.sync().exit == 0
    live = server.installed(WWW)
    assert live.generation == 2 and live.combined and live.matches


# Outputs


def test_outputs_are_absolute_links_into_live_and_come_back_when_lost(vault, server, dead_address):
    out = outside(server)
    installed(vault, server, services=["nginx"], fullchain_path=out / "web.pem", key_path=out / "web.key", combined_path=out / "all.pem")
    wanted = {"web.pem": "fullchain.pem", "web.key": "privkey.pem", "all.pem": "combined.pem"}
    assert {path.name: os.readlink(path) for path in out.iterdir()} == {
        name: str(server.live / WWW / file) for name, file in wanted.items()}
    (out / "web.pem").unlink()
    (out / "web.key").unlink()
    (out / "web.key").symlink_to(server.live / WWW / "cert.pem")
    server.asks(address=dead_address)
    assert server.sync().exit == 3
    assert {path.name: os.readlink(path) for path in out.iterdir()} == {
        name: str(server.live / WWW / file) for name, file in wanted.items()}
    assert server.calls("nginx") == []


@pytest.mark.parametrize("install", ["symlink", "copy"])
@pytest.mark.parametrize("thing", ["file", "link", "dangling", "directory"])
def test_what_stands_at_an_output_path_is_named_and_left(vault, server, install, thing):
    path = outside(server) / "web.pem"
    other = server.directory / "other"
    other.write_text("not certlet's\n")
    if thing == "file":
        path.write_text("not certlet's\n")
    elif thing == "directory":
        path.mkdir()
    else:
        path.symlink_to(other if thing == "link" else "/nowhere")
    before = facts(path, other)
    vault.publish(WWW)
    vault.publish(MAIL)
    server.wants(WWW, install=install, fullchain_path=path)
    server.wants(MAIL)
    run = server.sync()
    assert run.exit == 2 and str(path) in run.stderr and "move it away" in run.stderr
    assert facts(path, other) == before and not dot_files(path.parent)
    assert problem(server) == "failed" and server.installed(MAIL) and not server.installed(WWW)
    assert vault.requests(kind="data", name=WWW) == 0
    path.rmdir() if thing == "directory" else path.unlink()
    assert server.sync().exit == 0
    assert path.read_text() == server.installed(WWW).fullchain


def test_a_directory_that_is_missing_fails_that_certificate_only(vault, server):
    vault.publish(WWW)
    vault.publish(MAIL)
    server.wants(WWW, cert_path=server.directory / "none/cert.pem")
    server.wants(MAIL)
    run = server.sync()
    assert run.exit == 2 and f"{server.directory}/none does not exist" in run.stderr
    assert server.installed(MAIL) and not server.installed(WWW)
    (server.directory / "none").mkdir(mode=0o755)
    assert server.sync().exit == 0 and server.installed(WWW)


def test_a_directory_that_others_may_write_to_fails_that_certificate_only(vault, server):
    out = outside(server)
    vault.publish(WWW)
    vault.publish(MAIL)
    server.wants(WWW, cert_path=out / "cert.pem")
    server.wants(MAIL)
    out.chmod(0o775)
    run = server.sync()
    assert run.exit == 2 and f"{out} is writable by its group" in run.stderr
    assert server.installed(MAIL) and not server.installed(WWW)
    out.chmod(0o1777)
    assert server.sync().exit == 0 and server.installed(WWW)


@pytest.mark.root
def test_a_directory_of_the_owner_is_good_enough_and_one_of_another_user_is_not(vault, server):
    out = outside(server)
    os.chown(out, 1, 1)
    installed(vault, server, owner="daemon", group="daemon", install="copy", key_path=out / "key.pem")
    assert (out / "key.pem").stat().st_uid == 1 and mode(out / "key.pem") == 0o600
    server.wants(WWW, owner="root")
    assert server.sync().exit == 2


def test_a_link_of_roots_on_the_way_to_an_output_is_followed(vault, server):
    out = outside(server)
    (server.directory / "short").symlink_to(out)
    installed(vault, server, cert_path=server.directory / "short/cert.pem")
    assert (out / "cert.pem").read_text() == server.installed(WWW).cert


@pytest.mark.root
@pytest.mark.parametrize("install", ["symlink", "copy"])
def test_the_owner_of_a_certificate_cannot_have_root_write_elsewhere_by_a_link(vault, server, install):
    out, roots = outside(server), outside(server, "cron.daily")
    os.chown(out, 1, 1)
    (out / "tls").symlink_to(roots)
    os.chown(out / "tls", 1, 1, follow_symlinks=False)
    vault.publish(WWW)
    server.wants(WWW, owner="daemon", group="daemon", install=install, key_path=out / "tls/key")
    run = server.sync()
    assert run.exit == 2 and f"{out}/tls is a link that others than root could have made" in run.stderr, run.output
    assert list(roots.iterdir()) == []


def test_an_output_that_is_not_named_any_more_goes(vault, server):
    out = outside(server)
    installed(vault, server, cert_path=out / "cert.pem", key_path=out / "key.pem")
    server.wants(WWW, key_path=None)
    assert server.sync().exit == 0
    assert sorted(path.name for path in out.iterdir()) == ["cert.pem"]


def test_what_somebody_else_put_at_an_output_is_named_and_left_when_it_is_not_named_any_more(vault, server):
    out = outside(server)
    installed(vault, server, cert_path=out / "cert.pem", key_path=out / "key.pem")
    (out / "key.pem").unlink()
    (out / "key.pem").write_text("mine")
    server.wants(WWW, key_path=None)
    run = server.sync()
    assert run.exit == 0 and f"{out}/key.pem" in run.stderr
    assert (out / "key.pem").read_text() == "mine"
    assert str(out) not in server.sync().stderr, "it is told once"


def test_outputs_change_from_links_to_copies_and_back(vault, server):
    out = outside(server)
    installed(vault, server, cert_path=out / "cert.pem", key_path=out / "key.pem")
    for install, kind in (("copy", stat.S_ISREG), ("symlink", stat.S_ISLNK)):
        server.wants(WWW, install=install)
        assert server.sync().exit == 0
        assert all(kind(path.lstat().st_mode) for path in out.iterdir())
        assert (out / "key.pem").read_text() == server.installed(WWW).privkey


# Copies


def copied(vault, server):
    out = outside(server)
    installed(vault, server, services=["nginx"], install="copy", cert_path=out / "cert.pem", key_path=out / "key.pem")
    return out


def assert_copies_are_live(server, out):
    live = server.installed(WWW)
    assert (out / "cert.pem").read_text() == live.cert and (out / "key.pem").read_text() == live.privkey
    assert mode(out / "cert.pem") == 0o644 and mode(out / "key.pem") == 0o600 and not dot_files(out)


def test_copies_are_files_and_follow_a_renewal(vault, server):
    out = copied(vault, server)
    assert_copies_are_live(server, out)
    assert (out / "key.pem").lstat().st_nlink == 1 and stat.S_ISREG((out / "key.pem").lstat().st_mode)
    installed(vault, server)
    assert_copies_are_live(server, out)


def test_a_copy_that_was_edited_is_made_anew_without_vault(vault, server, dead_address):
    out = copied(vault, server)
    inode = (out / "cert.pem").stat().st_ino
    with open(out / "cert.pem", "a") as file:
        file.write("edited\n")
    server.asks(address=dead_address)
    assert server.sync().exit == 3
    assert_copies_are_live(server, out)
    assert (out / "cert.pem").stat().st_ino != inode


def test_a_copy_is_never_changed_in_place(vault, server):
    out = copied(vault, server)
    second = server.directory / "second"
    os.link(out / "key.pem", second)
    second.chmod(0o644)
    before = facts(second)[0][:2]
    assert server.sync().exit == 0
    assert_copies_are_live(server, out)
    assert mode(second) == 0o644 and facts(second)[0][:2] == before


def test_a_file_that_took_the_place_of_a_copy_is_left(vault, server):
    out = copied(vault, server)
    (server.directory / "mine").write_text("mine\n")
    (server.directory / "mine").rename(out / "cert.pem")
    before = facts(out / "cert.pem")
    vault.publish(WWW)
    run = server.sync()
    assert run.exit == 2 and str(out / "cert.pem") in run.stderr
    assert facts(out / "cert.pem") == before
    live = server.installed(WWW)
    assert live.generation == 1 and (out / "key.pem").read_text() == live.privkey


def test_a_copy_restored_from_a_backup_is_recognised(vault, server):
    out = copied(vault, server)
    shutil.copy2(out / "cert.pem", server.directory / "backup")
    (server.directory / "backup").replace(out / "cert.pem")
    before = facts(out / "cert.pem")
    assert server.sync().exit == 0
    assert facts(out / "cert.pem") == before
    installed(vault, server)
    assert_copies_are_live(server, out)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_run_killed_between_two_copies_is_finished_by_the_next_without_vault(vault, server, dead_address):
    out = copied(vault, server)
    live_address = server.vault_keys["address"]
    half = 0
    for when in range(1, 40):
        server.asks(address=live_address)
        vault.publish(WWW)
        run = server.sync(under=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e",
                                 f"inject=renameat:signal=KILL:when={when}"], env=TRACED)
        if run.exit == 0:
            break
        live = server.installed(WWW)
        assert live.matches
        if (out / "cert.pem").read_text() != live.cert:
            half += 1
            server.asks(address=dead_address)
            server.sync()
            assert_copies_are_live(server, out)
        else:  # the key goes first
            assert (out / "key.pem").read_text() == live.privkey
        server.asks(address=live_address)
        assert server.sync().exit == 0
        assert_copies_are_live(server, out)
        assert version(server) == server.certificate_status(WWW)["offered_version"]
    assert run.exit == 0 and half >= 2, f"{when} renames, {half} with half of the copies"


@pytest.mark.root
def test_a_full_disk_under_an_output_fails_that_certificate_only_and_leaves_the_old_pair(vault, server):
    out = outside(server)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k,mode=755", "tmpfs", out], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        first = installed(vault, server, install="copy", cert_path=out / "cert.pem", key_path=out / "key.pem")
        installed(vault, server, MAIL)
        with open(out / "filler", "wb") as filler, pytest.raises(OSError):
            while True:
                os.write(filler.fileno(), b"x" * 4096)
        vault.publish(WWW)
        mail = vault.publish(MAIL)
        run = server.sync()
        assert run.exit == 2 and "No space left on device" in run.stderr
        assert problem(server) == "failed" and problem(server, MAIL) is None
        live = server.installed(WWW)
        assert live.fingerprint == first.fingerprint and (out / "key.pem").read_text() == live.privkey
        assert (out / "cert.pem").read_text() == live.cert and not dot_files(out)
        assert server.installed(MAIL).fingerprint == mail.fingerprint
        (out / "filler").unlink()
        assert server.sync().exit == 0
        assert_copies_are_live(server, out)
        assert version(server) == 2
    finally:
        subprocess.run(["umount", out], check=True)


# What belongs to others in certlet's own directories (rule 7)


@pytest.mark.parametrize("where, thing", [
    ("live", "file"), ("live", "directory"), ("live", "link"), ("archive", "file"), ("archive", "link")])
def test_what_stands_in_the_way_in_certlets_own_directories_is_named_and_left(vault, server, where, thing):
    (server.etc / where).mkdir()
    path, elsewhere = server.etc / where / WWW, outside(server, "elsewhere")
    (elsewhere / "cert.pem").write_text("not certlet's\n")
    if thing == "file":
        path.write_text("not certlet's\n")
    elif thing == "directory":
        path.mkdir()
    else:
        path.symlink_to(elsewhere)
    before = facts(path, elsewhere / "cert.pem")
    vault.publish(WWW)
    vault.publish(MAIL)
    server.wants(WWW)
    server.wants(MAIL)
    run = server.sync()
    assert run.exit == 2 and "move it away" in run.stderr and WWW in run.stderr
    assert facts(path, elsewhere / "cert.pem") == before
    assert server.installed(MAIL) and [path.name for path in elsewhere.iterdir()] == ["cert.pem"]


def test_a_link_to_a_whole_generation_of_its_own_is_the_truth(vault, server):
    installed(vault, server, services=["nginx"])
    server.breaks("nginx", "test")
    vault.publish(WWW)
    assert server.sync().exit == 2  # the fault was there before: the files stay, the reload is owed
    assert server.generations(WWW) == [1, 2] and server.installed(WWW).generation == 2
    server.mends("nginx")
    (server.live / WWW).unlink()
    (server.live / WWW).symlink_to(f"../archive/{WWW}/1")
    assert server.sync().exit == 0
    # version 1 was believed to be installed, so that version 2 came as a new generation
    assert server.installed(WWW).generation == 3 and server.installed(WWW).version == 2


def test_a_directory_that_is_a_link_is_no_store(vault, server):
    (server.etc / "archive").symlink_to(outside(server, "elsewhere"))
    vault.publish(WWW)
    server.wants(WWW)
    run = server.sync()
    assert run.exit == 1 and "archive" in run.stderr
    assert list((server.directory / "elsewhere").iterdir()) == []


def test_a_file_of_others_in_an_old_generation_is_left(vault, server):
    installed(vault, server)
    mine = server.archive / WWW / "1" / "notes.txt"
    mine.write_text("mine\n")
    installed(vault, server)
    assert mine.read_text() == "mine\n" and [path.name for path in mine.parent.iterdir()] == ["notes.txt"]
    assert "notes.txt" in server.last.stderr
    mine.unlink()
    installed(vault, server)
    assert server.generations(WWW) == [3]


# What goes


def test_a_deleted_certificate_leaves_nothing(vault, server):
    out = outside(server)
    installed(vault, server, MAIL)
    installed(vault, server, install="copy", cert_path=out / "cert.pem", key_path=out / "key.pem", combined=True)
    installed(vault, server, "link.example.test", fullchain_path=out / "link.pem")
    server.unwants(WWW, "link.example.test")
    run = server.sync()
    assert run.exit == 0 and list(out.iterdir()) == []
    assert [path.name for path in server.live.iterdir()] == [path.name for path in server.archive.iterdir()] == [MAIL]
    assert server.certificate_status(WWW) is None
    assert server.sync().exit == 0


def test_a_deletion_leaves_what_others_made_and_names_it(vault, server):
    out = outside(server)
    installed(vault, server, MAIL)
    installed(vault, server, install="copy", cert_path=out / "cert.pem", key_path=out / "key.pem")
    (server.directory / "mine").write_text("mine\n")
    (server.directory / "mine").rename(out / "cert.pem")
    readme = server.archive / WWW / "README"
    readme.write_text("mine\n")
    server.unwants(WWW)
    run = server.sync()
    assert run.exit == 2 and str(out / "cert.pem") in run.stderr and f"archive/{WWW}" in run.stderr
    assert (out / "cert.pem").read_text() == "mine\n" and readme.read_text() == "mine\n"
    assert not (out / "key.pem").exists() and not (server.live / WWW).is_symlink() and server.generations(WWW) == []
    readme.unlink()
    assert server.sync().exit == 0
    assert (out / "cert.pem").read_text() == "mine\n" and not (server.archive / WWW).exists()


def test_a_certificate_that_is_listed_again_after_its_deletion_is_as_never_seen(vault, server):
    installed(vault, server, MAIL)
    for _ in range(2):
        installed(vault, server)
        assert server.installed(WWW).generation == 1
        server.unwants(WWW)
        assert server.sync().exit == 0


@pytest.mark.parametrize("install", ["symlink", "copy"])
def test_an_output_passes_from_an_entry_to_its_new_name_and_never_vanishes(vault, server, install):
    path = outside(server) / "web.pem"
    old = installed(vault, server, "old.example.test", install=install, fullchain_path=path)
    server.unwants("old.example.test")
    server.wants("new.example.test", install=install, fullchain_path=path)
    # The new one cannot be had yet: the old one stays as a whole.
    run = server.sync()
    assert run.exit == 2 and path.read_text() == old.fullchain
    assert server.installed("old.example.test").matches
    new = vault.publish("new.example.test")
    assert server.sync().exit == 0
    assert path.read_text() == new.fullchain
    assert not (server.live / "old.example.test").is_symlink() and not (server.archive / "old.example.test").exists()
    assert server.sync().exit == 0 and path.read_text() == new.fullchain


@pytest.mark.parametrize("install", ["symlink", "copy"])
def test_an_output_passes_between_two_that_are_wanted(vault, server, install):
    path = outside(server) / "web.pem"
    old = installed(vault, server, "old.example.test", install=install, fullchain_path=path)
    server.wants("old.example.test", fullchain_path=None)
    server.wants("new.example.test", install=install, fullchain_path=path)
    assert server.sync().exit == 2 and path.read_text() == old.fullchain
    new = vault.publish("new.example.test")
    assert server.sync().exit == 0 and path.read_text() == new.fullchain
    # And between two that are installed.
    server.wants("new.example.test", fullchain_path=None)
    server.wants("old.example.test", fullchain_path=path)
    assert server.sync().exit == 0 and path.read_text() == old.fullchain
    assert server.sync().exit == 0 and path.read_text() == old.fullchain


# The state


@pytest.mark.parametrize("text", ["", "{\"schema\": 1,", "{\"schema\": 2}", "{\"schema\": 1, \"certificates\": [{\"name\": \"../x\"}]}"])
def test_a_broken_state_is_named_and_nothing_is_touched(vault, server, text):
    installed(vault, server, MAIL)
    installed(vault, server)
    (server.state_directory / "state.json").write_text(text)
    server.unwants(MAIL)
    before = server.files()
    run = server.sync()
    assert run.exit == 5 and str(server.state_directory / "state.json") in run.stderr
    after = server.files()
    assert {name: fact for name, fact in after.items() if name.startswith("etc/") and "manifest" not in name} == {
        name: fact for name, fact in before.items() if name.startswith("etc/") and "manifest" not in name}
    assert server.installed(MAIL)


def test_a_state_that_others_could_have_written_is_not_believed(vault, server):
    installed(vault, server)
    (server.state_directory / "state.json").chmod(0o622)
    run = server.sync()
    assert run.exit == 5 and "can be written by others" in run.stderr


# An ordinary user


@pytest.mark.root
def test_an_ordinary_user_installs_files_of_his_own(vault, server):
    user = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups"]
    out = outside(server)
    vault.publish(WWW)
    vault.publish(MAIL)
    server.wants(WWW, install="copy", key_path=out / "key.pem", cert_path=out / "cert.pem")
    server.wants(MAIL, owner="root")
    server.agent(user=None)
    server.write_manifest()
    for path in (server.directory, *server.directory.rglob("*")):
        os.chown(path, 1, 1, follow_symlinks=False)
    run = server.sync(under=user)
    assert run.exit == 2 and "root" in run.stderr and problem(server, MAIL) == "failed"
    live = server.installed(WWW)
    assert live.matches and {fact.st_uid for fact in live.facts.values()} == {1}
    assert_copies_are_live(server, out)
    server.unwants(MAIL)
    leaf = vault.publish(WWW)
    assert server.sync(under=user).exit == 0
    assert server.installed(WWW).fingerprint == leaf.fingerprint
    assert_copies_are_live(server, out)
