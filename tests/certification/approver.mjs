// Decides backchannel requests in place of a user: the suite calls this server with the action, as it would tell a tester to act.
import http from "node:http";
import { Browser } from "./call.mjs";
import { ISSUER, PASSWORD, PORTS } from "./latchkey.mjs";

// Returns the URL for the suite's setting automated_ciba_approval_url.
export const approvalUrl = (user) => `http://localhost:${PORTS.approver}/${user}?auth_req_id={auth_req_id}&action={action}`;

/** Signs the user in by a request of `client`, opens the requests that wait, and decides each. Returns their number. */
async function decide(user, decision, client) {
  const browser = new Browser(ISSUER);
  const request = new URLSearchParams({ client_id: client.id, redirect_uri: client.redirectUri, response_type: "code", scope: "openid", nonce: "approver" });
  const signIn = await browser.open(`/authorize?${request}`);
  await browser.submit(signIn, "password", { username: user, password: PASSWORD });
  const list = await browser.open("/requests");
  const links = [...list.text.matchAll(/<li><a href="([^"]+)"/g)].map(([, href]) => href.replaceAll("&amp;", "&"));
  for (const link of links) await browser.submit(await browser.open(link), "decision", { decision });
  return links.length;
}

/** Starts the server. `client` has the id and a redirect URI of a client that may send authorization requests. */
export function approver(client) {
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, `http://localhost:${PORTS.approver}`);
    const user = url.pathname.slice(1);
    let answer;
    try {
      const decided = await decide(user, url.searchParams.get("action") === "deny" ? "deny" : "allow", client);
      answer = decided > 0 ? [200, { decided }] : [404, { error: `no request waits for ${user}` }];
    } catch (error) {
      answer = [500, { error: String(error) }];
    }
    response.writeHead(answer[0], { "content-type": "application/json" });
    response.end(JSON.stringify(answer[1]));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(PORTS.approver, "localhost", () => resolve(server));
  });
}
