// What can be pressed, chosen or filled in.
import { h, icon } from "./dom.js";
import { upload } from "./store.js";
import { conversationPicker, externalPicker, peoplePicker } from "./pickers.js";
import { emoji } from "./words.js";

export function control(element, surface, block) {
  const state = surface.stateOf(block, element);
  return (CONTROLS[element.type] ?? unknown)(element, state, surface);
}

const CONTROLS = {
  button,
  workflow_button: button,
  feedback_buttons: (element, state, surface) => [
    feedback(element, element.positive_button, "up", surface),
    feedback(element, element.negative_button, "down", surface),
  ],
  static_select: choose,
  multi_static_select: (element, state, surface) => ticks(element, state, surface, "checkbox"),
  overflow,
  checkboxes: (element, state, surface) => ticks(element, state, surface, "checkbox"),
  radio_buttons: (element, state, surface) => ticks(element, state, surface, "radio"),
  users_select: peoplePicker,
  multi_users_select: peoplePicker,
  conversations_select: conversationPicker,
  multi_conversations_select: conversationPicker,
  channels_select: conversationPicker,
  multi_channels_select: conversationPicker,
  external_select: externalPicker,
  multi_external_select: externalPicker,
  datepicker: (element, state, surface) => entry(element, state.selected_date, surface, { type: "date" }),
  timepicker: (element, state, surface) => entry(element, state.selected_time, surface, { type: "time" }),
  datetimepicker: (element, state, surface) => entry(element, state.selected_date_time, surface, { type: "number", step: 1 }),
  number_input: (element, state, surface) => entry(element, state.value, surface, { type: "number", min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : 1 }),
  email_text_input: (element, state, surface) => entry(element, state.value, surface, { type: "email" }),
  url_text_input: (element, state, surface) => entry(element, state.value, surface, { type: "url" }),
  file_input: files,
  plain_text_input: (element, state, surface) => entry(element, state.value, surface, { type: "text", maxlength: element.max_length }),
};

function unknown(element) {
  return h("span", { class: "unknown" }, `(${element.type})`);
}

function button(element, state, surface) {
  const data = { testid: "block-button", actionId: element.action_id, value: element.value ?? "" };
  if (element.url && /^https?:\/\//i.test(element.url)) return h("a", { class: "button", href: element.url, target: "_blank", rel: "noopener noreferrer", data, onclick: () => surface.act(element, element.value) }, emoji(element.text.text));
  return h("button", { type: "button", class: `button ${element.style ?? ""}`, data, onclick: (event) => press(event, element, surface) }, emoji(element.text.text));
}

async function press(event, element, surface) {
  const pressed = event.currentTarget;
  pressed.setAttribute("aria-busy", "true");
  if (await surface.act(element, element.value ?? null)) pressed.classList.add("pressed");
  pressed.removeAttribute("aria-busy");
}

function feedback(element, side, turn, surface) {
  const label = side.accessibility_label ?? side.text.text;
  return h(
    "button",
    {
      type: "button",
      class: `feedback ${turn}`,
      title: label,
      "aria-label": label,
      data: { testid: "feedback", actionId: element.action_id, value: side.value ?? "" },
      onclick: (event) => {
        event.currentTarget.parentElement.querySelectorAll(".feedback").forEach((other) => other.classList.remove("chosen"));
        event.currentTarget.classList.add("chosen");
        surface.act(element, side.value ?? null);
      },
    },
    icon("thumb"),
  );
}

function overflow(element, state, surface) {
  const items = element.options.map((option) =>
    h("button", { type: "button", role: "menuitem", data: { testid: "overflow-option", value: option.value }, onclick: () => pick(option) }, h("span", {}, emoji(option.text.text), about(option))),
  );
  const menu = h("details", { class: "overflow", data: { testid: "overflow", actionId: element.action_id } }, h("summary", { class: "button", "aria-label": "More actions" }, "⋯"), h("div", { class: "items", role: "menu" }, items));
  function pick(option) {
    menu.open = false;
    surface.act(element, option.value);
  }
  return menu;
}

const about = (option) => (option.description ? h("span", { class: "about" }, emoji(option.description.text)) : null);

function optionsOf(element) {
  return [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
}

// Files are uploaded as they are chosen; those that stay ticked are handed over with the form.
function files(element, state, surface) {
  const held = h("div", { class: "ticks", hidden: true });
  const names = () => [...held.querySelectorAll("input")].filter((input) => input.checked).map((input) => input.value);
  const changed = () => surface.act(element, names());
  const add = async () => {
    for (const file of [...picker.files].slice(0, (element.max_files ?? 10) - names().length)) {
      const id = await upload(file);
      if (id) held.append(h("label", { data: { testid: "handed-over" } }, h("input", { type: "checkbox", value: id, checked: true, onchange: changed }), h("span", {}, file.name)));
    }
    picker.value = "";
    held.hidden = !held.children.length;
    await changed();
  };
  const picker = h("input", { type: "file", multiple: (element.max_files ?? 10) > 1, hidden: true, data: { testid: "file-input", actionId: element.action_id }, onchange: add });
  return h("div", { class: "files" }, held, h("button", { type: "button", class: "button", onclick: () => picker.click() }, "Choose files"), picker);
}

function choose(element, state, surface) {
  let chosen = state.selected_option?.value ?? "";
  const words = element.placeholder?.text ?? "Choose…";
  const line = (option) => h("option", { value: option.value, selected: option.value === chosen }, emoji(option.text.text));
  const lines = element.option_groups ? element.option_groups.map((group) => h("optgroup", { label: group.label.text }, group.options.map(line))) : element.options.map(line);
  const changed = async () => {
    if (await surface.act(element, select.value)) chosen = select.value;
    else select.value = chosen;
  };
  const select = h("select", { data: { testid: "select", actionId: element.action_id }, "aria-label": words, onchange: changed }, h("option", { value: "", disabled: true, selected: !chosen }, words), lines);
  return select;
}

let groups = 0;

function ticks(element, state, surface, type) {
  const name = `group-${++groups}`;
  let chosen = (state.selected_options ?? [state.selected_option]).filter(Boolean).map((option) => option.value);
  const inputs = () => [...group.querySelectorAll("input")];
  const changed = async () => {
    const values = inputs().filter((input) => input.checked).map((input) => input.value);
    if (await surface.act(element, type === "radio" ? values[0] : values)) chosen = values;
    else inputs().forEach((input) => (input.checked = chosen.includes(input.value)));
  };
  const group = h(
    "div",
    { class: "ticks", role: "group", data: { actionId: element.action_id }, onchange: changed },
    optionsOf(element).map((option) => h("label", {}, h("input", { type, name, value: option.value, checked: chosen.includes(option.value) }), h("span", {}, emoji(option.text.text), about(option)))),
  );
  return group;
}

// A field that one types into; it tells what it holds once one is done with it.
function entry(element, value, surface, kind) {
  let held = value ?? "";
  const words = element.placeholder?.text;
  const changed = async () => {
    if (await surface.act(element, field.value || null)) held = field.value;
    else field.value = held;
  };
  const props = { ...kind, placeholder: words, "aria-label": words, class: "entry", data: { testid: "entry", actionId: element.action_id }, value: held, onchange: changed };
  const field = element.multiline ? h("textarea", { ...props, type: null, rows: 5 }) : h("input", props);
  return field;
}
