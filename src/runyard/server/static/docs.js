// The API page: every operation of /openapi.json by tag, searched as one types, each drawn when it is opened.

import { codeBlock, h } from "./dom.js";
import { curlText, fieldsOf, nested, resolve, typeText } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
// What most paths begin with, drawn paler than what tells them apart.
const COMMON = /^\/(?:ajax-)?api\/[\d.]+\/mlflow(?:-artifacts)?\//;

const root = new URL("..", import.meta.url);
const search = document.getElementById("search");
const count = document.getElementById("count");
const operations = document.getElementById("operations");
const contents = document.getElementById("contents");

const entries = [];

try {
  const response = await fetch(new URL("openapi.json", root));
  if (!response.ok) throw new Error(`the server answered with status ${response.status}`);
  show({ ...(await response.json()), root: root.href });
} catch (error) {
  count.textContent = `openapi.json cannot be read: ${error.message}`;
}

function show(api) {
  document.getElementById("about").append(...api.info.description.trim().split(/\n\n+/).map((text) => h("p", {}, withCode(text))));
  for (const tag of api.tags) {
    const section = h("section", { "aria-labelledby": `tag-${tag.name}` }, h("h2", { id: `tag-${tag.name}` }, tag.name), h("p", {}, tag.description));
    const list = h("ul");
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((name) => methods[name]?.tags[0] === tag.name)) {
        const entry = operationEntry(api, path, method, methods[method]);
        section.append(entry.element);
        list.append(entry.link);
        entries.push({ ...entry, section, group: list });
      }
    }
    if (!list.children.length) continue;
    operations.append(section);
    const group = h("div", {}, h("h2", {}, tag.name), list);
    contents.append(group);
  }
  search.addEventListener("input", filter);
  addEventListener("hashchange", openNamed);
  addEventListener("keydown", onKey);
  filter();
  openNamed();
}

function operationEntry(api, path, method, operation) {
  const id = operation.operationId;
  const common = COMMON.exec(path)?.[0] ?? "";
  const element = h(
    "details",
    { class: "operation", id, ontoggle: () => element.open && draw() },
    h(
      "summary",
      {},
      h("span", { class: "method", "data-method": method }, method.toUpperCase()),
      h("code", { class: "path" }, common && h("span", { class: "common" }, common), path.slice(common.length)),
      h("span", { class: "what" }, operation.summary),
    ),
  );
  const draw = () => {
    if (element.children.length > 1) return;
    element.append(inside(api, path, method, operation));
  };
  const link = h("li", {}, h("a", { href: `#${id}` }, id.replaceAll("_", " ")));
  const text = `${method} ${path} ${id} ${id.replaceAll("_", " ")} ${operation.summary}`.toLowerCase();
  return { element, link, text };
}

function inside(api, path, method, operation) {
  const json = operation.requestBody?.content["application/json"];
  const answer = operation.responses["200"].content;
  const parameters = operation.parameters ?? [];
  return h(
    "div",
    { class: "inside" },
    operation.description && h("p", {}, withCode(operation.description)),
    parameters.length > 0 && [
      h("h3", {}, "Parameters"),
      fieldList(
        api,
        parameters.map((parameter) => ({
          name: parameter.name,
          isRequired: parameter.required,
          schema: { ...parameter.schema, description: parameter.description },
          where: parameter.in === "query" ? null : parameter.in,
        })),
      ),
    ],
    json && [h("h3", {}, "Request"), objectFields(api, json.schema)],
    operation.requestBody && !json && [h("h3", {}, "Request"), h("p", {}, "The bytes themselves.")],
    h("h3", {}, "Answer"),
    answer["application/json"]
      ? objectFields(api, answer["application/json"].schema)
      : h("p", {}, answer["text/plain"] ? "A line of text." : "The bytes themselves."),
    h("h3", {}, "Ask it"),
    codeBlock(curlText(api, path, method, operation), "the command"),
  );
}

function objectFields(api, schema) {
  const fields = fieldsOf(resolve(api, schema));
  return fields.length ? fieldList(api, fields) : h("p", { class: "muted" }, "An empty object: {}");
}

function fieldList(api, fields) {
  return h("div", { class: "fields" }, fields.map((field) => fieldRow(api, field)));
}

function fieldRow(api, { name, schema, isRequired, where }) {
  const within = nested(api, schema);
  const about = resolve(api, schema).description;
  return h(
    "div",
    { class: "field" },
    h("div", { class: "key" }, h("code", {}, name), isRequired && h("span", { class: "required" }, "required")),
    h(
      "div",
      {},
      h("span", { class: "type" }, typeText(api, schema), where && `, in the ${where}`),
      // An object's own description is told where its fields are.
      about && !within?.properties && h("span", { class: "about" }, withCode(about)),
    ),
    within && nestedFields(api, within),
  );
}

/** The fields of an object inside another, drawn when they are opened: some types hold themselves. */
function nestedFields(api, schema) {
  const element = h(
    "details",
    {
      ontoggle: () => {
        if (element.open && element.children.length === 1) element.append(objectFields(api, schema));
      },
    },
    h("summary", {}, `fields of ${schema.title ?? "it"}`),
  );
  return element;
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { element, link, text } of entries) {
    const isFound = words.every((word) => text.includes(word));
    element.hidden = link.hidden = !isFound;
    found += isFound ? 1 : 0;
  }
  for (const { section, group } of entries) {
    section.hidden = ![...section.querySelectorAll(".operation")].some((element) => !element.hidden);
    group.parentElement.hidden = section.hidden;
  }
  count.replaceChildren(
    words.length ? `${found} of ${entries.length} operations match.` : `${entries.length} operations. `,
    ...(words.length ? [] : [h("kbd", {}, "/"), " searches, ", h("kbd", {}, "↓"), " ", h("kbd", {}, "↑"), " go through them, ", h("kbd", {}, "Enter"), " opens one."]),
  );
}

function openNamed() {
  const element = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!element?.matches(".operation")) return;
  if (element.hidden) {
    search.value = "";
    filter();
  }
  element.open = true;
  element.scrollIntoView();
  element.querySelector("summary").focus({ preventScroll: true });
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && document.activeElement === search) {
    search.value = "";
    filter();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    step(event);
  }
}

function step(event) {
  const summaries = entries.filter(({ element }) => !element.hidden).map(({ element }) => element.firstElementChild);
  const at = summaries.indexOf(document.activeElement);
  // Elsewhere the arrows scroll, as everywhere.
  if (at < 0 && document.activeElement !== search) return;
  const next = event.key === "ArrowDown" ? summaries[at + 1] : at > 0 ? summaries[at - 1] : search;
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** Text in which what stands between backticks is code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));
}
