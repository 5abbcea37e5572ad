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


def derive(secret, purposes, pairwise=None):
    """Returns the value of LATCHKEY_KEYS. HKDF-Expand needs one block for 32 bytes (RFC 5869)."""
    key = extracted(secret)
    keys = {"id": encoded(mac(key, b"key-id\x01")[:4])}
    for purpose in purposes:
        source = extracted(pairwise) if pairwise and purpose == "pairwise" else key
        keys[purpose] = encoded(mac(source, b"purpose/" + purpose.encode() + b"\x01"))
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
