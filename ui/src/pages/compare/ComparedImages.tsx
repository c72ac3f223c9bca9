import { useQueries, type UseQueryResult } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Image } from "lucide-react";
import { useCallback, useId, useState } from "react";
import { api, ask, serverUrl } from "../../api/client";
import { LIVE_INTERVAL_MS } from "../../api/runs";
import { IconButton } from "../../components/Button";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { imageAt, imagesOf, keysOf, type RunImages, stepsOf } from "../../lib/compare/images";
import type { ChartRun } from "../charts/ChartsPanel";
import "./ComparedImages.css";

const FOLDER = "images";
const SIZES = [120, 200, 320, 480];
// Half a minute: what is being logged is shown soon enough, without listing files all the time.
const REFRESH_MS = 10 * LIVE_INTERVAL_MS;

interface ComparedImagesProps {
  runs: ChartRun[];
  /** The key and the step that the reader has chosen. */
  imageKey: string | undefined;
  step: number | undefined;
  onChange: (chosen: { imageKey: string | undefined; step: number | undefined }) => void;
}

/** The images that the runs have logged under the same key, at the same step. */
export function ComparedImages({ runs, imageKey, step, onChange }: ComparedImagesProps) {
  const t = useStrings();
  const id = useId();
  const [size, setSize] = useState(200);
  const { images, isLoading, error, retry } = useImages(runs);
  if (error) return <Problem error={error} onRetry={retry} />;
  if (isLoading) return <Loading />;
  const keys = keysOf(images);
  const key = imageKey !== undefined && keys.includes(imageKey) ? imageKey : keys[0];
  if (key === undefined) {
    return (
      <Empty title={t.compare.noImages} icon={<Image size={28} />}>
        <p>{t.compare.noImagesHelp}</p>
      </Empty>
    );
  }
  const steps = stepsOf(images, key);
  const chosen = steps.findLastIndex((other) => other <= (step ?? Infinity));
  const at = Math.max(0, chosen);
  const current = steps[at]!;
  const goTo = (place: number) => onChange({ imageKey: key, step: steps[place] });
  return (
    <div className="stack">
      <div className="row wrap compared-images-bar">
        <label htmlFor={`${id}-key`}>{t.compare.imageKey}</label>
        <select
          id={`${id}-key`}
          className="input"
          value={key}
          onChange={(event) => onChange({ imageKey: event.target.value, step })}
        >
          {keys.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <label htmlFor={`${id}-step`}>{t.compare.step}</label>
        <IconButton label={t.compare.previousStep} disabled={at === 0} onClick={() => goTo(at - 1)}>
          <ChevronLeft size={16} />
        </IconButton>
        <input
          id={`${id}-step`}
          type="range"
          min={0}
          max={steps.length - 1}
          value={at}
          aria-valuetext={String(current)}
          disabled={steps.length < 2}
          onChange={(event) => goTo(event.target.valueAsNumber)}
        />
        <IconButton label={t.compare.nextStep} disabled={at === steps.length - 1} onClick={() => goTo(at + 1)}>
          <ChevronRight size={16} />
        </IconButton>
        <output htmlFor={`${id}-step`} className="mono compared-images-step">
          {current}
        </output>
        <span className="spacer" />
        <label htmlFor={`${id}-size`}>{t.compare.imageSize}</label>
        <input
          id={`${id}-size`}
          type="range"
          min={0}
          max={SIZES.length - 1}
          value={SIZES.indexOf(size)}
          onChange={(event) => setSize(SIZES[event.target.valueAsNumber]!)}
        />
      </div>
      <div
        className="compared-images"
        style={{ gridTemplateColumns: `repeat(auto-fill, minmax(min(${size}px, 100%), 1fr))` }}
      >
        {runs.map((run, place) => (
          <RunImage key={run.runId} run={run} images={images[place]!} imageKey={key} step={current} />
        ))}
      </div>
    </div>
  );
}

interface RunImageProps {
  run: ChartRun;
  images: RunImages;
  imageKey: string;
  step: number;
}

function RunImage({ run, images, imageKey, step }: RunImageProps) {
  const t = useStrings();
  const image = imageAt(images, imageKey, step);
  const addressOf = (path: string) => serverUrl("get-artifact", { run_id: run.runId, path });
  const label = image && t.compare.imageLabel(imageKey, run.name, image.step);
  return (
    <figure className="card">
      <figcaption>
        <span className="row">
          <span className="compared-images-dot" style={{ background: run.color }} aria-hidden />
          <span className="truncate" title={run.name}>
            {run.name}
          </span>
        </span>
        <span className="muted">
          {image && (image.step === step ? t.compare.stepOf(step) : t.compare.earlierStep(image.step))}
        </span>
      </figcaption>
      {image ? (
        <a
          href={addressOf(image.path)}
          target="_blank"
          rel="noopener noreferrer"
          aria-label={t.compare.openImage(label!)}
        >
          <img key={image.path} src={addressOf(image.thumbnailPath ?? image.path)} alt={label} loading="lazy" />
        </a>
      ) : (
        <p className="muted compared-images-none">{t.compare.noImage}</p>
      )}
    </figure>
  );
}

function useImages(runs: ChartRun[]) {
  const combine = useCallback(
    (answers: UseQueryResult<RunImages>[]) => ({
      images: answers.map(({ data }): RunImages => data ?? new Map()),
      isLoading: answers.some(({ isPending }) => isPending),
      error: answers.find(({ error }) => error)?.error ?? undefined,
      retry: () => {
        for (const answer of answers) if (answer.error) answer.refetch();
      },
    }),
    [],
  );
  return useQueries({
    queries: runs.map(({ runId, isRunning }) => ({
      queryKey: ["run-images", runId],
      queryFn: async ({ signal }: { signal: AbortSignal }) => imagesOf(await listImages(runId, signal)),
      refetchInterval: isRunning ? REFRESH_MS : (false as const),
    })),
    combine,
  });
}

async function listImages(runId: string, signal: AbortSignal): Promise<string[]> {
  const paths: string[] = [];
  let token: string | undefined;
  do {
    const query = { run_id: runId, path: FOLDER, page_token: token };
    const answer = await ask(api.GET("/api/2.0/mlflow/artifacts/list", { params: { query }, signal }));
    paths.push(...(answer.files ?? []).filter((file) => !file.is_dir).map((file) => file.path));
    token = answer.next_page_token ?? undefined;
  } while (token);
  return paths;
}
