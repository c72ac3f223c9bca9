import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { useState } from "react";
import { Loading, Problem } from "../../../components/Problem";
import type { PreviewProps } from "../FileView";
import { RowsTable } from "./RowsTable";

const PAGE_ROWS = 100;

/** A Parquet file, a page at a time: only the parts of the file that hold these rows are read. */
export default function ParquetPreview({ url, sizeBytes }: PreviewProps) {
  const [start, setStart] = useState(0);
  const page = useQuery({
    queryKey: ["parquet", url, start],
    queryFn: async () => {
      const file = await asyncBufferFromUrl({ url, byteLength: sizeBytes });
      const metadata = await parquetMetadataAsync(file);
      const count = Number(metadata.num_rows);
      const header = parquetSchema(metadata).children.map(({ element }) => element.name);
      const rowEnd = Math.min(count, start + PAGE_ROWS);
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: start, rowEnd });
      return { count, header, rows: rows.map((row) => header.map((name) => row[name] as unknown)) };
    },
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (page.error) return <Problem error={page.error} onRetry={() => void page.refetch()} />;
  if (page.data === undefined) return <Loading />;
  const { count, header, rows } = page.data;
  return (
    <RowsTable
      header={header}
      rows={rows}
      start={start}
      total={count.toLocaleString()}
      onPrevious={start > 0 ? () => setStart(Math.max(0, start - PAGE_ROWS)) : undefined}
      onNext={start + PAGE_ROWS < count ? () => setStart(start + PAGE_ROWS) : undefined}
    />
  );
}
