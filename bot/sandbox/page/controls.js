// What can be pressed or chosen in a block.
import { h, icon } from "./dom.js";
import { emoji } from "./words.js";

export function control(element, act) {
  return (CONTROLS[element.type] ?? unknown)(element, act);
}

const CONTROLS = {
  button: (element, act) => {
    const data = { testid: "block-button", actionId: element.action_id, value: element.value ?? "" };
    if (element.url && /^https?:\/\//i.test(element.url)) return h("a", { class: "button", href: element.url, target: "_blank", rel: "noopener noreferrer", data, onclick: () => act(element, element.value) }, emoji(element.text.text));
    return h("button", { type: "button", class: `button ${element.style ?? ""}`, data, onclick: (event) => press(event, element, act) }, emoji(element.text.text));
  },
  feedback_buttons: (element, act) => [
    feedback(element, element.positive_button, "up", act),
    feedback(element, element.negative_button, "down", act),
  ],
  static_select: (element, act) => choose(element, act, false),
  multi_static_select: (element, act) => choose(element, act, true),
  overflow: (element, act) => choose(element, act, false),
  checkboxes: (element, act) => ticks(element, act, "checkbox"),
  radio_buttons: (element, act) => ticks(element, act, "radio"),
};

function unknown(element) {
  return h("span", { class: "unknown" }, `(${element.type})`);
}

async function press(event, element, act) {
  const button = event.currentTarget;
  if (element.confirm && !window.confirm(element.confirm.text?.text ?? "Are you sure?")) return;
  button.classList.add("pressed");
  button.setAttribute("aria-busy", "true");
  await act(element, element.value ?? null);
  button.removeAttribute("aria-busy");
}

function feedback(element, side, turn, act) {
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
        act(element, side.value ?? null);
      },
    },
    icon("thumb"),
  );
}

export function optionsOf(element) {
  return [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
}

function choose(element, act, several) {
  const chosen = new Set((element.initial_options ?? [element.initial_option]).filter(Boolean).map((option) => option.value));
  if (several) return ticks(element, act, "checkbox");
  const placeholder = h("option", { value: "", disabled: true, selected: !chosen.size }, element.placeholder?.text ?? "Choose…");
  const options = optionsOf(element).map((option) => h("option", { value: option.value, selected: chosen.has(option.value) }, emoji(option.text.text)));
  return h("select", { data: { actionId: element.action_id }, "aria-label": element.placeholder?.text ?? "Choose", onchange: (event) => act(element, event.target.value) }, placeholder, options);
}

let groups = 0;

function ticks(element, act, type) {
  const name = `group-${++groups}`;
  const chosen = new Set((element.initial_options ?? [element.initial_option]).filter(Boolean).map((option) => option.value));
  const changed = (event) => {
    const values = [...event.currentTarget.querySelectorAll("input:checked")].map((input) => input.value);
    act(element, type === "radio" ? values[0] : values);
  };
  return h(
    "div",
    { class: "ticks", role: "group", data: { actionId: element.action_id }, onchange: changed },
    optionsOf(element).map((option) =>
      h("label", {}, h("input", { type, name, value: option.value, checked: chosen.has(option.value) }), h("span", {}, emoji(option.text.text), option.description ? h("span", { class: "about" }, option.description.text) : null)),
    ),
  );
}
