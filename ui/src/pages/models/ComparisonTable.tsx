import { Fragment, type ReactNode } from "react";
import { useStrings } from "../../i18n";
import type { ComparedGroup } from "../../lib/models/compareVersions";
import { type ComparedRow, isOdd } from "../../lib/models/comparison";
import "./ComparisonTable.css";

interface ComparisonTableProps {
  columns: { key: string; heading: ReactNode }[];
  groups: ComparedGroup[];
  onlyDifferences: boolean;
}

/** Things side by side, one a column; what differs is marked by a sign and a word, not by colour alone. */
export function ComparisonTable({ columns, groups, onlyDifferences }: ComparisonTableProps) {
  const t = useStrings();
  return (
    <div className="table-scroll card comparison">
      <table className="plain-table comparison-table">
        <thead>
          <tr>
            <td className="muted comparison-legend">
              <Mark /> {t.models.differenceMark}
            </td>
            {columns.map(({ key, heading }) => (
              <th key={key} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <Group key={group.title} group={group} onlyDifferences={onlyDifferences} columnCount={columns.length} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface GroupProps {
  group: ComparedGroup;
  onlyDifferences: boolean;
  columnCount: number;
}

function Group({ group, onlyDifferences, columnCount }: GroupProps) {
  const t = useStrings();
  const rows = onlyDifferences ? group.rows.filter((row) => row.differs) : group.rows;
  return (
    <Fragment>
      <tr className="comparison-group">
        <th scope="rowgroup" colSpan={columnCount + 1}>
          <span>{group.title}</span>
        </th>
      </tr>
      {rows.length === 0 && (
        <tr>
          <td className="muted" colSpan={columnCount + 1}>
            <span className="comparison-note">
              {group.rows.length === 0 ? t.models.nothingHere : t.models.noDifferences}
            </span>
          </td>
        </tr>
      )}
      {rows.map((row) => (
        <Row key={row.key} row={row} isNumeric={group.kind === "numbers"} />
      ))}
    </Fragment>
  );
}

function Row({ row, isNumeric }: { row: ComparedRow; isNumeric: boolean }) {
  const t = useStrings();
  return (
    <tr className={row.differs ? "differs" : ""}>
      <th scope="row">{row.key}</th>
      {row.values.map((value, column) => (
        // A column is a version, and rows have a cell for each.
        <td key={column} className={isNumeric ? "mono" : ""}>
          {value === undefined ? <span className="muted">{t.models.missingValue}</span> : value}
          {isOdd(row, column) && (
            <>
              {" "}
              <Mark />
              <span className="visually-hidden"> {t.models.differs}</span>
            </>
          )}
        </td>
      ))}
    </tr>
  );
}

function Mark() {
  return (
    <span className="comparison-mark" aria-hidden>
      ≠
    </span>
  );
}
