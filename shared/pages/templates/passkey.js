// Asks the browser for a passkey, or for a new one, and sends its answer with the form. Without support the form stays hidden.
const ceremony = byId("passkey-form");
const supported = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;
if (ceremony && supported) {
  const creates = ceremony.dataset.ceremony === "create";
  const options = JSON.parse(ceremony.dataset.options);
  let running;
  const run = async (mediation) => {
    // A browser runs one ceremony at a time: the button ends the one that waits in the username field.
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const status = byId("passkey-status");
    try {
      const credential = creates
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), mediation, signal });
      ceremony.elements.passkey.value = JSON.stringify(credential.toJSON());
      ceremony.submit();
    } catch (error) {
      if (signal.aborted || mediation === "conditional") return;
      status.textContent = error.name === "InvalidStateError" ? status.dataset.exists : status.dataset.failed;
    }
  };
  ceremony.hidden = false;
  ceremony.addEventListener("submit", (event) => {
    event.preventDefault();
    byId("passkey-status").textContent = "";
    run();
  });
  // After an answer that was rejected, the user chooses.
  if (ceremony.dataset.waits !== undefined) PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => can && run("conditional"));
}
const unknown = byId("unknown-passkey");
if (unknown) PublicKeyCredential.signalUnknownCredential?.(JSON.parse(unknown.dataset.passkey)).catch(() => {});
const offer = byId("platform-authenticator");
if (offer && supported) {
  PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().then((has) => (offer.value = has ? "yes" : ""));
}
