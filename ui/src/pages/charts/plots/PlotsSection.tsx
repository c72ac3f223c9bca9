import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { Menu, MenuItem } from "../../../components/Menu";
import { showToast } from "../../../components/Toasts";
import { useStrings } from "../../../i18n";
import { movePlot, type Plot, PLOT_KINDS, type PlotKind, readPlots } from "../../../lib/plots/plot";
import type { ChartRun } from "../ChartsPanel";
import { PlotCard, titleOf } from "./PlotCard";
import { PlotDialog } from "./PlotDialog";
import "./PlotsSection.css";

export type { Plot };

interface PlotsSectionProps {
  experimentIds: string[];
  runs: ChartRun[];
  /** Compact JSON, fit for an address. */
  plots: Plot[];
  onPlotsChange: (plots: Plot[]) => void;
  /** Called with the runs that the reader wants to keep of those in parallel coordinates. */
  onBrush?: (runIds: string[]) => void;
}

/** Plots of some runs by their params and metrics, and the menu that adds one. */
export function PlotsSection({ experimentIds, runs, plots: given, onPlotsChange, onBrush }: PlotsSectionProps) {
  const t = useStrings();
  // They come from addresses, which people and programs change.
  const plots = useMemo(() => readPlots(given), [given]);
  const [edited, setEdited] = useState<PlotKind | Plot>();
  const replace = (plot: Plot) => onPlotsChange(plots.map((other) => (other.id === plot.id ? plot : other)));

  function remove(plot: Plot) {
    const before = plots;
    onPlotsChange(plots.filter(({ id }) => id !== plot.id));
    showToast(t.plots.removed(titleOf(plot, t)), { undo: () => Promise.resolve(onPlotsChange(before)) });
  }

  return (
    <section className="plots-section" aria-label={t.plots.title}>
      <div className="row wrap">
        <h2>{t.plots.title}</h2>
        <span className="spacer" />
        <Menu
          align="end"
          button={
            <>
              <Plus size={14} aria-hidden /> {t.plots.add}
            </>
          }
        >
          {PLOT_KINDS.map((kind) => (
            <MenuItem key={kind} onSelect={() => setEdited(kind)}>
              <span className="plots-section-kind">
                {t.plots.kinds[kind]}
                <span className="muted">{t.plots.kindHelp[kind]}</span>
              </span>
            </MenuItem>
          ))}
        </Menu>
      </div>
      {runs.length === 0 ? (
        <p className="muted">{t.plots.noRuns}</p>
      ) : plots.length === 0 ? (
        <p className="muted">{t.plots.emptyHelp}</p>
      ) : (
        <div className="plots-section-grid">
          {plots.map((plot, at) => (
            <PlotCard
              key={plot.id}
              plot={plot}
              experimentIds={experimentIds}
              runs={runs}
              onChange={replace}
              onEdit={() => setEdited(plot)}
              onRemove={() => remove(plot)}
              onMove={(offset) => onPlotsChange(movePlot(plots, plot.id, offset))}
              onDropped={(id) => onPlotsChange(movePlot(plots, id, at - plots.findIndex((other) => other.id === id)))}
              onBrush={onBrush}
            />
          ))}
        </div>
      )}
      {edited && (
        <PlotDialog
          experimentIds={experimentIds}
          plots={plots}
          edited={edited}
          onClose={() => setEdited(undefined)}
          onDone={(plot) => (typeof edited === "string" ? onPlotsChange([...plots, plot]) : replace(plot))}
        />
      )}
    </section>
  );
}
