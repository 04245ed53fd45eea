// Menus that are searched: people, conversations, and whatever the app offers.
import { h } from "./dom.js";
import { view } from "./store.js";
import { emoji } from "./words.js";

const PATIENCE_MS = 250; // between letters, before the app is asked
const MOST_SHOWN = 50;
let pickers = 0;

export function peoplePicker(element, state, surface) {
  const people = view.state.people.filter((known) => !known.deleted);
  const choices = people.map((known) => ({ value: known.user_id, label: known.name, about: `@${known.handle}` }));
  const chosen = state.selected_users ?? [state.selected_user].filter(Boolean);
  return picker(element, surface, { placeholder: "Choose a person", chosen: named(chosen, choices), find: (query) => matching(choices, query) });
}

const KINDS = { im: "im", mpim: "mpim", private: "group", public: "channel" };

export function conversationPicker(element, state, surface) {
  const kinds = element.type.endsWith("channels_select") ? ["channel"] : (element.filter?.include ?? Object.keys(KINDS)).map((kind) => KINDS[kind]);
  const offered = view.state.channels.filter((known) => kinds.includes(known.kind) && !known.archived && !(known.shared && element.filter?.exclude_external_shared_channels));
  const choices = offered.map((known) => ({ value: known.id, label: known.kind === "im" ? view.state.bot.name : `${known.kind === "mpim" ? "" : "#"}${known.label}` }));
  const chosen = state.selected_conversations ?? state.selected_channels ?? [state.selected_conversation ?? state.selected_channel].filter(Boolean);
  return picker(element, surface, { placeholder: "Choose a conversation", chosen: named(chosen, choices), find: (query) => matching(choices, query) });
}

export function externalPicker(element, state, surface) {
  const least = element.min_query_length ?? 3;
  const chosen = (state.selected_options ?? [state.selected_option].filter(Boolean)).map(asChoice);
  const find = async (query) => (query.length < least ? [] : (await surface.suggest(element, query)).map(asChoice));
  return picker(element, surface, { placeholder: "Search", chosen, find, hint: least ? `Type ${least} or more letters.` : "" });
}

const asChoice = (option) => ({ value: option.value, label: option.text.text, about: option.description?.text });

function named(values, choices) {
  return values.map((value) => choices.find((choice) => choice.value === value) ?? { value, label: value });
}

function matching(choices, query) {
  const wanted = query.trim().toLowerCase();
  return choices.filter((choice) => `${choice.label} ${choice.about ?? ""}`.toLowerCase().includes(wanted));
}

// A closed line that says what is chosen; opened, a search field above what it finds.
function picker(element, surface, { placeholder, chosen, find, hint = "" }) {
  const several = element.type.startsWith("multi_");
  const name = `picker-${++pickers}`;
  const words = element.placeholder?.text ?? placeholder;
  let picked = chosen;
  let asked = 0;
  const summary = h("summary", { class: "chosen" });
  const list = h("div", { class: "ticks", role: "group", "aria-label": words, onchange: changed });
  const search = h("input", { type: "search", class: "search", placeholder: words, "aria-label": `Search: ${words}`, oninput: typed, onkeydown: (event) => event.key === "Enter" && event.preventDefault(), onchange: (event) => event.stopPropagation() });
  const box = h("details", { class: "picker", data: { testid: "picker", actionId: element.action_id }, ontoggle: () => box.open && (look(), search.focus()) }, summary, search, list);

  function tick(choice, checked) {
    const input = h("input", { type: several ? "checkbox" : "radio", name, value: choice.value, checked });
    input.dataset.label = choice.label;
    return h("label", { data: { testid: "choice", value: choice.value } }, input, h("span", {}, emoji(choice.label), choice.about ? h("span", { class: "about" }, choice.about) : null));
  }

  function draw(found, sentence) {
    const rest = found.filter((choice) => !picked.some((known) => known.value === choice.value)).slice(0, MOST_SHOWN);
    list.replaceChildren(...picked.map((choice) => tick(choice, true)), ...rest.map((choice) => tick(choice, false)));
    if (!rest.length) list.append(h("p", { class: "about" }, sentence));
    summary.textContent = picked.map((choice) => emoji(choice.label)).join(", ") || words;
    summary.classList.toggle("none", !picked.length);
  }

  async function look() {
    const mine = ++asked;
    const found = await find(search.value);
    if (mine === asked) draw(found, search.value || !hint ? "Nothing found." : hint);
  }

  function typed() {
    const mine = ++asked;
    setTimeout(() => mine === asked && look(), PATIENCE_MS);
  }

  async function changed() {
    const before = picked;
    picked = [...list.querySelectorAll("input:checked")].map((input) => ({ value: input.value, label: input.dataset.label }));
    const most = element.max_selected_items ?? Infinity;
    if (picked.length > most) picked = before;
    const values = picked.map((choice) => choice.value);
    if (!(await surface.act(element, several ? values : values[0] ?? null))) picked = before;
    if (!several) box.open = false;
    look();
  }

  draw([], hint);
  return box;
}

// A menu that hangs open is closed by whatever else is clicked.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.picker[open], details.overflow[open]")) if (!menu.contains(event.target) && event.target.isConnected) menu.open = false;
});
