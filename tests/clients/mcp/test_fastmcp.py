"""FastMCP's client. It knows the URL of the MCP server and nothing else. The variables are those of typescript.mjs."""

import asyncio
import base64
import json
import os
import sys
import threading
import unittest
import warnings
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
from fastmcp import Client
from fastmcp.client.auth import OAuth
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

sys.path.insert(0, str(Path(__file__).parent.parent))

from user import User  # noqa: E402

BASE_URL = os.environ["BASE_URL"]
SERVERS = json.loads(os.environ["MCP_SERVERS"])
DOCUMENTS = os.environ["MCP_DOCUMENTS"]
WITH_TOOL_SCOPES = {"express", "fetch", "agents", "lambda", "express-lambda", "crate"}


def claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


class Browser:
    """Takes the place of the web browser: the user answers the pages, and the browser opens the callback."""

    def __init__(self):
        self.requests = []

    def open(self, url):
        request = parse_qs(urlsplit(url).query)
        self.requests.append(request)

        def answer():
            callback = User(BASE_URL, request["redirect_uri"][0]).answer(url)
            # The client opens its port after it has opened the browser.
            with requests.Session() as session:
                session.mount("http://", HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.1)))
                session.get(callback, timeout=30)

        threading.Thread(target=answer, daemon=True).start()
        return True


class FastMCP(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def session(self, server, way):
        url = SERVERS[server]
        document = f"{DOCUMENTS}/fastmcp/{server}.json" if way == "document" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            oauth = OAuth(client_metadata_url=document)
        browser = Browser()
        with mock.patch("webbrowser.open", browser.open):
            async with Client(url, auth=oauth) as client:
                stored = oauth.token_storage_adapter
                first = await stored.get_tokens()
                got = claims(first.access_token)
                self.assertEqual((got["aud"], got["scope"]), (url, "notes:read"))
                self.assertEqual(browser.requests[0]["resource"], [url])
                if document:
                    self.assertEqual(browser.requests[0]["client_id"], [document])
                self.assertEqual((await client.call_tool("whoami")).content[0].text, got["sub"])

                self.assertIsNotNone(first.refresh_token)
                oauth.context.token_expiry_time = 1
                self.assertEqual((await client.call_tool("whoami")).content[0].text, got["sub"])
                second = await stored.get_tokens()
                self.assertNotEqual(second.access_token, first.access_token)
                self.assertNotEqual(second.refresh_token, first.refresh_token)
                self.assertEqual(len(browser.requests), 1)

                if server not in WITH_TOOL_SCOPES:
                    return
                result = await client.call_tool("write_note", {"note": "x"})
                self.assertEqual(result.content[0].text, "written: x")
                self.assertEqual(len(browser.requests), 2)
                stepped_up = claims((await stored.get_tokens()).access_token)
                self.assertEqual(set(stepped_up["scope"].split()), {"notes:read", "notes:write"})

    async def test_each_server_by_registration(self):
        for server in SERVERS:
            with self.subTest(server):
                await self.session(server, "registration")

    async def test_each_server_by_document(self):
        for server in SERVERS:
            with self.subTest(server):
                await self.session(server, "document")


if __name__ == "__main__":
    unittest.main()
