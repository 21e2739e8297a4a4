// Which part of the page is seen. The model's *names* are to choose from; a click sends {do: "go", to}.

import { button, make, send } from "./elements.js";

function render({ model, el }) {
  const go = (name) => {
    show(name);
    send(model, { do: "go", to: name }, () => show(model.get("chosen")));
  };
  const links = model.get("names").map((name) => button(name, () => go(name)));
  const show = (chosen) => {
    for (const each of links) {
      if (each.textContent === chosen) each.setAttribute("aria-current", "page");
      else each.removeAttribute("aria-current");
    }
  };
  el.append(make("nav", { class: "sections", "aria-label": "Sections" }, ...links));
  show(model.get("chosen"));
}

export default { render };
