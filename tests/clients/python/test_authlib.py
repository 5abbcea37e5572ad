"""The server, called by the Python package Authlib as its documentation shows. BASE_URL is the issuer."""

import os
import sys
import unittest
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

BASE_URL = os.environ["BASE_URL"].rstrip("/")
if BASE_URL.startswith("http:"):
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

sys.path.insert(0, str(Path(__file__).parent.parent))
from user import User  # noqa: E402

REDIRECT_URI = f"{BASE_URL}/playground/callback"
SCOPE = "openid profile email offline_access"


class Authlib(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        document = requests.get(get_well_known_url(BASE_URL, external=True), timeout=30).json()
        cls.metadata = OpenIDProviderMetadata(document)
        if BASE_URL.startswith("https:"):
            cls.metadata.validate()
        cls.keys = KeySet.import_key_set(requests.get(cls.metadata["jwks_uri"], timeout=30).json())

    def flow(self, client_id, secret, method):
        client = OAuth2Session(
            client_id,
            secret,
            scope=SCOPE,
            redirect_uri=REDIRECT_URI,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            code_challenge_method="S256",
        )
        verifier, nonce, user = generate_token(48), generate_token(), User(BASE_URL, REDIRECT_URI)
        url, state = client.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="consent"
        )
        callback = user.answer(url)
        self.assertEqual(parse_qs(urlsplit(callback).query)["iss"], [BASE_URL])

        token = client.fetch_token(
            self.metadata["token_endpoint"], authorization_response=callback, state=state, code_verifier=verifier
        )
        claims = self.id_token(token, client_id, nonce)

        userinfo = client.get(self.metadata["userinfo_endpoint"])
        self.assertEqual(userinfo.status_code, 200)
        self.assertEqual(userinfo.json()["sub"], claims["sub"])
        self.assertIn("email", userinfo.json())

        refreshed = client.refresh_token(self.metadata["token_endpoint"])
        self.assertNotEqual(refreshed["access_token"], token["access_token"])
        self.assertEqual(client.get(self.metadata["userinfo_endpoint"]).status_code, 200)

        response = client.revoke_token(
            self.metadata["revocation_endpoint"], refreshed["refresh_token"], token_type_hint="refresh_token"
        )
        self.assertEqual(response.status_code, 200)
        self.assertEqual(client.get(self.metadata["userinfo_endpoint"]).status_code, 401)
        with self.assertRaises(OAuthError) as raised:
            client.refresh_token(self.metadata["token_endpoint"], refreshed["refresh_token"])
        self.assertEqual(raised.exception.error, "invalid_grant")

        user.browser.get(
            self.metadata["end_session_endpoint"], params={"id_token_hint": token["id_token"]}, allow_redirects=False
        )
        url, _ = client.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, prompt="none"
        )
        self.assertEqual(parse_qs(urlsplit(user.answer(url)).query)["error"], ["login_required"])

    def id_token(self, token, client_id, nonce):
        algorithms = self.metadata["id_token_signing_alg_values_supported"]
        decoded = jwt.decode(token["id_token"], self.keys, algorithms=algorithms)
        options = {"iss": {"values": [BASE_URL]}, "aud": {"values": [client_id]}}
        params = {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(leeway=60)
        return claims

    def test_public_client(self):
        self.flow("demo-spa", None, "none")

    def test_client_secret_basic(self):
        self.flow("demo-web", "demo-web-secret-7Kq2Xv9Tb4", "client_secret_basic")

    def test_client_secret_post(self):
        self.flow("demo-web", "demo-web-secret-7Kq2Xv9Tb4", "client_secret_post")

    def test_client_credentials(self):
        client = OAuth2Session("demo-service", "demo-service-secret-7Kq2Xv9Tb4", scope="read")
        token = client.fetch_token(self.metadata["token_endpoint"], grant_type="client_credentials")
        self.assertEqual(token["scope"], "read")
        self.assertNotIn("refresh_token", token)

    def test_wrong_secret(self):
        client = OAuth2Session("demo-service", "wrong", scope="read")
        with self.assertRaises(OAuthError) as raised:
            client.fetch_token(self.metadata["token_endpoint"], grant_type="client_credentials")
        self.assertEqual(raised.exception.error, "invalid_client")


if __name__ == "__main__":
    unittest.main()
