// Findings of the suite that are expected. A finding that no row describes makes the run fail.
// `plan`: prefixes of the plans' names; `condition`: the suite's name of the check.
const FAPI2 = ["fapi2-"];

export const EXPECTED = [
  {
    plan: FAPI2,
    module: "fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second",
    condition: "EnsureHttpStatusCodeIs4xx",
    severity: "WARNING",
    reason: "a second redemption within six seconds is rejected and revokes nothing (RFC 6749 4.1.2: SHOULD revoke)",
  },
  {
    plan: FAPI2,
    module: "fapi2-security-profile-final-test-claims-parameter-identity-claims",
    condition: "CheckForUnexpectedClaimsInIdToken",
    severity: "WARNING",
    reason: "the suite does not know sid (OpenID Connect Front-Channel Logout 3, Back-Channel Logout 2.1)",
  },
  {
    plan: ["oidcc-dynamic"],
    module: "oidcc-discovery-endpoint-verification",
    condition: "OIDCCCheckDiscEndpointResponseTypesSupportedDynamic",
    severity: "FAILURE",
    reason: "the response types id_token and id_token token are not offered (RFC 9700 2.1.2)",
  },
  {
    plan: ["oidcc-dynamic"],
    module: "oidcc-discovery-endpoint-verification",
    condition: "OIDCCCheckDiscEndpointGrantTypesSupportedDynamic",
    severity: "FAILURE",
    reason: "the implicit grant is not offered (RFC 9700 2.1.2, OAuth 2.1)",
  },
];
