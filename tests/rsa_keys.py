"""RSA keys for the tests' own clouds: what they sign, and what they verify of others."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from typing import Any, Final

PUBLIC_EXPONENT: Final = 65537
# What stands before a SHA-256 in a signature, RFC 8017, section 9.2.
_SHA256_PREFIX: Final = bytes.fromhex("3031300d060960864801650304020105000420")


class RsaKey:
    """A key of 2,048 bits, made anew."""

    def __init__(self) -> None:
        self.pem = _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        self.modulus = int(_openssl("rsa", "-noout", "-modulus", text=self.pem).strip().partition("=")[2], 16)
        shown = _openssl("rsa", "-noout", "-text", text=self.pem)
        digits = shown.partition("privateExponent:")[2].partition("prime1:")[0]
        self._exponent = int("".join(digits.split()).replace(":", ""), 16)

    @property
    def size_bytes(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    def sign(self, content: bytes) -> bytes:
        """Return the signature of ``content`` (RSASSA-PKCS1-v1_5 with SHA-256)."""
        signed = pow(int.from_bytes(self._padded(content), "big"), self._exponent, self.modulus)
        return signed.to_bytes(self.size_bytes, "big")

    def verify(self, content: bytes, signature: bytes) -> bool:
        """Whether ``signature`` of ``content`` was made with this key."""
        opened = pow(int.from_bytes(signature, "big"), PUBLIC_EXPONENT, self.modulus)
        return opened.to_bytes(self.size_bytes, "big") == self._padded(content)

    def token(self, claims: dict[str, Any]) -> str:
        """Return a signed JSON Web Token (RFC 7519)."""
        header = {"alg": "RS256", "typ": "JWT", "kid": "1"}
        content = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        return f"{content}.{encoded(self.sign(content.encode()))}"

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """Return what a token says; None where this key did not sign it."""
        content, _, signature = token.rpartition(".")
        try:
            claims: dict[str, Any] = json.loads(decoded(content.partition(".")[2]))
        except ValueError:
            return None
        return claims if self.verify(content.encode(), decoded(signature)) else None

    def public(self) -> dict[str, str]:
        """Return what others verify with, as a JSON Web Key (RFC 7517)."""
        modulus = encoded(self.modulus.to_bytes(self.size_bytes, "big"))
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": modulus, "e": "AQAB"}

    def _padded(self, content: bytes) -> bytes:
        digest = _SHA256_PREFIX + hashlib.sha256(content).digest()
        return b"\x00\x01" + b"\xff" * (self.size_bytes - len(digest) - 3) + b"\x00" + digest


def encoded(content: bytes) -> str:
    """Return ``content`` in the alphabet of addresses, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return what `encoded` encoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _openssl(*arguments: str, text: str | None = None) -> str:
    return subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True, check=True).stdout
