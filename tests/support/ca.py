"""
A certificate authority for tests. Everything is made at run time; no key is kept in the tree.

    ca.leaf(["www.example.test"])                    a good leaf: EC P-256, 90 days, one intermediate
    ca.leaf([...], key="rsa-2048")                   also rsa-1024 rsa-3072 ec-p256 ec-p384 ec-p224 ed25519
    ca.leaf([...], starts=-10, days=5)               days from now: expired five days ago
    ca.leaf([...], intermediates=2)                  0 to 3
    ca.leaf([...], is_ca=True) / usage="email"       a CA as leaf / an EKU for nothing we serve
    ca.leaf([...], intermediate_starts=-9, intermediate_days=3)      a link of the chain has expired
"""

import datetime
import hashlib
import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USAGES = {
    "server": [ExtendedKeyUsageOID.SERVER_AUTH],
    "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    "email": [ExtendedKeyUsageOID.EMAIL_PROTECTION],
    "code": [ExtendedKeyUsageOID.CODE_SIGNING],
    None: None,
}
RSA_POOL = 4  # RSA keys are slow to make: a few per size are used in turn, so neighbours still differ
_rsa_keys = {}
_rsa_turn = {}


def new_key(kind="ec-p256"):
    """A private key. RSA keys come from a small pool, the others are new each time."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("ec-"):
        return ec.generate_private_key({
            "ec-p224": ec.SECP224R1, "ec-p256": ec.SECP256R1, "ec-p384": ec.SECP384R1,
            "ec-p521": ec.SECP521R1, "ec-k256": ec.SECP256K1}[kind]())
    bits = int(kind.removeprefix("rsa-"))
    pool = _rsa_keys.setdefault(bits, [])
    turn = _rsa_turn[bits] = _rsa_turn.get(bits, -1) + 1
    if len(pool) < RSA_POOL:
        pool.append(rsa.generate_private_key(65537, bits))
        return pool[-1]
    return pool[turn % RSA_POOL]


def key_pem(key, password=None):
    """PKCS#8 PEM, encrypted when a password is given."""
    how = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def traditional_pem(key):
    """`BEGIN RSA PRIVATE KEY` or `BEGIN EC PRIVATE KEY`, as old tools write them."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()).decode()


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def fingerprint(certificate):
    """SHA-256 of the DER, hex: what certlet prints."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def common_name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def alternative_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Leaf:
    """A certificate with its key and chain, all as PEM texts."""

    certificate: x509.Certificate
    private_key: object
    links: list = field(default_factory=list)  # intermediates, nearest first; without the root
    version: int = 0  # in Vault, once published

    @property
    def cert(self):
        return pem(self.certificate)

    @property
    def chain(self):
        return "".join(pem(link) for link in self.links)

    @property
    def fullchain(self):
        return self.cert + self.chain

    @property
    def key(self):
        return key_pem(self.private_key)

    @property
    def fingerprint(self):
        return fingerprint(self.certificate)

    @property
    def names(self):
        extension = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return [str(name.value) for name in extension.value]

    @property
    def not_before(self):
        return self.certificate.not_valid_before_utc

    @property
    def not_after(self):
        return self.certificate.not_valid_after_utc

    @property
    def serial(self):
        """Hex as OpenSSL prints it: whole bytes."""
        digits = f"{self.certificate.serial_number:x}"
        return digits.rjust(len(digits) + len(digits) % 2, "0")

    def fields(self, **changes):
        """The four fields of the KV secret; a change of None leaves a field out."""
        fields = {"cert": self.cert, "chain": self.chain, "fullchain": self.fullchain, "privkey": self.key}
        fields.update(changes)
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def key_id(self):
        """SHA-256 of the public key, hex."""
        return hashlib.sha256(self.certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    def custom_metadata(self, version=None, key_since=None):
        """What certlet-publish notes beside the secret (512 bytes a value at most) when this is that version."""
        def stamp(moment):
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        version = version or self.version or 1
        return {"fingerprint": self.fingerprint, "serial": self.serial, "names": " ".join(self.names)[:512],
                "issuer": self.certificate.issuer.rfc4514_string(),
                "not_before": stamp(self.not_before), "not_after": stamp(self.not_after),
                "content": hashlib.sha256(self.fullchain.encode()).hexdigest(), "key_id": self.key_id,
                "version": str(version), "key_since": str(key_since or version)}

    def write(self, directory):
        """certbot's four files; returns the directory."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in self.fields().items():
            path = directory / f"{name}.pem"
            path.touch(mode=0o600 if name == "privkey" else 0o644)
            path.write_text(text)
        return directory


class CA:
    """A root with its intermediates."""

    def __init__(self, name="certlet test root"):
        self.name = name
        self.root_key = new_key()
        self.root = self._sign(
            common_name(name), self.root_key.public_key(), common_name(name), self.root_key,
            starts=-3650, days=7300, is_ca=True)
        self._links = {}

    @property
    def root_pem(self):
        return pem(self.root)

    def intermediates(self, count=1, starts=-365, days=1825):
        """[(certificate, key)], nearest to the leaf first. Cached: the same request, the same chain."""
        wanted = (count, starts, days)
        if wanted not in self._links:
            links, issuer, issuer_key = [], self.root, self.root_key
            for number in range(count, 0, -1):
                key = new_key()
                issuer = self._sign(
                    common_name(f"{self.name} intermediate {number}/{count}"), key.public_key(),
                    issuer.subject, issuer_key, starts, days, is_ca=True, issuer_public=issuer_key.public_key())
                issuer_key = key
                links.insert(0, (issuer, key))
            self._links[wanted] = links
        return self._links[wanted]

    def leaf(self, names=("www.example.test",), key="ec-p256", starts=-1, days=90, intermediates=1,
             is_ca=False, usage="both", private_key=None, subject=None,
             intermediate_starts=-365, intermediate_days=1825):
        """A leaf; `starts` is in days from now, `days` the life from then on (both may be fractions)."""
        names = [names] if isinstance(names, str) else list(names)
        links = self.intermediates(intermediates, intermediate_starts, intermediate_days)
        issuer, issuer_key = links[0] if links else (self.root, self.root_key)
        private_key = private_key or new_key(key)
        certificate = self._sign(
            common_name(subject or (names[0] if names else "nameless")), private_key.public_key(),
            issuer.subject, issuer_key, starts, days, is_ca=is_ca, names=names, usage=usage,
            issuer_public=issuer_key.public_key())
        return Leaf(certificate, private_key, [link for link, _ in links])

    @staticmethod
    def _sign(subject, public_key, issuer, issuer_key, starts, days, is_ca=False, names=None, usage=None,
              issuer_public=None):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        start = now + datetime.timedelta(days=starts)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
            .serial_number(int.from_bytes(os.urandom(16), "big") >> 1 | 1)
            .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=not is_ca,
                data_encipherment=False, key_agreement=False, key_cert_sign=is_ca, crl_sign=is_ca,
                encipher_only=False, decipher_only=False), critical=True))
        if issuer_public is not None:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([alternative_name(name) for name in names]), critical=False)
        if USAGES[usage] is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(USAGES[usage]), critical=False)
        how = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return builder.sign(issuer_key, how)
