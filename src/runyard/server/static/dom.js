// Building pages from elements and text: nothing here or in the pages takes a string as HTML.

/**
 * An element with attributes and children; `on…` attributes are listeners, false and null ones are left out.
 * Children are elements and text; null and false ones are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A block of code with a button that copies it. */
export function codeBlock(text, label) {
  const code = h("code", {}, text);
  const button = h("button", { type: "button", "aria-label": `Copy ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copy(code)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return h("div", { class: "code" }, h("pre", { tabindex: 0, "aria-label": label }, code), button);
}

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    // Browsers keep the clipboard from pages that are neither on localhost nor on HTTPS; the selection they do not.
    getSelection().selectAllChildren(element);
    return document.execCommand("copy");
  }
}
