"""A certificate authority of an installation's own, and what it issues: servers', and the administrator's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["RENEWED_WITHIN", "Authority", "Issued", "is_fresh", "new_authority"]

_AUTHORITY_DAYS: Final = 3650
_ISSUED_DAYS: Final = 397
_SKEW: Final = timedelta(hours=1)  # clocks differ
RENEWED_WITHIN: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority's own certificate and key, as PEM."""

    certificate: str
    key: str = field(repr=False)

    def issue_server(self, names: tuple[str, ...], *, at: datetime) -> Issued:
        """Return a server's certificate for these host names or addresses."""
        return self._issue(names[0][:64], names, ExtendedKeyUsageOID.SERVER_AUTH, at=at)

    def issue_client(self, name: str, *, at: datetime) -> Issued:
        """Return the certificate by which a client is known as ``name``."""
        return self._issue(name, (), ExtendedKeyUsageOID.CLIENT_AUTH, at=at)

    def _issue(self, name: str, names: tuple[str, ...], usage: x509.ObjectIdentifier, *, at: datetime) -> Issued:
        own_key = serialization.load_pem_private_key(self.key.encode(), password=None)
        if not isinstance(own_key, ec.EllipticCurvePrivateKey):
            message = "an authority's key is of another kind than ours"
            raise TypeError(message)
        own = x509.load_pem_x509_certificate(self.certificate.encode())
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(name, issuer=own.subject, key=key, at=at, days=_ISSUED_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own_key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([*map(_general_name, names)]), critical=False)
        return Issued(certificate=_pem(builder.sign(own_key, hashes.SHA256())), key=_key_pem(key))


def new_authority(name: str, *, at: datetime) -> Authority:
    """Return a fresh authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(name, issuer=subject, key=key, at=at, days=_AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True)
    )
    return Authority(certificate=_pem(builder.sign(key, hashes.SHA256())), key=_key_pem(key))


def is_fresh(certificate: str, names: tuple[str, ...], *, at: datetime) -> bool:
    """Tell whether a certificate is for exactly these names and lasts longer than ``RENEWED_WITHIN``."""
    found = x509.load_pem_x509_certificate(certificate.encode())
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        held = {str(name.value) for name in extension.value}
    except x509.ExtensionNotFound:
        held = set()
    return held == set(names) and found.not_valid_after_utc - at > RENEWED_WITHIN


def _builder(
    name: str, *, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _SKEW)
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode("ascii")
