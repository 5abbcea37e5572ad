// The demo user, for every test in JavaScript.

export const USERNAME = "demo";
export const PASSWORD = "four-quiet-lanterns";

/** The URL to which a browser goes on from a response: a redirect, or a page that navigates at once. */
const onward = (response, page) =>
  response.headers.get("location") ?? page.match(/<meta http-equiv="refresh" content="0;url=([^"]+)"/)?.[1].replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code));

/** A user whose browser has no JavaScript: it follows redirects and stores cookies; the user signs in and allows. */
export class User {
  #cookies = new Map();

  /** Opens an authorization URL and answers each page until the server leads to `redirectUri`. Returns that URL. */
  async answer(url, redirectUri) {
    let response = await this.#send(url);
    for (let step = 0; step < 20; step++) {
      const page = await response.text();
      const location = onward(response, page);
      if (location) {
        const next = new URL(location, response.url);
        if (next.href.startsWith(redirectUri)) return next;
        response = await this.#send(next);
        continue;
      }
      const fields = new URLSearchParams(
        [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].slice(0, 2).map(([, name, value]) => [name, value]),
      );
      if (page.includes('name="password"')) {
        fields.set("username", USERNAME);
        fields.set("password", PASSWORD);
        response = await this.#send(new URL("/login", response.url), fields);
      } else if (page.includes('value="allow"')) {
        fields.set("decision", "allow");
        response = await this.#send(new URL("/consent", response.url), fields);
      } else {
        throw new Error(`neither sign-in nor consent: ${response.status} ${page}`);
      }
    }
    throw new Error("signing in does not end");
  }

  /** Opens a URL. Returns the Location of the response, or null if the response is a page. */
  async open(url) {
    return (await this.#send(url)).headers.get("location");
  }

  async #send(url, form) {
    const response = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form,
      redirect: "manual",
      headers: { cookie: [...this.#cookies].map((pair) => pair.join("=")).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      if (value) this.#cookies.set(name, value);
      else this.#cookies.delete(name);
    }
    return response;
  }
}
