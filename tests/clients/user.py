"""The demo user, for every test in Python."""

import html
import re
from urllib.parse import urljoin

import requests


def onward(response):
    """The URL to which a browser goes on from a response: a redirect, or a page that navigates at once."""
    if "location" in response.headers:
        return urljoin(response.url, response.headers["location"])
    refresh = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)"', response.text)
    return html.unescape(refresh[1]) if refresh else None


class User:
    """A user whose browser has no JavaScript: it follows redirects and stores cookies; the user signs in and allows."""

    def __init__(self, base_url, redirect_uri):
        self.base_url = base_url
        self.redirect_uri = redirect_uri
        self.browser = requests.Session()

    def answer(self, url):
        """Answers each page until the server leads to the redirect URI. Returns that URL."""
        response = self.browser.get(url, allow_redirects=False)
        for _ in range(20):
            url = onward(response)
            if url:
                if url.startswith(self.redirect_uri):
                    return url
                response = self.browser.get(url, allow_redirects=False)
                continue
            page = response.text
            form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
            if 'name="password"' in page:
                form |= {"username": "demo", "password": "four-quiet-lanterns"}
                path = "/login"
            elif 'value="allow"' in page:
                form |= {"decision": "allow"}
                path = "/consent"
            else:
                raise AssertionError(f"neither sign-in nor consent: {response.status_code} {page}")
            response = self.browser.post(self.base_url + path, data=form, allow_redirects=False)
        raise AssertionError("signing in does not end")
