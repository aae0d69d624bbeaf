"""nginx with the configuration of deploy/, with the places of a test, before web processes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devstack.layout import find_free_ports
from tests.support.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
_KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # of temporary files
# as `systemctl restart` would, of the web process at a port; `current` is the program, as /opt/jixiang is
_RESTART = """#!/bin/sh
if [ -f {directory}/$1.pid ]; then
    kill "$(cat {directory}/$1.pid)"
    while kill -0 "$(cat {directory}/$1.pid)" 2>/dev/null; do sleep 0.1; done
fi
cd {program}
export JIXIANG_CONFIG={directory}/config.toml
{python} -m app web --port "$1" --workers 1 >>{directory}/web.log 2>&1 </dev/null &
echo $! >{directory}/$1.pid
"""


class Proxied:
    """nginx with the configuration, and the place of its files."""

    def __init__(self, port: int, directory: Path) -> None:
        self.address, self.directory = f"https://localhost:{port}", directory
        self.certificate = str(directory / "fullchain.pem")

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        return requests.post(self.address + path, body, headers=headers, verify=self.certificate, timeout=30)


@contextmanager
def nginx_before(nginx: str, directory: Path, *upstream: int) -> Iterator[Proxied]:
    """nginx with our configuration before web processes at these ports."""
    _certificate(directory)
    plain = find_free_ports(2)
    lines = (DEPLOY / "nginx/upstream.conf").read_text(encoding="utf-8").splitlines()
    of_one = next(line for line in lines if line.startswith("server "))
    (directory / "upstream.conf").write_text("\n".join(of_one.replace("8001", str(port)) for port in upstream) + "\n")
    (directory / "site.conf").write_text(_site(directory, plain, plain + 1))
    temporary = " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in _KINDS)
    (directory / "nginx.conf").write_text(
        f"user root; daemon off; pid {directory}/pid; error_log {directory}/error.log; events {{}}\n"
        f"http {{ {temporary} include {directory}/site.conf; }}\n"
    )
    running = subprocess.Popen([nginx, "-c", directory / "nginx.conf", "-p", directory])
    wait_until(lambda: (directory / "pid").exists() or running.poll() is not None)
    assert running.poll() is None, (directory / "error.log").read_text()
    try:
        yield Proxied(plain + 1, directory)
    finally:
        running.terminate()
        running.wait(30)


def reload_command(directory: Path) -> str:
    """What `systemctl reload nginx` is here."""
    return f"kill -HUP {(directory / 'pid').read_text().strip()}"


def write_restart(directory: Path, program: Path, python: Path | str) -> Path:
    """Write what `systemctl restart jixiang-web@` is here, to which the port is added; return its place."""
    script = directory / "restart"
    script.write_text(_RESTART.format(directory=directory, program=program, python=python))
    script.chmod(0o755)
    return script


def _certificate(directory: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    signed = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False).sign(
        key, hashes.SHA256()
    )
    (directory / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "key.pem").write_bytes(key.private_bytes(*form))


def _site(directory: Path, plain: int, secure: int) -> str:
    """The configuration with the places of a test."""
    site = (DEPLOY / "nginx/jixiang.conf").read_text(encoding="utf-8")
    places = {
        "/etc/nginx/jixiang/": f"{directory}/",
        "/var/log/nginx/": f"{directory}/",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
    }
    for there, here in places.items():
        assert there in site
        site = site.replace(there, here)
    return site
