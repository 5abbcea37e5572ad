// HTTPS calls to servers on this machine that have self-signed certificates, and a browser without JavaScript.
import http from "node:http";
import https from "node:https";

const agent = new https.Agent({ rejectUnauthorized: false, keepAlive: true });

/** Sends a request and resolves to { status, headers, text }. Redirects are not followed. */
export function call(url, { method = "GET", headers = {}, body, timeout = 60_000 } = {}) {
  const target = new URL(url);
  const secure = target.protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(
      target,
      { method, headers, timeout, agent: secure ? agent : undefined },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    request.on("timeout", () => request.destroy(new Error(`no response from ${target.origin} in ${timeout} ms`)));
    request.on("error", reject);
    request.end(body);
  });
}

/** A browser at one origin: stores cookies, follows redirects within the origin. */
export class Browser {
  #cookies = new Map();

  constructor(origin) {
    this.origin = origin;
  }

  /** Opens a URL of the origin. Resolves to the page, or to { location } if it leads to another origin. */
  async open(path, form) {
    let url = new URL(path, this.origin);
    let fields = form;
    for (let step = 0; step < 10; step++) {
      const headers = { cookie: [...this.#cookies].map((pair) => pair.join("=")).join("; ") };
      if (fields) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", origin: this.origin });
      const answer = await call(url, { method: fields ? "POST" : "GET", headers, body: fields && String(new URLSearchParams(fields)) });
      for (const cookie of answer.headers["set-cookie"] ?? []) {
        const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
        this.#cookies.set(name, value);
      }
      const location = answer.headers.location;
      if (!location) return { ...answer, url };
      url = new URL(location, url);
      fields = undefined;
      if (url.origin !== this.origin) return { location: url };
    }
    throw new Error(`redirects do not end at ${url}`);
  }

  /** Submits the first form of a page that has a field or a button of this name, with its hidden fields. */
  async submit(page, name, fields) {
    const forms = page.text?.match(/<form\b[\s\S]*?<\/form>/g) ?? [];
    const form = forms.find((text) => text.includes(`name="${name}"`));
    if (!form) throw new Error(`no form with ${name}: ${page.status} ${page.url ?? page.location}`);
    const attribute = (tag, key) => tag.match(new RegExp(`\\b${key}="([^"]*)"`))?.[1].replaceAll("&amp;", "&");
    const hidden = [...form.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [attribute(tag, "name"), attribute(tag, "value")]);
    return this.open(new URL(attribute(form, "action") ?? page.url, page.url), [...hidden, ...Object.entries(fields)]);
  }
}
