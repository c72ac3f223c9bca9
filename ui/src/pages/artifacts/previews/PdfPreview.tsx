import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { readHead } from "../../../api/artifacts";
import { Loading, Problem } from "../../../components/Problem";
import { useStrings } from "../../../i18n";
import { nameOf } from "../../../lib/artifacts/kind";
import type { PreviewProps } from "../FileView";

const MOST_BYTES = 100 * 1024 * 1024;

/** A PDF in the browser's own viewer. It is given over as a PDF, whatever the server or its name say it is. */
export default function PdfPreview({ path, url }: PreviewProps) {
  const t = useStrings();
  const [address, setAddress] = useState<string>();
  const file = useQuery({
    queryKey: ["artifact-pdf", url],
    queryFn: ({ signal }) => readHead(url, MOST_BYTES, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const bytes = file.data?.bytes;
  useEffect(() => {
    if (bytes === undefined) return;
    const blob = URL.createObjectURL(new Blob([bytes as BlobPart], { type: "application/pdf" }));
    // eslint-disable-next-line react-hooks/set-state-in-effect -- the address is a thing outside React that is taken back
    setAddress(blob);
    return () => URL.revokeObjectURL(blob);
  }, [bytes]);
  if (file.error) return <Problem error={file.error} onRetry={() => void file.refetch()} />;
  if (address === undefined) return <Loading />;
  return <iframe className="artifact-frame" src={address} title={t.artifacts.frameTitle(nameOf(path))} />;
}
