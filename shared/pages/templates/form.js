"use strict";
// Help beyond the form, which works without it: shows the password, warns of Caps Lock, counts down a wait.
const byId = (id) => document.getElementById(id);
const password = byId("password");
if (password) {
  const show = byId("show");
  const reveal = (shown) => {
    password.type = shown ? "text" : "password";
    show.setAttribute("aria-pressed", String(shown));
  };
  show.hidden = false;
  show.addEventListener("click", () => {
    reveal(password.type === "password");
    password.focus();
  });
  // A browser keeps what was typed into a field of text.
  password.form.addEventListener("submit", () => reveal(false));
  const warn = (event) => {
    const on = event.type !== "blur" && event.getModifierState?.("CapsLock");
    byId("caps").textContent = on ? "Caps Lock is on." : "";
  };
  for (const type of ["keydown", "keyup", "blur"]) password.addEventListener(type, warn);
}
const countdown = byId("countdown");
if (countdown) {
  const end = Date.now() + countdown.dataset.seconds * 1000;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    countdown.hidden = left <= 0;
    if (left <= 0) {
      byId("problem").firstElementChild.textContent = "You can try again now.";
      return;
    }
    const parts = left < 3600 ? [left / 60, left % 60] : [left / 3600, (left / 60) % 60, left % 60];
    countdown.textContent = parts.map((part, i) => String(Math.floor(part)).padStart(i ? 2 : 1, "0")).join(":");
    setTimeout(tick, 250);
  };
  tick();
}
