// The beginning of a file as text: never all of a large one, unless it is asked for.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { readHead } from "../../../api/artifacts";
import { Button } from "../../../components/Button";
import { Loading, Problem } from "../../../components/Problem";
import { useStrings } from "../../../i18n";
import { formatSize } from "../../../lib/format";

const FIRST_BYTES = 512 * 1024;
const MOST_BYTES = 5 * 1024 * 1024;

interface Head {
  text: string;
  isWhole: boolean;
  /** What stands in place of the text, or below it: that it is loading, failed, or goes on. */
  note: ReactNode;
  isReady: boolean;
}

export function useHead(url: string, firstBytes = FIRST_BYTES): Head {
  const t = useStrings();
  const [maxBytes, setMaxBytes] = useState(firstBytes);
  const head = useQuery({
    queryKey: ["artifact-head", url, maxBytes],
    queryFn: ({ signal }) => readHead(url, maxBytes, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  if (head.error) {
    const note = <Problem error={head.error} onRetry={() => void head.refetch()} />;
    return { text: "", isWhole: false, isReady: false, note };
  }
  if (head.data === undefined) return { text: "", isWhole: false, isReady: false, note: <Loading /> };
  const { bytes, sizeBytes } = head.data;
  const isWhole = bytes.length >= sizeBytes;
  const more = Math.min(MOST_BYTES, sizeBytes);
  const note = isWhole ? null : (
    <p className="row wrap muted artifact-note">
      {t.artifacts.head(formatSize(bytes.length), formatSize(sizeBytes))}
      {bytes.length < more && (
        <Button disabled={head.isFetching} onClick={() => setMaxBytes(more)}>
          {t.artifacts.loadMore(formatSize(more))}
        </Button>
      )}
    </p>
  );
  return { text: new TextDecoder().decode(bytes), isWhole, isReady: true, note };
}
