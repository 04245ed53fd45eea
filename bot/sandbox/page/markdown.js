// The Markdown of `markdown` blocks: what Slack shows of it, as DOM nodes.
import { h } from "./dom.js";
import { inline, mark, safeLink, unescaped } from "./words.js";

const RULES = [
  [/`([^`\n]+)`/, (m) => h("code", {}, m[1])],
  [/\\([\\`*_{}[\]()#+\-.!|<>~])/, (m) => m[1]],
  [/!\[([^\]]*)\]\([^)\s]*\)/, (m) => h("span", { class: "picture" }, `Image: ${m[1] || "not shown"}`)],
  [/\[([^\]]+)\]\(([^)\s]+)(?:\s+"[^"]*")?\)/, (m) => safeLink(m[2], m[1])],
  [/<((?:[@#!]|https?:|mailto:)[^<>\n]+)>/, (m) => mark(m[1])],
  [/\*\*(?!\s)(.+?)(?<!\s)\*\*/, (m) => h("strong", {}, inline(m[1], RULES))],
  [/__(?!\s)(.+?)(?<!\s)__/, (m) => h("strong", {}, inline(m[1], RULES))],
  [/~~(?!\s)(.+?)(?<!\s)~~/, (m) => h("s", {}, inline(m[1], RULES))],
  [/(?<![\w*])\*(?![\s*])([^*\n]+?)(?<!\s)\*(?![\w*])/, (m) => h("em", {}, inline(m[1], RULES))],
  [/(?<![\w_])_(?![\s_])([^_\n]+?)(?<!\s)_(?![\w_])/, (m) => h("em", {}, inline(m[1], RULES))],
  [/https?:\/\/[^\s<>]*[^\s<>.,;:!?)\]'"]/, (m) => safeLink(unescaped(m[0]))],
];
const BULLET = /^(\s*)([-*+•]|\d+[.)])\s+(.*)$/;
const STARTS = /^(#{1,6}\s|```|>|\s*([-*+•]|\d+[.)])\s|\|)/;

export function markdown(text) {
  const lines = text.replace(/\r/g, "").split("\n");
  const nodes = [];
  for (let at = 0; at < lines.length; ) {
    const [node, next] = block(lines, at);
    if (node) nodes.push(node);
    at = next;
  }
  return nodes;
}

function block(lines, at) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  if (line.startsWith("```")) return fenced(lines, at);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) return [h("p", { class: `heading level-${heading[1].length}`, role: "heading", "aria-level": heading[1].length + 2 }, inline(heading[2], RULES)), at + 1];
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) return [h("hr"), at + 1];
  if (line.startsWith(">")) return quote(lines, at);
  if (BULLET.test(line)) return list(lines, at);
  if (line.startsWith("|") && /^\|?[\s:|-]+\|?$/.test(lines[at + 1] ?? "")) return table(lines, at);
  return paragraph(lines, at);
}

function run(lines, at, belongs) {
  let end = at;
  while (end < lines.length && belongs(lines[end], end)) end++;
  return end;
}

function fenced(lines, at) {
  const end = run(lines, at + 1, (line) => !line.startsWith("```"));
  return [h("pre", {}, h("code", {}, lines.slice(at + 1, end).join("\n"))), end + 1];
}

function quote(lines, at) {
  const end = run(lines, at, (line) => line.startsWith(">"));
  return [h("blockquote", {}, markdown(lines.slice(at, end).map((line) => line.replace(/^>\s?/, "")).join("\n"))), end];
}

function list(lines, at) {
  const depth = BULLET.exec(lines[at])[1].length;
  const ordered = /\d/.test(BULLET.exec(lines[at])[2]);
  const items = [];
  while (at < lines.length) {
    const bullet = BULLET.exec(lines[at]);
    if (bullet && bullet[1].length === depth) {
      items.push(h("li", {}, inline(bullet[3], RULES)));
      at++;
    } else if (bullet && bullet[1].length > depth) {
      const [inner, next] = list(lines, at);
      items.at(-1).append(inner);
      at = next;
    } else if (!bullet && /^\s+\S/.test(lines[at])) {
      items.at(-1).append(" ", ...inline(lines[at].trim(), RULES).filter((node) => node !== ""));
      at++;
    } else break;
  }
  return [h(ordered ? "ol" : "ul", {}, items), at];
}

function table(lines, at) {
  const end = run(lines, at, (line) => line.startsWith("|"));
  const cells = (line) => line.replace(/^\||\|\s*$/g, "").split("|").map((cell) => inline(cell.trim(), RULES));
  const head = h("thead", {}, h("tr", {}, cells(lines[at]).map((cell) => h("th", {}, cell))));
  const rows = lines.slice(at + 2, end).map((line) => h("tr", {}, cells(line).map((cell) => h("td", {}, cell))));
  return [h("div", { class: "table" }, h("table", {}, head, h("tbody", {}, rows))), end];
}

function paragraph(lines, at) {
  const end = run(lines, at, (line, index) => line.trim() && (index === at || !STARTS.test(line)));
  const words = lines.slice(at, end).flatMap((line, index) => (index ? [h("br"), inline(line, RULES)] : [inline(line, RULES)]));
  return [h("p", {}, words), end];
}
