import { Elapsed, RunStatus, Since } from "../../components/Text";
import { modelVersionAddress } from "../../lib/addresses";
import { formatDuration, formatNumber, toNumber } from "../../lib/format";
import type { Cell } from "../../lib/runs/cells";
import type { Column } from "../../lib/runs/columns";

interface CellTextProps {
  column: Column;
  cell: Cell | undefined;
  isRunning: boolean;
  startTime: Cell | undefined;
}

/** What a cell says; undefined is a cell that has not come yet. */
export function CellText({ column, cell, isRunning, startTime }: CellTextProps) {
  if (cell === undefined) return <span className="runs-grid-waiting" />;
  if (column.kind === "metrics") {
    if (cell === null) return null;
    const isFinite = Number.isFinite(toNumber(cell as number));
    return (
      <span className={isFinite ? "truncate" : "truncate runs-grid-odd"} title={String(cell)}>
        {formatNumber(cell as number)}
      </span>
    );
  }
  if (column.kind !== "attributes") return <Words text={cell} />;
  switch (column.key) {
    case "start_time":
    case "end_time":
      return <Since timeMs={cell as number | null} />;
    case "duration":
      if (cell === null) return isRunning && typeof startTime === "number" ? <Elapsed sinceMs={startTime} /> : null;
      return <span className="truncate">{formatDuration(cell as number)}</span>;
    case "status":
      return <RunStatus status={String(cell)} />;
    case "models":
      return <Models names={(cell as string[] | null) ?? []} />;
    case "datasets":
      return <Words text={((cell as string[] | null) ?? []).join(", ")} />;
    default:
      return <Words text={cell} />;
  }
}

function Words({ text }: { text: Cell }) {
  if (text === null) return null;
  const words = String(text);
  return (
    <span className="truncate" title={words.slice(0, 1000)}>
      {words.slice(0, 300)}
    </span>
  );
}

/** Logged models come as "m:<model id>:<name>", registered versions as "v:<name>:<version>". */
function Models({ names }: { names: string[] }) {
  return (
    <span className="truncate" title={names.map(shortName).join(", ")}>
      {names.map((name) => {
        const version = /^v:(.*):(\d+)$/s.exec(name);
        return (
          <span key={name}>
            {version ? (
              <a tabIndex={-1} href={modelVersionAddress(version[1]!, version[2]!)}>
                {shortName(name)}
              </a>
            ) : (
              shortName(name)
            )}{" "}
          </span>
        );
      })}
    </span>
  );
}

function shortName(name: string): string {
  const version = /^v:(.*):(\d+)$/s.exec(name);
  return version ? `${version[1]} v${version[2]}` : name.replace(/^m:[^:]*:/, "");
}
