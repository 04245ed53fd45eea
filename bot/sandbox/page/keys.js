// Moving through messages without a mouse: arrows go from one to the next, Tab into its tools, and focus stays
// where it was while the list is drawn anew.
export function arrowsThrough(list) {
  list.addEventListener("keydown", (event) => {
    if (event.target !== list && event.target.tagName !== "ARTICLE") return;
    const all = [...list.querySelectorAll("article")];
    const at = all.indexOf(event.target);
    const next = { ArrowDown: at < 0 ? all.length - 1 : at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all.length) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, next))].focus();
  });
}

// `draw` replaces what is in the list; the focused message, button or field of it is found again by what it is.
export function keepingFocus(list, draw) {
  const before = document.activeElement;
  const inside = before && before !== list && list.contains(before);
  const ts = inside ? before.closest("article")?.dataset.ts : null;
  const wanted = inside && before.tagName !== "ARTICLE" ? { ...before.dataset } : null;
  const place = wanted && [before.selectionStart, before.selectionEnd];
  const drawn = draw();
  if (!drawn || !ts) return drawn;
  const article = list.querySelector(`article[data-ts="${ts}"]`);
  const same = (element) => Object.entries(wanted).every(([name, value]) => element.dataset[name] === value);
  const target = wanted?.testid ? [...(article?.querySelectorAll(`[data-testid="${wanted.testid}"]`) ?? [])].find(same) : article;
  (article ?? list).focus({ preventScroll: true }); // first: what can be done with a message shows only then
  target?.focus({ preventScroll: true });
  if (target?.setSelectionRange && place[0] !== null) target.setSelectionRange(...place);
  return drawn;
}
