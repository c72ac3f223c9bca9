import { Download } from "lucide-react";
import { lazy, Suspense } from "react";
import { artifactUrl } from "../../api/artifacts";
import { Loading } from "../../components/Problem";
import { CopyButton } from "../../components/Text";
import { useStrings } from "../../i18n";
import { kindOf, nameOf, parentOf, type PreviewKind } from "../../lib/artifacts/kind";
import { formatSize } from "../../lib/format";
import type { ArtifactSource } from "./ArtifactBrowser";
import { RegisterButton } from "./RegisterButton";

export interface PreviewProps {
  source: ArtifactSource;
  path: string;
  /** Where the file is read. */
  url: string;
  sizeBytes: number | undefined;
}

const PREVIEWS: Record<PreviewKind, React.LazyExoticComponent<(props: PreviewProps) => React.ReactNode>> = {
  audio: lazy(() => import("./previews/MediaPreview")),
  binary: lazy(() => import("./previews/BinaryPreview")),
  csv: lazy(() => import("./previews/CsvPreview")),
  html: lazy(() => import("./previews/HtmlPreview")),
  image: lazy(() => import("./previews/ImagePreview")),
  json: lazy(() => import("./previews/JsonPreview")),
  markdown: lazy(() => import("./previews/MarkdownPreview")),
  model: lazy(() => import("./previews/ModelPreview")),
  notebook: lazy(() => import("./previews/NotebookPreview")),
  parquet: lazy(() => import("./previews/ParquetPreview")),
  pdf: lazy(() => import("./previews/PdfPreview")),
  text: lazy(() => import("./previews/TextPreview")),
  video: lazy(() => import("./previews/MediaPreview")),
};

interface FileViewProps {
  source: ArtifactSource;
  path: string;
  sizeBytes: number | undefined;
}

/** A file: what it is called, and what it shows, by its kind. */
export function FileView({ source, path, sizeBytes }: FileViewProps) {
  const t = useStrings();
  const kind = kindOf(path);
  const Preview = PREVIEWS[kind];
  const url = artifactUrl(source, path);
  return (
    <>
      <header className="artifact-head">
        <h2 className="truncate" title={path}>
          {nameOf(path)}
        </h2>
        {sizeBytes !== undefined && <span className="muted nowrap">{formatSize(sizeBytes)}</span>}
        <CopyButton text={path} what={t.artifacts.copyPath} />
        <span className="spacer" />
        {kind === "model" && source.kind === "run" && <RegisterButton runId={source.runId} path={parentOf(path)} />}
        <a className="button" href={url} download={nameOf(path)}>
          <Download size={14} aria-hidden /> {t.artifacts.download}
        </a>
      </header>
      <Suspense fallback={<Loading />}>
        <Preview source={source} path={path} url={url} sizeBytes={sizeBytes} />
      </Suspense>
    </>
  );
}
