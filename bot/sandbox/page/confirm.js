// The dialog that asks again before an action.
import { h } from "./dom.js";
import { emoji, textObject } from "./words.js";

export function confirmed(dialog) {
  return new Promise((resolve) => {
    const answer = (yes) => () => {
      box.remove();
      resolve(yes);
    };
    const style = dialog.style === "danger" ? "danger" : "primary";
    const box = h(
      "dialog",
      { class: "confirm", data: { testid: "confirm" }, "aria-label": dialog.title.text, oncancel: answer(false) },
      h(
        "div",
        {},
        h("header", {}, h("h2", {}, emoji(dialog.title.text))),
        h("p", { class: "words mrkdwn" }, textObject(dialog.text)),
        h(
          "footer",
          {},
          h("button", { type: "button", class: "button", data: { testid: "confirm-deny" }, onclick: answer(false) }, emoji(dialog.deny.text)),
          h("button", { type: "button", class: `button ${style}`, data: { testid: "confirm-yes" }, onclick: answer(true) }, emoji(dialog.confirm.text)),
        ),
      ),
    );
    document.body.append(box);
    box.showModal();
  });
}
