// Findings of the suite that are expected, with their reasons. A finding that no row describes makes the run fail.
// `plan`: prefixes of the plans' names; `condition`: the suite's name of the check.
const FAPI2 = ["fapi2-"];

export const FINDINGS = [
  {
    plan: FAPI2,
    module: "fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second",
    condition: "EnsureHttpStatusCodeIs4xx",
    severity: "WARNING",
    reason: "a second redemption within six seconds is rejected and revokes nothing (RFC 6749 section 4.1.2: SHOULD revoke)",
  },
  {
    plan: FAPI2,
    module: "fapi2-security-profile-final-test-claims-parameter-identity-claims",
    condition: "CheckForUnexpectedClaimsInIdToken",
    severity: "WARNING",
    reason: "the suite does not know sid (OpenID Connect Front-Channel Logout section 3)",
  },
  {
    plan: ["oidcc-dynamic"],
    module: "oidcc-discovery-endpoint-verification",
    condition: "OIDCCCheckDiscEndpointResponseTypesSupportedDynamic",
    severity: "FAILURE",
    reason: "the response types id_token and id_token token are not offered (RFC 9700 section 2.1.2)",
  },
  {
    plan: ["oidcc-dynamic"],
    module: "oidcc-discovery-endpoint-verification",
    condition: "OIDCCCheckDiscEndpointGrantTypesSupportedDynamic",
    severity: "FAILURE",
    reason: "the implicit grant is not offered (RFC 9700 section 2.1.2)",
  },
];

const UNSIGNED = "unsigned request objects are not offered (OpenID Connect Core section 6.1: optional)";

// Modules that are skipped, and why.
export const SKIPPED = {
  "oidcc-idtoken-unsigned": "unsigned ID tokens are not offered (OpenID Connect Core section 2: optional)",
  "oidcc-request-uri-unsigned": UNSIGNED,
  "oidcc-ensure-request-object-with-redirect-uri": UNSIGNED,
  "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": UNSIGNED,
};

const ASKED = "the page that asks the user before sign-out (RP-Initiated Logout section 2)";
const SIGNED_OUT = "the page after sign-out (RP-Initiated Logout section 2)";
const PUSHED = "the error page for this request_uri (RFC 9126 section 2.2, 4)";
const REDIRECT = "the error page without a redirect (OpenID Connect Core section 3.1.2.1)";

// Modules that attach a picture for a reviewer, and what it shows.
export const REVIEWED = {
  "fapi2-security-profile-final-par-attempt-reuse-request_uri": PUSHED,
  "fapi2-security-profile-final-par-attempt-to-use-expired-request_uri": PUSHED,
  "fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client": PUSHED,
  "oidcc-prompt-login": "the sign-in page in spite of a session (OpenID Connect Core section 3.1.2.1)",
  "oidcc-max-age-1": "the sign-in page in spite of a session (OpenID Connect Core section 3.1.2.1)",
  "oidcc-ensure-registered-redirect-uri": REDIRECT,
  "oidcc-ensure-redirect-uri-in-authorization-request": REDIRECT,
  "oidcc-redirect-uri-query-mismatch": REDIRECT,
  "oidcc-redirect-uri-query-added": REDIRECT,
  "oidcc-registration-logo-uri": "the sign-in page: without the logo, which the operator must upload (RFC 7591 section 5)",
  "oidcc-registration-policy-uri": "the sign-in page with a link to the privacy policy (OpenID Connect Registration section 2)",
  "oidcc-registration-tos-uri": "the sign-in page with a link to the terms of service (OpenID Connect Registration section 2)",
  "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": ASKED,
  "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": ASKED,
  "oidcc-rp-initiated-logout-no-id-token-hint": ASKED,
  "oidcc-rp-initiated-logout-bad-id-token-hint": ASKED,
  "oidcc-rp-initiated-logout-modified-id-token-hint": ASKED,
  "oidcc-rp-initiated-logout-no-params": SIGNED_OUT,
  "oidcc-rp-initiated-logout-only-state": SIGNED_OUT,
  "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": SIGNED_OUT,
};
