// The server's rules for the names of models and aliases, so that a form can say what is wrong while one types.

const MAX_MODEL_NAME_LENGTH = 256;
const MAX_ALIAS_LENGTH = 255;
const ALIAS = /^[\p{L}\p{N}_-]+$/u;
const RESERVED_ALIAS = /^(latest|v\p{Nd}+)$/iu;

export type ModelNameProblem = "empty" | "separator" | "dots" | "long";
export type AliasProblem = "empty" | "characters" | "reserved" | "long";

/** What the server would refuse in a registered model's name. */
export function modelNameProblem(name: string): ModelNameProblem | undefined {
  if (name.trim() === "") return "empty";
  if (/[/:]/.test(name)) return "separator";
  if (name === "." || name === "..") return "dots";
  return lengthOf(name) > MAX_MODEL_NAME_LENGTH ? "long" : undefined;
}

/** What the server would refuse in an alias. */
export function aliasProblem(alias: string): AliasProblem | undefined {
  if (alias === "") return "empty";
  if (!ALIAS.test(alias)) return "characters";
  if (RESERVED_ALIAS.test(alias)) return "reserved";
  return lengthOf(alias) > MAX_ALIAS_LENGTH ? "long" : undefined;
}

// The server counts characters, not halves of them.
function lengthOf(text: string): number {
  return [...text].length;
}
