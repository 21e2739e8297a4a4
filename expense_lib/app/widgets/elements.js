// What every widget is made of: elements, buttons, messages to Python and the outcomes that come back.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const NOT_SENT = "Not sent: the app can't be reached. Try again in a moment.";

// Send a message that is not sent again by itself; say so if it does not get away.
export function send(model, message, failed) {
  Promise.resolve(model.send(message)).catch(() => failed(NOT_SENT));
}

export function button(label, clicked, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", (event) => clicked(made, event));
  return made;
}

// A button that changes something: the second click of a double click, which may be on what has just come into
// its place, does nothing.
export function deed(label, clicked, attributes = {}) {
  return button(label, (made, event) => event.detail > 1 || clicked(made), attributes);
}

// Say an outcome, {text, kind, acts, of}, in a region that is there already, so that screen readers hear of it.
// An act that is in *own*, by its name, is done here; any other is sent.
export function tell(region, model, { text = "", kind = "", acts = [], of = null }, own = {}) {
  region.className = `outcome ${kind}`;
  region.replaceChildren();
  if (!text) return;
  const sendAct = (name, clicked) => {
    clicked.disabled = true;
    send(model, { do: "act", name, of }, (why) => {
      clicked.disabled = false;
      region.append(make("span", {}, why));
    });
  };
  const buttons = acts.map(({ name, label }) =>
    deed(label, own[name] ?? ((clicked) => sendAct(name, clicked))),
  );
  region.append(make("span", {}, text), ...buttons);
}
