import { useQueries, useQuery } from "@tanstack/react-query";
import { FileBox } from "lucide-react";
import { useMemo, useState } from "react";
import { listArtifacts } from "../../api/artifacts";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { foldersAbove, treeRows } from "../../lib/artifacts/tree";
import { Snippet } from "../../components/Snippet";
import { ArtifactTree } from "./ArtifactTree";
import { FolderView } from "./FolderView";
import { FileView } from "./FileView";
import "./ArtifactBrowser.css";

/** Whose artifacts are shown. */
export type ArtifactSource =
  | { kind: "run"; runId: string }
  | { kind: "logged-model"; modelId: string }
  | { kind: "model-version"; name: string; version: string };

interface ArtifactBrowserProps {
  source: ArtifactSource;
  /** What is shown, relative to the root; none at first. */
  path?: string;
  onPathChange: (path: string) => void;
}

/** A tree of artifacts beside a preview of the one that is chosen. */
export function ArtifactBrowser({ source, path = "", onPathChange }: ArtifactBrowserProps) {
  const t = useStrings();
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [words, setWords] = useState("");
  const sourceKey = Object.values(source).join("\n");
  const queryOf = (folder: string) => ({
    queryKey: ["artifacts", sourceKey, folder],
    queryFn: ({ signal }: { signal: AbortSignal }) => listArtifacts(source, folder, signal),
  });
  const root = useQuery(queryOf(""));
  // The way to what is shown is open, unless the reader has closed it.
  const open = useMemo(
    () => new Set([...foldersAbove(`${path}/x`), ...opened].filter((folder) => folder !== "" && !closed.has(folder))),
    [path, opened, closed],
  );
  const folders = [...open];
  const below = useQueries({ queries: folders.map(queryOf) });
  const version = below.map(({ dataUpdatedAt }) => dataUpdatedAt).join(" ") + folders.join("\n");
  const listings = useMemo(
    () => new Map([["", root.data ?? []], ...folders.map((folder, at) => [folder, below[at]?.data ?? []] as const)]),
    // The answers are new arrays each time; when they came tells whether they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [root.data, version],
  );
  const rows = useMemo(() => treeRows(listings, open, words), [listings, open, words]);
  const known = [...listings.values()].flat().find((file) => file.path === path);
  // A file that was opened by its address is known to be one only when its folder is listed.
  const isFolder = path === "" || (known?.is_dir ?? false);

  function toggle(folder: string) {
    const isOpen = open.has(folder);
    setOpened((previous) => changed(previous, folder, !isOpen));
    setClosed((previous) => changed(previous, folder, isOpen));
  }
  if (root.error) {
    return (
      <div className="page artifacts-alone">
        <Problem error={root.error} onRetry={() => void root.refetch()} />
      </div>
    );
  }
  if (root.isPending) return <Loading />;
  if (root.data.length === 0) {
    const code =
      source.kind === "run"
        ? [
            `with mlflow.start_run(run_id="${source.runId}"):`,
            '    mlflow.log_text("hello", "notes.txt")',
            '    mlflow.log_artifacts("results")',
          ].join("\n")
        : undefined;
    return (
      <Empty title={t.artifacts.empty} icon={<FileBox size={32} />}>
        {code && (
          <div className="stack">
            <p>{t.artifacts.emptyHint}</p>
            <Snippet code={code} what={t.artifacts.snippet} />
          </div>
        )}
      </Empty>
    );
  }
  return (
    <div className="artifacts">
      <div className="artifacts-side">
        <input
          type="search"
          className="input"
          placeholder={t.artifacts.filter}
          aria-label={t.artifacts.filter}
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
        {rows.length === 0 && <p className="muted">{t.artifacts.nothingFound}</p>}
        <ArtifactTree rows={rows} chosen={path} onChoose={onPathChange} onToggle={toggle} />
      </div>
      <div className="artifacts-main">
        {isFolder ? (
          <FolderView
            key={path}
            source={source}
            path={path}
            files={listings.get(path)}
            isPending={path !== "" && below[folders.indexOf(path)]?.isPending !== false}
            onChoose={onPathChange}
          />
        ) : (
          <FileView key={path} source={source} path={path} sizeBytes={known?.file_size ?? undefined} />
        )}
      </div>
    </div>
  );
}

function changed(set: ReadonlySet<string>, item: string, isIn: boolean): ReadonlySet<string> {
  const next = new Set(set);
  if (isIn) next.add(item);
  else next.delete(item);
  return next;
}
