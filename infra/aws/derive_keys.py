"""Derives the keys of one function from the deployment secret, for the custom resources of template.yaml.

`cargo xtask generate` copies this file into the template. shared/keys/src/derived.rs has the same derivation in Rust.
"""

import base64
import hashlib
import hmac
import json


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def extracted(secret):
    secret = secret.strip()
    if len(secret) == 64:
        secret = bytes.fromhex(secret)
    else:
        secret = base64.urlsafe_b64decode(secret.rstrip("=") + "=")
    if len(secret) != 32:
        raise ValueError("the secret is not 32 bytes in base64url or hexadecimal")
    return mac(b"latchkey/v1", secret)


# P-256: the field and the base point (SEC 2 §2.4.2).
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def added(one, other):
    if one == other:
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, FIELD)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, FIELD)
    x = (slope**2 - one[0] - other[0]) % FIELD
    return x, (slope * (one[0] - x) - one[1]) % FIELD


def public_point(key):
    """Returns the point whose scalar is derived from the key of the purpose, without its first bit."""
    point = BASE
    for bit in bin(int.from_bytes(mac(key, b"p256\x01"), "big") & (2**255 - 1))[3:]:
        point = added(point, point)
        if bit == "1":
            point = added(point, BASE)
    return b"".join(part.to_bytes(32, "big") for part in point)


def derive(secret, purposes, pairwise=None):
    """Returns the value of LATCHKEY_KEYS. HKDF-Expand needs one block for 32 bytes (RFC 5869)."""
    key = extracted(secret)
    keys = {"id": encoded(mac(key, b"key-id\x01")[:4])}
    for purpose in purposes:
        source = extracted(pairwise) if pairwise and purpose == "pairwise" else key
        private, is_public = purpose.removesuffix("-public"), purpose.endswith("-public")
        value = mac(source, b"purpose/" + private.encode() + b"\x01")
        keys[purpose] = encoded(public_point(value) if is_public else value)
    return json.dumps(keys, separators=(",", ":"))


def handler(event, context):
    import boto3
    import cfnresponse

    name = event["LogicalResourceId"]
    try:
        data = {}
        if event["RequestType"] != "Delete":
            wanted = event["ResourceProperties"]
            manager = boto3.client("secretsmanager")

            def read(stage="AWSCURRENT", arn=wanted["Secret"]):
                return manager.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"]

            pairwise = read(arn=wanted["PairwiseSecret"]) if wanted.get("PairwiseSecret") else None
            data["Keys"] = derive(read(), wanted["Purposes"], pairwise)
            if wanted["KeepPreviousSecret"] == "true":
                data["Previous"] = derive(read("AWSPREVIOUS"), wanted["Purposes"], pairwise)
        cfnresponse.send(event, context, cfnresponse.SUCCESS, data, name, noEcho=True)
    except Exception as error:
        # Never the value of a secret: only the kind of the error.
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, name, reason=f"no keys: {type(error).__name__}")
