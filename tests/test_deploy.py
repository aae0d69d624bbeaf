"""The files for an installation: their own tools accept them, and the run book says what to do for every alert."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask, request

from devstack.layout import find_free_ports
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[1]
DEPLOY, HOW_TO = ROOT / "deploy", ROOT / "docs/how-to"
RULES = (DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8")


def tool(name: str, package: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install {package})")
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("page", ["run-book.md", "run-book.zh.md"])
def test_every_alert_has_its_section_and_every_section_its_alert(page: str) -> None:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    severities = dict(re.findall(r"- alert: (\w+)\n(?:.*\n)*?        labels: \{ severity: (\w+) \}", RULES))
    assert dict(re.findall(r"^### (\w+)\n\*\*(\w+)[.。]\*\*", text, re.MULTILINE)) == severities


def test_the_rules_use_metrics_that_there_are() -> None:
    known = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    used = set(re.findall(r"\b(?:jixiang|http)_\w+?(?=_bucket\b|_count\b|\{|\[|\))", RULES))
    assert used and {name for name in used if f"`{name}`" not in known} == set()


def test_each_alert_fires_on_a_bad_day_and_none_on_a_good_one() -> None:
    promtool = tool("promtool", "prometheus")
    run(promtool, "check", "rules", DEPLOY / "prometheus/alerts.yml")
    run(promtool, "test", "rules", DEPLOY / "prometheus/alerts_test.yml")


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda unit: unit.name)
def test_a_unit_is_understood_and_sealed(unit: Path, tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    here = tmp_path / unit.name  # with a program that there is
    here.write_text(unit.read_text(encoding="utf-8").replace("/opt/jixiang/.venv/bin/jixiang", "/bin/true"))
    done = subprocess.run([analyze, "verify", here], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, unit.name in done.stderr) == (0, False), done.stderr
    seal = run(analyze, "security", "--offline=true", here)
    assert float(re.search(r"exposure level .*?: ([0-9.]+)", seal)[1]) < 2  # type: ignore[index]


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


class Proxied:
    """nginx with the configuration, before an application that answers with the headers that it was sent."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._address, self._certificate = f"https://localhost:{port}", str(certificate)

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self._address + path, body, headers=named, verify=self._certificate, timeout=30)


def _site(directory: Path, upstream: str, plain: int, secure: int) -> str:
    """The configuration with the places of a test."""
    site = (DEPLOY / "nginx/jixiang.conf").read_text(encoding="utf-8")
    places = {
        "/etc/nginx/jixiang/": f"{directory}/",
        "/var/log/nginx/": f"{directory}/",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{secure} ",
        "127.0.0.1:8000": upstream,
    }
    for there, here in places.items():
        assert there in site
        site = site.replace(there, here)
    return site


@pytest.fixture
def proxied(tmp_path: Path, serve: Callable[[Flask], str]) -> Iterator[Proxied]:
    nginx = tool("nginx", "nginx-light")
    echo = Flask("echo")
    echo.add_url_rule("/<path:_>", view_func=lambda _: dict(request.headers), methods=["POST"])
    _certificate(tmp_path)
    plain = find_free_ports(2)
    secure = plain + 1
    (tmp_path / "site.conf").write_text(_site(tmp_path, serve(echo).removeprefix("http://"), plain, secure))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    (tmp_path / "nginx.conf").write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ {temporary} include {tmp_path}/site.conf; }}\n"
    )
    running = subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf", "-p", tmp_path])
    wait_until(lambda: (tmp_path / "pid").exists() or running.poll() is not None)
    assert running.poll() is None, (tmp_path / "error.log").read_text()
    yield Proxied(secure, tmp_path / "fullchain.pem")
    running.terminate()
    running.wait(30)


@pytest.mark.slow
def test_the_proxy_passes_its_own_word_on_who_asks_and_takes_no_more_than_an_appeal(proxied: Proxied) -> None:
    spoofed = {"X_Forwarded_For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X_Real_IP": "192.0.2.1"}
    seen = proxied.post("/api/v1/checks", b"{}", **spoofed).json()
    assert (seen["X-Forwarded-For"], seen["X-Forwarded-Proto"]) == ("127.0.0.1", "https")
    assert "192.0.2.1" not in str(seen)
    assert proxied.post("/api/v1/appeals", bytes(9_500_000)).status_code == 413
