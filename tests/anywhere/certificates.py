"""A certificate authority of this run, and a certificate of this machine by it."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LASTS = timedelta(hours=12)


def write(folder: Path) -> tuple[Path, Path, Path]:
    """Write the authority's certificate, this machine's and its key; their paths."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("make test-anywhere", None, authority_key, authority_key)
    own = _certificate("localhost", authority, key, authority_key)
    paths = tuple(folder / name for name in ("ca.pem", "certificate.pem", "certificate-key.pem"))
    paths[2].touch(mode=0o600)
    paths[0].write_bytes(authority.public_bytes(Encoding.PEM))
    paths[1].write_bytes(own.public_bytes(Encoding.PEM))
    paths[2].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths[0], paths[1], paths[2]


def _certificate(
    name: str,
    authority: x509.Certificate | None,
    key: ec.EllipticCurvePrivateKey,
    signing_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    unsigned = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LASTS)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()),
            critical=False,
        )
    )
    if authority is None:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        unsigned = unsigned.add_extension(usage, critical=True)
    else:
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        unsigned = unsigned.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return unsigned.sign(signing_key, hashes.SHA256())
