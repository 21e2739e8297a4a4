// What was refused while the next was typed already: each with its reason, to put back into the form or to forget.

import { deed, make } from "../elements.js";

export function showMissed(region, missed, { putBack, forget }) {
  const lines = missed.map((entry) => {
    const { amount, description, category } = entry.values;
    return make(
      "div",
      { class: "missed" },
      make("span", {}, `${amount}, ${description || category}: ${entry.why}`),
      deed("Put it back", () => putBack(entry)),
      deed("Forget it", () => forget(entry)),
    );
  });
  region.className = missed.length ? "outcome danger" : "";
  region.replaceChildren(...lines);
}
