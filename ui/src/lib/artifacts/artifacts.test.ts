import { describe, expect, it } from "vitest";
import { hexDump, isText } from "./bytes";
import { readCsv } from "./csv";
import { kindOf, languageOf, parentOf } from "./kind";
import { readModelFile } from "./mlmodel";
import { readNotebook } from "./notebook";
import { curlSnippet, pythonSnippet, sparkSnippet } from "./snippets";
import { foldersAbove, treeRows } from "./tree";

const file = (path: string, size = 1) => ({ path, is_dir: false, file_size: size });
const folder = (path: string) => ({ path, is_dir: true });

describe("kinds of files", () => {
  it.each([
    ["a/b.PNG", "image"],
    ["plots/x.svg", "image"],
    ["model/MLmodel", "model"],
    ["table.tsv", "csv"],
    ["x.parquet", "parquet"],
    ["x.ipynb", "notebook"],
    ["Dockerfile", "text"],
    ["model.pkl", "binary"],
    [".gitignore", "binary"],
  ])("%s is shown as %s", (path, kind) => {
    expect(kindOf(path)).toBe(kind);
  });

  it("know the language of code", () => {
    expect(languageOf("a/train.py")).toBe("python");
    expect(languageOf("MLproject")).toBe("yaml");
    expect(languageOf("notes.txt")).toBeUndefined();
    expect(parentOf("a/b/c")).toBe("a/b");
  });

  it("tell text from bytes, also where a character was cut", () => {
    expect(isText(new TextEncoder().encode("año").slice(0, 2))).toBe(true);
    expect(isText(new Uint8Array([0, 1, 2]))).toBe(false);
    expect(isText(new Uint8Array([0xff, 0xfe, 0x41]))).toBe(false);
    expect(hexDump(new Uint8Array([72, 105, 0]))).toBe(`00000000  ${"48 69 00".padEnd(47)}  Hi.`);
  });
});

describe("tables in text", () => {
  it("leave out the row that was cut, and keep line breaks in quotes", () => {
    expect(readCsv('a,b\n1,"x\ny"\n2,z', false, false)).toEqual({ header: ["a", "b"], rows: [["1", "x\ny"]] });
    expect(readCsv("a\tb\n1\t2\n", true, true).rows).toEqual([["1", "2"]]);
  });
});

describe("the tree", () => {
  const listings = new Map([
    ["", [file("b.txt"), folder("a")]],
    ["a", [file("a/10.png"), file("a/9.png")]],
  ]);

  it("has folders first, names with numbers in their order, and what is open", () => {
    expect(treeRows(listings, new Set(["a"])).map(({ path, depth }) => `${depth} ${path}`)).toEqual([
      "0 a",
      "1 a/9.png",
      "1 a/10.png",
      "0 b.txt",
    ]);
    expect(treeRows(listings, new Set()).map(({ path }) => path)).toEqual(["a", "b.txt"]);
  });

  it("shows what matches and the way to it", () => {
    expect(treeRows(listings, new Set(), "10").map(({ path }) => path)).toEqual(["a", "a/10.png"]);
    expect(treeRows(listings, new Set(), "nothing")).toEqual([]);
  });

  it("knows the way to a path", () => {
    expect(foldersAbove("a/b/c")).toEqual(["a", "a/b"]);
    expect(foldersAbove("c")).toEqual([]);
  });
});

describe("MLmodel files", () => {
  const text = `flavors:
  python_function:
    loader_module: mlflow.sklearn
  sklearn:
    code: null
mlflow_version: 3.17.2
model_id: null
model_size_bytes: 2048
signature:
  inputs: '[{"type": "double", "name": "it''s", "required": true}, {"type": "string",
    "name": "plan", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
  params: null
utc_time_created: '2026-11-20 10:00:00.000000'
`;

  it("tell flavors, signature, version, size and time", () => {
    const model = readModelFile(text);
    expect(model.flavors).toEqual(["python_function", "sklearn"]);
    expect(model.inputs).toEqual([
      { name: "it's", type: "double", isRequired: true },
      { name: "plan", type: "string", isRequired: false },
    ]);
    expect(model.outputs).toEqual([{ type: "tensor float32 [-1, 3]", isRequired: true }]);
    expect(model.params).toEqual([]);
    expect(model).toMatchObject({ mlflowVersion: "3.17.2", sizeBytes: 2048, modelId: undefined });
    expect(model.created).toBe("2026-11-20 10:00:00.000000");
  });

  it("have nothing to tell where they are something else", () => {
    expect(readModelFile("not: [yaml")).toMatchObject({ flavors: [], inputs: [], mlflowVersion: undefined });
  });

  it("become snippets that name the columns", () => {
    const { inputs } = readModelFile(text);
    expect(pythonSnippet("runs:/r/model", inputs)).toContain('"plan": ["text"],');
    expect(pythonSnippet("runs:/r/model", inputs)).toContain('mlflow.pyfunc.load_model("runs:/r/model")');
    expect(curlSnippet(inputs)).toContain("dataframe_split");
    // An apostrophe in a name ends the shell's quotes, stands for itself, and begins them again.
    expect(curlSnippet(inputs)).toContain("it'\\''s");
    expect(sparkSnippet("models:/m/1", inputs)).toContain('predict("it\'s", "plan")');
  });
});

describe("notebooks", () => {
  const notebook = (outputs: unknown[]) =>
    JSON.stringify({ cells: [{ cell_type: "code", source: ["a\n", "b"], execution_count: 3, outputs }] });

  it("are cells with their text, images and errors", () => {
    const { cells, language } = readNotebook(
      notebook([
        { output_type: "stream", text: ["x", "y"] },
        { output_type: "display_data", data: { "image/png": "aGk=\n" } },
        { output_type: "error", traceback: ["\u001b[31mboom\u001b[0m"] },
      ]),
    );
    expect(language).toBe("python");
    expect(cells[0]).toMatchObject({ kind: "code", text: "a\nb", count: 3 });
    expect(cells[0]!.outputs).toEqual([
      { kind: "text", text: "xy", isError: false },
      { kind: "image", source: "data:image/png;base64,aGk=" },
      { kind: "text", text: "boom", isError: true },
    ]);
  });

  it("show the plain text of what is HTML too, and never the HTML", () => {
    const { cells } = readNotebook(
      notebook([{ output_type: "execute_result", data: { "text/html": "<b>x</b>", "text/plain": "x" } }]),
    );
    expect(cells[0]!.outputs).toEqual([{ kind: "text", text: "x", isError: false }]);
  });

  it("say so where they are none", () => {
    expect(() => readNotebook("{}")).toThrow("cells");
  });
});
