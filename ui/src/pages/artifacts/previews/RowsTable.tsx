import { Button } from "../../../components/Button";
import { useStrings } from "../../../i18n";

interface RowsTableProps {
  header: readonly string[];
  rows: readonly (readonly unknown[])[];
  /** Of the first row that is shown, from 0. */
  start: number;
  /** How many rows there are, or a text that says how many are known. */
  total: string;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
}

/** A page of rows of a table in a file. */
export function RowsTable({ header, rows, start, total, onPrevious, onNext }: RowsTableProps) {
  const t = useStrings();
  return (
    <>
      <p className="row wrap muted">
        <span>
          {t.artifacts.rows(Math.min(start + 1, start + rows.length), start + rows.length, total)},{" "}
          {t.artifacts.columns(header.length)}
        </span>
        <Button disabled={!onPrevious} onClick={onPrevious}>
          {t.artifacts.previousRows}
        </Button>
        <Button disabled={!onNext} onClick={onNext}>
          {t.artifacts.nextRows}
        </Button>
      </p>
      <div className="card artifact-rows" tabIndex={0} role="region" aria-label={t.artifacts.title}>
        <table className="plain-table">
          <thead>
            <tr>
              {header.map((name, at) => (
                <th key={at} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={start + at}>
                {header.map((_, column) => (
                  <td key={column} className={typeof row[column] === "number" ? "numeric" : ""}>
                    {cellText(row[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
  }
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- an object has been dealt with
  return String(value).slice(0, 500);
}
