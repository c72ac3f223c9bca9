// How an artifact is shown, told by its name.

export type PreviewKind =
  | "audio"
  | "binary"
  | "csv"
  | "html"
  | "image"
  | "json"
  | "markdown"
  | "model"
  | "notebook"
  | "parquet"
  | "pdf"
  | "text"
  | "video";

const KINDS: Record<string, PreviewKind> = {
  ...of("image", "png jpg jpeg gif webp avif bmp ico svg"),
  ...of("audio", "mp3 wav ogg oga flac m4a aac opus"),
  ...of("video", "mp4 webm mov m4v ogv"),
  ...of("csv", "csv tsv"),
  ...of("json", "json geojson ipynb-meta"),
  ...of("html", "html htm"),
  ...of("markdown", "md markdown"),
  pdf: "pdf",
  parquet: "parquet",
  ipynb: "notebook",
  ...of(
    "text",
    "txt log text py pyi r jl java scala js ts tsx jsx c h cc cpp hpp cs go rs rb sh bash zsh sql yaml yml toml ini cfg " +
      "conf env xml css scss tex rst diff patch lock gitignore dockerfile makefile jsonl ndjson properties",
  ),
};
const TEXT_NAMES = new Set(["dockerfile", "makefile", "license", "readme", "requirements", "conda", "mlproject"]);

export function extensionOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function kindOf(path: string): PreviewKind {
  const name = nameOf(path);
  if (name === "MLmodel") return "model";
  const extension = extensionOf(path);
  const kind = KINDS[extension];
  if (kind !== undefined) return kind;
  return extension === "" && TEXT_NAMES.has(name.toLowerCase()) ? "text" : "binary";
}

/** The name by which the highlighter knows a file's language; undefined for plain text. */
export function languageOf(path: string): string | undefined {
  const name = nameOf(path).toLowerCase();
  if (name === "mlmodel" || name === "mlproject") return "yaml";
  if (name === "makefile") return "makefile";
  return LANGUAGES[extensionOf(path)];
}

const LANGUAGES: Record<string, string> = {
  py: "python",
  pyi: "python",
  r: "r",
  java: "java",
  js: "javascript",
  jsx: "javascript",
  ts: "typescript",
  tsx: "typescript",
  c: "c",
  h: "c",
  cc: "cpp",
  cpp: "cpp",
  hpp: "cpp",
  cs: "csharp",
  go: "go",
  rs: "rust",
  rb: "ruby",
  sh: "bash",
  bash: "bash",
  zsh: "bash",
  sql: "sql",
  yaml: "yaml",
  yml: "yaml",
  toml: "ini",
  ini: "ini",
  cfg: "ini",
  xml: "xml",
  css: "css",
  scss: "scss",
  diff: "diff",
  patch: "diff",
  json: "json",
};

function of(kind: PreviewKind, extensions: string): Record<string, PreviewKind> {
  return Object.fromEntries(extensions.split(" ").map((extension) => [extension, kind]));
}
