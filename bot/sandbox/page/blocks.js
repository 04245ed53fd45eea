// Block Kit, as far as messages, modals and home tabs show it.
import { control } from "./controls.js";
import { h } from "./dom.js";
import { markdown } from "./markdown.js";
import { emoji, mark, safeLink, textObject } from "./words.js";

export function renderBlocks(blocks, surface) {
  return blocks.map((block) => (RENDER[block.type] ?? unknown)(block, surface));
}

const RENDER = {
  section: (block, surface) =>
    h(
      "div",
      { class: "block section" },
      h(
        "div",
        { class: "grow" },
        block.text ? h("div", { class: "mrkdwn" }, textObject(block.text)) : null,
        block.fields ? h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "mrkdwn" }, textObject(field)))) : null,
      ),
      block.accessory ? accessory(block, surface) : null,
    ),
  header: (block) => h("h3", { class: "block header" }, textObject(block.text)),
  divider: () => h("hr", { class: "block" }),
  context: (block) => h("div", { class: "block context" }, block.elements.map((element) => (element.type === "image" ? picture(element) : h("span", { class: "mrkdwn" }, textObject(element))))),
  actions: (block, surface) => h("div", { class: "block actions" }, block.elements.map((element) => control(element, surface, block))),
  context_actions: (block, surface) => h("div", { class: "block actions context-actions" }, block.elements.map((element) => control(element, surface, block))),
  input: (block, surface) =>
    h(
      "div",
      { class: "block field", role: "group", "aria-label": block.label.text },
      h("span", { class: "label" }, textObject(block.label), block.optional ? h("span", { class: "about" }, " (optional)") : null),
      control(block.element, surface, block),
      block.hint ? h("p", { class: "about" }, textObject(block.hint)) : null,
    ),
  table: (block) => h("div", { class: "block table" }, h("table", {}, h("tbody", {}, (block.rows ?? []).map((row, at) => h("tr", {}, row.map((cell) => h(at ? "td" : "th", {}, tableCell(cell)))))))),
  markdown: (block) => h("div", { class: "block markdown" }, markdown(block.text)),
  image: (block) => h("div", { class: "block" }, picture(block)),
  rich_text: (block) => h("div", { class: "block" }, block.elements.map(richText)),
  task_card: taskCard,
  plan: (block) => h("div", { class: "block plan" }, block.title ? h("p", { class: "plan-title" }, block.title) : null, (block.tasks ?? []).map(taskCard)),
  alert: (block) => h("div", { class: "block alert", role: "note" }, textObject(block.text)),
  card: (block, surface) => h("div", { class: "block card" }, block.title ? h("strong", {}, textObject(block.title)) : null, block.subtitle ? h("p", { class: "about" }, textObject(block.subtitle)) : null, block.body ? h("div", {}, textObject(block.body)) : null, block.actions ? h("div", { class: "actions" }, block.actions.map((element) => control(element, surface, block))) : null),
  carousel: (block, surface) => h("div", { class: "block carousel" }, renderBlocks(block.elements ?? [], surface)),
  container: (block, surface) => h("div", { class: "block container" }, block.title ? h("strong", {}, textObject(block.title)) : null, renderBlocks(block.child_blocks ?? block.blocks ?? [], surface)),
};

const STATES = { pending: "waiting", in_progress: "at work", complete: "done", error: "failed" };

function taskCard(block) {
  const sources = (block.sources ?? []).map((source) => h("li", {}, safeLink(source.url, source.text)));
  return h(
    "div",
    { class: "block task", data: { testid: "task", state: block.status ?? "" } },
    h("span", { class: "task-light", role: "img", "aria-label": STATES[block.status] ?? "" }),
    h("div", {}, block.title ?? "", [block.details, block.output].filter((words) => typeof words === "string" && words).map((words) => h("p", { class: "about" }, words)), sources.length ? h("ul", { class: "sources" }, sources) : null),
  );
}

function unknown(block) {
  return h("p", { class: "block unknown" }, `A block of type ${block.type}, which this page does not show`);
}

function accessory(block, surface) {
  return block.accessory.type === "image" ? picture(block.accessory) : control(block.accessory, surface, block);
}

function tableCell(cell) {
  return cell.type === "rich_text" ? (cell.elements ?? []).map(richText) : String(cell.text ?? "");
}

// Pictures are never fetched: the page works offline and tells nobody who reads.
function picture(image) {
  return h("span", { class: "picture" }, `Image: ${image.alt_text || "without description"}`);
}

function richText(element) {
  const children = (element.elements ?? []).map(richPart);
  if (element.type === "rich_text_list") return h(element.style === "ordered" ? "ol" : "ul", {}, (element.elements ?? []).map((item) => h("li", {}, richText(item))));
  if (element.type === "rich_text_preformatted") return h("pre", {}, h("code", {}, children));
  return h(element.type === "rich_text_quote" ? "blockquote" : "div", {}, children);
}

function richPart(part) {
  if (part.type === "user") return mark(`@${part.user_id}`);
  if (part.type === "channel") return mark(`#${part.channel_id}`);
  if (part.type === "broadcast") return mark(`!${part.range}`);
  if (part.type === "link") return safeLink(part.url, part.text);
  if (part.type === "emoji") return emoji(`:${part.name}:`);
  const tag = part.style?.code ? "code" : part.style?.bold ? "strong" : part.style?.italic ? "em" : part.style?.strike ? "s" : "span";
  return h(tag, {}, part.text ?? "");
}

