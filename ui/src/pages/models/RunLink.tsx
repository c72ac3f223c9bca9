import { Link } from "@tanstack/react-router";
import { useStrings } from "../../i18n";

interface RunLinkProps {
  runId: string;
  name?: string;
  /** Left out while it is not known, and where the run is gone. */
  experimentId?: string;
}

const SHORT_ID_LENGTH = 8;

/** A run by its name; where it is not to be had, the start of its id. */
export function RunLink({ runId, name, experimentId }: RunLinkProps) {
  const t = useStrings();
  if (experimentId === undefined) {
    return (
      <span className="mono muted" title={`${runId}\n${t.models.runGone}`}>
        {runId.slice(0, SHORT_ID_LENGTH)}
      </span>
    );
  }
  return (
    <Link to="/experiments/$experimentId/runs/$runId" params={{ experimentId, runId }} title={runId}>
      {name || runId.slice(0, SHORT_ID_LENGTH)}
    </Link>
  );
}
