// Slack's mrkdwn, as DOM nodes. Its only entities are &amp; &lt; &gt;.
import { h } from "./dom.js";
import { channelName, person, view } from "./store.js";

const EMOJI = {
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", white_check_mark: "✅", x: "❌", warning: "⚠️", lock: "🔒",
  eyes: "👀", wave: "👋", tada: "🎉", bulb: "💡", books: "📚", page_facing_up: "📄", link: "🔗", mag: "🔍", key: "🔑",
  information_source: "ℹ️", hourglass: "⌛", hourglass_flowing_sand: "⏳", heart: "❤️", smile: "😄", door: "🚪",
  question: "❓", exclamation: "❗", no_entry: "⛔", file_folder: "📁", pray: "🙏", rocket: "🚀", fire: "🔥",
};

export function unescaped(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

export function emoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => EMOJI[name] ?? whole);
}

export function safeLink(url, label) {
  // Only addresses that a browser opens as pages; anything else is shown as words.
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return document.createTextNode(label || url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label || url);
}

export function mark(inner) {
  const [target, label] = inner.split("|");
  if (target.startsWith("@")) return mention(target.slice(1));
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${channelName(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith("!")) return h("span", { class: "mention loud" }, label ? unescaped(label) : `@${target.slice(1).split("^")[0]}`);
  return safeLink(unescaped(target), label && emoji(unescaped(label)));
}

function mention(userId) {
  const known = person(userId);
  const mine = known && known.handle === view.person;
  return h("span", { class: mine ? "mention mine" : "mention" }, `@${known?.name ?? userId}`);
}

// A pattern and what it becomes; the first that matches earliest wins.
const INLINE = [
  [/`([^`\n]+)`/, (m) => h("code", {}, unescaped(m[1]))],
  [/<([^<>\n]+)>/, (m) => mark(m[1])],
  [/(?<![\w*])\*(?!\s)([^*\n]+?)(?<!\s)\*(?![\w*])/, (m) => h("strong", {}, inline(m[1]))],
  [/(?<![\w_])_(?!\s)([^_\n]+?)(?<!\s)_(?![\w_])/, (m) => h("em", {}, inline(m[1]))],
  [/(?<![\w~])~(?!\s)([^~\n]+?)(?<!\s)~(?![\w~])/, (m) => h("s", {}, inline(m[1]))],
  [/https?:\/\/[^\s<>]*[^\s<>.,;:!?)\]'"]/, (m) => safeLink(unescaped(m[0]))],
];

export function inline(text, rules = INLINE) {
  const nodes = [];
  let rest = text;
  for (let guard = 0; rest && guard < 5000; guard++) {
    let first = null;
    for (const [pattern, make] of rules) {
      const match = pattern.exec(rest);
      if (match && (!first || match.index < first.match.index)) first = { match, make };
    }
    if (!first) break;
    nodes.push(emoji(unescaped(rest.slice(0, first.match.index))), first.make(first.match));
    rest = rest.slice(first.match.index + first.match[0].length);
  }
  nodes.push(emoji(unescaped(rest)));
  return nodes;
}

export function mrkdwn(text) {
  const parts = text.split(/```\n?([\s\S]*?)\n?```/);
  return parts.map((part, index) => (index % 2 ? h("pre", {}, h("code", {}, unescaped(part))) : lines(part)));
}

function lines(text) {
  const nodes = [];
  let quote = null;
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    if (line.startsWith("&gt;")) {
      if (!quote) nodes.push((quote = h("blockquote")));
      quote.append(...[...(quote.childNodes.length ? [h("br")] : []), ...inline(line.slice(4).trim())].filter((n) => n !== ""));
      continue;
    }
    if (nodes.length && !quote) nodes.push(h("br"));
    quote = null;
    nodes.push(inline(line));
  }
  return nodes;
}

export function textObject(object) {
  if (!object) return "";
  return object.type === "plain_text" ? emoji(object.text) : mrkdwn(object.text);
}
