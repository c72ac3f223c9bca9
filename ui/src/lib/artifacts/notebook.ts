// Jupyter notebooks, as cells to show.

export type NotebookOutput = { kind: "text"; text: string; isError: boolean } | { kind: "image"; source: string };

export interface NotebookCell {
  kind: "markdown" | "code" | "raw";
  text: string;
  count: number | undefined;
  outputs: NotebookOutput[];
}

interface RawOutput {
  output_type?: string;
  text?: string | string[];
  data?: Record<string, string | string[]>;
  traceback?: string[];
}

/** The cells of a notebook; throws an Error that says why where the text is none. */
export function readNotebook(text: string): { cells: NotebookCell[]; language: string } {
  const notebook = JSON.parse(text) as {
    cells?: {
      cell_type?: string;
      source?: string | string[];
      execution_count?: number | null;
      outputs?: RawOutput[];
    }[];
    metadata?: { language_info?: { name?: string }; kernelspec?: { language?: string } };
  };
  if (!Array.isArray(notebook.cells)) throw new Error("a notebook has cells, and this file has none");
  const { language_info: info, kernelspec } = notebook.metadata ?? {};
  return {
    language: info?.name ?? kernelspec?.language ?? "python",
    cells: notebook.cells.map((cell) => ({
      kind: cell.cell_type === "markdown" ? "markdown" : cell.cell_type === "code" ? "code" : "raw",
      text: joined(cell.source),
      count: cell.execution_count ?? undefined,
      outputs: (cell.outputs ?? []).flatMap(outputOf),
    })),
  };
}

/** Images are shown, and of everything else its text: HTML of a notebook is never put into the page. */
function outputOf(output: RawOutput): NotebookOutput[] {
  if (output.output_type === "error") {
    return [{ kind: "text", text: plain((output.traceback ?? []).join("\n")), isError: true }];
  }
  for (const type of ["image/png", "image/jpeg"]) {
    const data = output.data?.[type];
    // Base64, and nothing that could end the address and begin something else.
    if (data !== undefined) {
      return [{ kind: "image", source: `data:${type};base64,${joined(data).replace(/[^A-Za-z0-9+/=]/g, "")}` }];
    }
  }
  const text = output.text ?? output.data?.["text/plain"];
  return text === undefined ? [] : [{ kind: "text", text: plain(joined(text)), isError: false }];
}

function joined(text: string | string[] | undefined): string {
  return Array.isArray(text) ? text.join("") : (text ?? "");
}

/** Without the codes that colour text in a terminal. */
function plain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}
