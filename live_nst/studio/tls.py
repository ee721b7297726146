"""Certificates of the studio: its own, which it signs itself, or one that is given."""

import datetime
import hashlib
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from live_nst.errors import ServerError
from live_nst.files.cache import cache_root

if TYPE_CHECKING:
    from cryptography.x509 import GeneralName

_DAYS = 397  # browsers trust no certificate for longer


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key, both as PEM files.

    Attributes:
        certificate: The certificate.
        key: Its key.
        fingerprint: SHA-256 of the certificate, as browsers show it.
    """

    certificate: Path
    key: Path
    fingerprint: str


def given_certificate(certificate: Path, key: Path) -> Certificate:
    """Return a certificate that the user gives.

    Raises:
        ServerError: One of the files cannot be read, or they do not fit.
    """
    for path in (certificate, key):
        if not path.is_file():
            raise ServerError(f"There is no file {path}.", "give the certificate and key as PEM")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=_refuse_password)
        text = certificate.read_text("ascii", errors="replace")
        begin = text.index("-----BEGIN CERTIFICATE-----")
        end = text.index("-----END CERTIFICATE-----", begin) + len("-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(text[begin:end])
    except ssl.SSLError as exc:
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise ServerError(
                f"The key {key} is not that of the certificate {certificate}.",
                "give the files that belong together",
            ) from exc
        raise ServerError(
            f"The certificate {certificate} or its key cannot be used.", "give both as PEM files"
        ) from exc
    except (OSError, ValueError) as exc:
        raise ServerError(
            f"The certificate {certificate} or its key cannot be read.",
            "give both as PEM files without a password",
        ) from exc
    return Certificate(certificate, key, _fingerprint(der))


def own_certificate(names: Iterable[str], folder: Path | None = None) -> Certificate:
    """Return a certificate that the studio signs itself; it is kept for the next start.

    Args:
        names: Names and addresses by which the studio is reached.
        folder: Where it is kept; None for the cache folder.

    Raises:
        ServerError: It cannot be made or kept.
    """
    wanted = sorted(set(names))
    folder = folder or cache_root() / "tls"
    made = Certificate(folder / "studio.pem", folder / "studio-key.pem", "")
    try:
        der = _kept(made, wanted) or _make(made, wanted)
    except ImportError as exc:
        raise ServerError(
            "A certificate cannot be made: the package cryptography is missing.",
            "run `pip install cryptography`, or give --tls-cert and --tls-key",
        ) from exc
    except OSError as exc:
        raise ServerError(
            f"The certificate cannot be kept in {folder}: {exc.strerror}.",
            "give --tls-cert and --tls-key",
        ) from exc
    return Certificate(made.certificate, made.key, _fingerprint(der))


def _kept(made: Certificate, names: list[str]) -> bytes | None:
    """Return the certificate that is there, if it is still right."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.key, password=_refuse_password)
    except (OSError, ValueError, x509.ExtensionNotFound):  # SSLError is an OSError
        return None
    day = datetime.timedelta(days=1)
    if certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) < day:
        return None
    if sorted(str(name.value) for name in found) != names:
        return None
    return certificate.public_bytes(Encoding.DER)


def _make(made: Certificate, names: list[str]) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "live-nst studio")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    made.key.parent.mkdir(parents=True, exist_ok=True)
    made.key.unlink(missing_ok=True)
    made.key.touch(mode=0o600)  # before the key is in it
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    return certificate.public_bytes(Encoding.DER)


def _general_name(name: str) -> "GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _fingerprint(der: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def _refuse_password() -> str:
    """Return no password: OpenSSL would ask for one at the terminal."""
    return ""
