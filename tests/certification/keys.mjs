// Keys and certificates of the clients that the suite plays.
import { X509Certificate, createPublicKey, generateKeyPairSync } from "node:crypto";
import { certificate } from "./front.mjs";

/** Returns the private JWK Set of a client: one RSA key for PS256. FAPI-CIBA has modules that sign by RS256 with the same key. */
export function jwks(kid) {
  // Node.js 20 may deadlock in `export` of a key that it has just generated.
  const format = { format: "jwk" };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: format, privateKeyEncoding: format });
  return { keys: [{ ...privateKey, kid, use: "sig", alg: "PS256" }] };
}

/** Returns the public half of a JWK Set, and with a certificate its key too (RFC 8705 §2.2.2). */
export function published(jwks, identity) {
  const keys = jwks.keys.map(({ kty, n, e, kid, use, alg }) => ({ kty, n, e, kid, use, alg }));
  if (identity) {
    const x5c = [new X509Certificate(identity.cert).raw.toString("base64")];
    keys.push({ ...createPublicKey(identity.cert).export({ format: "jwk" }), kid: `${keys[0].kid}-tls`, use: "sig", x5c });
  }
  return { keys };
}

/** Returns a certificate of a client as the suite's configuration has it. */
export function clientCertificate(directory, name) {
  return certificate(directory, name, `/CN=${name}`);
}
