"""How the commands of a service are run: no shell, nothing of ours, and never for ever."""

import os
import shutil
import time
from pathlib import Path

import pytest

NAME = "www.example.test"


def settle(vault, server):
    leaf = vault.publish(NAME)
    server.wants(NAME, services=["web"])
    assert server.sync().exit == 0
    return leaf


def script(server, name, text):
    """A program of the test's own, for a key of [service]."""
    path = server.directory / name
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)
    return path


def gone(pid):
    for _ in range(200):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_no_shell_ever_sees_a_command(vault, server):
    said, marker = server.directory / "said", server.directory / "marker"
    record = script(server, "record", f'for word; do echo "$word" >> {said}; done')
    server.service("web", reload=f"""{record} a;touch {marker}& $HOME `id` * 'one  two' "it's" b"c d"e""")
    settle(vault, server)
    assert said.read_text().splitlines() == [
        "a;touch", f"{marker}&", "$HOME", "`id`", "*", "one  two", "it's", "bc de"]
    assert not marker.exists()


def test_a_command_has_no_environment_but_a_path_and_a_language(vault, server):
    said = server.directory / "said"
    server.service("web", reload=script(server, "record", f"tr '\\0' '\\n' < /proc/$$/environ | sort > {said}"))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    assert server.sync(env={"SECRET": "1", "LD_PRELOAD": "", "PATH": "/tmp"}).exit == 0
    assert said.read_text().split() == ["LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]


def test_a_command_has_no_descriptor_of_ours_and_an_empty_input(vault, server):
    said = server.directory / "said"
    server.service("web", reload=script(server, "record", f"""(readlink /proc/$$/fd/0; cd /proc/$$/fd; echo *
		read line && echo "read $line") > {said}; exit 0"""))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    assert server.sync(stdin="hello\n").exit == 0
    lines = said.read_text().splitlines()
    assert lines[0] == "/dev/null" and len(lines) == 2
    # The script's own file descriptor of dash, 10, holds the script itself.
    assert set(lines[1].split()) <= {"0", "1", "2", "10"}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_on_a_kernel_without_close_range_nobody_has_a_descriptor_of_ours_either(vault, server, directory):
    said, held = server.directory / "said", server.directory / "held"
    server.service("web", reload=script(server, "record", f"(cd /proc/$$/fd; echo *) > {said}; exit 0"))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    held.write_text("")
    run = server.sync(under=["sh", "-c", f'exec 9<{held}; ulimit -n 256; exec "$@"', "sh", "strace", "-f", "-qq", "-o", directory / "trace",
                             "-e", "trace=close_range,close", "-e", "inject=close_range:error=ENOSYS"], env={"ASAN_OPTIONS": "detect_leaks=0"})
    lines = (directory / "trace").read_text().splitlines()
    refused = {line.split()[0] for line in lines if "ENOSYS" in line}
    closed = {line.split()[0] for line in lines if "close(9)" in line}
    assert run.exit == 0 and len(refused) > 1 and refused <= closed, "the fetch process, and each command"
    assert set(said.read_text().split()) <= {"0", "1", "2", "10"}


def test_a_command_has_the_usual_umask_and_signals_and_a_process_group_of_its_own(vault, server):
    said = server.directory / "said"
    server.service("web", reload=script(server, "record", f"""(umask; ps -o pgid= -p $$; echo $$; pwd
		grep -E 'Sig(Ign|Blk)|NoNewPrivs|Seccomp:' /proc/$$/status) > {said}"""))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    run = server.sync(under=["/bin/sh", "-c", "umask 077; trap '' PIPE HUP; exec \"$@\"", "sh"])
    assert run.exit == 0
    mask, group, pid, folder, *status = said.read_text().splitlines()
    assert mask == "0022" and group.strip() == pid and folder == "/"
    assert [line.split()[1].strip("0") for line in status] == ["", "", "", ""], status


def test_a_command_has_the_limits_that_certlet_was_started_with(vault, server):
    before, after = server.directory / "before", server.directory / "after"
    server.service("web", reload=script(server, "record", f"ulimit -Sa > {after}; ulimit -Ha >> {after}"))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    look = f"ulimit -Sn 777; ulimit -Sa > {before}; ulimit -Ha >> {before}; exec \"$@\""
    assert server.sync(under=["/bin/sh", "-c", look, "sh"]).exit == 0
    assert after.read_text() == before.read_text()


@pytest.mark.skipif(any(key.endswith("SAN_OPTIONS") for key in os.environ), reason="the sanitizers need more themselves")
@pytest.mark.parametrize("limit", ["-Ss 16", "-s 64"])  # in KiB: the soft one, which certlet may raise for itself, or both
def test_a_small_stack_is_enough_for_certlet_and_is_what_a_command_gets(vault, server, limit):
    after = server.directory / "after"
    server.service("web", reload=script(server, "record", f"ulimit -s > {after}"))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    run = server.sync(under=["/bin/sh", "-c", f'ulimit {limit}; exec "$@"', "sh"])
    assert run.exit == 0, run.output
    assert after.read_text() == limit.split()[-1] + "\n"


def test_the_words_of_a_command_are_shown_without_control_characters(vault, server):
    settle(vault, server)
    server.service("web", test=script(server, "colourful", "printf 'first\\n\\033[31msecond\\a\\n\\303\\050'; exit 7"))
    vault.publish(NAME)
    run = server.sync()
    assert run.exit == 2
    error = server.service_status("web")["error"]
    assert "exit status 7" in error and "first / [31msecond" in error
    assert "\033" not in run.output and "\a" not in run.output


def test_a_daemon_that_a_reload_leaves_behind_is_neither_waited_for_nor_killed(vault, server):
    pids = server.directory / "pids"
    server.service("web", reload=script(server, "spawn", f"sleep 300 & echo $! > {pids}"))
    vault.publish(NAME)
    server.wants(NAME, services=["web"])
    run = server.sync()
    assert run.exit == 0 and run.seconds < 25
    pid = int(pids.read_text())
    assert not gone(pid)
    os.kill(pid, 9)


def test_a_reload_that_does_not_end_is_killed_with_all_that_it_started_and_counts_as_failed(vault, server):
    old = settle(vault, server)
    pids = server.directory / "pids"
    reload = script(server, "hang", f"""test ! -e {pids} || exit 0
		sleep 300 & echo $! > {pids}; echo $$ >> {pids}
		trap "" TERM; while :; do sleep 1; done""")
    server.service("web", reload=reload, timeout="1s")
    vault.publish(NAME)
    run = server.sync()
    assert run.exit == 2 and run.seconds < 60
    assert server.installed(NAME).fingerprint == old.fingerprint
    assert all(gone(pid) for pid in pids.read_text().split())
    assert "1 s" in server.certificate_status(NAME)["error"]
