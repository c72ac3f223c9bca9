import { useNavigate } from "@tanstack/react-router";
import { EllipsisVertical, GripVertical } from "lucide-react";
import { type DragEvent, type KeyboardEvent, lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { Menu, MenuItem } from "../../../components/Menu";
import { Loading, Problem } from "../../../components/Problem";
import { showError } from "../../../components/Toasts";
import { type Strings, useStrings } from "../../../i18n";
import { download } from "../../../lib/exportRuns";
import { type Brush, brushedRows, setIntervals } from "../../../lib/plots/brush";
import { csvOf, dataTable, fileNameOf } from "../../../lib/plots/data";
import { columnsOf, type Plot } from "../../../lib/plots/plot";
import type { ChartRun } from "../ChartsPanel";
import { BrushControls } from "./BrushControls";
import { DataDialog } from "./DataDialog";
import { ImportanceNotes } from "./ImportanceNotes";
import { drawingOf } from "./options";
import { nameOf, type PlotData } from "./options/base";
import { runExperiments } from "./runExperiments";
import { usePlotData } from "./usePlotData";
import { usePlotTheme } from "./usePlotTheme";
import "./PlotCard.css";

const PlotCanvas = lazy(() => import("./PlotCanvas"));

const HEIGHT_PX = 320;
const EXPORT_WIDTH_PX = 900;
const PIXEL_RATIO = 2;

interface PlotCardProps {
  plot: Plot;
  experimentIds: string[];
  runs: ChartRun[];
  onChange: (plot: Plot) => void;
  onEdit: () => void;
  onRemove: () => void;
  /** Move it so many places further on. */
  onMove: (offset: number) => void;
  /** Called with the id of the plot that is dragged onto this one. */
  onDropped: (id: string) => void;
  onBrush?: (runIds: string[]) => void;
}

/** A plot with its title and what can be done with it. */
export function PlotCard(props: PlotCardProps) {
  const { plot, experimentIds, runs, onChange, onEdit, onRemove, onMove, onDropped, onBrush } = props;
  const t = useStrings();
  const [showsData, setShowsData] = useState(false);
  const [isTarget, setTarget] = useState(false);
  const { data, error, retry } = usePlotData(plot, experimentIds, runs);
  const title = titleOf(plot, t);

  function onDragOver(event: DragEvent) {
    if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
    event.preventDefault();
    setTarget(true);
  }

  function onDrop(event: DragEvent) {
    setTarget(false);
    const id = event.dataTransfer.getData(DRAG_TYPE);
    if (id === "") return;
    event.preventDefault();
    onDropped(id);
  }

  function onHandleKey(event: KeyboardEvent) {
    const offset = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (offset === undefined) return;
    event.preventDefault();
    onMove(offset);
  }

  return (
    <article
      className={`card plot-card ${plot.kind === "parallel" ? "wide" : ""} ${isTarget ? "target" : ""}`}
      aria-label={title}
      onDragOver={onDragOver}
      onDragLeave={() => setTarget(false)}
      onDrop={onDrop}
    >
      <header className="row">
        <button
          type="button"
          className="icon-button plot-card-handle"
          aria-label={t.plots.moveHandle(title)}
          title={t.plots.moveHandle(title)}
          draggable
          onDragStart={(event) => {
            event.dataTransfer.setData(DRAG_TYPE, plot.id);
            event.dataTransfer.effectAllowed = "move";
          }}
          onKeyDown={onHandleKey}
        >
          <GripVertical size={14} />
        </button>
        <h3 className="truncate spacer" title={title}>
          {title}
        </h3>
        <PlotMenu
          plot={plot}
          title={title}
          data={data}
          onEdit={onEdit}
          onRemove={onRemove}
          onMove={onMove}
          onShowData={() => setShowsData(true)}
        />
      </header>
      {error ? (
        <div className="plot-card-note">
          <Problem error={error} onRetry={retry} />
        </div>
      ) : data ? (
        <Drawn plot={plot} title={title} data={data} onChange={onChange} onBrush={onBrush} />
      ) : (
        <Loading />
      )}
      {showsData && data && (
        <DataDialog title={title} data={data} columns={Object.keys(data.columns)} onClose={() => setShowsData(false)} />
      )}
    </article>
  );
}

const DRAG_TYPE = "application/x-runyard-plot";

interface DrawnProps {
  plot: Plot;
  title: string;
  data: PlotData;
  onChange: (plot: Plot) => void;
  onBrush?: (runIds: string[]) => void;
}

function Drawn({ plot, title, data, onChange, onBrush }: DrawnProps) {
  const t = useStrings();
  const theme = usePlotTheme();
  const navigate = useNavigate();
  const [brush, setBrush] = useState<Brush>({});
  const drawing = useMemo(() => drawingOf(plot, { data, theme, t }), [plot, data, theme, t]);
  const { axes, rows, missing } = drawing;
  const selected = useMemo(() => brushedRows(axes, brush, rows), [axes, brush, rows]);
  const isParallel = plot.kind === "parallel";
  const notes: ReactNode = missing.map(({ column, missing: count }) => {
    const isLog = axes.find((axis) => axis.column === column)?.scale === "log";
    const name = nameOf(column, t);
    // NaN and the infinities were logged, and yet there is no place for them.
    const isThere = data.columns[column]?.some((cell) => cell === "NaN" || cell === "Infinity" || cell === "-Infinity");
    const words = isLog ? t.plots.missingLog(name) : isThere ? t.plots.missingFinite(name) : name;
    return <p key={column}>{t.plots.missing(count, data.runs.length, words)}</p>;
  });

  function openRun(row: number) {
    const { runId } = data.runs[row]!;
    runExperiments([runId])
      .then((found) => {
        const experimentId = found.get(runId);
        if (experimentId === undefined) return;
        return navigate({ to: "/experiments/$experimentId/runs/$runId", params: { experimentId, runId } });
      })
      .catch(showError);
  }

  return (
    <>
      {plot.kind === "importance" && <ImportanceNotes plot={plot} drawing={drawing} onChange={onChange} />}
      {rows.length === 0 ? (
        <p className="plot-card-note muted">{t.plots.nothingToDraw}</p>
      ) : (
        <div className="plot-card-scroll" tabIndex={0} role="group" aria-label={title}>
          <Suspense fallback={<Loading />}>
            <PlotCanvas
              option={drawing.option}
              height={drawing.height ?? HEIGHT_PX}
              minWidth={drawing.minWidth}
              label={t.plots.summary(title, rows.length)}
              onRun={openRun}
              {...(isParallel && {
                brush,
                onBrush: (column, intervals) => setBrush((now) => setIntervals(now, column, intervals)),
              })}
            />
          </Suspense>
        </div>
      )}
      {isParallel && rows.length > 0 && (
        <BrushControls
          axes={axes}
          brush={brush}
          onChange={setBrush}
          count={rows.length}
          selected={selected.length}
          onKeepOnly={
            onBrush &&
            (() => {
              setBrush({});
              onBrush(selected.map((row) => data.runs[row]!.runId));
            })
          }
        />
      )}
      {missing.length > 0 && <div className="plot-card-note muted">{notes}</div>}
    </>
  );
}

interface PlotMenuProps {
  plot: Plot;
  title: string;
  data: PlotData | undefined;
  onEdit: () => void;
  onRemove: () => void;
  onMove: (offset: number) => void;
  onShowData: () => void;
}

function PlotMenu({ plot, title, data, onEdit, onRemove, onMove, onShowData }: PlotMenuProps) {
  const t = useStrings();
  const theme = usePlotTheme();

  async function exportImage(format: "png" | "svg") {
    const { option, height = HEIGHT_PX, minWidth = 0 } = drawingOf(plot, { data: data!, theme, t });
    const width = Math.max(EXPORT_WIDTH_PX, minWidth);
    const { init, svgOf } = await import("./echarts");
    const opaque = { ...option, backgroundColor: theme.surface };
    if (format === "svg") {
      const svg = svgOf(opaque, width, height);
      return download(new Blob([svg], { type: "image/svg+xml" }), fileNameOf(title, "svg"));
    }
    const element = document.createElement("div");
    const size = { width, height };
    const chart = init(element, null, { renderer: "canvas", devicePixelRatio: PIXEL_RATIO, ...size });
    chart.setOption(opaque);
    const canvas = chart.renderToCanvas({ pixelRatio: PIXEL_RATIO });
    chart.dispose();
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done));
    if (blob) download(blob, fileNameOf(title, "png"));
  }

  function exportCsv() {
    const columns = plot.kind === "importance" ? Object.keys(data!.columns) : columnsOf(plot);
    const csv = csvOf(dataTable(data!.runs, columns, data!.columns));
    download(new Blob([csv], { type: "text/csv;charset=utf-8" }), fileNameOf(title, "csv"));
  }

  return (
    <Menu
      button={<EllipsisVertical size={16} aria-hidden />}
      label={t.plots.actionsOf(title)}
      buttonClass="icon-button"
      align="end"
    >
      <MenuItem onSelect={onEdit}>{t.plots.editPlot}</MenuItem>
      <MenuItem disabled={!data} onSelect={onShowData}>
        {t.plots.showData}
      </MenuItem>
      <hr />
      <MenuItem disabled={!data} onSelect={() => exportImage("png").catch(showError)}>
        {t.plots.exportPng}
      </MenuItem>
      <MenuItem disabled={!data} onSelect={() => exportImage("svg").catch(showError)}>
        {t.plots.exportSvg}
      </MenuItem>
      <MenuItem disabled={!data} onSelect={exportCsv}>
        {t.plots.exportCsv}
      </MenuItem>
      <hr />
      <MenuItem onSelect={() => onMove(-1)}>{t.plots.moveEarlier}</MenuItem>
      <MenuItem onSelect={() => onMove(1)}>{t.plots.moveLater}</MenuItem>
      <hr />
      <MenuItem danger onSelect={onRemove}>
        {t.plots.remove}
      </MenuItem>
    </Menu>
  );
}

/** What a plot is called, by its axes. */
export function titleOf(plot: Plot, t: Strings): string {
  const name = (column: string) => nameOf(column, t);
  switch (plot.kind) {
    case "bar":
      return name(plot.y);
    case "scatter":
      return plot.color
        ? t.plots.versusColored(name(plot.y), name(plot.x), name(plot.color))
        : t.plots.versus(name(plot.y), name(plot.x));
    case "contour":
      return t.plots.over(name(plot.z), name(plot.x), name(plot.y));
    case "box":
      return t.plots.versus(name(plot.y), name(plot.by));
    case "parallel":
      return t.plots.kinds.parallel;
    case "importance":
      return t.plots.importanceFor(name(plot.y));
  }
}
