// The demo user, for every test in JavaScript.

export const USERNAME = "demo";
export const PASSWORD = "four-quiet-lanterns";

const unescaped = (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replaceAll("&amp;", "&");

/** The URL to which a browser goes on from a response: a redirect, or a page that navigates at once. */
const onward = (response, page) => {
  const refresh = page.match(/<meta http-equiv="refresh" content="0;url=([^"]+)"/)?.[1];
  return response.headers.get("location") ?? (refresh && unescaped(refresh));
};

/** The hidden fields of the forms of a page. */
const hiddenFields = (page) => {
  const inputs = [...page.matchAll(/<input\b[^>]*>/g)].map(([input]) => (attribute) => input.match(new RegExp(`\\b${attribute}="([^"]*)"`))?.[1]);
  return inputs.filter((input) => input("type") === "hidden").map((input) => [input("name"), unescaped(input("value") ?? "")]);
};

/** A user whose browser has no JavaScript: it follows redirects and stores cookies; the user signs in, allows and signs out. */
export class User {
  /** The cookies of each host. */
  #jars = new Map();

  /** The URLs of the last visit, in order. */
  visited = [];

  /** What the user decides about consent: `allow` or `deny`. */
  decision = "allow";

  /** Opens an authorization URL and answers each page until the server leads to `redirectUri`. Returns that URL. */
  async answer(url, redirectUri) {
    const { leads, status, body } = await this.#walk(url, (next) => next.href.startsWith(redirectUri));
    if (!leads) throw new Error(`neither sign-in nor consent: ${status} ${body}`);
    return leads;
  }

  /** Opens a URL of an application and answers each page of the server. Returns the page at which nothing leads on: URL, status and body. */
  async visit(url) {
    return this.#walk(url, () => false);
  }

  /** Opens a URL. Returns the Location of the response, or null if the response is a page. */
  async open(url) {
    return (await this.#send(url)).headers.get("location");
  }

  async #walk(url, isEnd) {
    this.visited = [];
    let response = await this.#send(url);
    for (let step = 0; step < 30; step++) {
      const body = await response.text();
      const location = onward(response, body);
      if (location) {
        const next = new URL(location, response.url);
        if (isEnd(next)) return { leads: next };
        response = await this.#send(next);
        continue;
      }
      const [target, fields] = this.#form(response, body);
      if (!target) return { url: response.url, status: response.status, body };
      response = await this.#send(target, fields);
    }
    throw new Error(`the pages do not end: ${this.visited.join(" ")}`);
  }

  /** What the user submits on a page: the URL and the fields. An empty list if the page has no form. */
  #form(response, page) {
    const hidden = hiddenFields(page);
    const submit = (path, fields) => [new URL(path, response.url), new URLSearchParams([...hidden.slice(0, 2), ...Object.entries(fields)])];
    if (page.includes('name="password"')) return submit("/login", { username: USERNAME, password: PASSWORD });
    if (page.includes('value="allow"')) return submit("/consent", { decision: this.decision });
    if (page.includes('id="logout-form"')) return submit("/logout", { decision: "yes" });
    const form = page.match(/<form[^>]*method="post"[^>]*>/i)?.[0];
    const action = form?.match(/action="([^"]+)"/)?.[1] ?? response.url;
    return form ? [new URL(unescaped(action), response.url), new URLSearchParams(hidden)] : [];
  }

  async #send(url, form) {
    const { hostname, href } = new URL(url);
    this.visited.push(href);
    const cookies = this.#jars.get(hostname) ?? new Map();
    this.#jars.set(hostname, cookies);
    const response = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form,
      redirect: "manual",
      headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      const expires = cookie.match(/;\s*expires=([^;]+)/i)?.[1];
      if (value && !/;\s*max-age=0/i.test(cookie) && !(expires && Date.parse(expires) < Date.now())) cookies.set(name, value);
      else cookies.delete(name);
    }
    return response;
  }
}
