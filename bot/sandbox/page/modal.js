// Modals: the topmost view of a person's stack, with its fields and what the app says about them.
import { renderBlocks } from "./blocks.js";
import { control } from "./controls.js";
import { forget, h } from "./dom.js";
import { move } from "./store.js";
import { inView } from "./surface.js";
import { emoji, textObject } from "./words.js";

const dialog = document.getElementById("modal");
let open = null; // { id, hash } of what is shown
let before = null; // the newest view from before this page was loaded

// As in Slack, a dialog lives in the window that it was opened in, and is gone once that is loaded anew.
export function noteViewsFromBefore(state) {
  before ??= state.newest_view;
}

export function drawModal(state) {
  const seen = state.views?.filter((known) => known.number > before).at(-1);
  if (!seen) {
    if (dialog.open) dialog.close();
    open = null;
    return;
  }
  const fresh = !open || open.id !== seen.id || open.hash !== seen.raw.hash;
  if (fresh) build(seen);
  showErrors(seen.errors);
  open = { id: seen.id, hash: seen.raw.hash };
  if (!dialog.open) dialog.showModal();
}

function build(seen) {
  forget(dialog);
  const kept = open?.id === seen.id ? typed() : {};
  const surface = inView(seen);
  const blocks = seen.blocks.map((block) => (block.type === "input" ? field(block, surface, kept[block.block_id]?.[0]) : renderBlocks([block], surface)));
  dialog.replaceChildren(
    h(
      "form",
      { onsubmit: (event) => submit(event, seen) },
      h("header", {}, h("h2", { id: "modal-title", data: { testid: "modal-title" } }, emoji(seen.title)), h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => close(seen) }, "×")),
      h("div", { class: "fields-area" }, h("p", { class: "field-error", data: { testid: "field-error", blockId: "" }, hidden: true }), blocks),
      h("footer", {}, h("button", { type: "button", class: "button", data: { testid: "modal-cancel" }, onclick: () => close(seen) }, seen.raw.close?.text ?? "Cancel"), seen.submit ? h("button", { type: "submit", class: "button primary", data: { testid: "modal-submit" } }, seen.submit) : null),
    ),
  );
  dialog.oncancel = (event) => {
    event.preventDefault();
    close(seen);
  };
}

const WRITTEN = ["plain_text_input", "number_input", "email_text_input", "url_text_input", "datepicker", "timepicker", "datetimepicker", "static_select"];

// `words`: what stood in the field before the view was drawn anew. What is chosen in menus the view itself knows.
function field(block, surface, words) {
  const id = `field-${block.block_id}`;
  const element = block.element;
  const single = WRITTEN.includes(element.type);
  const shown = control(element, surface, block);
  if (single) {
    shown.id = id;
    shown.removeAttribute("aria-label"); // its label says more
    if (words) shown.value = words;
  }
  return h(
    single ? "div" : "fieldset",
    { class: "field", data: { testid: "field", blockId: block.block_id, actionId: element.action_id, type: element.type } },
    h(single ? "label" : "legend", single ? { for: id } : {}, textObject(block.label), block.optional ? h("span", { class: "about" }, " (optional)") : null),
    shown,
    block.hint ? h("p", { class: "about" }, textObject(block.hint)) : null,
    h("p", { class: "field-error", data: { testid: "field-error", blockId: block.block_id }, hidden: true }),
  );
}

// Block id -> the values in its field.
function typed() {
  const values = {};
  for (const place of dialog.querySelectorAll(".field")) {
    const ticks = [...place.querySelectorAll(".ticks input")];
    const single = place.querySelector("select, textarea, input.entry");
    if (place.dataset.blockId) values[place.dataset.blockId] = single ? [single.value].filter(Boolean) : ticks.filter((tick) => tick.checked).map((tick) => tick.value);
  }
  return values;
}

async function submit(event, seen) {
  event.preventDefault();
  const button = dialog.querySelector('[type="submit"]');
  button.disabled = true;
  dialog.querySelectorAll(".field-error").forEach((line) => (line.hidden = true));
  await move("submit", { view_id: seen.id, values: typed() });
  button.disabled = false;
}

function close(seen) {
  move("close", { view_id: seen.id });
}

function showErrors(errors) {
  for (const line of dialog.querySelectorAll(".field-error")) {
    const sentence = errors[line.dataset.blockId] ?? "";
    line.textContent = sentence;
    line.hidden = !sentence;
  }
  dialog.querySelector(".field-error:not([hidden])")?.scrollIntoView({ block: "center" });
}
