// What became of the last change, in a region that is always there. The model's *told* is {text, kind, acts, of};
// a button sends {do: "act", name, of}: which notice it stood beside, since another may have come meanwhile.

import { make, tell } from "./elements.js";

function render({ model, el }) {
  const region = make("div", { role: "status", "aria-live": "polite" });
  const show = () => tell(region, model, model.get("told"));
  el.append(region);
  show();
  model.on("change:told", show);
  return () => model.off("change:told", show);
}

export default { render };
