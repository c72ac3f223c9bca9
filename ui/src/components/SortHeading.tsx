import { ArrowDown, ArrowUp } from "lucide-react";
import "./SortHeading.css";

interface SortHeadingProps {
  label: string;
  /** Which way the table is sorted by this column; left out where it is sorted by another. */
  direction?: "ascending" | "descending";
  isNumeric?: boolean;
  /** Sort by it: first the highest, and the other way at the next press. */
  onSort: (isAscending: boolean) => void;
}

/** The heading of a column that a table can be sorted by. */
export function SortHeading({ label, direction, isNumeric = false, onSort }: SortHeadingProps) {
  const Arrow = direction === "ascending" ? ArrowUp : ArrowDown;
  return (
    <th aria-sort={direction} className={isNumeric ? "numeric" : ""}>
      <button type="button" className="sort-heading" onClick={() => onSort(direction === "descending")}>
        {label}
        {direction && <Arrow size={12} aria-hidden />}
      </button>
    </th>
  );
}
