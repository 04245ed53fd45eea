// Changing what one has said, in its place: Enter saves, Escape leaves it as it was.
import { h } from "./dom.js";
import { move, view } from "./store.js";

let edited = null; // { person, ts, text }
let redraw = () => {};

export function onEditing(callback) {
  redraw = callback;
}

export const editedNow = () => edited && [edited.person, edited.ts];

export function isEdited(message) {
  return Boolean(edited) && edited.person === view.person && edited.ts === message.ts;
}

export function startEditing(message) {
  edited = { person: view.person, ts: message.ts, text: typedText(message.text) };
  redraw();
  focus();
}

// Slack's marks back into what one types.
function typedText(text) {
  const people = view.state.people;
  return text
    .replace(/<@([UW][A-Z0-9]+)>/g, (whole, id) => `@${people.find((known) => known.user_id === id)?.handle ?? id}`)
    .replace(/<#[CG][A-Z0-9]+\|([^>]*)>/g, "#$1")
    .replace(/<!(here|channel|everyone)>/g, "@$1")
    .replace(/<(https?:[^|>]+)>/g, "$1")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&");
}

function focus() {
  const field = document.querySelector('[data-testid="edit-input"]');
  field?.focus();
  field?.setSelectionRange(field.value.length, field.value.length);
}

export function editor(message) {
  const field = h("textarea", { rows: 2, "aria-label": "Edit the message", data: { testid: "edit-input" }, value: edited.text, oninput: () => (edited.text = field.value), onkeydown: key });
  function key(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") stop();
    else if (event.key === "Enter" && !event.shiftKey) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  async function save() {
    const text = edited.text.trim();
    if (!text) return;
    if ((await move("edit", { channel: message.channel_id, ts: message.ts, text })) !== null) stop();
  }
  return h(
    "div",
    { class: "editor" },
    field,
    h("div", { class: "row" }, h("span", { class: "about" }, "Enter saves · Escape cancels"), h("button", { type: "button", class: "button", data: { testid: "edit-cancel" }, onclick: stop }, "Cancel"), h("button", { type: "button", class: "button primary", data: { testid: "edit-save" }, onclick: save }, "Save")),
  );
}

function stop() {
  const ts = edited?.ts;
  edited = null;
  redraw();
  document.querySelector(`article[data-ts="${ts}"]`)?.focus();
}
