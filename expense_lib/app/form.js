// A form for an expense or a part of one. Python holds the ledger; this holds what is being typed.
//
// To Python, as custom messages (marimo hands on each of them, also those sent while it is busy):
//   {do: "send", id, values}    what was typed, to be written; told again until it is answered
//   {do: "complete", text}      which descriptions begin like this?
//   {do: "act", name, of}       a button beside the outcome *of*
//   {do: "delete"}              a dialog's button
//   {do: "look"}                the page is being looked at: has the ledger changed?
// From Python:
//   {outcome: {id, of, kind, text, errors, acts, fill}}   what became of it
//   {offer: {text, items}}                            descriptions, each with the category it had last
//   {ask: {title, submit, values, fields, lines, acts}}   for a dialog: open with these
//   {close: true}

const FIELDS = {
  amount: { label: "Amount", inputmode: "decimal" },
  description: { label: "Description" },
  category: { label: "Category" },
  date: { label: "Date", inputmode: "numeric", placeholder: "YYYY-MM-DD" },
};
const OFFERED = 8;
const COMPLETE_AFTER_MS = 120;
const LOOK_EVERY_MS = 5000;
const RELOAD_AFTER = 3; // tries
const UNANSWERED = { kind: "waiting", text: "No answer yet. It is sent again; nothing is entered twice." };
const UNREACHED = {
  kind: "danger",
  text: "The app doesn't answer. If it was started anew, reload this page: what you typed is kept and sent then.",
  acts: [{ name: "reload", label: "Reload" }],
};
const ANSWER_WITHIN_MS = 10000;

function iso(day) {
  const two = (number) => String(number).padStart(2, "0");
  return `${String(day.getFullYear()).padStart(4, "0")}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

function daysAgo(number) {
  const day = new Date();
  day.setDate(day.getDate() - number);
  return iso(day);
}

// The day *step* days after an ISO date; null if it is none.
function dayAfter(text, step) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim());
  if (!parts) return null;
  const day = new Date(2000, 0, 1);
  day.setFullYear(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + step); // no year of two digits
  return day.getFullYear() >= 1 && day.getFullYear() <= 9999 ? iso(day) : null;
}

// An editable combobox with a list, as the ARIA Authoring Practices have it.
function combobox(input, list, pick) {
  let items = [];
  let active = -1;
  const show = (offered) => {
    items = offered.slice(0, OFFERED);
    active = -1;
    list.replaceChildren(
      ...items.map((item, at) => {
        const option = make("li", { role: "option", id: `${list.id}-${at}`, "aria-selected": "false" });
        option.append(make("span", {}, item.text));
        if (item.category) option.append(make("small", {}, item.category));
        option.addEventListener("mousedown", (event) => event.preventDefault()); // the input keeps its focus
        option.addEventListener("click", () => choose(at));
        return option;
      }),
    );
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  };
  const close = () => show([]);
  const choose = (at) => {
    const item = items[at];
    close();
    pick(item);
  };
  const move = (step) => {
    active = (active + step + items.length + (active < 0 && step < 0 ? 1 : 0)) % items.length;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    list.children[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[active].id);
  };
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);
  input.addEventListener("keydown", (event) => {
    if (!items.length || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if ((event.key === "Enter" || event.key === "Tab") && active >= 0) {
      if (event.key === "Enter") event.preventDefault();
      choose(active);
    }
  });
  input.addEventListener("blur", close);
  return { show, close };
}

function render({ model, el }) {
  const ending = new AbortController();
  const wanted = model.get("fields");
  const inDialog = model.get("dialog");
  const ofDemo = new URLSearchParams(location.search).has("demo") ? "demo" : "";
  const draft = inDialog ? null : `expenses:typed:${location.pathname}:${ofDemo}`;
  const inputs = {};
  const errors = {};
  let pending = null; // what was sent and not answered yet
  let queue = []; // what was sent after it
  let missed = []; // what was not added while the next was typed already, with the reason
  let waiting = 0; // the timer of telling it again
  let tries = 0;
  let offering = 0; // the timer of asking for completions
  let categoryTyped = false;
  let dateTyped = false;
  const touched = new Set(); // the fields that were changed since the form was sent

  const message = make("div", { role: "status", "aria-live": "polite" });
  const missing = make("div", { role: "status", "aria-live": "polite" });
  const title = make("h2", { class: "title", hidden: !inDialog });
  const lines = make("ol", { class: "lines", hidden: true });
  const submit = make("button", { type: "submit", class: "primary" }, model.get("submit"));
  const form = make("form", { novalidate: true, autocomplete: "off", "aria-label": model.get("label") });

  // Fields

  for (const name of wanted) {
    const wrong = make("p", { class: "wrong", id: `wrong-${name}`, role: "alert", hidden: true });
    errors[name] = wrong;
    if (name === "refund") {
      const box = make("input", { type: "checkbox", id: name, "aria-describedby": wrong.id });
      inputs[name] = box;
      form.append(make("div", { class: "field check" }, make("label", { for: name }, box, " Refund"), wrong));
      continue;
    }
    const { label, inputmode, placeholder } = FIELDS[name];
    const input = make("input", {
      type: "text", id: name, name: `expense-${name}`, inputmode, placeholder, enterkeyhint: "done",
      autocomplete: "off", autocapitalize: name === "amount" || name === "date" ? "off" : "sentences",
      "aria-describedby": wrong.id,
    });
    inputs[name] = input;
    const box = make("div", { class: "box" }, input);
    const field = make("div", { class: `field ${name}` }, make("label", { for: name }, label), box);
    if (name === "description" || name === "category") {
      box.append(make("ul", {
        class: "offered", role: "listbox", id: `offered-${name}`, "aria-label": "Suggestions", hidden: true,
      }));
    }
    if (name === "date") {
      field.append(button("Yesterday", () => setDate(daysAgo(1)), { class: "small" }));
      input.setAttribute("title", "\u2193 the day before, \u2191 the day after");
    }
    field.append(wrong);
    form.append(field);
  }

  const values = () => Object.fromEntries(
    wanted.map((name) => [name, name === "refund" ? inputs.refund.checked : inputs[name].value]),
  );

  const fill = (given) => {
    for (const [name, value] of Object.entries(given)) {
      if (name === "refund" && inputs.refund) inputs.refund.checked = value;
      else if (inputs[name]) inputs[name].value = value;
    }
  };

  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  const keepDraft = () => {
    if (!draft) return;
    try {
      const outstanding = [...(pending ? [pending] : []), ...queue];
      const kept = { values: values(), categoryTyped, dateTyped, outstanding, missed };
      sessionStorage.setItem(draft, JSON.stringify(kept));
    } catch { /* a browser that keeps nothing */ }
  };

  // Date: today until it is typed, a key for the day before.

  const setDate = (text) => {
    inputs.date.value = text;
    dateTyped = text !== daysAgo(0);
    touched.add("date");
    keepDraft();
  };
  const today = () => {
    const blank = inputs.amount.value === "" && inputs.description.value === "";
    if (!inDialog && !dateTyped && blank) inputs.date.value = daysAgo(0);
  };
  const words = () => {
    const word = inputs.date?.value.trim().toLowerCase();
    if (word === "today") setDate(daysAgo(0));
    if (word === "yesterday") setDate(daysAgo(1));
  };
  inputs.date?.addEventListener("keydown", (event) => {
    const step = { ArrowDown: -1, ArrowUp: 1 }[event.key];
    const day = step && dayAfter(inputs.date.value, step);
    if (!day) return;
    event.preventDefault();
    setDate(day);
  });
  inputs.date?.addEventListener("input", () => { dateTyped = true; });
  inputs.date?.addEventListener("blur", words);

  // Completion

  if (inputs.category) {
    const offers = combobox(inputs.category, form.querySelector("#offered-category"), (item) => {
      inputs.category.value = item.text;
      categoryTyped = true;
      touched.add("category");
      keepDraft();
    });
    inputs.category.addEventListener("focus", () => inputs.category.select()); // typing replaces what was brought
    inputs.category.addEventListener("input", () => {
      categoryTyped = inputs.category.value !== "";
      const typed = inputs.category.value.trim().toLowerCase();
      const found = model.get("categories").filter((name) => name.toLowerCase().includes(typed));
      found.sort((one, other) => other.toLowerCase().startsWith(typed) - one.toLowerCase().startsWith(typed));
      offers.show(typed && !(found.length === 1 && found[0] === inputs.category.value)
        ? found.map((text) => ({ text })) : []);
    });
  }
  const bringCategory = (item) => {
    if (!inputs.category || categoryTyped) return;
    inputs.category.value = item.category;
    if (el.getRootNode().activeElement === inputs.category) inputs.category.select();
  };
  let descriptions = null;
  if (inputs.description) {
    descriptions = combobox(inputs.description, form.querySelector("#offered-description"), (item) => {
      inputs.description.value = item.text;
      touched.add("description");
      bringCategory(item);
      keepDraft();
    });
    inputs.description.addEventListener("input", () => {
      const text = inputs.description.value.trim();
      clearTimeout(offering);
      if (text) offering = setTimeout(() => send(model, { do: "complete", text }, () => {}), COMPLETE_AFTER_MS);
      else descriptions.show([]);
    });
  }

  // Sending

  const show = (outcome) => {
    for (const [name, wrong] of Object.entries(errors)) {
      const said = outcome.errors?.[name];
      wrong.textContent = said ?? "";
      wrong.hidden = !said;
      inputs[name].setAttribute("aria-invalid", String(Boolean(said)));
    }
    tell(message, model, outcome, { send: submitted, reload: () => location.reload() });
  };

  const showMissed = () => {
    missing.className = missed.length ? "outcome danger" : "";
    missing.replaceChildren(...missed.map((one) => make("div", { class: "missed" },
      make("span", {}, `${one.values.amount}, ${one.values.description || one.values.category}: ${one.why}`),
      deed("Put it back", () => {
        missed = missed.filter((other) => other !== one);
        fill(one.values);
        categoryTyped = dateTyped = true;
        for (const name of wanted) touched.add(name);
        showMissed();
        inputs.amount.focus();
      }),
      deed("Forget it", () => {
        missed = missed.filter((other) => other !== one);
        showMissed();
      }))));
    keepDraft();
  };

  const sendPending = () => {
    clearTimeout(waiting);
    if (!pending) return;
    const again = () => {
      tries += 1;
      show(tries > RELOAD_AFTER ? UNREACHED : UNANSWERED);
      sendPending();
    };
    waiting = setTimeout(again, ANSWER_WITHIN_MS);
    Promise.resolve(model.send({ do: "send", ...pending })).catch(() => {
      clearTimeout(waiting);
      waiting = setTimeout(again, 1000);
    });
  };

  const submitted = () => {
    words();
    clearTimeout(offering);
    const given = values();
    const last = queue.at(-1) ?? pending;
    if (last && same(last.values, given)) return; // the second half of a double click
    // crypto.randomUUID is there for https and this machine only; uniqueness within this page is enough
    queue.push({ id: `${Date.now()}-${Math.random()}`, values: given });
    touched.clear();
    keepDraft();
    for (const each of message.querySelectorAll("button")) each.disabled = true; // they are of what was before
    const first = wanted.find((name) => !inputs[name].closest(".field").hidden);
    inputs[first].focus();
    inputs[first].select();
    next();
  };
  const next = () => {
    if (pending || !queue.length) return;
    pending = queue.shift();
    tries = 0;
    sendPending();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submitted();
  });
  form.addEventListener("input", (event) => {
    touched.add(event.target.id);
    keepDraft();
  });

  const answered = (outcome) => {
    if (!pending || outcome.id !== pending.id) return;
    const sent = pending.values;
    clearTimeout(waiting);
    pending = null;
    const isLast = !queue.length;
    if (outcome.kind !== "added" && !(isLast && same(values(), sent))) {
      const wrong = Object.values(outcome.errors ?? {}).join(" ");
      missed.push({ values: sent, why: wrong || outcome.text });
      showMissed();
    } else {
      show(outcome);
      const wrong = wanted.find((name) => outcome.errors?.[name]);
      if (wrong) inputs[wrong].focus();
    }
    if (outcome.kind === "added" && isLast) clear();
    keepDraft();
    next();
  };

  // A button beside the outcome was clicked.
  const acted = (outcome) => {
    show(outcome);
    if (outcome.kind === "added") clear();
    if (outcome.fill && !inputs.amount.value && !inputs.description.value) fill(outcome.fill);
    inputs.amount?.focus();
  };

  // After an expense was added: the next one, but for what was typed meanwhile.
  const clear = () => {
    for (const name of ["amount", "description"]) if (!touched.has(name)) inputs[name].value = "";
    if (!touched.has("refund")) inputs.refund.checked = false;
    if (!touched.has("category")) categoryTyped = false;
    keepDraft();
  };

  // Messages

  const dialog = inDialog ? make("dialog", { "aria-label": model.get("label") }) : null;
  const hear = (content) => {
    if (content.outcome) {
      if (content.outcome.id === null) acted(content.outcome);
      else answered(content.outcome);
    }
    if (content.offer && content.offer.text === inputs.description?.value.trim()) {
      const { items, text } = content.offer;
      const typed = text.toLowerCase();
      const known = items.find((item) => item.text.toLowerCase() === typed);
      if (known) bringCategory(known); // while it can be seen, and never when the form is sent already
      const focused = el.getRootNode().activeElement === inputs.description;
      descriptions.show(focused && !(items.length === 1 && known) ? items : []);
    }
    if (content.ask) open(content.ask);
    if (content.close) dialog?.close();
  };
  model.on("msg:custom", hear);

  const open = ({ title: heading, submit: label, values: given, fields, lines: history, acts }) => {
    title.textContent = heading;
    dialog.setAttribute("aria-label", heading);
    submit.textContent = label;
    for (const name of wanted) {
      inputs[name].closest(".field").hidden = !fields.includes(name);
      if (name === "refund") inputs[name].checked = false;
      else inputs[name].value = "";
    }
    fill(given);
    categoryTyped = true;
    pending = null;
    queue = [];
    clearTimeout(waiting);
    show({});
    lines.replaceChildren(...history.map((line) => make("li", {}, line)));
    lines.hidden = !history.length;
    for (const each of form.querySelectorAll("[data-act]")) each.hidden = !acts.includes(each.dataset.act);
    if (!dialog.isConnected) el.append(dialog); // it is on the page while it is open only
    if (!dialog.open) dialog.showModal();
    inputs[fields[0]].focus();
    inputs[fields[0]].select();
  };

  // What is on the page

  form.append(make("div", { class: "buttons" }, submit));
  if (dialog) {
    for (const act of model.get("acts")) {
      const failed = (why) => show({ kind: "danger", text: why });
      const clicked = () => (act.name === "cancel" ? dialog.close() : send(model, { do: act.name }, failed));
      form.querySelector(".buttons").append(deed(act.label, clicked, { "data-act": act.name }));
    }
    dialog.append(title, form, message, lines);
    dialog.addEventListener("close", () => {
      clearTimeout(waiting);
      pending = null;
      queue = [];
      dialog.remove();
    });
  } else {
    el.append(form, message, missing);
    try {
      const kept = JSON.parse(sessionStorage.getItem(draft) ?? "null");
      if (kept) {
        fill(kept.values);
        ({ categoryTyped, dateTyped, missed } = kept);
        queue = kept.outstanding;
        const last = queue.at(-1);
        if (last && !same(last.values, values())) for (const name of wanted) touched.add(name);
        showMissed();
      }
    } catch { /* a browser that keeps nothing */ }
    today();
    next(); // what was outstanding when the page was left
    window.addEventListener("popstate", () => location.reload(), { signal: ending.signal }); // Back is a view as well
    const look = () => {
      if (document.visibilityState !== "visible") return;
      today();
      send(model, { do: "look" }, () => {});
    };
    const looking = setInterval(look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", look, { signal: ending.signal });
    ending.signal.addEventListener("abort", () => clearInterval(looking));
    requestAnimationFrame(() => inputs.amount.focus());
  }
  return () => {
    ending.abort();
    clearTimeout(waiting);
    model.off("msg:custom", hear);
  };
}

export default { render };
