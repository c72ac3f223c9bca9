import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useId, useState } from "react";
import { runColumnsQuery } from "../../../api/runs";
import { IconButton } from "../../../components/Button";
import { FormDialog } from "../../../components/Dialog";
import { Loading, Problem } from "../../../components/Problem";
import { useStrings } from "../../../i18n";
import { axisColumns, finished, newDraft, type PlotDraft } from "../../../lib/plots/defaults";
import { type Plot, type PlotKind, type Scale } from "../../../lib/plots/plot";
import { ColumnSelect } from "./ColumnSelect";
import { nameOf } from "./options/base";
import "./PlotDialog.css";

interface PlotDialogProps {
  experimentIds: string[];
  plots: Plot[];
  /** The kind of a new plot, or the plot that is edited. */
  edited: PlotKind | Plot;
  onClose: () => void;
  onDone: (plot: Plot) => void;
}

/** Choose the axes of a plot. */
export function PlotDialog({ experimentIds, plots, edited, onClose, onDone }: PlotDialogProps) {
  const t = useStrings();
  const available = useQuery(runColumnsQuery(experimentIds));
  const [changed, setDraft] = useState<PlotDraft>();
  const isNew = typeof edited === "string";
  const kind = isNew ? edited : edited.kind;
  const initial = isNew ? available.data && newDraft(edited, available.data, plots) : (edited as PlotDraft);
  const draft = changed ?? initial;
  const plot = draft && finished(draft);
  return (
    <FormDialog
      title={isNew ? t.plots.newPlot(t.plots.kinds[kind]) : t.plots.editPlot}
      submitLabel={isNew ? t.plots.add : t.common.save}
      canSubmit={plot !== undefined}
      onClose={onClose}
      onSubmit={() => {
        if (plot) onDone(plot);
        return Promise.resolve();
      }}
    >
      {available.error && <Problem error={available.error} onRetry={() => void available.refetch()} />}
      {available.isPending && <Loading lines={3} />}
      {draft && available.data && (
        <Fields
          draft={draft}
          columns={axisColumns(available.data)}
          onChange={(next) => setDraft({ ...draft, ...next })}
        />
      )}
    </FormDialog>
  );
}

interface FieldsProps {
  draft: PlotDraft;
  columns: string[];
  onChange: (changes: Partial<PlotDraft>) => void;
}

function Fields({ draft, columns, onChange }: FieldsProps) {
  const t = useStrings();
  const metrics = columns.filter((column) => column.startsWith("metrics."));
  const axis = (name: "x" | "y" | "z" | "by" | "color", label: string, from = columns) => (
    <div className="plot-dialog-axis">
      <ColumnSelect
        label={label}
        value={draft[name]}
        columns={from}
        isOptional={name === "color"}
        onChange={(column) => onChange({ [name]: column })}
      />
      {name !== "by" && draft[name] && <ScaleSelect column={draft[name]} draft={draft} onChange={onChange} />}
    </div>
  );
  switch (draft.kind) {
    case "bar":
      return (
        <>
          {axis("y", t.plots.metricOf)}
          <OrderSelect draft={draft} onChange={onChange} />
        </>
      );
    case "scatter":
      return (
        <>
          {axis("x", t.plots.xAxis)}
          {axis("y", t.plots.yAxis)}
          {axis("color", t.plots.colorBy)}
        </>
      );
    case "contour":
      return (
        <>
          {axis("x", t.plots.xAxis)}
          {axis("y", t.plots.yAxis)}
          {axis("z", t.plots.zAxis, metrics)}
        </>
      );
    case "box":
      return (
        <>
          {axis("y", t.plots.metricOf)}
          {axis("by", t.plots.groupBy)}
        </>
      );
    case "parallel":
      return <ParallelAxes draft={draft} columns={columns} onChange={onChange} />;
    case "importance":
      return (
        <ColumnSelect
          label={t.plots.targetMetric}
          value={draft.y}
          columns={metrics}
          onChange={(y) => onChange({ y })}
        />
      );
  }
}

function ParallelAxes({ draft, columns, onChange }: FieldsProps) {
  const t = useStrings();
  const axes = draft.axes ?? [];
  const move = (at: number, offset: number) => {
    const next = axes.filter((_, place) => place !== at);
    next.splice(at + offset, 0, axes[at]!);
    onChange({ axes: next });
  };
  return (
    <>
      <div className="field">
        <span className="label">{t.plots.axes}</span>
        <ol className="plot-dialog-axes">
          {axes.map((column, at) => {
            const name = nameOf(column, t);
            return (
              <li key={column} className="row">
                <span className="truncate spacer" title={column}>
                  {name}
                </span>
                <ScaleSelect column={column} draft={draft} onChange={onChange} />
                <IconButton label={t.plots.axisEarlier(name)} disabled={at === 0} onClick={() => move(at, -1)}>
                  <ArrowUp size={14} />
                </IconButton>
                <IconButton
                  label={t.plots.axisLater(name)}
                  disabled={at === axes.length - 1}
                  onClick={() => move(at, 1)}
                >
                  <ArrowDown size={14} />
                </IconButton>
                <IconButton
                  label={t.plots.removeAxis(name)}
                  onClick={() => onChange({ axes: axes.filter((other) => other !== column) })}
                >
                  <X size={14} />
                </IconButton>
              </li>
            );
          })}
        </ol>
        {axes.length < 2 && <p className="help">{t.plots.atLeastTwoAxes}</p>}
      </div>
      <ColumnSelect
        label={t.plots.addAxis}
        value={undefined}
        clears
        columns={columns.filter((column) => !axes.includes(column))}
        onChange={(column) => column && onChange({ axes: [...axes, column] })}
      />
    </>
  );
}

function ScaleSelect({ column, draft, onChange }: { column: string } & Pick<FieldsProps, "draft" | "onChange">) {
  const t = useStrings();
  const name = nameOf(column, t);
  return (
    <select
      className="input plot-dialog-scale"
      aria-label={t.plots.scaleOf(name)}
      title={t.plots.scaleOf(name)}
      value={draft.scales?.[column] ?? "auto"}
      onChange={(event) => {
        const rest = Object.entries(draft.scales ?? {}).filter(([other]) => other !== column);
        const scale = event.target.value;
        const scales = scale === "auto" ? rest : [...rest, [column, scale as Scale] as const];
        onChange({ scales: scales.length > 0 ? Object.fromEntries(scales) : undefined });
      }}
    >
      {(["auto", "linear", "log"] as const).map((scale) => (
        <option key={scale} value={scale}>
          {t.plots.scales[scale]}
        </option>
      ))}
    </select>
  );
}

function OrderSelect({ draft, onChange }: Pick<FieldsProps, "draft" | "onChange">) {
  const t = useStrings();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t.plots.order}</label>
      <select
        id={id}
        className="input"
        value={draft.order ?? "value"}
        onChange={({ target }) =>
          onChange({ order: target.value === "value" ? undefined : (target.value as "name" | "runs") })
        }
      >
        {(["value", "name", "runs"] as const).map((order) => (
          <option key={order} value={order}>
            {t.plots.orders[order]}
          </option>
        ))}
      </select>
    </div>
  );
}
