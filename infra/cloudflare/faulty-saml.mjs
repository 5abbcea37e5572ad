// The Worker of functions/saml with injected faults, for tests. The assertion names the fault: tests/resilience/faults/tokens.rs
// lists them. Any other assertion is checked.

import Saml from "./index.js";

const ANSWERS = {
  "fault-status": () => new Response('{"rejected":"digest"}', { status: 500 }),
  "fault-text": () => new Response("overloaded"),
  "fault-length": () => new Response(`{"rejected":"digest"}${" ".repeat(1024 * 1024)}`),
  "fault-variant": () => Response.json({ rejected: "some_later_problem" }),
  "fault-issuer": () =>
    Response.json({
      accepted: { issuer: "https://not-given.test", subject: "s", id: "i", expires_at: 1, authenticated_at: null, claims: {} },
    }),
};

export default class extends Saml {
  async fetch(request) {
    const { assertion } = await request.clone().json();
    if (assertion === "fault-thrown") throw new Error("thrown by the assertion");
    return ANSWERS[assertion]?.() ?? super.fetch(request);
  }
}
