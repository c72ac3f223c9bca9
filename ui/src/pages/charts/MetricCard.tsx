import { Ellipsis, GripVertical, RotateCcw } from "lucide-react";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, ask } from "../../api/client";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Menu, MenuItem } from "../../components/Menu";
import { Problem } from "../../components/Problem";
import { copyText } from "../../components/Text";
import { showError } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { seriesCsv } from "../../lib/charts/csv";
import { groupBars, groupLines } from "../../lib/charts/groups";
import { placesOf, type RunSeries, toLines, toSeries } from "../../lib/charts/series";
import { chartSvg } from "../../lib/charts/svg";
import { download } from "../../lib/download";
import { formatNumber } from "../../lib/format";
import { type Bar, BarList } from "./BarList";
import type { ChartGroup, ChartRun } from "./ChartsPanel";
import type { CardSettings, ChartsLayout } from "./layout";
import { LineChart } from "./LineChart";
import { RangeDialog } from "./RangeDialog";
import { type StepRange, useMetricSeries } from "./useMetricSeries";

const DRAG_TYPE = "application/x-runyard-card";
const MAX_PLACES = 1000;
const LARGE_HEIGHT = 520;
const MAX_SUMMARIZED = 10;

interface MetricCardProps {
  name: string;
  runs: readonly ChartRun[];
  groups: readonly ChartGroup[] | undefined;
  layout: ChartsLayout;
  isPinned: boolean;
  height: number;
  sync: string;
  onSettings: (settings: CardSettings) => void;
  onPin: () => void;
  onHide: () => void;
  onMove: (moved: string, target: string) => void;
  /** Move it by so many places. */
  onStep: (places: number) => void;
}

/** A metric: its place in the page, whatever is drawn in it. What is far out of view is a frame and nothing else. */
export function MetricCard(props: MetricCardProps) {
  const { name, height, onMove, onStep } = props;
  const t = useStrings();
  const frame = useRef<HTMLElement>(null);
  const [isNear, setNear] = useState(false);
  const [isTarget, setTarget] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    // The margin holds for what scrolls within the page too; where a browser does not know that, a card comes when it is
    // in view.
    const near: IntersectionObserverInit & { scrollMargin: string } = { rootMargin: "300px", scrollMargin: "300px" };
    const observer = new IntersectionObserver((entries) => setNear(entries.at(-1)!.isIntersecting), near);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!event.altKey || step === undefined) return;
    event.preventDefault();
    onStep(step);
  }
  return (
    <figure
      ref={frame}
      className={`card metric-card ${isTarget ? "target" : ""}`}
      style={{ minHeight: height + 42 }}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
        event.preventDefault();
        setTarget(true);
      }}
      onDragLeave={() => setTarget(false)}
      onDrop={(event) => {
        setTarget(false);
        onMove(event.dataTransfer.getData(DRAG_TYPE), name);
      }}
    >
      <figcaption className="metric-card-head">
        <button
          type="button"
          className="metric-card-grip"
          aria-label={t.charts.move(name)}
          title={t.charts.move(name)}
          draggable
          onDragStart={(event) => event.dataTransfer.setData(DRAG_TYPE, name)}
          onKeyDown={onKeyDown}
        >
          <GripVertical size={14} />
        </button>
        <span className="truncate metric-card-name" title={name}>
          {name}
        </span>
        {isNear && <CardBody {...props} />}
      </figcaption>
    </figure>
  );
}

/** What is in a card that is near: the menu and the chart, with its data. */
function CardBody(props: MetricCardProps) {
  const { name, runs, groups, layout, isPinned, height, sync } = props;
  const t = useStrings();
  const settings = layout.cards?.[name] ?? {};
  const axis = layout.x ?? "step";
  const logX = layout.logX ?? false;
  const logY = settings.logY ?? layout.logY ?? false;
  const [dialog, setDialog] = useState<"large" | "range">();
  const [zoom, setZoom] = useState<{ x: [number, number]; steps: StepRange; axis: string }>();
  // A part of one axis is no part of another.
  const shownZoom = zoom?.axis === axis ? zoom : undefined;
  const { series, isPending, error } = useMetricSeries(name, runs, dialog === "large" ? 1200 : 400, shownZoom?.steps);
  const lines = useMemo(() => {
    const inView = shownZoom ? series.map((one) => within(one, axis, shownZoom.x)) : series;
    return toLines(inView, { axis, logX, logY, maxPlaces: MAX_PLACES });
  }, [series, shownZoom, axis, logX, logY]);
  const spread = layout.groups === "deviation" ? "deviation" : "range";
  const drawn = useMemo(() => (groups ? groupLines(lines, groups, spread) : lines), [lines, groups, spread]);
  const members = useMemo(
    () => groups?.map(({ key, name: groupName, color }) => ({ runId: key, name: groupName, color, isRunning: false })),
    [groups],
  );
  const canvas = useRef<HTMLCanvasElement>(undefined);
  const keepCanvas = useCallback((element: HTMLCanvasElement | undefined) => {
    canvas.current = element;
  }, []);
  const byId = new Map<string, ChartRun>((members ?? runs).map((run) => [run.runId, run]));
  const isBars = series.length > 0 && series.every(({ points }) => points.length === 1) && shownZoom === undefined;

  const bars = (): Bar[] =>
    groups
      ? groupBars(series, groups, spread).map(({ key, mean, ...group }) => {
          const { name: groupName, color } = byId.get(key)!;
          return { key, name: groupName, color, value: mean, group };
        })
      : series.map(({ runId, points }) => {
          const { name: runName = runId, color = "", address } = byId.get(runId) ?? {};
          return { key: runId, name: runName, color, address, value: points[0]!.value };
        });
  const values = groups
    ? drawn.runs.map(({ runId, last }) => [runId, last.findLast((value) => value !== null)] as const)
    : series.map(({ runId, points }) => [runId, points.at(-1)?.value] as const);

  function zoomTo(range: [number, number] | undefined) {
    if (range === undefined) return setZoom(undefined);
    const steps = series.flatMap((one) => within(one, axis, range).points.map(({ step }) => step));
    if (axis === "step") steps.push(Math.floor(range[0]), Math.ceil(range[1]));
    if (steps.length === 0) return;
    const [start, end] = [Math.min(...steps), Math.max(...steps)];
    setZoom({ x: range, steps: { start, end }, axis });
  }
  const names = new Map(runs.map(({ runId, name: runName }) => [runId, runName]));
  async function saveAllPoints() {
    const all = await Promise.all(runs.map(({ runId }) => readHistory(runId, name)));
    download(`${name}.csv`, seriesCsv(toSeries(all.flat(), [...names.keys()]), names), "text/csv");
  }
  function saveSvg() {
    const values = drawn.runs.flatMap(({ min, max }) => [...min, ...max]).filter((value) => value !== null);
    const yRange: [number, number] = [
      settings.min ?? values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      settings.max ?? values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    ];
    const options = { title: name, xLabel: t.charts.xLabels[axis], runs: byId, logX, logY, yRange };
    download(`${name}.svg`, chartSvg(drawn, options), "image/svg+xml");
  }
  const savePng = () => canvas.current?.toBlob((blob) => blob && download(`${name}.png`, blob));

  const chart = (chartHeight: number) =>
    isBars ? (
      <BarList bars={bars()} height={chartHeight} />
    ) : (
      <LineChart
        lines={drawn}
        runs={members ?? runs}
        axis={axis}
        logX={logX}
        logY={logY}
        smoothing={layout.smoothing ?? 0}
        outliers={layout.outliers ?? false}
        fixed={settings}
        height={chartHeight}
        sync={sync}
        onZoom={zoomTo}
        canvasRef={keepCanvas}
      />
    );
  return (
    <>
      <span className="spacer" />
      {shownZoom && (
        <Button onClick={() => setZoom(undefined)} className="metric-card-zoom">
          <RotateCcw size={12} aria-hidden /> {t.charts.resetZoom}
        </Button>
      )}
      <Menu align="end" label={t.charts.cardMenu(name)} button={<Ellipsis size={15} />} buttonClass="icon-button">
        <MenuItem onSelect={() => setDialog("large")}>{t.charts.maximize}</MenuItem>
        <MenuItem checked={isPinned} onSelect={props.onPin}>
          {t.charts.pin}
        </MenuItem>
        <MenuItem onSelect={props.onHide}>{t.charts.hide}</MenuItem>
        <hr />
        <MenuItem checked={logY} onSelect={() => props.onSettings({ ...settings, logY: !logY })}>
          {t.charts.logY}
        </MenuItem>
        <MenuItem onSelect={() => setDialog("range")}>{t.charts.yRange}</MenuItem>
        <hr />
        {!isBars && <MenuItem onSelect={savePng}>{t.charts.savePng}</MenuItem>}
        <MenuItem onSelect={saveSvg}>{t.charts.saveSvg}</MenuItem>
        <MenuItem onSelect={() => download(`${name}.csv`, seriesCsv(series, names), "text/csv")}>
          {t.charts.saveCsv}
        </MenuItem>
        <MenuItem onSelect={() => void saveAllPoints().catch(showError)}>{t.charts.saveAllCsv}</MenuItem>
        <MenuItem onSelect={() => void copyText(location.href).catch(showError)}>{t.charts.copyLink}</MenuItem>
      </Menu>
      <div
        className="metric-card-body"
        role={isBars ? "group" : "img"}
        aria-label={summary(name, values, byId, t.charts)}
      >
        {error ? (
          <Problem error={error} />
        ) : isPending ? (
          <div className="metric-card-waiting" style={{ height }} />
        ) : series.length === 0 ? (
          <p className="muted metric-card-empty">{t.charts.noPoints}</p>
        ) : (
          dialog !== "large" && chart(height)
        )}
        {lines.leftOut > 0 && <p className="muted metric-card-note">{t.charts.leftOut(lines.leftOut)}</p>}
      </div>
      {dialog === "large" && (
        <Dialog wide title={name} onClose={() => setDialog(undefined)}>
          {chart(LARGE_HEIGHT)}
        </Dialog>
      )}
      {dialog === "range" && (
        <RangeDialog name={name} settings={settings} onChange={props.onSettings} onClose={() => setDialog(undefined)} />
      )}
    </>
  );
}

/** The points of a run that are within a part of x. */
function within(series: RunSeries, axis: "step" | "relative" | "wall", [low, high]: [number, number]): RunSeries {
  const places = placesOf(series, axis);
  return { ...series, points: series.points.filter((_, at) => places[at]! >= low && places[at]! <= high) };
}

/** What a chart says to those who do not see it. */
function summary(
  name: string,
  last: readonly (readonly [string, number | null | undefined])[],
  runs: ReadonlyMap<string, ChartRun>,
  words: { summary: (name: string, values: string) => string; more: (count: number) => string },
): string {
  const values = last
    .slice(0, MAX_SUMMARIZED)
    .map(([runId, value]) => `${runs.get(runId)?.name ?? runId} ${formatNumber(value)}`);
  if (last.length > MAX_SUMMARIZED) values.push(words.more(last.length - MAX_SUMMARIZED));
  return words.summary(name, values.join(", "));
}

/** Every point of a metric of a run, read page by page. */
async function readHistory(runId: string, key: string) {
  const found = [];
  let pageToken: string | undefined;
  do {
    const query = { run_id: runId, metric_key: key, max_results: 25_000, page_token: pageToken };
    const answer = await ask(api.GET("/api/2.0/mlflow/metrics/get-history", { params: { query } }));
    found.push(...(answer.metrics ?? []).map((point) => ({ ...point, run_id: runId })));
    pageToken = answer.next_page_token ?? undefined;
  } while (pageToken !== undefined);
  return found;
}
