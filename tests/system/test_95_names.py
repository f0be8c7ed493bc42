"""Vault by a name: what finds names on a server finds them for the process that is locked in."""

import os
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from support import process

WWW = "www.example.test"
NAME = "vault.test"  # in the certificate of the tests' Vault
RESOLVED = process.ROOT / "build" / "resolved"  # its packages, unpacked by bootstrap


@pytest.fixture
def name_server(directory):
    """A real BIND for the zone `test` on an address of its own: resolv.conf has no place for a port."""
    for program in ("named", "ip"):
        if shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
            pytest.skip(f"{program} is not installed")
    address = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}.53"
    home = directory / "named"
    home.mkdir()
    (home / "zone").write_text("$TTL 60\n@ SOA ns.test. root.test. 1 60 60 60 60\n NS ns.test.\nns A 127.0.0.1\nvault A 127.0.0.1\n")
    (home / "named.conf").write_text(textwrap.dedent(f"""\
        options {{ directory "{home}"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no;
                   pid-file none; session-keyfile none; dnssec-validation no; }};
        controls {{ }};
        zone "test" {{ type primary; file "{home}/zone"; }};
        """))
    # BIND listens to addresses that an interface has, and 127.0.0.1 alone is not enough for tests side by side.
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    running = process.start(["named", "-g", "-c", home / "named.conf"], log=home / "log")
    try:
        process.wait_until(lambda: process.port_answers(53, address), what="named")
        yield address
    finally:
        process.stop(running)
        subprocess.run(["ip", "address", "del", f"{address}/32", "dev", "lo"], check=True)


def with_files(directory, **files):
    """Words to run a program with: its own /etc/NAME for each NAME_with_underscores=text."""
    mounts = []
    for name, text in files.items():
        path = directory / name
        path.write_text(text)
        path.chmod(0o644)
        mounts.append(f"mount --bind {path} /etc/{name.replace('_', '.')}")
    return ["unshare", "--mount", "sh", "-c", " && ".join(mounts) + ' && exec "$@"', "sh"]


def ask_by_name(vault, server):
    vault.publish(WWW)
    server.wants(WWW)
    server.asks(address=vault.address.replace("127.0.0.1", NAME))


@pytest.mark.root
def test_vault_is_found_by_a_name_in_etc_hosts(vault, server, directory):
    ask_by_name(vault, server)
    alone = with_files(directory, hosts="127.0.0.1 localhost\n", nsswitch_conf="hosts: files\n")
    assert server.sync(under=alone).exit == 3
    listed = with_files(directory, hosts=f"127.0.0.1 {NAME}\n", nsswitch_conf="hosts: files\n")
    run = server.sync(under=listed)
    assert run.exit == 0, run.output


@pytest.mark.root
def test_vault_is_found_by_dns(vault, server, directory, name_server):
    ask_by_name(vault, server)
    run = server.sync(under=with_files(
        directory, hosts="127.0.0.1 localhost\n", nsswitch_conf="hosts: files dns\n", resolv_conf=f"nameserver {name_server}\n"))
    assert run.exit == 0, run.output


@pytest.mark.root
def test_vault_is_found_by_a_resolver_whose_file_lies_elsewhere(vault, server, directory, name_server):
    """As with systemd-resolved: /etc/resolv.conf is a link into another directory."""
    ask_by_name(vault, server)
    elsewhere = directory / "resolve"
    elsewhere.mkdir()
    (elsewhere / "stub-resolv.conf").write_text(f"nameserver {name_server}\n")
    etc = directory / "etc-copy"
    etc.mkdir()
    for name in ("ssl", "passwd", "group", "host.conf", "services", "ld.so.cache", "localtime"):
        if Path("/etc", name).exists():
            subprocess.run(["cp", "-a", f"/etc/{name}", etc], check=True)
    (etc / "hosts").write_text("127.0.0.1 localhost\n")
    (etc / "nsswitch.conf").write_text("passwd: files\nhosts: files dns\n")
    (etc / "resolv.conf").symlink_to(elsewhere / "stub-resolv.conf")
    run = server.sync(under=["unshare", "--mount", "sh", "-c", f'mount --bind {etc} /etc && exec "$@"', "sh"])
    assert run.exit == 0, run.output


@pytest.mark.root
def test_vault_is_found_through_nscd(vault, server, directory):
    if shutil.which("nscd", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("nscd is not installed")
    ask_by_name(vault, server)
    files = with_files(directory, hosts=f"127.0.0.1 localhost {NAME}\n", nsswitch_conf="passwd: files\ngroup: files\nhosts: files\n",
                       nscd_conf="enable-cache hosts yes\nenable-cache passwd no\n")
    script = directory / "with-nscd"
    # The hosts file is emptied once nscd knows the name: whoever finds it then, found it through the socket.
    script.write_text(textwrap.dedent(f"""\
        #!/bin/sh
        mkdir -p /run/nscd /var/cache/nscd
        mount -t tmpfs none /run/nscd && mount -t tmpfs none /var/cache/nscd || exit 99
        nscd --foreground >/dev/null 2>&1 &
        daemon=$!
        for i in 1 2 3 4 5 6 7 8 9 10; do [ -S /run/nscd/socket ] && break; sleep 0.2; done
        getent ahosts {NAME} >/dev/null || exit 98
        "$@"
        result=$?
        kill $daemon
        exit $result
        """))
    script.chmod(0o755)
    run = server.sync(under=[*files, script])
    assert run.exit == 0, run.output


@pytest.mark.root
@pytest.mark.parametrize("way", ["resolve", "dns"])  # by its module of the C library, by its stub
def test_vault_is_found_through_systemd_resolved(vault, server, directory, name_server, way):
    daemon = next(RESOLVED.glob("**/systemd/systemd-resolved"), None)
    module = next(RESOLVED.glob("**/libnss_resolve.so.2"), None)
    if daemon is None or module is None:
        pytest.skip("systemd-resolved could not be downloaded")
    ask_by_name(vault, server)
    stub = name_server.removesuffix("53") + "54"
    files = with_files(
        directory, hosts="127.0.0.1 localhost\n", nsswitch_conf=f"passwd: files\ngroup: files\nhosts: {way}\n",
        resolv_conf=f"nameserver {stub}\n",
        passwd=Path("/etc/passwd").read_text() + "systemd-resolve:x:64900:64900::/:/usr/sbin/nologin\n",
        group=Path("/etc/group").read_text() + "systemd-resolve:x:64900:\n")
    script = directory / "with-resolved"
    libraries = Path("/", module.parent.relative_to(RESOLVED))
    script.write_text(textwrap.dedent(f"""\
        #!/bin/sh
        mount -t tmpfs none /run && mount -t tmpfs none /etc/systemd && mkdir /run/systemd || exit 99
        mount -t overlay none -o lowerdir={module.parent}:{libraries} {libraries} || exit 98
        cat >/etc/systemd/resolved.conf <<CONF
        [Resolve]
        DNS={name_server}
        FallbackDNS=
        LLMNR=no
        MulticastDNS=no
        DNSSEC=no
        DNSStubListener=no
        DNSStubListenerExtra={stub}
        CONF
        {daemon} >{directory}/resolved.log 2>&1 &
        daemon=$!
        for i in $(seq 50); do [ -S /run/systemd/resolve/io.systemd.Resolve ] && break; sleep 0.1; done
        "$@"
        result=$?
        kill $daemon
        exit $result
        """))
    script.chmod(0o755)
    run = server.sync(under=[*files, script])
    assert run.exit == 0, run.output + (directory / "resolved.log").read_text()
