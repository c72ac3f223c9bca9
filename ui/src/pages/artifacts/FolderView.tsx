import { Archive, File, Folder } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import { archiveUrl, artifactUrl } from "../../api/artifacts";
import type { FileInfo } from "../../api/schema";
import { Loading } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { kindOf, nameOf } from "../../lib/artifacts/kind";
import { sorted } from "../../lib/artifacts/tree";
import { formatSize } from "../../lib/format";
import { parseImageName } from "../../lib/imageNames";
import type { ArtifactSource } from "./ArtifactBrowser";
import { ImagesByStep } from "./ImagesByStep";
import { RegisterButton } from "./RegisterButton";

const ModelPreview = lazy(() => import("./previews/ModelPreview"));

const MAX_SHOWN = 1000;

interface FolderViewProps {
  source: ArtifactSource;
  path: string;
  files: readonly FileInfo[] | undefined;
  isPending: boolean;
  onChoose: (path: string) => void;
}

/** What is in a folder, with sizes; images that were logged by step are shown as such, and a model by what it is. */
export function FolderView({ source, path, files = [], isPending, onChoose }: FolderViewProps) {
  const t = useStrings();
  const shown = useMemo(() => sorted(files), [files]);
  const images = useMemo(() => files.filter((file) => parseImageName(file.path) !== undefined), [files]);
  const total = files.reduce((sum, { file_size: size }) => sum + (size ?? 0), 0);
  const model = files.find((file) => !file.is_dir && kindOf(file.path) === "model");
  if (isPending) return <Loading />;
  return (
    <>
      <header className="artifact-head">
        <h2 className="truncate">{path === "" ? t.artifacts.root : nameOf(path)}</h2>
        <span className="muted">
          {t.artifacts.files(files.length)}, {t.artifacts.total(formatSize(total))}
        </span>
        <span className="spacer" />
        {model && source.kind === "run" && <RegisterButton runId={source.runId} path={path} />}
        <a className="button" href={archiveUrl(source, path)} download>
          <Archive size={14} aria-hidden /> {t.artifacts.downloadZip}
        </a>
      </header>
      {model && (
        <Suspense fallback={<Loading lines={4} />}>
          <ModelPreview
            source={source}
            path={model.path}
            url={artifactUrl(source, model.path)}
            sizeBytes={model.file_size ?? undefined}
          />
        </Suspense>
      )}
      {images.length > 0 && <ImagesByStep source={source} paths={images.map((file) => file.path)} />}
      {files.length === 0 && <p className="muted">{t.artifacts.folderEmpty}</p>}
      {files.length > 0 && (
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.common.name}</th>
              <th scope="col" className="numeric">
                {t.artifacts.size}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.slice(0, MAX_SHOWN).map((file) => (
              <tr key={file.path}>
                <td>
                  <button type="button" className="artifact-link" onClick={() => onChoose(file.path)}>
                    {file.is_dir ? <Folder size={14} aria-hidden /> : <File size={14} aria-hidden />}
                    {nameOf(file.path)}
                  </button>
                </td>
                <td className="numeric">{file.is_dir ? "" : formatSize(file.file_size ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
