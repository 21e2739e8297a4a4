// Python is asked now and then whether the ledger has changed, while the page is visible.

import { send } from "../elements.js";

const POLL_EVERY_MS = 5000;

// *tick* is called each time before.
export function pollWhileVisible(model, ending, tick) {
  const poll = () => {
    if (document.visibilityState !== "visible") return;
    tick();
    send(model, { do: "poll" }, () => {});
  };
  const timer = setInterval(poll, POLL_EVERY_MS);
  ending.addEventListener("abort", () => clearInterval(timer));
  document.addEventListener("visibilitychange", poll, { signal: ending });
}
