"""RSA keys, made when a test needs one."""

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


@cache
def rsa_key() -> str:
    """A private key as GitHub gives it to an App: PEM, PKCS#1."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


def other_kinds() -> dict[str, str]:
    """What is taken for such a key by mistake."""
    private = serialization.load_pem_private_key(rsa_key().encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    locked = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"words")
    )
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "public": public.decode(),
        "locked": locked.decode(),
        "curve": curve.decode(),
        "path": "/etc/krs/app.private-key.pem",
        "half": rsa_key()[:400],
        "token": "ghp_0123456789abcdef",
        "none": "",
    }
