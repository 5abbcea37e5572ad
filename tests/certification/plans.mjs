// The plans: the suite's name and variant, the settings of the server, the clients, and the suite's configuration.
import { approvalUrl } from "./approver.mjs";
import { clientCertificate, jwks, published } from "./keys.mjs";
import { ISSUER, MTLS, PASSWORD, PORTS } from "./latchkey.mjs";

const ALIAS = `latchkey-${PORTS.plain}`;
const CIBA = "urn:openid:params:grant-type:ciba";
const DEMO_PASSWORD = "four-quiet-lanterns";
const AT_SERVER = `${ISSUER}/*`;
// Fills the placeholder of a module with the page on which the browser ended.
const snapshot = (text) => ["wait", "xpath", "//*", 10, text, "update-image-placeholder-optional"];

/** Returns the commands for the suite's browser, HtmlUnit. Elements that a page lacks are skipped. */
function browser(suite, { user = "demo", password = DEMO_PASSWORD, decision = "allow", beforeSignIn = [], beforeSignOut = [] } = {}) {
  const task = (task, match, commands) => ({ task, match, optional: true, commands });
  const signIn = [
    ["text", "id", "username", user, "optional"],
    ["text", "id", "password", password, "optional"],
    ["click", "id", "sign-in", "optional"],
  ];
  return [
    {
      match: `${ISSUER}/authorize*`,
      tasks: [
        task("Sign in", `${ISSUER}/login*`, [...beforeSignIn, ...signIn]),
        task("Consent", `${ISSUER}/consent*`, [["click", "id", decision, "optional"]]),
        task("Error page", AT_SERVER, [snapshot("For the developer"), ["click", "id", "continue", "optional"]]),
        task("Callback", `${suite}/test/*/callback*`, [["wait", "id", "submission_complete", 10]]),
      ],
    },
    {
      match: `${ISSUER}/logout*`,
      tasks: [
        task("Confirm", AT_SERVER, [...beforeSignOut, ["click", "id", "yes", "optional"]]),
        task("Signed out", AT_SERVER, [snapshot("You are signed out")]),
      ],
    },
  ];
}

// A user who has allowed nothing yet, so that the consent page asks.
const REFUSER = "refuser";

/** Returns the members of the suite's configuration that one module has in place of the plan's. */
function overrides(suite) {
  const showsSignIn = { browser: browser(suite, { beforeSignIn: [snapshot("Sign in")] }) };
  // Such a module ends with the picture; a sign-in after it would disturb the suite.
  const sees = { task: "Sign-in page", match: `${ISSUER}/login*`, commands: [snapshot("Sign in")] };
  const onlyShowsSignIn = { browser: [{ match: `${ISSUER}/authorize*`, tasks: [sees] }] };
  // A request to sign out that cannot be trusted: the user is asked, which the picture shows.
  const asksFirst = { browser: browser(suite, { beforeSignOut: [snapshot("Sign out\\?")] }) };
  const visitsFirst = { match: `${ISSUER}/authorize*`, "match-limit": 1, tasks: [] };
  return {
    "oidcc-prompt-login": showsSignIn,
    "oidcc-max-age-1": showsSignIn,
    "oidcc-registration-logo-uri": onlyShowsSignIn,
    "oidcc-registration-policy-uri": onlyShowsSignIn,
    "oidcc-registration-tos-uri": onlyShowsSignIn,
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": asksFirst,
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": asksFirst,
    "oidcc-rp-initiated-logout-no-id-token-hint": asksFirst,
    "oidcc-rp-initiated-logout-bad-id-token-hint": asksFirst,
    "oidcc-rp-initiated-logout-modified-id-token-hint": asksFirst,
    "fapi2-security-profile-final-user-rejects-authentication": {
      browser: browser(suite, { user: REFUSER, password: PASSWORD, decision: "deny" }),
    },
    "fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": {
      browser: [visitsFirst, ...browser(suite)],
    },
  };
}

const redirectUris = (suite) => [`${suite}/test/a/${ALIAS}/callback`, `${suite}/test/a/${ALIAS}/callback?dummy1=lorem&dummy2=ipsum`];
const common = (description, suite) => ({
  alias: ALIAS,
  description,
  server: {
    discoveryUrl: `${ISSUER}/.well-known/openid-configuration`,
    // Members of two drafts that the suite does not know: draft-ietf-oauth-identity-assertion-authz-grant, draft-ietf-oauth-refresh-token-expiration.
    allow_unexpected_metadata_fields: ["identity_chaining_requested_token_types_supported", "refresh_token_expiration_types_supported"],
  },
  options: { browsercontrol_css_enable: false },
  browser: browser(suite),
  override: overrides(suite),
});

/** Makes the two clients of a FAPI plan, with keys and certificates. Both have `metadata`. */
function fapiClients({ directory, method, metadata }) {
  return ["first", "second"].map((name) => {
    const identity = clientCertificate(directory, name);
    const keys = jwks(`${name}-key`);
    const authentication = method === "mtls" ? "self_signed_tls_client_auth" : "private_key_jwt";
    return {
      id: `${name}-client`,
      keys,
      identity,
      metadata: {
        client_name: `Conformance suite, ${name} client`,
        token_endpoint_auth_method: authentication,
        jwks: published(keys, method === "mtls" ? identity : undefined),
        ...metadata,
      },
    };
  });
}

const fapiConfiguration = (clients, scope, resourceUrl) => {
  const of = ({ id, keys }) => ({ client_id: id, scope, jwks: keys });
  const mtls = ({ identity }) => ({ cert: identity.cert, key: identity.key });
  return { client: of(clients[0]), client2: of(clients[1]), mtls: mtls(clients[0]), mtls2: mtls(clients[1]), resource: { resourceUrl } };
};

function fapi2({ method, constraint, signed }) {
  const profile = signed ? "fapi2-message-signing" : "fapi2-security";
  const scope = "openid email offline_access";
  return {
    plan: signed ? "fapi2-message-signing-final-test-plan" : "fapi2-security-profile-final-test-plan",
    variant: {
      client_auth_type: method,
      sender_constrain: constraint,
      fapi_profile: "plain_fapi",
      openid: "openid_connect",
      authorization_request_type: "simple",
      ...(signed && { fapi_request_method: "signed_non_repudiation", fapi_response_mode: "jarm" }),
    },
    // A DPoP proof is accepted once, at UserInfo too.
    settings: { LATCHKEY_PROFILE: profile, LATCHKEY_DPOP_REPLAY: "all" },
    prepare({ directory, suite, latchkey }) {
      const metadata = {
        redirect_uris: redirectUris(suite),
        grant_types: ["authorization_code", "refresh_token"],
        scope: "openid profile email address phone offline_access",
        dpop_bound_access_tokens: constraint === "dpop",
        tls_client_certificate_bound_access_tokens: constraint === "mtls",
        ...(signed && { authorization_signed_response_alg: "PS256", request_object_signing_alg: "PS256" }),
      };
      const clients = fapiClients({ directory, method, metadata });
      for (const client of clients) latchkey.client(client.id, client.metadata);
      latchkey.user(REFUSER);
      const resource = `${constraint === "mtls" ? MTLS : ISSUER}/userinfo`;
      return { configuration: { ...common(`${profile}, ${method}, ${constraint}`, suite), ...fapiConfiguration(clients, scope, resource) } };
    },
  };
}

function ciba({ mode, method }) {
  return {
    plan: "fapi-ciba-id1-test-plan",
    variant: { ciba_mode: mode, client_auth_type: method, fapi_ciba_profile: "plain_fapi", client_registration: "static_client" },
    settings: { LATCHKEY_PROFILE: "fapi-ciba" },
    prepare({ directory, suite, latchkey, modules }) {
      const metadata = {
        redirect_uris: [],
        response_types: [],
        grant_types: [CIBA, "refresh_token"],
        scope: "openid email offline_access",
        tls_client_certificate_bound_access_tokens: true,
        backchannel_token_delivery_mode: mode,
        ...(mode === "ping" && { backchannel_client_notification_endpoint: `${suite}/test/a/${ALIAS}/ciba-notification-endpoint` }),
      };
      const clients = fapiClients({ directory, method, metadata });
      for (const client of clients) latchkey.client(client.id, client.metadata);
      const approverClient = { id: "approver", redirectUri: `${suite}/approver` };
      latchkey.client("approver", {
        client_name: "Approver",
        redirect_uris: [approverClient.redirectUri],
        scope: "openid",
        token_endpoint_auth_method: "private_key_jwt",
        jwks: published(jwks("approver")),
      });
      const base = fapiConfiguration(clients, "openid email offline_access", `${MTLS}/userinfo`);
      // A client may ask a user ten times in 15 minutes, so each module has a user of its own.
      const forUser = (user) => ({
        client: { ...base.client, hint_type: "login_hint", hint_value: user },
        client2: { ...base.client2, hint_type: "login_hint", hint_value: user, acr_value: "urn:latchkey:acr:password" },
        automated_ciba_approval_url: approvalUrl(user),
      });
      const override = Object.fromEntries(modules.map((module) => [module, forUser(module)]));
      const configuration = { ...common(`FAPI-CIBA, ${mode}, ${method}`, suite), ...base, ...forUser("demo"), override };
      return { configuration, approverClient, beforeModule: (module) => latchkey.user(module) };
    },
  };
}

/** Returns a plan of OpenID Connect. `metadata` returns what its clients have beside redirect URIs and secrets; without it the suite registers them. */
function openid({ plan, variant = {}, settings = {}, metadata, accepts }) {
  return {
    plan,
    variant,
    // Modules for the scopes profile, email, address and phone run if the metadata list these.
    settings: { LATCHKEY_ADVERTISE_PERSONAL_SCOPES: "true", ...settings },
    accepts,
    prepare({ suite, latchkey }) {
      const clients = {};
      for (const [member, id, method] of [
        ["client", "first-client", "client_secret_basic"],
        ["client_secret_post", "post-client", "client_secret_post"],
        ["client2", "second-client", "client_secret_basic"],
      ]) {
        const secret = `${id}-secret-3f9a7c51e2d84b06`;
        if (metadata) {
          latchkey.client(id, {
            client_name: `Conformance suite, ${id}`,
            redirect_uris: redirectUris(suite),
            post_logout_redirect_uris: [`${suite}/test/a/${ALIAS}/post_logout_redirect`],
            token_endpoint_auth_method: method,
            client_secret: secret,
            grant_types: ["authorization_code", "refresh_token"],
            scope: "openid profile email address phone offline_access",
            require_pkce: false,
            require_nonce: false,
            // OpenID Connect Core §5.4: the claims of scopes are at UserInfo if an access token is issued.
            scope_claims_in_id_token: "never",
            ...metadata(suite),
          });
          clients[member] = { client_id: id, client_secret: secret };
        } else clients[member] = { client_name: `Conformance suite, ${id}` };
      }
      const configuration = { ...common(plan, suite), ...clients };
      configuration.server.login_hint = "demo";
      return {
        configuration,
        beforeStart: (module) => module === "oidcc-server-rotate-keys" && latchkey.run(["keys", "rotate", "--alg", "RS256"]),
      };
    },
  };
}

const STATIC = { server_metadata: "discovery", client_registration: "static_client" };
const code = () => ({ response_types: ["code"] });
const hybrid = () => ({ response_types: ["code", "code id_token"] });
// No access token travels in a URL of a browser (RFC 9700 §2.1.2), so clients cannot register the other hybrid response types.
const isCodeIdToken = (module) => module.variant.response_type === "code id_token";

// The suite registers its clients.
const OPEN = {
  LATCHKEY_REGISTRATION: "open",
  LATCHKEY_REGISTRATION_REQUEST_URIS: "true",
  LATCHKEY_REGISTRATIONS_PER_ADDRESS: "1000",
  LATCHKEY_REGISTRATIONS_IN_TOTAL: "10000",
};

export const PLANS = {};
for (const mode of ["poll", "ping"])
  for (const method of ["private_key_jwt", "mtls"]) PLANS[`fapi-ciba-${mode}-${method}`] = ciba({ mode, method });
for (const signed of [false, true])
  for (const method of ["private_key_jwt", "mtls"])
    for (const constraint of ["dpop", "mtls"])
      PLANS[`fapi2-${signed ? "message-signing" : "security"}-${method}-${constraint}`] = fapi2({ method, constraint, signed });
Object.assign(PLANS, {
  "oidcc-config": openid({ plan: "oidcc-config-certification-test-plan", metadata: code }),
  "oidcc-basic": openid({ plan: "oidcc-basic-certification-test-plan", variant: STATIC, metadata: code }),
  "oidcc-formpost-basic": openid({ plan: "oidcc-formpost-basic-certification-test-plan", variant: STATIC, metadata: code }),
  "oidcc-hybrid": openid({ plan: "oidcc-hybrid-certification-test-plan", variant: STATIC, metadata: hybrid, accepts: isCodeIdToken }),
  "oidcc-formpost-hybrid": openid({ plan: "oidcc-formpost-hybrid-certification-test-plan", variant: STATIC, metadata: hybrid, accepts: isCodeIdToken }),
  "oidcc-dynamic": openid({
    plan: "oidcc-dynamic-certification-test-plan",
    variant: { response_type: "code" },
    settings: OPEN,
  }),
  "oidcc-3rdparty-init-login": openid({
    plan: "oidcc-3rdparty-init-login-certification-test-plan",
    variant: { response_type: "code" },
    settings: OPEN,
  }),
  "oidcc-rp-initiated-logout": openid({
    plan: "oidcc-rp-initiated-logout-certification-test-plan",
    variant: { response_type: "code", client_registration: "static_client" },
    metadata: code,
  }),
  "oidcc-backchannel-logout": openid({
    plan: "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
    variant: { response_type: "code", client_registration: "static_client" },
    metadata: (suite) => ({ ...code(), backchannel_logout_uri: `${suite}/test/a/${ALIAS}/backchannel_logout` }),
  }),
  "oidcc-frontchannel-logout": openid({
    plan: "oidcc-frontchannel-rp-initiated-logout-certification-test-plan",
    variant: { response_type: "code", client_registration: "static_client" },
    metadata: (suite) => ({ ...code(), frontchannel_logout_uri: `${suite}/test/a/${ALIAS}/frontchannel_logout` }),
  }),
});
