import { useMemo, useState } from "react";
import { useStrings } from "../../../i18n";
import { readCsv } from "../../../lib/artifacts/csv";
import { extensionOf } from "../../../lib/artifacts/kind";
import type { PreviewProps } from "../FileView";
import { RowsTable } from "./RowsTable";
import { useHead } from "./useHead";

const PAGE_ROWS = 200;

/** A table in a text file, a page at a time. */
export default function CsvPreview({ path, url }: PreviewProps) {
  const t = useStrings();
  const [start, setStart] = useState(0);
  const { text, isWhole, isReady, note } = useHead(url);
  const table = useMemo(() => readCsv(text, isWhole, extensionOf(path) === "tsv"), [text, isWhole, path]);
  if (!isReady) return note;
  const count = table.rows.length;
  return (
    <>
      <RowsTable
        header={table.header}
        rows={table.rows.slice(start, start + PAGE_ROWS)}
        start={start}
        total={isWhole ? count.toLocaleString() : t.artifacts.atLeast(count)}
        onPrevious={start > 0 ? () => setStart(Math.max(0, start - PAGE_ROWS)) : undefined}
        onNext={start + PAGE_ROWS < count ? () => setStart(start + PAGE_ROWS) : undefined}
      />
      {note}
    </>
  );
}
