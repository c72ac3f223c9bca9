import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, Star } from "lucide-react";
import { memo, useCallback, useRef, useState } from "react";
import { Dialog } from "../../components/Dialog";
import { useStrings } from "../../i18n";
import { bestColumns, deltaText, type Goal, goalOf } from "../../lib/compare/best";
import { type CompareGroup, type CompareRow, type GroupName, differentCells } from "../../lib/compare/table";
import { formatDuration } from "../../lib/format";
import { useIsNarrow } from "../../lib/narrow";
import type { ChartRun } from "../charts/ChartsPanel";
import "./CompareTable.css";

const ROW_PX = 33;
const SPARE_ROWS = 15;
/** Texts of this length may not fit into their cell, and open on their own. */
const LONG_TEXT = 90;
const NAME_PX = { wide: 230, narrow: 130 };
const COLUMN_PX = { wide: 176, narrow: 140 };

interface CompareTableProps {
  runs: ChartRun[];
  groups: CompareGroup[];
  /** Whether rows are left out by their names, which is another reason to be empty than having no differences. */
  isFiltered: boolean;
  /** Whether a group has rows when none is left out. */
  hasRows: (name: GroupName) => boolean;
  closed: ReadonlySet<GroupName>;
  onToggle: (name: GroupName) => void;
  /** The column that the others are measured against. */
  baseline: number | undefined;
  /** Which value of a metric is best; by its name, where undefined. */
  best: Goal | undefined;
  isLoadingMetrics: boolean;
}

type Line = { kind: "group"; group: CompareGroup } | { kind: "row"; group: GroupName; row: CompareRow };

/** The rows of all groups, a column for each run; only the lines that are in view are drawn. */
export function CompareTable(props: CompareTableProps) {
  const { runs, groups, isFiltered, hasRows, closed, onToggle, baseline, best, isLoadingMetrics } = props;
  const t = useStrings();
  const isNarrow = useIsNarrow();
  const scroller = useRef<HTMLDivElement>(null);
  const [whole, setWhole] = useState<{ title: string; text: string }>();
  const showWhole = useCallback(
    (key: string, column: number, text: string) =>
      setWhole({ title: t.compare.wholeText(key, runs[column]!.name), text }),
    [t, runs],
  );
  const lines = groups.flatMap((group): Line[] => [
    { kind: "group", group },
    ...(closed.has(group.name) ? [] : group.rows.map((row): Line => ({ kind: "row", group: group.name, row }))),
  ]);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: SPARE_ROWS,
    getItemKey: (index) => {
      const line = lines[index]!;
      return line.kind === "group" ? line.group.name : `${line.group} ${line.row.key}`;
    },
  });
  const drawn = virtualizer.getVirtualItems();
  const before = drawn[0]?.start ?? 0;
  const after = virtualizer.getTotalSize() - (drawn.at(-1)?.end ?? 0);
  const size = isNarrow ? "narrow" : "wide";
  const width = NAME_PX[size] + runs.length * COLUMN_PX[size];
  return (
    <div ref={scroller} className="card compare-table-scroll" tabIndex={0} role="group" aria-label={t.compare.table}>
      <table
        className="compare-table"
        style={{ minWidth: width }}
        aria-rowcount={lines.length + 1}
        aria-label={t.compare.table}
      >
        <colgroup>
          <col style={{ width: NAME_PX[size] }} />
          {runs.map(({ runId }) => (
            // They share what is left of the width.
            <col key={runId} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            <td className="compare-table-legend muted">
              <Mark /> {baseline === undefined ? t.compare.legendDiffers : t.compare.legendBaseline}
              <br />
              <Best /> {t.compare.bestValue}
            </td>
            {runs.map(({ runId, name, color }, column) => (
              <th key={runId} scope="col" style={{ borderTopColor: color }}>
                <span className="compare-table-name" title={name}>
                  {name}
                </span>
                {column === baseline && <span className="chip accent">{t.compare.isBaseline}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer height={before} columnCount={runs.length + 1} />
          {drawn.map(({ index, key }) => {
            const line = lines[index]!;
            const shared = { ref: virtualizer.measureElement, "data-index": index, "aria-rowindex": index + 2 };
            if (line.kind === "row") {
              return (
                <tr key={key} {...shared} className={line.row.differs ? "differs" : ""}>
                  <Cells
                    row={line.row}
                    goal={line.group === "metrics" ? (best ?? goalOf(line.row.key)) : "none"}
                    isMetric={line.group === "metrics"}
                    baseline={baseline}
                    onShowWhole={showWhole}
                  />
                </tr>
              );
            }
            const { name, rows } = line.group;
            const title = t.compare.groups[name];
            const isClosed = closed.has(name);
            const nothing = !hasRows(name) ? t.compare.nothing : isFiltered ? t.compare.noRow : t.compare.noDifferences;
            const isLoading = name === "metrics" && isLoadingMetrics;
            return (
              <tr key={key} {...shared} className="compare-table-group">
                <th scope="rowgroup" colSpan={runs.length + 1}>
                  <span className="row">
                    <button
                      type="button"
                      aria-expanded={!isClosed}
                      aria-label={isClosed ? t.compare.showGroup(title) : t.compare.hideGroup(title)}
                      onClick={() => onToggle(name)}
                    >
                      {isClosed ? <ChevronRight size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />}
                      {title}
                    </button>
                    <span className="muted">
                      {isLoading ? t.common.loading : rows.length === 0 ? nothing : t.compare.rowCount(rows.length)}
                    </span>
                  </span>
                </th>
              </tr>
            );
          })}
          <Spacer height={after} columnCount={runs.length + 1} />
        </tbody>
      </table>
      {whole && (
        <Dialog title={whole.title} wide onClose={() => setWhole(undefined)}>
          <pre className="compare-table-whole">{whole.text}</pre>
        </Dialog>
      )}
    </div>
  );
}

interface CellsProps {
  row: CompareRow;
  goal: Goal;
  isMetric: boolean;
  baseline: number | undefined;
  onShowWhole: (key: string, column: number, text: string) => void;
}

/** The cells of a row; there may be thousands in view, so they are drawn again only when they change. */
const Cells = memo(function Cells({ row, goal, isMetric, baseline, onShowWhole }: CellsProps) {
  const t = useStrings();
  const best = isMetric && row.numbers ? bestColumns(row.numbers, goal) : [];
  const odd = differentCells(row, baseline);
  const goalWords = goal === "min" ? t.compare.lowerIsBetter : t.compare.higherIsBetter;
  return (
    <>
      <th scope="row" title={row.key}>
        <span className="compare-table-key">{row.key}</span>
        {isMetric && goal !== "none" && (
          <span className="muted compare-table-goal" title={goalWords}>
            <span aria-hidden>{goal === "min" ? "↓" : "↑"}</span>
            <span className="visually-hidden"> {goalWords}</span>
          </span>
        )}
      </th>
      {row.values.map((value, column) => {
        const isOdd = odd[column];
        const isBest = best.includes(column);
        const delta =
          baseline !== undefined && column !== baseline && row.numbers
            ? deltaText(row.numbers[column], row.numbers[baseline], row.isDuration ? formatDuration : undefined)
            : undefined;
        const link = row.links?.[column];
        return (
          // A column is a run, and every row has a cell for each.
          <td key={column} className={`${isOdd ? "odd" : ""} ${isBest ? "best" : ""} ${isMetric ? "number" : ""}`}>
            {isOdd && (
              <>
                <Mark />
                <span className="visually-hidden">{t.compare.differs}: </span>
              </>
            )}
            {isBest && (
              <>
                <Best />
                <span className="visually-hidden">{t.compare.bestValue}: </span>
              </>
            )}
            {value === undefined ? (
              <span className="muted">{t.compare.missing}</span>
            ) : link ? (
              <a
                href={link}
                target="_blank"
                rel="noopener noreferrer"
                className="compare-table-value mono"
                title={value}
              >
                {value.slice(0, 12)}
              </a>
            ) : (
              <span className="compare-table-value" title={value}>
                {value}
              </span>
            )}
            {value !== undefined && value.length > LONG_TEXT && (
              <button
                type="button"
                className="compare-table-more"
                aria-label={t.compare.fullValue}
                title={t.compare.fullValue}
                onClick={() => onShowWhole(row.key, column, value)}
              >
                …
              </button>
            )}
            {delta && <span className="compare-table-delta muted">{delta}</span>}
          </td>
        );
      })}
    </>
  );
});

function Spacer({ height, columnCount }: { height: number; columnCount: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <td colSpan={columnCount} style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}

function Mark() {
  return (
    <span className="compare-table-mark" aria-hidden>
      ≠
    </span>
  );
}

function Best() {
  return <Star size={12} className="compare-table-best" aria-hidden />;
}
