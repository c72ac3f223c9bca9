import { useQuery } from "@tanstack/react-query";
import { readHead } from "../../../api/artifacts";
import { Loading, Problem } from "../../../components/Problem";
import { useStrings } from "../../../i18n";
import { hexDump, isText } from "../../../lib/artifacts/bytes";
import { formatSize } from "../../../lib/format";
import type { PreviewProps } from "../FileView";
import { Code } from "./Code";
import TextPreview from "./TextPreview";

const SHOWN_BYTES = 512;

/** A file of an unknown kind: as text where it is text, else its first bytes. */
export default function BinaryPreview(props: PreviewProps) {
  const t = useStrings();
  const head = useQuery({
    queryKey: ["artifact-bytes", props.url],
    queryFn: ({ signal }) => readHead(props.url, SHOWN_BYTES, signal),
  });
  if (head.error) return <Problem error={head.error} onRetry={() => void head.refetch()} />;
  if (head.data === undefined) return <Loading />;
  const { bytes, sizeBytes } = head.data;
  if (isText(bytes)) return <TextPreview {...props} />;
  return (
    <>
      <p className="muted">{t.artifacts.binary(formatSize(sizeBytes))}</p>
      <Code text={hexDump(bytes)} />
    </>
  );
}
