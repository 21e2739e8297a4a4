// Goes before each widget's own script.

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const NOT_SENT = "Not sent: the app can't be reached. Try again in a moment.";

// Send a message that is not sent again by itself; say so if it does not get away.
function send(model, message, failed) {
  Promise.resolve(model.send(message)).catch(() => failed(NOT_SENT));
}

// Say an outcome, {text, kind, acts, of}, in a region that is there already, so that screen readers hear of it.
function tell(region, model, { text = "", kind = "", acts = [], of = null }) {
  region.className = `outcome ${kind}`;
  region.replaceChildren();
  if (!text) return;
  region.append(make("span", {}, text));
  for (const act of acts) {
    const button = make("button", { type: "button" }, act.label);
    button.addEventListener("click", () => {
      button.disabled = true;
      send(model, { do: "act", name: act.name, of }, (why) => {
        button.disabled = false;
        region.append(make("span", {}, why));
      });
    });
    region.append(button);
  }
}
