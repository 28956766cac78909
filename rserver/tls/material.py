"""Certificate files become one form: the leaf with its chain in PEM, its key in PEM, the names it is for. Pure."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

_LEAST_RSA_BITS = 2048
_SOON = datetime.timedelta(days=21)
_PEM = b"-----BEGIN "


class BadMaterial(Exception):
    """The files cannot be used; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a server shows and proves. names: hosts, lower case, `*.` before wildcards; warnings: sentences."""

    chain: str
    key: str
    names: tuple[str, ...]
    warnings: tuple[str, ...] = field(default=())


def read(certificate: bytes, key: bytes = b"", password: bytes = b"", now: datetime.datetime | None = None) -> Material:
    """The material of a PEM file (key in it or in a second one) or of a PFX file; BadMaterial."""
    if _PEM in certificate:
        certificates, private = _from_pem(certificate), _private_key(key or certificate, password)
    else:
        certificates, private = _from_pfx(certificate, password)
        if key:
            private = _private_key(key, password)
    _check_strength(private)
    leaf = _leaf(certificates, private.public_key())
    chain, whole = _chain(leaf, certificates)
    return Material(
        "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in chain),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"),
        tuple(_names(leaf)),
        tuple(_warnings(leaf, chain, whole, now or datetime.datetime.now(datetime.UTC))),
    )


def _from_pem(content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise BadMaterial(
            "the certificate cannot be read: what its PEM lines hold is damaged or no certificate"
        ) from None


def _from_pfx(content: bytes, password: bytes) -> tuple[list[x509.Certificate], PrivateKeyTypes]:
    try:
        found = load_pkcs12(content, password or None)
    except ValueError as error:
        reason = "the password does not fit" if "password" in str(error).lower() else "it is neither PEM nor PKCS #12"
        raise BadMaterial(f"the certificate cannot be read: {reason}") from None
    except UnsupportedAlgorithm as error:
        raise BadMaterial(f"the certificate cannot be read: {_reason(error)}") from None
    if found.cert is None or found.key is None:
        missing = "certificate" if found.cert is None else "key"
        raise BadMaterial(f"there is no {missing} in the PKCS #12 file")
    return [found.cert.certificate, *(extra.certificate for extra in found.additional_certs)], found.key


def _private_key(content: bytes, password: bytes) -> PrivateKeyTypes:
    if b"PRIVATE KEY-----" not in content:
        raise BadMaterial("there is no private key: name its file with ssl-certificate-key")
    try:
        return load_pem_private_key(content, password or None)
    except TypeError as error:
        needs = "not given" in str(error) or "encrypted" in str(error)
        if not needs:
            raise BadMaterial(f"the key cannot be read: {_reason(error)}") from None
        if password:  # given for another key; this one has none
            return _private_key(content, b"")
        raise BadMaterial("the key has a password: put it into a file and name that with ssl-password-file") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        reason = "the password does not fit" if "password" in str(error).lower() else _reason(error)
        raise BadMaterial(f"the key cannot be read: {reason}") from None


def _check_strength(private: PrivateKeyTypes) -> None:
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < _LEAST_RSA_BITS:
            raise BadMaterial(f"the RSA key has {private.key_size} bits; browsers want {_LEAST_RSA_BITS} at least")
    elif not isinstance(private, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        kind = "DSA" if isinstance(private, dsa.DSAPrivateKey) else type(private).__name__
        raise BadMaterial(f"a key of the kind {kind} cannot be used for TLS")


def _leaf(certificates: Sequence[x509.Certificate], public: PublicKeyTypes) -> x509.Certificate:
    wanted = _spki(public)
    for certificate in certificates:
        if _spki(certificate.public_key()) == wanted:
            return certificate
    raise BadMaterial("the key does not belong to the certificate")


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _chain(leaf: x509.Certificate, known: Iterable[x509.Certificate]) -> tuple[list[x509.Certificate], bool]:
    """From the leaf up, whatever the order in the file, without the root; and whether it ends at a root's name."""
    chain, left = [leaf], [each for each in known if each != leaf]
    while not _is_issued_by(chain[-1], chain[-1]):
        issuer = next((each for each in left if _is_issued_by(chain[-1], each)), None)
        if issuer is None:
            return chain, len(chain) > 1
        left.remove(issuer)
        if _is_issued_by(issuer, issuer):  # every browser has it, or none believes it
            return chain, True
        chain.append(issuer)
    return chain, True


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _names(leaf: x509.Certificate) -> Iterator[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return
    yield from (name.lower() for name in found.get_values_for_type(x509.DNSName))
    yield from (str(address) for address in found.get_values_for_type(x509.IPAddress))


def _warnings(
    leaf: x509.Certificate, chain: list[x509.Certificate], whole: bool, now: datetime.datetime
) -> Iterator[str]:
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now > end:
        yield f"it ended on {end:%Y-%m-%d}: browsers refuse it"
    elif now < start:
        yield f"it begins to count on {start:%Y-%m-%d}: browsers refuse it until then"
    elif end - now < _SOON:
        yield f"it ends on {end:%Y-%m-%d}"
    if _is_issued_by(leaf, leaf):
        yield "it is signed by nobody but itself: browsers warn of it"
    elif not whole:
        yield "the certificates of its issuers are not in the file: some browsers and R cannot check it"
    if not list(_names(leaf)):
        yield "it names no host (subjectAltName): browsers refuse it"
    if any(isinstance(each.signature_hash_algorithm, SHA1 | MD5) for each in chain):
        yield "its signature uses SHA-1 or MD5: browsers refuse it"


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text[:200].rstrip(".")
